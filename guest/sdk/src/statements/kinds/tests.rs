use super::*;

fn names(sql: &str) -> Vec<String> {
    Kinds::of(sql).names().map(str::to_owned).collect()
}

#[track_caller]
fn check(cases: &[(&str, &[&str])]) {
    for (sql, expected) in cases {
        assert_eq!(names(sql), *expected, "{sql}");
    }
}

#[test]
fn leading_keywords() {
    check(&[
        ("", &[]),
        ("-- select", &[]),
        ("sElEcT 1", &["select"]),
        ("VALUES (1)", &["select"]),
        ("TABLE t", &["select"]),
        ("((SELECT 1) UNION (SELECT 2))", &["select"]),
        ("/* DROP */ INSERT INTO t VALUES (1)", &["insert"]),
        ("INSERT INTO t SELECT * FROM u", &["insert"]),
        ("INSERT INTO temp VALUES (1)", &["insert"]),
        ("DELETE FROM t WHERE id IN (SELECT 1)", &["delete"]),
        ("SHOW ALL", &["show"]),
        ("SET a = 1", &["set"]),
        ("ANALYSE t", &["analyze"]),
        ("DO $$BEGIN DELETE FROM t; END$$", &["do"]),
        ("TRUNCATE t", &["truncate"]),
        ("\"delete\" FROM t", &["unknown"]),
        ("'x'", &["unknown"]),
        ("frobnicate t", &["unknown"]),
        ("COMMIT", &["unknown"]),
    ]);
}

#[test]
fn what_with_holds() {
    check(&[
        ("WITH x AS (SELECT 1) SELECT * FROM x", &["select"]),
        ("WITH x AS (SELECT 1) DELETE FROM t", &["delete", "select"]),
        (
            "WITH x AS (DELETE FROM t RETURNING *) SELECT * FROM x",
            &["delete", "select"],
        ),
        (
            "WITH a AS (WITH b AS (WITH c AS MATERIALIZED (update t SET a = 1 RETURNING *) TABLE c) \
             TABLE b) TABLE a",
            &["select", "update"],
        ),
        (
            "WITH x AS(/**/insert/**/INTO t VALUES (1) RETURNING 1)SELECT 1",
            &["insert", "select"],
        ),
        (
            "WITH RECURSIVE x AS (SELECT 1 AS a) SEARCH DEPTH FIRST BY a SET key DELETE FROM t",
            &["delete", "select"],
        ),
        (
            "WITH RECURSIVE x AS (SELECT 1 AS a) CYCLE a SET c USING path UPDATE t SET a = 1",
            &["select", "update"],
        ),
        (
            "WITH x AS (DELETE FROM t) INSERT INTO u DEFAULT VALUES",
            &["delete", "insert", "select"],
        ),
    ]);
}

#[test]
fn statements_in_statements() {
    check(&[
        ("EXPLAIN SELECT 1", &["explain", "select"]),
        ("EXPLAIN (SELECT 1)", &["explain", "select"]),
        (
            "EXPLAIN ANALYZE VERBOSE DELETE FROM t",
            &["delete", "explain"],
        ),
        (
            "EXPLAIN (ANALYZE, FORMAT json) INSERT INTO t VALUES (1)",
            &["explain", "insert"],
        ),
        ("EXPLAIN (ANALYZE) EXECUTE p", &["execute", "explain"]),
        (
            "EXPLAIN ANALYZE CREATE TABLE x AS SELECT 1",
            &["create", "explain", "select"],
        ),
        ("PREPARE p (int) AS DELETE FROM t", &["delete", "prepare"]),
        (
            "PREPARE p AS WITH x AS (SELECT 1) MERGE INTO t USING x ON true WHEN MATCHED THEN DELETE",
            &["delete", "merge", "prepare", "select"],
        ),
        ("EXECUTE p", &["execute"]),
        (
            "DECLARE c CURSOR WITH HOLD FOR SELECT 1",
            &["declare", "select"],
        ),
        (
            "COPY (DELETE FROM t RETURNING *) TO '/x'",
            &["copy", "delete"],
        ),
        ("COPY t FROM '/x'", &["copy"]),
        ("CREATE TABLE x AS TABLE t", &["create", "select"]),
        ("CREATE TABLE x AS EXECUTE p", &["create", "execute"]),
        (
            "CREATE VIEW v AS (WITH a AS (SELECT 1) TABLE a)",
            &["create", "select"],
        ),
        (
            "CREATE RULE r AS ON INSERT TO t DO INSTEAD DELETE FROM u",
            &["create", "delete"],
        ),
        (
            "INSERT INTO t VALUES (1) ON CONFLICT DO UPDATE SET a = 2",
            &["insert", "update"],
        ),
        (
            "MERGE INTO temp t USING u ON true WHEN NOT MATCHED THEN INSERT VALUES (1)",
            &["insert", "merge"],
        ),
    ]);
}

#[test]
fn grants_in_statements() {
    check(&[
        (
            "CREATE SCHEMA s CREATE TABLE a () GRANT SELECT, DELETE ON a TO u",
            &["create", "grant"],
        ),
        (
            "ALTER DEFAULT PRIVILEGES GRANT INSERT ON TABLES TO u",
            &["alter", "grant"],
        ),
        (
            "ALTER DEFAULT PRIVILEGES REVOKE ALL ON TABLES FROM u",
            &["alter", "revoke"],
        ),
    ]);
}

#[test]
fn select_into_creates() {
    check(&[
        ("SELECT 1 INTO x", &["create", "select"]),
        ("SELECT 1 AS a INTO TEMP x FROM t", &["create", "select"]),
        (
            "WITH a AS (SELECT 1) SELECT * INTO UNLOGGED TABLE s.x FROM a",
            &["create", "select"],
        ),
        // A name of the select list in the place of the keyword.
        ("SELECT 1 insert INTO x", &["create", "insert", "select"]),
        (
            "SELECT (1) merge INTO TEMP TABLE s . x FROM t",
            &["create", "merge", "select"],
        ),
        (
            "EXPLAIN ANALYZE SELECT 1 INTO x",
            &["create", "explain", "select"],
        ),
    ]);
}

#[test]
fn what_only_looks_like_a_change() {
    check(&[
        ("SELECT * FROM t FOR UPDATE", &["select"]),
        ("SELECT * FROM t FOR NO KEY UPDATE OF t", &["select"]),
        ("SELECT t.update, delete FROM t", &["select"]),
        ("SELECT \"update\", U&\"\\0064elete\" FROM t", &["select"]),
        (
            "SELECT 'delete from t', $$update$$, $x$ insert $$ $x$",
            &["select"],
        ),
        (
            "SELECT 1 /* ; delete /* from */ t */ -- update\n",
            &["select"],
        ),
        (
            "SELECT updated, delete_me, \u{e9}insert FROM t",
            &["select"],
        ),
        ("GRANT SELECT, UPDATE ON t TO u", &["grant"]),
        ("REVOKE DELETE ON t FROM u", &["revoke"]),
        (
            "CREATE TABLE a (b int REFERENCES c ON DELETE CASCADE ON UPDATE CASCADE)",
            &["create"],
        ),
        (
            "CREATE OR REPLACE TRIGGER x BEFORE INSERT OR UPDATE ON t EXECUTE FUNCTION f()",
            &["create"],
        ),
        ("CREATE POLICY p ON t FOR INSERT", &["create"]),
    ]);
    // One too many: quote such names.
    assert_eq!(names("SELECT a AS update FROM t"), ["select", "update"]);
}

#[test]
fn literals_hide_nothing_whatever_the_session_has_set() {
    // With standard_conforming_strings off, the first literal ends at the third quote.
    for sql in [
        r"WITH x AS (SELECT '\' AS a, ' ), y AS (DELETE FROM t RETURNING 1) SELECT 1 --'",
        r"WITH x AS (SELECT '\' -- '), y AS (DELETE FROM t RETURNING 1) SELECT 1",
        r"WITH x AS (SELECT N'\' , ' ), y AS (DELETE FROM t RETURNING 1) SELECT 1 --'",
        "WITH x AS (SELECT E'a'\n'\\' , ' ), y AS (DELETE FROM t RETURNING 1) SELECT 1 --'",
    ] {
        let kinds = Kinds::of(sql);
        assert!(
            kinds.has("delete") && kinds.changes_uncounted_rows(),
            "{sql}"
        );
    }
    assert!(Kinds::of(r"SELECT '\' , ' INTO x --'").has("create"));
    assert!(Kinds::of(r"EXPLAIN (FORMAT '\' ) , ' ) EXECUTE p --'").has("execute"));
    assert_eq!(names(r"SELECT E'\'delete' , '\d+'"), ["delete", "select"]);
    assert_eq!(names(r"SELECT E'\' delete'"), ["select"]);
    assert_eq!(names(r"SELECT a ~ '^\d+$' FROM t FOR SHARE"), ["select"]);
}

#[test]
fn changes_that_are_not_counted() {
    for (sql, expected) in [
        ("DELETE FROM t", false),
        ("WITH x AS (SELECT 1) DELETE FROM t USING x", false),
        (
            "INSERT INTO t VALUES (1) ON CONFLICT (a) DO UPDATE SET a = (2)",
            false,
        ),
        (
            "MERGE INTO t USING (SELECT 1) x ON (true) WHEN MATCHED THEN DELETE",
            false,
        ),
        ("SELECT 1", false),
        ("EXPLAIN SELECT 1", false),
        ("WITH x AS (DELETE FROM t RETURNING 1) SELECT 1", true),
        (
            "WITH x AS (DELETE FROM t RETURNING 1) INSERT INTO u SELECT * FROM x",
            true,
        ),
        ("EXPLAIN ANALYZE DELETE FROM t", true),
        ("COPY (DELETE FROM t RETURNING 1) TO '/x'", true),
    ] {
        assert_eq!(Kinds::of(sql).changes_uncounted_rows(), expected, "{sql}");
    }
}

#[test]
fn what_is_needed() {
    let needs = |sql: &str| {
        let kinds = Kinds::of(sql);
        (kinds.only_read(), kinds.only_read_or_change_rows())
    };
    assert_eq!(needs("SHOW x"), (true, true));
    assert_eq!(needs("UPDATE t SET a = 1"), (false, true));
    assert_eq!(needs("SELECT 1 INTO x"), (false, false));
    assert_eq!(needs("RESET ROLE"), (false, false));
}

#[test]
fn long_text_takes_no_stack() {
    let deep = format!("{}SELECT 1", "EXPLAIN ".repeat(100_000));
    assert_eq!(names(&deep), ["explain", "select"]);
    let deep = format!("{}SELECT 1", "(".repeat(100_000));
    assert_eq!(names(&deep), ["select"]);
}

#[test]
fn the_list_of_kinds_is_in_order() {
    assert!(KINDS.is_sorted());
    assert!(
        CHANGES
            .iter()
            .chain(&INNER)
            .all(|kind| KINDS.contains(kind))
    );
}
