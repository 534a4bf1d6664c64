//! New tables.

use dolt_store::table::Value;

use super::each_dolt;

#[test]
fn tables_of_every_type_and_option_are_the_ones_that_dolt_makes() {
    each_dolt(|both| {
        both.run_all(&[
            "create table a (id int primary key)",
            "create table numbers (a tinyint, b tinyint(1), c tinyint unsigned, d smallint, e smallint unsigned, f mediumint, g mediumint unsigned, h int(11), i int unsigned, j bigint, k bigint unsigned, l float, m double, n decimal, o decimal(65,30), p bit, q bit(64), r bool, s float(30), t double(10,2), u numeric(5), v dec(4,1), w double precision)",
            "create table texts (a tinytext, b text, c mediumtext, d longtext, e tinyblob, f blob, g mediumblob, h longblob, i json, j char, k char(255), l varchar(1000), m binary, n binary(255), o varbinary(100), p text(100), q text(70000), r nchar(4), s national varchar(5), t character varying(7))",
            "create table moments (a date, b time, c datetime, d datetime(6), e timestamp, f timestamp(3), g year, h time(6))",
            "create table choices (a enum('a','it''s','(,)'), b set('x','y '), c set('a','b') default 'b,a', d enum('x') not null, primary key (d, c))",
            "create table places (a geometry, b point, c linestring, d polygon, e multipoint, f multilinestring, g multipolygon, h geometrycollection)",
            "create table collated (v varchar(10) collate utf8mb4_0900_ai_ci primary key, t text character set latin1, e enum('a','b') default 'a', s set('x','y') default 'x,y', n char(4) character set ascii collate ascii_bin) collate utf8mb4_general_ci",
            "create table latin (v varchar(10), t text, b blob, c char(3)) character set latin1",
            "create table raw (v varchar(10), t text, b blob, c char(3), e enum('a')) collate binary",
            "create table defaults (a varchar(10) default 'it''s', b int default 5, c decimal(10,2) default 1.5, d datetime default current_timestamp on update current_timestamp, e timestamp(6) default current_timestamp(6), f varchar(36) default (uuid()), g double default -1.5, h int default null, i json default (json_object()), j int default (1+2), k bit(4) default b'0101', l varbinary(4) default X'4142', m bool default true, n text default 'abc', o year default 2020, p time default '10:00:00', q bigint unsigned default 18446744073709551615, r varchar(9) default \"d'q\", s varchar(9) default 'a\\\\b\\nc', t date default (curdate()))",
            "create table computed (a int, b int, c int as (a + b * 2) stored, d varchar(20) generated always as (concat(a, '-', b)) virtual, e int as (abs(a)) stored, key (c), key (e, a))",
            "create table counted (id bigint unsigned auto_increment primary key, n int unique, m int unique key comment 'c''om') comment='table ''comment''' auto_increment=10",
            "create table counted_too (id int primary key, n int unique auto_increment)",
            "create table checked (id int primary key, a int, check (a > 0), constraint named check (id <> a) not enforced, b int check (b < 5), c int constraint cc check (c = 1), check (a > 0), check (a between 1 and 5 or b is null))",
            "create table keyed (id int, x int, y int, z text, b varbinary(5000), primary key (y, id), key (x), key (x), key foo (z(10), x), unique key (x, y), unique (id) comment 'über', key k2 (b(3072)), unique key whole (z), key `Upper` (ID))",
            "create table keyless (a int, b varchar(10), key (b), unique key (a, b))",
            "create table if not exists keyless (other int)",
            "create table foreign_words (id int not null primary key comment 'a', v varchar(10) not null default '' comment 'x''y' unique) engine=innodb default charset=utf8mb4 collate=utf8mb4_0900_bin comment 'z'",
            "create table clause (id int, primary key (id)) comment 'beside the clause'",
            "create table `we``ird \"t'é` (`a b` int primary key, `select` int, `é,\"` int, key `i``x` (`select`), check (`select` > `é,\"`))",
            "create table words (id int primary key, `key` int, `order` int, type varchar(3), status int, value text, key (`key`, `order`))",
            "CREATE TABLE `Case` (`ID` INT PRIMARY KEY, `Name` VARCHAR(5), KEY `Ab` (`NAME`)) -- and a note",
        ]);
        both.is_whole();
    });
}

#[test]
fn foreign_keys_and_the_indexes_that_serve_them_are_dolts() {
    each_dolt(|both| {
        both.run_all(&[
            "create table Parent (ID int primary key, Name varchar(20), x int, unique key nm (Name), key xs (x, ID))",
            "create table c1 (a int, n varchar(30), foreign key (a) references parent(id), foreign key (n) references PARENT(name))",
            "create table c2 (a int, b int, key bb (b, a), key aa (a), foreign key (a, b) references Parent (x, ID))",
            "create table c3 (a int, b int, foreign key (b, a) references Parent (x, ID), constraint zz foreign key (a) references c3 (b))",
            "create table c4 (a int primary key, b int, foreign key (b) references c4 (a), foreign key (a) references parent (x))",
            "create table c5 (a int, unique key u (a), constraint u foreign key (a) references parent(id) on delete set null on update cascade, check (a > 1), constraint u2 check (a<9))",
            "create table c6 (id int primary key, a int references parent(id), b int unique check (b>0) references parent (id), constraint f foreign key (b) references parent (id) on delete restrict on update no action)",
            "create index mine on c1 (a)",
            "create index again on c1 (a)",
            "create index by_start on c1 (n(5))",
            "drop table c6",
            "drop table c2, c3",
            "rename table c5 to c7",
            "rename table parent to Ancestor",
        ]);
        both.is_whole();
    });
    // Without checks the other table may come later, or never.
    each_dolt(|both| {
        let both = super::Both {
            options: dolt_store::ddl::DdlOptions { foreign_key_checks: false, ..both.options },
            ..super::Both::new(both.theirs.town.dolt)
        };
        both.run_all(&[
            "create table forward (a int, b int, foreign key (a, b) references later (x, y), constraint ff foreign key (b) references never (z) on update cascade)",
            "create table later (x int, y int, key (x, y))",
        ]);
    });
}

#[test]
fn tags_of_columns_are_drawn_as_dolt_draws_them() {
    each_dolt(|both| {
        // Enough columns that tags collide, and then that Dolt widens their range.
        for table in 0..24 {
            let columns: Vec<String> =
                (0..400).map(|c| format!("c{c} {}", ["int", "bigint", "date"][c % 3])).collect();
            both.run(&format!("create table wide{table} (id int primary key, {})", columns.join(", ")));
        }
        both.run_all(&["create table t (id int primary key, a int, b varchar(5), c int)"]);
        both.commit();
        both.run_all(&[
            "drop table t",
            // What was there under the same name and of the same kind has its tag again.
            "create table t (id int primary key, B varchar(9), c bigint, a text, d int)",
            "drop table t",
            "create table t (c int primary key, a int, b date, id int)",
            "alter table t add column id2 int",
            "alter table t add column `A-2` int first",
        ]);
    });
}

#[test]
fn rows_go_into_our_tables_as_into_dolts() {
    each_dolt(|both| {
        both.run_all(&[
            "create table t (id int primary key, v varchar(10), x text, j json, d datetime(3) not null, e enum('a','b'), n decimal(8,2), unique key (v), key (n, e), key (x(3)))",
            "create table k (a int, b varchar(5), key (b))",
        ]);
        let rows = "insert into t values (1,'a','abc','{\"b\":1}','2026-01-02 03:04:05.678','b',1.5),(2,null,null,null,'2026-01-02 03:04:05','a',null),(3,'é',repeat('ä',3000),'[]','1999-01-01','a',-7); insert into k values (1,'x'),(1,'x'),(null,null)";
        both.with_dolt(rows);
        let row = |id: i64, v: &str| {
            vec![
                Value::Int(id),
                Value::Text(v.to_owned()),
                Value::Text("long ".repeat(2000)),
                Value::Json("{\"k\":[1,2]}".to_owned()),
                Value::Datetime(1_767_323_045_678_000),
                Value::Enum(2),
                Value::Decimal("3.25".to_owned()),
            ]
        };
        both.natively(|tx| {
            tx.edit(|root| {
                root.table("t")?.insert_row(&row(4, "q"))?;
                root.table("k")?.insert_row(&[Value::Int(1), Value::Text("x".to_owned())])
            })
        })
        .unwrap();
        both.theirs.sql("insert into t values (4,'q',repeat('long ',2000),'{\"k\":[1,2]}','2026-01-02 03:04:05.678','b',3.25); insert into k values (1,'x')");
        both.same("rows");
        both.commit();
        both.is_whole();
        both.with_dolt(
            "update t set v = 'w' where id = 3; delete from k where a = 1; alter table t drop column x",
        );
        both.is_whole();
    });
}

#[test]
fn the_collation_of_the_database_is_that_of_its_tables() {
    each_dolt(|both| {
        both.with_dolt("alter database alpha collate utf8mb4_general_ci");
        both.run_all(&[
            "create table t (id int primary key, v varchar(5), e enum('a'))",
            "create table l (id int primary key, v varchar(5)) collate latin1_swedish_ci",
            "alter table l add column w varchar(5)",
            "alter table t add column w varchar(5)",
        ]);
    });
}
