//! Plans that are well made and break the contract: counts, arguments, replies, rounds.

use super::Attack;
use crate::hostile::{Guest, plan, statement};
use airlock::fault::Culprit;
use airlock::plan::{Access, Argument, Arguments, Batch, Plan, Reply, RowShape, Statement};

pub(super) fn attacks() -> Vec<Attack> {
    [counts(), pointers(), literals(), replies(), rounds()].concat()
}

/// A plan of one statement with these arguments.
fn with_arguments(sql: &str, arguments: Arguments) -> Guest {
    let statement = Statement {
        arguments,
        ..statement(sql, Access::Read)
    };
    Guest::answering(Plan {
        statements: vec![statement],
        ..plan("")
    })
}

fn replying(statements: Vec<Statement>, reply: Reply) -> Guest {
    Guest::answering(Plan { statements, reply })
}

fn rows() -> Reply {
    Reply::Rows(RowShape::Arrays)
}

fn ones(count: usize) -> Arguments {
    Arguments::Once(vec![Argument::Literal("1".into()); count])
}

fn each(rows: &str, width: u32) -> Arguments {
    let rows = rows.into();
    Arguments::Each(Batch { rows, width })
}

fn counts() -> Vec<Attack> {
    let batch = Statement {
        arguments: each("/p", 1),
        ..statement("SELECT $1", Access::Read)
    };
    vec![
        Attack::new(
            "one statement too many",
            &replying(vec![statement("SELECT 1", Access::Read); 3], rows()),
        )
        .within(|limits| limits.plan_statements = 2)
        .fails_at("plan_statements"),
        Attack::new(
            "one character too many",
            &Guest::answering(plan("SELECT 1")),
        )
        .within(|limits| limits.statement_bytes = 7)
        .fails_at("statement_bytes"),
        Attack::new(
            "one argument too many",
            &with_arguments("SELECT $1, $2, $3", ones(3)),
        )
        .within(|limits| limits.plan_arguments = 2)
        .fails_at("plan_arguments"),
        Attack::new("one batch too many", &replying(vec![batch; 3], rows()))
            .within(|limits| limits.plan_batches = 2)
            .fails_at("plan_batches"),
        Attack::new(
            "more arguments than the protocol can count",
            &with_arguments("SELECT 1", ones(65_536)),
        )
        .fails("the protocol allows 65535"),
        Attack::new(
            "rows that are wider than the protocol can count",
            &with_arguments("SELECT 1", each("/p", u32::MAX)),
        )
        .fails("the protocol allows 65535"),
        Attack::new(
            "fewer arguments than parameters",
            &with_arguments("SELECT $1, $2", ones(1)),
        )
        .fails("2 parameters but 1 arguments"),
        Attack::new(
            "more arguments than parameters",
            &with_arguments("SELECT 1", ones(2)),
        )
        .answers("[[1]]"),
        Attack::new("a call that is longer than it may be", &Guest::default())
            .within(|limits| limits.input_bytes = 10)
            .fails_at_by("input_bytes", Culprit::Caller),
    ]
}

/// Arguments that point where there is nothing for a connector, or nothing at all.
fn pointers() -> Vec<Attack> {
    let endless = format!("/{}", "x".repeat(300_000));
    let pointers = [
        "/q",
        "p",
        "/p/0/x/y",
        "/p/9",
        "/p/-",
        "/p/00",
        "/p/-1",
        "/p/18446744073709551616",
        "/p/~2",
        "/../p",
        "/database_connection_str",
        "/spiff__task_data",
        &endless,
    ];
    let pointers = pointers.into_iter().map(|pointer| {
        let arguments = Arguments::Once(vec![Argument::Input(pointer.into())]);
        let name: String = pointer.chars().take(30).collect();
        Attack::new(
            format!("points at {name:?}"),
            &with_arguments("SELECT $1::text", arguments),
        )
        .fails_by(Culprit::Caller, "a value is missing here")
    });
    let batches = ["/q", "/database_connection_str", "/p/0/0", &endless];
    let batches = batches.map(|pointer| {
        let name: String = pointer.chars().take(30).collect();
        let arguments = each(pointer, 1);
        Attack::new(
            format!("has a batch at {name:?}"),
            &with_arguments("SELECT $1::text", arguments),
        )
        .fails_by(Culprit::Caller, "a list of rows was expected here")
    });
    let everything = Arguments::Once(vec![Argument::Input(String::new())]);
    // That is all that the call has for it: the connection string is left out.
    let everything = Attack::new(
        "points at the whole call",
        &with_arguments("SELECT $1::text", everything),
    )
    .answers(r#"[["{\"p\": [[1], [2]]}"]]"#);
    pointers.chain(batches).chain([everything]).collect()
}

fn literals() -> Vec<Attack> {
    let deep = "[".repeat(100_000);
    let closed = format!("{}{}", "[".repeat(10_000), "]".repeat(10_000));
    [
        "", "{", "1 2", "'one'", "nul", "\u{0}", "NaN", &deep, &closed,
    ]
    .map(|literal| {
        let name: String = literal.chars().take(30).collect();
        let arguments = Arguments::Once(vec![Argument::Literal(literal.into())]);
        Attack::new(
            format!("a literal of {} bytes: {name:?}", literal.len()),
            &with_arguments("SELECT $1::text", arguments),
        )
        .fails("a literal argument is not JSON")
    })
    .to_vec()
}

fn replies() -> Vec<Attack> {
    let deep = "[".repeat(100_000);
    let texts = ["", "{", "{} {}", "\"", &deep].map(|text| {
        let name: String = text.chars().take(30).collect();
        Attack::new(
            format!("replies {} bytes: {name:?}", text.len()),
            &replying(Vec::new(), Reply::Json(text.into())),
        )
        .fails("the plan's reply is not JSON")
    });
    let none = [("rows", rows()), ("a count", Reply::Affected)].map(|(name, reply)| {
        Attack::new(
            format!("replies {name} of no statement"),
            &replying(Vec::new(), reply),
        )
        .fails("has no statement")
    });
    texts.into_iter().chain(none).collect()
}

fn rounds() -> Vec<Attack> {
    let resuming = |sql: Vec<String>, state: &[u8]| {
        let statements = sql.iter().map(|sql| statement(sql, Access::Read));
        replying(statements.collect(), Reply::Resume(state.to_vec()))
    };
    let rows = "SELECT repeat('x', 5000)".to_owned();
    let columns: Vec<_> = (0..100)
        .map(|at| format!("1 AS a_long_name_{at}"))
        .collect();
    let columns = format!("SELECT {}", columns.join(", "));
    vec![
        Attack::new("asks to be resumed for ever", &resuming(Vec::new(), b"x")).fails_at("rounds"),
        Attack::new(
            "asks to be resumed for ever after statements",
            &resuming(vec!["SELECT 1".into()], b"x"),
        )
        .within(|limits| limits.rounds = 3)
        .fails_at("rounds"),
        Attack::new(
            "asks to be resumed though it may not",
            &resuming(Vec::new(), b"x"),
        )
        .within(|limits| limits.rounds = 0)
        .fails_at("rounds"),
        Attack::new(
            "keeps too much for the next round",
            &resuming(Vec::new(), &[7; 11]),
        )
        .within(|limits| limits.state_bytes = 10)
        .fails_at("state_bytes"),
        Attack::new("asks for long rows", &resuming(vec![rows.clone()], b"x"))
            .within(|limits| limits.outcome_bytes = 4_000)
            .fails_at_by("outcome_bytes", Culprit::Caller),
        Attack::new(
            "asks for long rows in small parts",
            &resuming(vec![rows; 3], b"x"),
        )
        .within(|limits| limits.outcome_bytes = 12_000)
        .fails_at_by("outcome_bytes", Culprit::Caller),
        Attack::new(
            "asks for many names of columns",
            &resuming(vec![columns; 9], b"x"),
        )
        .within(|limits| limits.outcome_bytes = 12_000)
        .fails_at_by("outcome_bytes", Culprit::Caller),
    ]
}
