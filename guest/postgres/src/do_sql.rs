//! DoSQL: runs SQL that the caller wrote, as one transaction.

use airlock_connector::schemars::{self, JsonSchema};
use airlock_connector::statements::{self, Class};
use airlock_connector::{
    Access, Call, Failure, Handler, Parameter, Plan, Reply, Sql, Statement, params,
};
use serde::Deserialize;
use serde_json::Value;

use crate::errors::{
    self, INDEX_ERROR, INVALID_TRANSACTION_TERMINATION, PROGRAMMING_ERROR, SYNTAX_ERROR,
    TYPE_ERROR, UNDEFINED_PARAMETER,
};
use crate::placeholder::{Placeholders, Values};
use crate::rows::Rows;

#[derive(Deserialize)]
struct Input {
    schema: Schema,
}

/// SQL text and the values for its placeholders.
#[derive(Deserialize, JsonSchema)]
#[serde(
    expecting = "an object such as {\"sql\": \"SELECT 1\", \"fetch_results\": true}, without quotes around it"
)]
struct Schema {
    /// One or more statements, separated by semicolons, run in one transaction.
    #[schemars(with = "String")]
    sql: Value,
    /// Values for the placeholders `%s` or `%(name)s`.
    #[serde(default)]
    values: Values,
    /// Whether the rows of the last statement are returned in place of their number.
    #[serde(default = "no")]
    #[schemars(with = "bool")]
    fetch_results: Value,
    /// Shape of the returned rows.
    #[serde(default)]
    rows: Rows,
}

fn no() -> Value {
    Value::Bool(false)
}

/// The reply where no rows are counted.
const OK: &str = r#"{"result": "ok"}"#;

pub(crate) const HANDLER: Handler = Handler {
    name: "DoSQL",
    summary: "Runs SQL text as one transaction.",
    access: Access::Define,
    raw: true,
    parameters,
    errors: &[
        errors::SCHEMA,
        &[
            INDEX_ERROR,
            PROGRAMMING_ERROR,
            INVALID_TRANSACTION_TERMINATION,
            UNDEFINED_PARAMETER,
        ],
    ],
    example: r#"{"schema": {"sql": "SELECT name FROM users WHERE id = %s", "values": [5], "fetch_results": true}}"#,
    plan,
    resume: None,
};

fn parameters() -> Vec<Parameter> {
    let schema = crate::schema_parameter::<Schema>(
        "SQL text and the values for its placeholders.",
        &["/values/*"],
    );
    vec![Parameter::connection(), schema]
}

pub(crate) fn plan(call: &Call) -> Result<Plan, Failure> {
    let Input { schema } = params::parse(call)?;
    let sql = text(&schema.sql)?;
    let mut found = statements::split(sql);
    if found.is_empty() {
        return Err(PROGRAMMING_ERROR
            .failure("can't execute an empty query")
            .at("/schema/sql"));
    }
    let Unwrapped { opening, committed } = unwrap_transaction(&mut found);
    let mut placeholders = Placeholders::new(sql, &schema.values);
    let mut planned: Vec<Statement> = opening
        .map(|sql| Statement::once(sql, Access::Define))
        .into_iter()
        .collect();
    for statement in &found {
        refuse(Class::of(&statement.words))?;
        let start = statement.words.first().map_or(0, |word| word.start);
        planned.push(Statement::once(
            placeholders.statement(statement.text, start)?,
            Access::Define,
        ));
    }
    placeholders.finish()?;
    let reply = match is_true(&schema.fetch_results) {
        _ if found.is_empty() => Reply::Json(OK.into()),
        true => schema.rows.into(),
        false if committed => Reply::Json(OK.into()),
        false => Reply::Affected,
    };
    Ok(Plan {
        statements: planned,
        reply,
    })
}

fn text(sql: &Value) -> Result<&str, Failure> {
    let type_name = match sql {
        Value::String(sql) if sql.contains('\0') => {
            return Err(SYNTAX_ERROR
                .in_statement()
                .failure("the text holds a NUL character; PostgreSQL cannot read it")
                .at("/schema/sql"));
        }
        Value::String(sql) => return Ok(sql),
        Value::Null => return Ok(""),
        Value::Bool(_) => "bool",
        Value::Number(number) if number.is_f64() => "float",
        Value::Number(_) => "int",
        Value::Array(_) => "list",
        Value::Object(_) => "dict",
    };
    let message = format!(
        "argument 1 must be a string or unicode object: got {type_name} instead\nsql must be text"
    );
    Err(TYPE_ERROR.in_statement().failure(message).at("/schema/sql"))
}

/// What stood around the statements.
struct Unwrapped {
    /// What the BEGIN asked for, as a statement.
    opening: Option<Sql>,
    /// Whether a COMMIT stood last; its own outcome counts no rows.
    committed: bool,
}

/// Drops a BEGIN at the start and a COMMIT at the end: the call is a transaction anyway. What the
/// BEGIN asks for, such as an isolation level, is returned as a statement of its own.
fn unwrap_transaction(found: &mut Vec<statements::Statement<'_>>) -> Unwrapped {
    let is_any = |statement: &statements::Statement<'_>, words: &[&str]| {
        statement
            .words
            .first()
            .is_some_and(|first| words.iter().any(|word| first.is_word(word)))
    };
    let mut opening = None;
    if found
        .first()
        .is_some_and(|first| is_any(first, &["begin", "start"]))
    {
        let begin = found.remove(0);
        let modes = begin
            .words
            .iter()
            .skip(1)
            .find(|word| !word.is_word("work") && !word.is_word("transaction"));
        let first = begin.words.first().map_or(0, |word| word.start);
        let modes = modes.and_then(|mode| begin.text.get(mode.start - first..));
        opening = modes.map(|modes| Sql::new("SET TRANSACTION ").caller_text(modes));
    }
    let plain_end = |last: &statements::Statement<'_>| {
        is_any(last, &["commit", "end"])
            && last
                .words
                .iter()
                .skip(1)
                .all(|word| word.is_word("work") || word.is_word("transaction"))
    };
    let committed = found.last().is_some_and(plain_end);
    if committed {
        found.pop();
    }
    Unwrapped { opening, committed }
}

fn refuse(class: Class) -> Result<(), Failure> {
    let failure = match class {
        Class::TransactionControl => INVALID_TRANSACTION_TERMINATION.failure(
            "each call is one transaction: BEGIN may stand first and COMMIT last, nothing else may \
             begin or end one. Savepoints work",
        ),
        Class::CopyFromClient => PROGRAMMING_ERROR.failure(
            "can't execute COPY FROM: use the copy_from() method instead\n\
             use InsertValuesV2 for rows of a call",
        ),
        Class::CopyToClient => PROGRAMMING_ERROR.failure(
            "can't execute COPY TO: use the copy_to() method instead\n\
             use SELECT with fetch_results",
        ),
        _ => return Ok(()),
    };
    Err(failure.at("/schema/sql"))
}

/// What counts as true in Python.
fn is_true(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::Bool(value) => *value,
        Value::Number(number) => number.as_f64() != Some(0.0),
        Value::String(text) => !text.is_empty(),
        Value::Array(items) => !items.is_empty(),
        Value::Object(members) => !members.is_empty(),
    }
}
