//! Plans: one that was checked keeps what the rest of the host builds on.

use airlock::check::{CheckedPlan, CheckedStatement, Source};
use airlock::limits::MAX_ARGUMENTS;
use airlock::plan::{
    Access, Argument, Arguments, Batch, Command, Plan, Reply, RowShape, Statement,
};
use airlock::policy::{Caps, Policy, Role, SessionRules, StatementRules, needed_by};
use airlock::{ConnectorLimits, fault};
use airlock_connector::lex;
use airlock_connector::statements::{Class, KINDS, Kinds};
use arbitrary::{Result, Unstructured};
use serde::de::IgnoredAny;
use std::sync::Arc;

/// SQL text that means something, beside that which the input spells.
const SQL: &[&str] = &[
    "SELECT $1",
    "SELECT pg_sleep(1)",
    "INSERT INTO t (a, b) VALUES ($1, $2)",
    "INSERT INTO \"x\"\"y\".t (\"A\") VALUES ($1) ON CONFLICT DO NOTHING",
    "WITH x AS (DELETE FROM t RETURNING *) SELECT * FROM x",
    "EXPLAIN ANALYZE UPDATE t SET a = 1",
    "SELECT 1 INTO x",
    "COMMIT",
    "ROLLBACK TO a",
    "/**/ begin",
    "COPY t FROM STDIN",
    "COPY (SELECT 1) TO STDOUT",
    "CREATE TABLE t AS SELECT 1",
    "DROP TABLE t",
    "SET ROLE x",
    "RESET ROLE",
    "DO $$BEGIN END$$",
    "PREPARE TRANSACTION 'x'",
    "-- nothing",
    "SELECT 1; COMMIT",
    "(SELECT 1)",
    "SELECT '\\'; COMMIT --'",
];

/// More often the widest: little gets past the others.
const ACCESS: [Access; 5] = [
    Access::Define,
    Access::Define,
    Access::Define,
    Access::Write,
    Access::Read,
];

/// Builds a policy, a command and a plan from the input.
pub fn check(input: &[u8]) {
    let mut input = Unstructured::new(input);
    let Ok((policy, command, trusted)) = rules(&mut input) else {
        return;
    };
    let Ok(plan) = plan(&mut input) else { return };
    let source = Source {
        connector: "c",
        command: &command,
        trusted,
    };
    match CheckedPlan::check(plan.clone(), &source, &Arc::new(policy.clone())) {
        Ok(checked) => check_plan(&checked, &plan, &source, &policy),
        Err(refused) => {
            use fault::Kind;
            let kinds = [Kind::Connector, Kind::Denied, Kind::Statement];
            assert!(kinds.contains(&refused.kind), "{refused:?}");
        }
    }
}

fn check_plan(checked: &CheckedPlan, plan: &Plan, source: &Source<'_>, policy: &Policy) {
    let limits = &policy.limits;
    let statements = checked.statements();
    assert_eq!(checked.reply(), &plan.reply);
    assert_eq!(checked.policy(), policy);
    assert_eq!(statements.len(), plan.statements.len());
    assert!(statements.len() <= limits.plan_statements);
    let rows = matches!(plan.reply, Reply::Rows(_) | Reply::Affected);
    assert!(!rows || !statements.is_empty());
    if let Reply::Json(text) = &plan.reply {
        serde_json::from_str::<IgnoredAny>(text).unwrap();
        assert!(
            policy
                .caps
                .reply_bytes
                .is_none_or(|most| text.len() <= most)
        );
    }
    if let Reply::Resume(state) = &plan.reply {
        assert!(state.len() <= limits.state_bytes);
    }
    for (statement, given) in statements.iter().zip(&plan.statements) {
        assert_eq!(statement.sql, given.sql);
        check_statement(statement, given, source, policy);
    }
    let foreign = source.command.raw || !source.trusted;
    assert_eq!(checked.resets_session(), foreign);
    assert!(checked.access() <= source.command.access);
    assert_eq!(checked.is_read_only(), checked.access() == Access::Read);
    // What is set for a transaction needs one, and so does what can only be undone in one.
    let one = |_: &CheckedStatement| 1;
    if statements.len() != 1 || !policy.session.is_empty() {
        assert!(checked.needs_transaction(one));
    }
    if !checked.needs_transaction(one) {
        let [only] = statements else { unreachable!() };
        assert!(only.class.runs_alone() && !only.counts && only.max_affected.is_none());
        assert!(checked.needs_transaction(|_| 2));
    }
    let text: usize = plan.statements.iter().map(|given| given.sql.len()).sum();
    assert!(checked.bytes() >= text);
}

fn check_statement(
    statement: &CheckedStatement,
    given: &Statement,
    source: &Source<'_>,
    policy: &Policy,
) {
    let (sql, rules) = (&statement.sql, &policy.statements);
    let kinds = Kinds::of(sql);
    assert!(sql.len() <= policy.limits.statement_bytes && !sql.contains('\0'));
    assert_eq!(statement.class, Class::of(&lex::words(sql)));
    let barred = [
        Class::Empty,
        Class::TransactionControl,
        Class::CopyFromClient,
        Class::CopyToClient,
    ];
    assert!(!barred.contains(&statement.class), "{sql:?}");
    assert!(given.access <= source.command.access);
    assert!(given.access == Access::Define || !statement.class.is_utility());
    assert!(needed_by(&kinds) <= rules.access || rules.access == Access::Define);
    let foreign = source.command.raw || !source.trusted;
    match (&rules.raw_sql, &policy.session.role) {
        (Some(allowed), _) if foreign => {
            assert!(kinds.names().all(|kind| allowed.contains(kind)), "{sql:?}");
        }
        (None, Some(_)) if foreign => assert!(!statement.class.is_utility(), "{sql:?}"),
        _ => {}
    }
    if policy.caps.affected_rows.is_some() {
        assert!(!kinds.changes_uncounted_rows(), "{sql:?}");
        // A definition affects none, whatever its text could begin.
        let affects = kinds.changes_rows() && statement.class != Class::Definition;
        assert!(statement.counts || !affects, "{sql:?}");
    }
    let width = match &statement.arguments {
        Arguments::None => 0,
        Arguments::Once(arguments) => arguments.len(),
        Arguments::Each(batch) => batch.width as usize,
    };
    assert!(width <= MAX_ARGUMENTS);
    if let Some(insert) = &statement.insert {
        assert!(matches!(statement.arguments, Arguments::Each(_)));
        assert_eq!((insert.width, insert.names.len()), (width, width));
        // The same rows by other words: each form is a statement of its kind, and reads as this one.
        let many = insert.of_rows(2);
        assert_eq!(Class::of(&lex::words(&many)), Class::Rows);
        assert_eq!(
            Class::of(&lex::words(&insert.copy())),
            Class::CopyFromClient
        );
        let again = airlock::insert::PlainInsert::recognise(&insert.of_rows(1));
        assert_eq!(again.as_ref(), Some(insert));
    }
}

fn rules(input: &mut Unstructured<'_>) -> Result<(Policy, Command, bool)> {
    let mut policy = Policy::default();
    if input.arbitrary()? {
        policy.limits = ConnectorLimits {
            plan_statements: 2,
            plan_arguments: 3,
            plan_batches: 1,
            statement_bytes: 64,
            state_bytes: 4,
            ..policy.limits
        };
    }
    policy.statements = StatementRules {
        access: *input.choose(&ACCESS)?,
        raw_sql: match input.ratio(1, 4)? {
            true => {
                let count = input.int_in_range(0..=4_usize)?;
                let kinds = (0..count).map(|_| input.choose(KINDS).map(|kind| (*kind).to_owned()));
                Some(kinds.collect::<Result<_>>()?)
            }
            false => None,
        },
    };
    policy.session = SessionRules {
        role: input.ratio(1, 4)?.then(|| Role::new("r").unwrap()),
        statement_timeout_ms: input.arbitrary::<bool>()?.then_some(1000),
        lock_timeout_ms: None,
    };
    policy.caps = Caps {
        reply_rows: None,
        reply_bytes: input.ratio(1, 4)?.then_some(8),
        affected_rows: input.ratio(1, 4)?.then_some(8),
    };
    let command = Command {
        name: "C".into(),
        summary: String::new(),
        access: *input.choose(&ACCESS)?,
        raw: input.arbitrary()?,
        parameters: vec![],
        errors: vec![],
        example: "{}".into(),
    };
    Ok((policy, command, input.arbitrary()?))
}

fn plan(input: &mut Unstructured<'_>) -> Result<Plan> {
    let reply = match input.int_in_range(0..=4)? {
        0 => Reply::Rows(RowShape::Arrays),
        1 => Reply::Rows(RowShape::Objects),
        2 => Reply::Affected,
        3 => Reply::Json(json(input)?),
        _ => Reply::Resume(vec![0; input.int_in_range(0..=8)?]),
    };
    let count = input.int_in_range(0..=3_usize)?;
    let statements = (0..count).map(|_| statement(input));
    Ok(Plan {
        statements: statements.collect::<Result<_>>()?,
        reply,
    })
}

fn statement(input: &mut Unstructured<'_>) -> Result<Statement> {
    let access = *input.choose(&ACCESS)?;
    let max_affected = input.arbitrary::<bool>()?.then_some(1);
    let arguments = match input.int_in_range(0..=2)? {
        0 => Arguments::None,
        1 => {
            let count = input.int_in_range(0..=2_usize)?;
            let arguments = (0..count).map(|_| match input.arbitrary()? {
                true => Ok(Argument::Input("/a".into())),
                false => json(input).map(Argument::Literal),
            });
            Arguments::Once(arguments.collect::<Result<_>>()?)
        }
        _ => Arguments::Each(Batch {
            rows: "/a".into(),
            width: *input.choose(&[0, 1, 2, 65_535, 65_536, u32::MAX])?,
        }),
    };
    let mut sql = String::new();
    for _ in 0..=input.int_in_range(0..=3)? / 3 {
        match input.ratio(1, 8)? {
            true => sql.push_str(input.arbitrary()?),
            false => sql.push_str(input.choose(SQL)?),
        }
        sql.push(' ');
    }
    Ok(Statement {
        sql,
        arguments,
        access,
        max_affected,
    })
}

fn json(input: &mut Unstructured<'_>) -> Result<String> {
    let known = ["null", "1", "\"x\"", "{}", "[]", "[1"];
    Ok((*input.choose(&known)?).to_owned())
}
