//! Tables, indexes and views that are changed and dropped.

use dolt_store::table::Value;

use super::each_dolt;

const ROWS: &str = "insert into t values (1,'a',5),(2,'b',6),(3,null,5),(4,'é',null),(5,'abc',7),(6,'abd',7);
    insert into k values (1,'x'),(1,'x'),(2,null),(2,null);
    insert into big select n, concat('v', n % 977), repeat('x', n % 300) from (with recursive s(n) as (select 1 union all select n + 1 from s where n < 3000) select n from s) q";

#[test]
fn indexes_of_rows_that_are_there_are_the_ones_that_dolt_builds() {
    each_dolt(|both| {
        both.run_all(&[
            "create table t (id int primary key, v varchar(20), n int)",
            "create table k (a int, b varchar(5), key (b))",
            "create table big (id int primary key, v varchar(20), x text)",
        ]);
        both.with_dolt(ROWS);
        both.run_all(&[
            "create index i1 on t (v)",
            "create index i2 on t (v(2) , n) comment 'zwei'",
            "create unique index i3 on t (v, n)",
            "alter table t add index (n)",
            "alter table t add unique key named (id, v)",
            "create index aa on k (a)",
            "create index v on big (v)",
            "create index x on big (x(5), v)",
            // A unique one makes Dolt make the table anew.
            "create table about (id int primary key, a int default (1 + 2)) comment 'kept, then not'",
            "create index a1 on about (a)",
            "create unique index a2 on about (a, id)",
            "drop index i1 on t",
            "alter table t drop key I2",
        ]);
        for refused in
            ["create unique index u on t (n)", "create unique index u on k (b)", "drop index none on t"]
        {
            let problem = both.natively(|tx| tx.run_ddl(refused, both.options)).unwrap_err().to_string();
            assert!(problem.starts_with("table "), "{problem}");
            let theirs = both.theirs.dolt(&["sql", "-q", refused]);
            assert_ne!(theirs.code, 0, "{refused}: {theirs:?}");
        }
        both.same("what was refused changed nothing");
        both.with_dolt("update big set v = 'new' where id < 50; delete from t where id = 5; insert into k values (1,'y')");
        both.is_whole();
    });
}

#[test]
fn new_columns_are_the_ones_that_dolt_adds() {
    each_dolt(|both| {
        both.run_all(&[
            "create table t (id int primary key, v varchar(20), n int, key (n), check (n > 1))",
            "create table k (a int, b varchar(5), key (b))",
            "create table big (id int primary key, v varchar(20), x text, key (v))",
            "create table e (id int primary key, k int, key(k))",
        ]);
        both.with_dolt(ROWS);
        both.run_all(&[
            "alter table t add column x int",
            "alter table t add y varchar(10) default 'q' comment 'about'",
            "alter table t add column z int not null default 7",
            "alter table t add column aa int first",
            "alter table t add column bb decimal(8,2) default 1.5 after v",
            "alter table t add column cc text",
            "alter table t add column dd datetime default '2020-01-02 03:04:05'",
            "alter table big add column n bigint default -5 after id",
            "alter table k add column z int",
            "alter table e add column n int not null",
            "alter table e add column first1 enum('a','b') not null default 'b' first",
            "create index kk on e (k, n)",
        ]);
        both.with_dolt("insert into t (id, z) values (99, 1); insert into e values ('a', 1, 2, 3)");
        both.is_whole();
        // Where rows get a value, Dolt makes the table anew: it looks for free tags elsewhere too, and forgets the comment.
        both.run_all(&[
            "create table p (id int primary key, a int, b int, key ab (a, b)) comment 'kept, then not'",
            "create table c (id int primary key, x int, y int, constraint fk foreign key (x, y) references p (a, b), foreign key (y) references p (id), check (x > 1))",
            "alter table p add column n int",
            "alter table c add column z int default 3 first",
            "alter table c add column zz varchar(5) default null",
            "alter table p add column z int not null default 3 first",
            "create table bits (id int primary key)",
        ]);
        both.with_dolt("insert into p values (3, 1, 2, 3, 4); insert into bits values (1)");
        both.run_all(&[
            "alter table p add column zd int not null default 3 first",
            "alter table bits add column b bit(3) default b'101'",
            "alter table bits add column c bigint unsigned not null default 18446744073709551615 first",
            "alter table bits add column d decimal(5,1) default '2.5'",
            "alter table bits add column e year default 1999",
            "alter table bits add column f time default '01:02:03'",
            "alter table bits add column g set('a','b') default 'b,a'",
            "alter table bits add column h float default 0.1",
            "alter table bits add column i text default 'long'",
            "alter table bits add column j datetime(3) default '2020-01-02 03:04:05.678'",
        ]);
        both.is_whole();
    });
}

#[test]
fn a_default_is_taken_away_as_dolt_does_it() {
    each_dolt(|both| {
        both.run_all(&[
            "create table t (id char(36) primary key default (uuid()), v varchar(20) default 'a' comment 'c', n int, x text default ('b'))",
            "create index i on t (v)",
        ]);
        both.with_dolt("insert into t values ('1', 'b', 2, 'c')");
        both.run_all(&[
            "alter table t alter column id drop default",
            "alter table t alter V drop default",
            "alter table t alter column n drop default",
            "ALTER TABLE t ALTER x DROP DEFAULT",
        ]);
        both.commit();
        both.run("alter table t alter column v drop default");
        let refused =
            both.natively(|tx| tx.run_ddl("alter table t alter column no drop default", both.options));
        assert!(refused.unwrap_err().to_string().contains("there is no column no"));
        for set in
            ["alter table t alter column n set default 1", "alter table t alter column n drop not null"]
        {
            let refused = both.natively(|tx| tx.run_ddl(set, both.options)).unwrap_err().to_string();
            assert!(refused.contains("but for DROP DEFAULT"), "{refused}");
        }
        both.is_whole();
    });
}

#[test]
fn tables_are_renamed_and_dropped_as_dolt_does_it() {
    each_dolt(|both| {
        both.run_all(&[
            "create table t (id int primary key, v varchar(20), n int)",
            "create table k (a int, b varchar(5), key (b))",
            "create table big (id int primary key, v varchar(20), x text)",
        ]);
        both.with_dolt(ROWS);
        both.commit();
        both.run_all(&[
            "rename table t to `u v`",
            "alter table `U V` rename to w",
            "drop table if exists nothing",
            "drop table k, BIG",
            "drop table w",
            "create table w (id int primary key)",
        ]);
        both.is_whole();
    });
}

#[test]
fn views_are_the_ones_that_dolt_keeps() {
    each_dolt(|both| {
        both.run_all(&[
            "create table t (id int primary key, v varchar(10))",
            "create view a as select * from t",
            "create or replace view `b c` as\n  select id, 'é\\'' as x -- note\n  from t",
            "create or replace view a as select 1 as one",
            "  Create   View Zz AS select /* c */ 1 from t where v = \"x\" ;",
            "create view _u as select 1",
            "create view u1 as select 1",
            "create view `0-9` as select 1",
            "drop view if exists nope",
            "drop view a",
            "drop view `B C`, zz",
        ]);
        both.with_dolt("insert into t values (1, 'x'); create view more as select 2");
        both.run("drop view more, _u, `0-9`");
        assert_eq!(both.ours.asked("csv", "select * from u1"), "1\n1\n");
        both.run("drop view u1");
        both.is_whole();
    });
}

#[test]
fn the_table_of_ignored_names_is_the_one_that_dolt_makes() {
    each_dolt(|both| {
        both.theirs.sql("insert into dolt_ignore values ('wisp_%', true)");
        let options = both.options;
        both.natively(|tx| {
            tx.create_dolt_ignore(options)?;
            tx.create_dolt_ignore(options)?;
            let row = [Value::Text("wisp_%".to_owned()), Value::Int(1)];
            tx.edit(|root| root.table("dolt_ignore")?.insert_row(&row))
        })
        .unwrap();
        both.same("dolt_ignore");
        both.run("create table wisp_x (id int primary key)");
        assert!(both.ours.dolt(&["status"]).ok().out.contains("dolt_ignore"));
        both.is_whole();
    });
}
