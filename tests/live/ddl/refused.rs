//! What Dolt refuses, and what we cannot do as it does: a named error, and nothing has changed.

use dolt_store::Error;

use super::each_dolt;

#[test]
fn what_dolt_refuses_is_refused() {
    each_dolt(|both| {
        both.run_all(&[
            "create table Parent (ID int primary key, Name varchar(20), x int, unique key nm (Name))",
            "create table child (a int, foreign key (a) references parent (id))",
            "create view seen as select 1",
        ]);
        for sql in [
            "create table Parent (a int)",
            "create table seen (a int)",
            "create view parent as select 1",
            "create view SEEN as select 1",
            "drop view unseen",
            "drop table unseen",
            "drop table parent",
            "drop index a on child",
            "create table u (id int, ID int)",
            "create table u (id int primary key, b int primary key)",
            "create table u (id int, primary key (nope))",
            "create table u (id int primary key, x json, key (x))",
            "create table u (x text primary key)",
            "create table u (v varchar(10), primary key (v(5)))",
            "create table u (id int primary key, t text, key (t))",
            "create table u (id int primary key, t text collate utf8mb4_0900_ai_ci, unique key (t))",
            "create table u (id int primary key, n int, key (n(3)))",
            "create table u (id int primary key, v varchar(1000), key k (v(800)))",
            "create table u (id int primary key, d int, key (d, d))",
            "create table u (id int primary key, d int, key a (d), key A (id))",
            "create table u (id int primary key, d int, key a (nope))",
            "create table u (id int auto_increment)",
            "create table u (id int auto_increment primary key, b int auto_increment unique)",
            "create table u (id int primary key, e enum('a','A') collate utf8mb4_0900_ai_ci)",
            "create table u (id int primary key, e set('a,b'))",
            "create table u (id int primary key, e enum('a','b') default 'c')",
            "create table u (id int primary key, n int not null default null)",
            "create table u (id int primary key, n int default 'abc')",
            "create table u (id int primary key, v varchar(2) default 'abc')",
            "create table u (id int primary key, d datetime(3) default current_timestamp)",
            "create table u (id int primary key, n int on update current_timestamp)",
            "create table u (a int, b int as (nope + 1))",
            "create table u (a int, check (nope > 1))",
            "create table u (a int, constraint x check (a > 1), constraint X check (a > 2))",
            "create table u (a varchar(16384))",
            "create table u (a varchar(16383), b varchar(16383))",
            "create table u (a decimal(66))",
            "create table u (a decimal(5,6))",
            "create table u (a bit(65))",
            "create table u (a time(3))",
            "create table u (a datetime(7))",
            "create table u (a varchar)",
            "create table u (a varchar(5) collate klingon_ci)",
            "create table u (a varchar(5) character set latin1 collate utf8mb4_bin)",
            "create table u (a bigint, foreign key (a) references parent (id))",
            "create table u (a int, foreign key (a) references unseen (id))",
            "create table u (a int, foreign key (a) references parent (nope))",
            "create table u (a int, foreign key (a) references parent (x))",
            "create table u (a int not null, foreign key (a) references parent (id) on delete set null)",
            "create table u (a int, constraint f foreign key (a) references parent (id), constraint F foreign key (a) references parent (id))",
            "create table dolt_mine (a int)",
            "create table `ends with a blank ` (a int)",
            "create table u (a int",
            "create table u a int)",
            "create tabel u (a int)",
            "alter table parent add column NAME int",
            "alter table parent add column y int after nope",
            "alter table unseen add column y int",
            "rename table parent to child",
            "create index nm on parent (x)",
        ] {
            let ours = both.natively(|tx| tx.run_ddl(sql, both.options));
            assert!(ours.is_err(), "{sql}");
            let theirs = both.theirs.dolt(&["sql", "-q", sql]);
            assert_ne!(theirs.code, 0, "{sql}: {theirs:?}");
        }
        both.same("what was refused changed nothing");
    });
}

#[test]
fn what_we_cannot_do_as_dolt_does_is_refused_by_name() {
    each_dolt(|both| {
        both.run_all(&[
            "create table t (id int primary key, v varchar(20), n int, key (n))",
            "create table c (a int, foreign key (a) references t (id))",
            "create table k (a int)",
            "create table counts (id int primary key auto_increment) auto_increment = 5",
            "create table made (id int primary key, a int, b int default (a + 1), c int as (a * 2) stored)",
        ]);
        both.with_dolt("insert into t values (1, 'a', 2); insert into k values (1); create table f (id int primary key, x text, fulltext key ft (x)); create table s (id int primary key, g geometry not null srid 0, spatial key sp (g))");
        for (sql, named) in [
            ("create table u (id int primary key, x text, fulltext key (x))", "a fulltext index"),
            (
                "create table u (id int primary key, g geometry not null, spatial index (g))",
                "a spatial index",
            ),
            ("create table u (id int primary key, v vector(3), vector index (v))", "a vector index"),
            ("create table u (id int primary key, v vector(3))", "the type vector"),
            ("create table u (id int primary key, p point srid 4326)", "SRID behind the column p"),
            ("create table u (id int primary key, a int, b int as (a + 1), key (b))", "the virtual column b"),
            ("create table u (id int primary key, a int, key ((a + 1)))", "an index on an expression"),
            ("create table u (id int primary key, a int, key (a desc))", "a descending index"),
            ("create table u like t", "a table made from another"),
            ("create table u as select 1", "a table made from another"),
            ("create table other.u (a int)", "a name with a database"),
            ("create table u (a int) row_format=dynamic", "the table option ROW_FORMAT"),
            ("create table u (a int /*! unsigned */)", "a comment that begins with /*!"),
            ("create temporary table u (a int)", "create temporary table"),
            ("create trigger x before insert on t for each row set new.n = 1", "create trigger x"),
            ("create procedure p() select 1", "create procedure p()"),
            ("create view v (x) as select 1", "a view that names its columns"),
            ("create view `ä` as select 1", "the order of \"ä\""),
            ("alter table t drop column v", "ALTER TABLE t DROP"),
            ("alter table t modify column v text", "ALTER TABLE t MODIFY"),
            ("alter table t add column a int, add column b int", "several changes"),
            ("alter table t add column a int unique", "with more than a default"),
            ("alter table t add column a int default (n + 1)", "with the default"),
            ("alter table t add column a int not null", "cannot be NULL"),
            ("alter table k add column a2 int default 4", "rows without a key"),
            ("alter table t add constraint x check (n > 1)", "ALTER TABLE t ADD CONSTRAINT"),
            ("alter table t add column j json default null", "with NULL for its default"),
            ("alter table counts add column n int default 1", "making table counts anew"),
            ("create unique index u on made (a)", "whose column b has the expression"),
            ("create unique index u on counts (id)", "making table counts anew"),
            (
                "create table u (a int, b int as (a + 1) stored, foreign key (a) references t (id))",
                "the generated column b is made from",
            ),
            ("alter table f add column n int", "a full-text index"),
            ("create index n on f (id, x(3))", "a full-text index"),
            ("drop table f", "dropping table f with index ft"),
            ("create index n on s (id)", "a spatial index"),
            ("truncate table t", "truncate table t"),
        ] {
            let problem = both.natively(|tx| tx.run_ddl(sql, both.options)).unwrap_err();
            let is_ours = matches!(problem, Error::NotSupported { .. } | Error::Definition { .. });
            let said = problem.to_string();
            assert!(is_ours && said.contains(named), "{sql}: {said}");
        }
        both.same("what was refused changed nothing");
        // What Dolt has spelled with the table's name it spells anew.
        both.with_dolt("create unique index u on made (a)");
        let problem =
            both.natively(|tx| tx.run_ddl("alter table made add column z int default 3", both.options));
        assert!(problem.unwrap_err().to_string().contains("whose column b has the expression"));
        both.same("what was refused changed nothing");
        both.ours.sql("create trigger tr before insert on k for each row set new.a = 1");
        let problem = both.natively(|tx| tx.run_ddl("drop table k", both.options)).unwrap_err();
        assert!(problem.to_string().contains("beside triggers"), "{problem}");
    });
}
