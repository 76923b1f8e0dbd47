use super::*;
use crate::plan::RowShape;

fn plan(sql: &str, access: Access, reply: Reply) -> Plan {
    let statement = Statement {
        sql: sql.into(),
        arguments: Arguments::None,
        access,
        max_affected: None,
    };
    Plan {
        statements: vec![statement],
        reply,
    }
}

fn command(access: Access) -> Command {
    Command {
        name: "C".into(),
        summary: String::new(),
        access,
        raw: false,
        parameters: vec![],
        errors: vec![],
        example: "{}".into(),
    }
}

fn checked(plan: Plan, command: &Command, policy: Policy) -> Result<CheckedPlan, Fault> {
    let source = Source {
        connector: "c",
        command,
        trusted: true,
    };
    CheckedPlan::check(plan, &source, &Arc::new(policy))
}

#[test]
fn refuses_what_breaks_the_contract() {
    let check = |plan, access| checked(plan, &command(access), Policy::default());
    for sql in [
        "",
        "-- x",
        "COMMIT",
        "/* x */ rollback",
        "BEGIN",
        "COPY t FROM STDIN",
        "COPY t TO STDOUT",
        "SELECT 'a\0b'",
    ] {
        assert!(
            check(plan(sql, Access::Read, Reply::Affected), Access::Define).is_err(),
            "{sql:?}"
        );
    }
    for sql in [
        "SET TRANSACTION READ WRITE",
        "RESET ALL",
        "DO $$BEGIN END$$",
        "CREATE TABLE t AS SELECT 1",
    ] {
        assert!(
            check(plan(sql, Access::Write, Reply::Affected), Access::Define).is_err(),
            "{sql}"
        );
    }
    assert!(
        check(
            plan("DELETE FROM t", Access::Write, Reply::Affected),
            Access::Read
        )
        .is_err()
    );
    assert!(
        check(
            plan("SELECT 1", Access::Read, Reply::Json("{".into())),
            Access::Read
        )
        .is_err()
    );
    assert!(
        check(
            Plan {
                statements: vec![],
                reply: Reply::Affected
            },
            Access::Read
        )
        .is_err()
    );
    assert!(
        check(
            plan(&"x".repeat(2 << 20), Access::Read, Reply::Affected),
            Access::Read
        )
        .is_err()
    );
}

#[test]
fn what_is_not_to_be_confirmed_runs_alone() {
    let needs_by = |policy: Policy, sql: &str, access, reply| {
        let plan = plan(sql, access, reply);
        let checked = checked(plan, &command(Access::Define), policy);
        checked.unwrap().needs_transaction(|_| 1)
    };
    let confirmed = |sql: &str, access| needs_by(Policy::default(), sql, access, Reply::Affected);
    assert!(confirmed("UPDATE t SET a = 1", Access::Write));
    assert!(confirmed("DROP TABLE t", Access::Define));
    assert!(!confirmed("SELECT 1", Access::Read));
    let needs = |sql: &str, access, reply| {
        let policy = Policy {
            unconfirmed_writes: true,
            ..Policy::default()
        };
        needs_by(policy, sql, access, reply)
    };
    assert!(!needs("UPDATE t SET a = 1", Access::Write, Reply::Affected));
    assert!(needs(
        "UPDATE t SET a = 1 RETURNING a",
        Access::Write,
        Reply::Rows(RowShape::Arrays)
    ));
    assert!(!needs(
        "SELECT 1",
        Access::Read,
        Reply::Rows(RowShape::Arrays)
    ));
    assert!(!needs("DROP TABLE t", Access::Define, Reply::Affected));
    assert!(needs("VACUUM", Access::Define, Reply::Affected));
    assert!(needs("CALL p()", Access::Define, Reply::Affected));
}
