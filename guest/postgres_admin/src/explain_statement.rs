//! ExplainStatement: how the server would run a statement. It does not run it.
//!
//! The text is the caller's, so the command is raw. It has to be exactly one query or change of rows by
//! PostgreSQL's own lexical rules, so what stands behind EXPLAIN is what the caller wants explained, and
//! nothing else. The values of its parameters stay sealed.

use airlock_connector::outcome::UNEXPECTED_OUTCOME;
use airlock_connector::params::{self, List, Parameters as _, Passed};
use airlock_connector::statements::{self, Class};
use airlock_connector::{
    Access, Call, Failure, Handler, Outcome, Plan, Sql, choices, lex, parameters,
};
use serde_json::value::RawValue;
use serde_json::{Value, json};

use crate::errors::{ANALYZE_REFUSED, STATEMENT_REFUSED, VALUES_MISMATCH};

choices! {
    /// How the plan is shown.
    enum Format {
        /// As PostgreSQL's JSON.
        Json = "json",
        /// As lines of text.
        Text = "text",
    }
}

parameters! {
    /// What to explain.
    struct Input {
        /// One SELECT, VALUES, TABLE, INSERT, UPDATE, DELETE, MERGE or WITH, with $1, $2 … for values.
        statement: String,
        /// Values of $1, $2 …
        values: Option<List<Passed<Value>, 0, 1000>>,
        /// How the plan is shown.
        format: Format = Format::Json,
        /// Whether the plan tells output columns and schemas.
        verbose: bool = false,
        /// Whether the plan tells estimated costs and rows.
        costs: bool = true,
        /// Whether the plan tells settings that differ from their defaults.
        settings: bool = false,
        /// Would run the statement, so it is refused.
        analyze: bool = false,
    }
}

pub(crate) const HANDLER: Handler = Handler {
    name: "ExplainStatement",
    summary: "Tells how the server would run a statement, without running it: format and plan, which is JSON or text.",
    access: Access::Read,
    raw: true,
    parameters: params::on_database::<Input>,
    errors: &[
        params::ERRORS,
        &[
            STATEMENT_REFUSED,
            ANALYZE_REFUSED,
            VALUES_MISMATCH,
            UNEXPECTED_OUTCOME,
        ],
    ],
    example: r#"{"statement": "SELECT name FROM users WHERE id = $1", "values": [5]}"#,
    plan: |call| plan(&Input::read(call)?),
    resume: Some(resume),
};

/// Longest statement in bytes. With the options, it is within what a plan may hold.
const MAX_STATEMENT_BYTES: usize = 1_000_000;

fn plan(input: &Input) -> Result<Plan, Failure> {
    if input.analyze {
        let message = "analyze runs the statement, and this connector only reads";
        return Err(ANALYZE_REFUSED.failure(message).at("/analyze"));
    }
    let statement = only_statement(&input.statement)?;
    let parameters = highest_parameter(&statement.words)?;
    let values = input.values.as_deref().unwrap_or_default();
    if parameters != values.len() {
        let has = match parameters {
            0 => "no parameters".to_owned(),
            last => format!("parameters up to ${last}"),
        };
        let message = format!(
            "the statement has {has}, but there are {} values",
            values.len()
        );
        return Err(VALUES_MISMATCH.failure(message).at("/values"));
    }
    let sql = Sql::new("EXPLAIN (FORMAT ")
        .text(match input.format {
            Format::Json => "JSON",
            Format::Text => "TEXT",
        })
        .when(input.verbose, ", VERBOSE")
        .when(!input.costs, ", COSTS false")
        .when(input.settings, ", SETTINGS")
        .text(") ")
        .caller_text(statement.text)
        .filling(values);
    Ok(Plan::ask(sql, ""))
}

/// The statement, if it is one that EXPLAIN shall explain.
fn only_statement(text: &str) -> Result<statements::Statement<'_>, Failure> {
    let refused = |message: String| STATEMENT_REFUSED.failure(message).at("/statement");
    if text.len() > MAX_STATEMENT_BYTES {
        return Err(refused(format!(
            "the statement has more than {MAX_STATEMENT_BYTES} bytes"
        )));
    }
    if text.contains('\0') {
        return Err(refused("the statement holds a NUL character".into()));
    }
    let statement = statements::only(text).map_err(|count| match count {
        0 => refused("there is no statement".into()),
        count => refused(format!(
            "there are {count} statements; explain one at a time"
        )),
    })?;
    let broken = |kind| matches!(kind, lex::Kind::Unterminated | lex::Kind::Unknown);
    if lex::tokens(text).any(|token| broken(token.kind)) {
        return Err(refused(
            "the statement ends inside of a literal, comment or quoted name, or holds a character that begins nothing".into(),
        ));
    }
    match Class::of(&statement.words) {
        Class::Rows => Ok(statement),
        Class::Describe => Err(refused(
            "leave EXPLAIN out; options are parameters of their own".into(),
        )),
        _ => Err(refused(
            "only queries and changes of rows have plans".into(),
        )),
    }
}

/// The number of the last parameter; 0 where there is none.
fn highest_parameter(words: &[lex::Token<'_>]) -> Result<usize, Failure> {
    let parameters = words
        .iter()
        .filter(|word| word.kind == lex::Kind::Parameter);
    let mut numbers = parameters.map(|word| match word.text.get(1..).map(str::parse) {
        Some(Ok(number @ 1..)) => Ok(number),
        _ => {
            let message = "parameters are numbered from $1 on";
            Err(STATEMENT_REFUSED.failure(message).at("/statement"))
        }
    });
    numbers.try_fold(0, |highest, number| Ok(number?.max(highest)))
}

fn resume(call: &Call, _: &[u8], outcomes: &[Outcome]) -> Result<Plan, Failure> {
    let reply = match Input::read(call)?.format {
        Format::Json => {
            let rows: Vec<(Box<RawValue>,)> = Outcome::only(outcomes)?;
            let plan = rows.first().map_or("null", |(plan,)| plan.get());
            // The server's own text: its keys keep their order, its numbers their digits.
            [r#"[{"format":"json","plan":"#, plan, "}]"].concat()
        }
        Format::Text => {
            let rows: Vec<(String,)> = Outcome::only(outcomes)?;
            let lines: Vec<String> = rows.into_iter().map(|(line,)| line).collect();
            json!([{"format": "text", "plan": lines.join("\n")}]).to_string()
        }
    };
    Ok(Plan::answer(reply))
}
