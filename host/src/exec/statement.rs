//! Runs one statement of a plan: once, or for each row of a batch.

use super::bind::{self, NUL_IN_TEXT, Text, Unsuited};
use super::error;
use super::failed::{Failed, Place, Resolved, Stopped};
use super::prepare::{self, Prepared};
use super::quoted;
use super::rows::{Keep, Outcome, Rows};
use super::session::Session;
use crate::check::CheckedStatement;
use crate::fault::Fault;
use crate::plan::{Argument, Arguments, Batch};
use airlock_connector::statements::Class;
use futures_util::stream::FuturesOrdered;
use futures_util::{StreamExt as _, TryStreamExt as _};
use serde_json::Value;
use std::borrow::Cow;
use tokio_postgres::types::Type;

/// Rows of a batch that are on their way to the server at the same time.
const PIPELINE: usize = 64;

/// Runs `statement` with the values of `input`; its rows may take `room` bytes.
pub(super) async fn run(
    session: &mut Session,
    statement: &CheckedStatement,
    input: &Value,
    keep: Keep,
    room: usize,
) -> Result<Outcome, Stopped> {
    let mut rows = Rows::new(keep, room);
    match &statement.arguments {
        Arguments::None => once(session, statement, &[], &mut rows).await?,
        Arguments::Once(arguments) => {
            let values = arguments
                .iter()
                .map(|argument| resolve(argument, input))
                .collect::<Result<Vec<_>, _>>()?;
            once(session, statement, &values, &mut rows).await?;
        }
        Arguments::Each(batch) => each(session, statement, batch, input, &mut rows).await?,
    }
    Ok(rows.into_outcome(statement.class))
}

/// Finds the value of an argument.
fn resolve<'a>(argument: &'a Argument, input: &'a Value) -> Result<Resolved<'a>, Fault> {
    match argument {
        Argument::Input(pointer) => match input.pointer(pointer) {
            Some(value) => Ok((Cow::Borrowed(value), Cow::Borrowed(pointer))),
            None => {
                Err(Fault::parameters("IndexError", "a value is missing here").at(pointer.clone()))
            }
        },
        Argument::Literal(text) => {
            let value = serde_json::from_str(text)
                .map_err(|_| Fault::connector("a literal argument is not JSON"))?;
            Ok((Cow::Owned(value), Cow::Borrowed("")))
        }
    }
}

async fn once(
    session: &mut Session,
    statement: &CheckedStatement,
    values: &[Resolved<'_>],
    rows: &mut Rows,
) -> Result<(), Stopped> {
    let plain: Vec<&Value> = values.iter().map(|(value, _)| value.as_ref()).collect();
    let place = Place::Arguments(values);
    if statement.class == Class::Utility
        && !plain.is_empty()
        && !quoted::takes_parameters(&statement.sql)
    {
        let result = run_quoted(session, &statement.sql, &plain, rows).await;
        return result.map_err(|failed| failed.at(&place));
    }
    let (prepared, texts) = bound(session, &statement.sql, &plain)
        .await
        .map_err(|failed| failed.at(&place))?;
    let result = fetch(session, &prepared, &texts, rows).await;
    result.map_err(|failed| failed.at(&place))
}

/// Has the server put the values in place, then runs the statement that it answers.
async fn run_quoted(
    session: &mut Session,
    sql: &str,
    values: &[&Value],
    rows: &mut Rows,
) -> Result<(), Failed> {
    let question = quoted::question(sql, values).map_err(|at| Failed {
        stopped: Fault::statement("ValueError", NUL_IN_TEXT).into(),
        parameter: Some(at),
    })?;
    let asked = prepare::prepare(session, &question.sql, &question.types).await?;
    let mut answer = Box::pin(
        session
            .client()
            .query_raw(&asked.statement, &question.texts)
            .await?,
    );
    let Some(row) = answer.as_mut().try_next().await? else {
        return Err(Fault::internal("the server gave no statement").into());
    };
    let statement: String = row.try_get(0)?;
    while answer.as_mut().try_next().await?.is_some() {}
    let prepared = prepare::once(session, &statement).await?;
    fetch(session, &prepared, &[], rows).await
}

/// Runs a statement for each row of a batch, many of them on their way at a time.
async fn each(
    session: &mut Session,
    statement: &CheckedStatement,
    batch: &Batch,
    input: &Value,
    rows: &mut Rows,
) -> Result<(), Stopped> {
    let given = match input.pointer(&batch.rows) {
        Some(Value::Array(given)) => given,
        _ => {
            let fault = Fault::parameters("TypeError", "a list of rows was expected here");
            return Err(fault.at(batch.rows.clone()).into());
        }
    };
    let given = given
        .iter()
        .enumerate()
        .map(|(at, row)| batch_row(row, batch, at))
        .collect::<Result<Vec<_>, _>>()?;
    let place = |row: usize| Place::Row {
        rows: &batch.rows,
        row,
    };
    let mut waiting = Vec::with_capacity(PIPELINE);
    for (at, row) in given.iter().enumerate() {
        let values: Vec<&Value> = row.iter().collect();
        let bound = bound(session, &statement.sql, &values)
            .await
            .map_err(|failed| failed.at(&place(at)))?;
        waiting.push(bound);
        if waiting.len() == PIPELINE || at + 1 == given.len() {
            let first = at + 1 - waiting.len();
            flush(session, &waiting, rows)
                .await
                .map_err(|(row, failed)| failed.at(&place(first + row)))?;
            waiting.clear();
        }
    }
    Ok(())
}

/// Checks one row of a batch; the errors are those that callers know from the Python connector.
fn batch_row<'a>(row: &'a Value, batch: &Batch, at: usize) -> Result<&'a [Value], Fault> {
    let width = batch.width as usize;
    let fault = match row {
        Value::Array(values) if values.len() == width => return Ok(values),
        Value::Array(values) if values.len() > width => Fault::statement(
            "TypeError",
            format!(
                "not all arguments converted during string formatting\nthe row has {} values for {width} columns",
                values.len()
            ),
        ),
        Value::Array(values) => Fault::statement(
            "IndexError",
            format!(
                "list index out of range\nthe row has {} values for {width} columns",
                values.len()
            ),
        ),
        Value::Object(_) => Fault::statement(
            "TypeError",
            "dict is not a sequence\neach row must be a list of values",
        ),
        other => {
            let python = match other {
                Value::Null => "NoneType",
                Value::Bool(_) => "bool",
                Value::String(_) => "str",
                number if crate::seal::kind(number) == "numeric" => "float",
                _ => "int",
            };
            Fault::statement(
                "TypeError",
                format!(
                    "'{python}' object does not support indexing\neach row must be a list of values"
                ),
            )
        }
    };
    Err(fault.at(format!("{}/{at}", batch.rows)))
}

/// Sends a window of runs and takes in their results in order. The number counts within the window.
async fn flush(
    session: &Session,
    window: &[(Prepared, Vec<Text<'_>>)],
    rows: &mut Rows,
) -> Result<(), (usize, Failed)> {
    let client = session.client();
    let mut results = FuturesOrdered::new();
    for (prepared, texts) in window {
        results.push_back(client.query_raw(&prepared.statement, texts));
    }
    let mut results = results.enumerate();
    while let Some((at, result)) = results.next().await {
        let (prepared, _) = window
            .get(at)
            .ok_or_else(|| (at, Failed::from(Fault::internal("a result without a run"))))?;
        let take = async {
            rows.take(prepared, session, result.map_err(Failed::from)?)
                .await
        };
        take.await.map_err(|failed| (at, failed))?;
    }
    Ok(())
}

async fn fetch(
    session: &Session,
    prepared: &Prepared,
    texts: &[Text<'_>],
    rows: &mut Rows,
) -> Result<(), Failed> {
    let result = session
        .client()
        .query_raw(&prepared.statement, texts)
        .await?;
    rows.take(prepared, session, result).await
}

/// Prepares `sql` for these values and writes them for the types that the server inferred.
async fn bound<'v>(
    session: &mut Session,
    sql: &str,
    values: &[&'v Value],
) -> Result<(Prepared, Vec<Text<'v>>), Failed> {
    let mut types: Vec<Type> = values
        .iter()
        .map(|value| bind::declared_type(value))
        .collect();
    if session.wants_text(sql) {
        declare_text(&mut types);
    }
    // Each round declares one more parameter, so this ends.
    loop {
        let prepared = match prepare::prepare(session, sql, &types).await {
            // As in SQL, where a literal of unknown type is text when nothing else is asked for.
            Err(error)
                if error::is_indeterminate_type(&error) && declare_text(&mut types.clone()) =>
            {
                session.note_wants_text(sql);
                let stopped = Stopped {
                    again: true,
                    ..error.into()
                };
                return Err(Failed {
                    stopped,
                    parameter: None,
                });
            }
            other => other?,
        };
        let parameters = prepared.statement.params();
        if parameters.len() != values.len() {
            let message = format!(
                "a statement has {} parameters but {} arguments",
                parameters.len(),
                values.len()
            );
            return Err(Fault::connector(message).into());
        }
        let mut texts = Vec::with_capacity(values.len());
        let mut declare = None;
        for (at, (value, parameter)) in values.iter().zip(parameters).enumerate() {
            match bind::text(value, parameter) {
                Ok(text) => texts.push(text),
                Err(Unsuited::Declare(declared)) => {
                    declare = Some((at, declared));
                    break;
                }
                Err(Unsuited::Refuse(fault)) => {
                    return Err(Failed {
                        parameter: Some(at),
                        stopped: fault.into(),
                    });
                }
            }
        }
        match declare.and_then(|(at, declared)| Some((types.get_mut(at)?, declared))) {
            Some((slot, declared)) => *slot = declared,
            None => return Ok((prepared, texts)),
        }
    }
}

/// Declares as text what is to be inferred; false where there is nothing to declare.
fn declare_text(types: &mut [Type]) -> bool {
    let mut any = false;
    for unknown in types.iter_mut().filter(|known| **known == Type::UNKNOWN) {
        *unknown = Type::TEXT;
        any = true;
    }
    any
}
