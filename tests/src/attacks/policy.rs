//! Plans that would go around what the operator allows: by claiming less than they do, or more than
//! they need, and by calling themselves what they are not.

use super::Attack;
use crate::hostile::{Guest, statement};
use airlock::Policy;
use airlock::fault::Culprit;
use airlock::plan::{Access, Plan, Reply};
use airlock::policy::{Caps, Role, SessionRules, StatementRules};

pub(super) fn attacks() -> Vec<Attack> {
    [access(), kinds(), roles(), caps(), vec![elsewhere()]].concat()
}

/// A connector whose command has this access, and is raw or says that it is not.
fn guest(access: Access, raw: bool, statements: &[(&str, Access)], reply: Reply) -> Guest {
    let statements = statements.iter();
    let statements = statements.map(|(sql, access)| statement(sql, *access));
    let statements = statements.collect();
    let mut guest = Guest::answering(Plan { statements, reply }).declaring(access);
    guest.manifest.commands[0].raw = raw;
    guest
}

/// One statement, in a command that is raw and in one that is not.
fn both(sql: &str, access: Access, policy: &Policy, rule: &str) -> [Attack; 2] {
    [true, false].map(|raw| {
        let guest = guest(Access::Define, raw, &[(sql, access)], Reply::Affected);
        let name = format!("{rule}, raw {raw}: {access} by {sql}");
        let attack = Attack::new(name, &guest).under(policy.clone());
        attack.fails_by(
            Culprit::Caller,
            &format!("PolicyDenied: the policy of hostile has {rule}"),
        )
    })
}

fn may(access: Access) -> Policy {
    Policy {
        statements: StatementRules {
            access,
            raw_sql: None,
        },
        ..Policy::default()
    }
}

fn access() -> Vec<Attack> {
    let reading = [
        ("DELETE FROM t", Access::Read),
        ("DELETE FROM t", Access::Define),
        ("/* SELECT */ (((DELETE FROM t)))", Access::Read),
        (
            "WITH x AS (INSERT INTO t VALUES (2) RETURNING n) SELECT n FROM x",
            Access::Read,
        ),
        (
            "WITH x AS (WITH y AS(DeLeTe/**/FROM t RETURNING n)TABLE y)TABLE x",
            Access::Read,
        ),
        ("EXPLAIN ANALYZE DELETE FROM t", Access::Read),
        (
            "EXPLAIN (COSTS off, ANALYZE) SELECT n INTO u FROM t",
            Access::Read,
        ),
        ("SELECT 1 insert INTO u", Access::Read),
        ("DROP TABLE t", Access::Define),
        (
            "SET SESSION CHARACTERISTICS AS TRANSACTION READ WRITE",
            Access::Define,
        ),
    ];
    let writing = [
        ("TRUNCATE t", Access::Define),
        ("SELECT n INTO u FROM t", Access::Write),
        ("EXPLAIN ANALYZE CREATE TABLE u AS TABLE t", Access::Write),
    ];
    let reading =
        reading.map(|(sql, access)| both(sql, access, &may(Access::Read), "access = \"read\""));
    let writing =
        writing.map(|(sql, access)| both(sql, access, &may(Access::Write), "access = \"write\""));
    let denied = reading.into_iter().chain(writing).flatten();
    denied.chain(claims()).collect()
}

/// What is claimed counts where the command knows its statements; else the server holds them.
fn claims() -> [Attack; 2] {
    let claims = |raw| {
        let statements = [("SELECT n FROM t", Access::Define)];
        let guest = guest(Access::Define, raw, &statements, Reply::Affected);
        Attack::new(format!("reads and claims define, raw {raw}"), &guest).under(may(Access::Read))
    };
    [
        claims(false).fails_by(Culprit::Caller, "C needs define"),
        claims(true).answers("1 rows affected"),
    ]
}

fn kinds() -> Vec<Attack> {
    let policy = Policy {
        statements: StatementRules {
            access: Access::Define,
            raw_sql: Some(["select".to_owned()].into()),
        },
        ..Policy::default()
    };
    let statements = [
        "DELETE FROM t",
        "WITH x AS (DELETE FROM t RETURNING n) SELECT n FROM x",
        "SELECT n INTO u FROM t",
        "DO $$BEGIN DELETE FROM t; END$$",
        "CALL p()",
        // With standard_conforming_strings off, this deletes.
        "WITH x AS (SELECT '\\' AS a, ' ), y AS (DELETE FROM t RETURNING 1) SELECT 1 --'",
    ];
    let rule = "raw_sql = [\"select\"]";
    statements
        .map(|sql| both(sql, Access::Define, &policy, rule))
        .concat()
}

fn roles() -> Vec<Attack> {
    let policy = Policy {
        session: SessionRules {
            role: Some(Role::new("pg_read_all_data").unwrap()),
            ..SessionRules::default()
        },
        ..Policy::default()
    };
    let leaving = [
        "RESET ROLE",
        "/**/ReSeT role",
        "SET ROLE NONE",
        "SET LOCAL SESSION AUTHORIZATION DEFAULT",
        "RESET ALL",
        "DISCARD ALL",
        "DO $$BEGIN RESET ROLE; DELETE FROM t; END$$",
        "PREPARE p AS DELETE FROM t",
    ]
    .map(|sql| both(sql, Access::Define, &policy, "role = \"pg_read_all_data\""))
    .concat();
    let held = [
        ("DELETE FROM t", "permission denied for table t"),
        (
            "DELETE FROM t RETURNING current_user",
            "permission denied for table t",
        ),
        (
            "SELECT pg_read_file('/etc/passwd')",
            "permission denied for function",
        ),
        (
            "SELECT dblink_exec('dbname=postgres', 'DROP TABLE t')",
            "does not exist",
        ),
    ]
    .map(|(sql, says)| {
        let guest = guest(
            Access::Define,
            false,
            &[(sql, Access::Write)],
            Reply::Affected,
        );
        Attack::new(format!("as a role: {sql}"), &guest)
            .under(policy.clone())
            .fails_by(Culprit::Database, says)
    });
    leaving.into_iter().chain(held).collect()
}

/// The call brings a connection string, and the connector may use no database.
fn elsewhere() -> Attack {
    let policy = Policy {
        databases: Some([].into()),
        ..Policy::default()
    };
    Attack::new("a connection string of the call's own", &Guest::default())
        .under(policy)
        .fails_by(
            Culprit::Caller,
            "databases = []; a connection string is not accepted",
        )
}

fn caps() -> Vec<Attack> {
    let policy = Policy {
        caps: Caps {
            reply_rows: Some(1),
            reply_bytes: Some(10),
            affected_rows: Some(0),
        },
        ..Policy::default()
    };
    let uncounted = [
        "WITH x AS (DELETE FROM t RETURNING n) SELECT n FROM x",
        "WITH x AS (UPDATE t SET n = 2 RETURNING n) INSERT INTO t SELECT n FROM x WHERE false",
        "EXPLAIN ANALYZE DELETE FROM t",
        "COPY (DELETE FROM t RETURNING n) TO '/dev/null'",
    ]
    .map(|sql| both(sql, Access::Define, &policy, "affected_rows = 0"))
    .concat();
    let counted = [
        ("UPDATE t SET n = 2", Reply::Affected),
        ("UPDATE t SET n = 2", Reply::Json("1".into())),
        ("UPDATE t SET n = 2 RETURNING n", Reply::Json("1".into())),
        ("CREATE TABLE u AS TABLE t", Reply::Json("1".into())),
    ]
    .map(|(sql, reply)| {
        let name = format!("affects rows by {sql}, and replies {reply:?}");
        let guest = guest(Access::Define, false, &[(sql, Access::Define)], reply);
        Attack::new(name, &guest)
            .under(policy.clone())
            .fails_by(Culprit::Caller, "the cap affected_rows = 0")
    });
    let long = guest(
        Access::Read,
        false,
        &[],
        Reply::Json("\"0123456789\"".into()),
    );
    let long = Attack::new("a long reply of its own", &long)
        .under(policy)
        .fails_by(Culprit::Caller, "the limit reply_bytes");
    uncounted.into_iter().chain(counted).chain([long]).collect()
}
