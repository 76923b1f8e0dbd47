//! SQL text that says one thing and does another. What the host cannot tell, PostgreSQL refuses.

use super::Attack;
use crate::hostile::{Guest, plan, statement};
use airlock::fault::Culprit;
use airlock::plan::{Access, Plan, Reply, RowShape};

pub(super) fn attacks() -> Vec<Attack> {
    [malformed(), too_much(), utilities(), reads(), several()].concat()
}

/// A command that may change definitions, and a plan that does.
fn defining(sql: &str, reply: Reply) -> Guest {
    let statements = vec![statement(sql, Access::Define)];
    Guest::answering(Plan { statements, reply }).declaring(Access::Define)
}

fn malformed() -> Vec<Attack> {
    let nul = Attack::new("a NUL", &Guest::answering(plan("SELECT 'a\0b'"))).fails("NUL");
    let late = Attack::new(
        "a NUL behind the text",
        &Guest::answering(plan("SELECT 1\0")),
    );
    let empty = ["", " ", "-- SELECT 1", "/* SELECT 1 */"].map(|sql| {
        Attack::new(
            format!("no statement: {sql:?}"),
            &defining(sql, Reply::Affected),
        )
        .fails("is empty")
    });
    [nul, late.fails("NUL")].into_iter().chain(empty).collect()
}

/// Statements that claim more access than their command has.
fn too_much() -> Vec<Attack> {
    [(Access::Write, "Write"), (Access::Define, "Define")]
        .map(|(access, name)| {
            let guest = Guest::answering(Plan {
                statements: vec![
                    statement("SELECT 1", Access::Read),
                    statement("DELETE FROM t", access),
                ],
                reply: Reply::Affected,
            });
            Attack::new(format!("a command that reads claims {name}"), &guest)
                .fails(&format!("claims {name} access but C is declared with Read"))
        })
        .to_vec()
}

fn utilities() -> Vec<Attack> {
    let reading = [
        "SET transaction_read_only = off",
        "SET SESSION AUTHORIZATION DEFAULT",
        "RESET ALL",
        "DROP TABLE t",
        "TRUNCATE t",
        "COMMIT",
        "COPY (SELECT 1) TO PROGRAM 'true'",
        "COPY t FROM '/etc/passwd'",
        "DO $$BEGIN DELETE FROM t; END$$",
        "CALL p()",
        "PREPARE s AS DELETE FROM t",
        "EXECUTE s",
        "LISTEN x",
        "/* SELECT */ VACUUM",
    ];
    let reading = reading.map(|sql| {
        Attack::new(format!("reads by {sql}"), &Guest::answering(plan(sql)))
            .fails("needs define access")
    });
    let control = [
        "COMMIT",
        "/* x */ commit",
        "BEGIN",
        "START TRANSACTION",
        "ROLLBACK",
        "END",
        "ABORT",
        "PREPARE TRANSACTION 'x'",
        "(((COMMIT)))",
    ];
    let control = control.map(|sql| {
        Attack::new(format!("defines by {sql}"), &defining(sql, Reply::Affected))
            .fails("begins or ends a transaction")
    });
    let copies = [
        "COPY t FROM STDIN",
        "COPY t TO STDOUT",
        "copy t to /**/ stdout",
    ];
    let copies = copies.map(|sql| {
        Attack::new(format!("defines by {sql}"), &defining(sql, Reply::Affected))
            .fails("is a COPY from or to the client")
    });
    let all = reading.into_iter().chain(control).chain(copies);
    all.chain(controlled_from_within()).collect()
}

/// Transactions that end inside of what looks like one statement.
fn controlled_from_within() -> [Attack; 3] {
    [
        (
            "DO $$BEGIN COMMIT; END$$",
            "invalid transaction termination",
        ),
        (
            "DO $$BEGIN DELETE FROM t; ROLLBACK; END$$",
            "invalid transaction termination",
        ),
        (
            "DO $$BEGIN EXECUTE 'COMMIT'; END$$",
            "EXECUTE of transaction commands is not implemented",
        ),
    ]
    .map(|(sql, says)| {
        Attack::new(format!("defines by {sql}"), &defining(sql, Reply::Affected))
            .fails_by(Culprit::Database, says)
    })
}

/// What claims to read runs READ ONLY.
fn reads() -> Vec<Attack> {
    let single = [
        "INSERT INTO t VALUES (2) RETURNING n",
        "UPDATE t SET n = 2 RETURNING n",
        "DELETE FROM t RETURNING n",
        "WITH gone AS (DELETE FROM t RETURNING n) SELECT n FROM gone",
        "SELECT n FROM t FOR UPDATE",
        "SELECT n INTO u FROM t",
        "EXPLAIN ANALYZE DELETE FROM t",
    ];
    let single = single.map(|sql| {
        Attack::new(format!("reads by {sql}"), &Guest::answering(plan(sql)))
            .fails_by(Culprit::Database, "read-only transaction")
    });
    [left_open(), closing()]
        .into_iter()
        .chain(single)
        .chain(opened())
        .collect()
}

/// Opens the session for those who come after it; they find it closed again.
fn left_open() -> Attack {
    let sql = "SELECT set_config('default_transaction_read_only', 'off', false)";
    let guest = Guest::answering(plan(sql));
    Attack::new("leaves its session open for writing", &guest).answers(r#"[["off"]]"#)
}

/// A right of the database's user, which nobody else suffers from.
fn closing() -> Attack {
    let guest = Guest::answering(plan("SELECT pg_terminate_backend(pg_backend_pid())"));
    Attack::new("ends its own session", &guest).fails_by(
        Culprit::Database,
        "server closed the connection unexpectedly",
    )
}

/// Plans that make their transaction writable before they write.
fn opened() -> [Attack; 3] {
    const LATE: &str = "transaction read-write mode must be set before any query";
    [
        (
            vec!["SELECT set_config('transaction_read_only', 'off', true), lo_creat(-1)"],
            LATE,
        ),
        (
            vec![
                "SELECT set_config('transaction_read_only', 'off', false)",
                "DELETE FROM t RETURNING n",
            ],
            LATE,
        ),
        (
            vec![
                "SELECT set_config('default_transaction_read_only', 'off', false)",
                "DELETE FROM t RETURNING n",
            ],
            "read-only transaction",
        ),
    ]
    .map(|(statements, says)| {
        let name = format!("turns read-only off by {}", statements.join("; "));
        let statements = statements.iter().map(|sql| statement(sql, Access::Read));
        let guest = Guest::answering(Plan {
            statements: statements.collect(),
            reply: Reply::Rows(RowShape::Arrays),
        });
        Attack::new(name, &guest).fails_by(Culprit::Database, says)
    })
}

/// Several statements in the text of one.
fn several() -> Vec<Attack> {
    const MANY: &str = "cannot insert multiple commands into a prepared statement";
    let reading = [
        "SELECT 1; DROP TABLE t",
        "SELECT 1; COMMIT; DELETE FROM t",
        "SELECT 1 /* ; */ ; -- \n DELETE FROM t",
    ];
    let reading = reading.map(|sql| {
        Attack::new(format!("reads by {sql:?}"), &Guest::answering(plan(sql)))
            .fails_by(Culprit::Database, MANY)
    });
    let defining = [
        "DROP TABLE t; SELECT 1",
        "CREATE TABLE u (); COMMIT; DROP TABLE t",
        "SET search_path = x; ROLLBACK; DROP TABLE t",
    ]
    .map(|sql| {
        Attack::new(
            format!("defines by {sql:?}"),
            &defining(sql, Reply::Affected),
        )
        .fails_by(Culprit::Database, MANY)
    });
    reading.into_iter().chain(defining).collect()
}
