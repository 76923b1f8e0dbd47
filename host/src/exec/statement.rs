//! Runs one statement of a plan: once, or for each row of a batch.

use super::batch;
use super::batch::Form;
use super::bind::{self, NUL_IN_TEXT, Text, Unsuited};
use super::chunks::Chunks;
use super::error;
use super::failed::{Failed, Place, Resolved, Stopped};
use super::prepare::{self, Prepared};
use super::quoted;
use super::rows::{Keep, Outcome, Room, Rows};
use super::session::Session;
use crate::check::CheckedStatement;
use crate::fault::Fault;
use crate::input::Input;
use crate::plan::{Argument, Arguments};
use airlock_connector::statements::Class;
use futures_util::TryStreamExt as _;
use serde_json::Value;
use std::borrow::Cow;
use std::pin::pin;
use tokio_postgres::Error;
use tokio_postgres::types::Type;

/// One statement and what becomes of it.
pub(super) struct Run<'a> {
    pub(super) statement: &'a CheckedStatement,
    /// The call's input, which the arguments point into.
    pub(super) input: &'a Input,
    pub(super) keep: Keep,
    pub(super) room: Room,
    /// How a batch goes in.
    pub(super) form: Form,
}

impl Run<'_> {
    /// Runs the statement to its end. Its rows go out through `chunks`, where there are any.
    pub(super) async fn run(
        &self,
        session: &mut Session,
        chunks: Option<&mut Chunks>,
    ) -> Result<Outcome, Stopped> {
        let mut rows = Rows::new(self.keep, self.room, chunks);
        match &self.statement.arguments {
            Arguments::None => self.once(session, &[], &mut rows).await?,
            Arguments::Once(arguments) => {
                let values = arguments
                    .iter()
                    .map(|argument| resolve(argument, self.input))
                    .collect::<Result<Vec<_>, _>>()?;
                self.once(session, &values, &mut rows).await?;
            }
            Arguments::Each(batch) => {
                // Boxed, as it is large and most calls do without it.
                Box::pin(batch::run(self, batch, session, &mut rows)).await?;
            }
        }
        Ok(rows.into_outcome(self.statement))
    }

    async fn once(
        &self,
        session: &mut Session,
        values: &[Resolved<'_>],
        rows: &mut Rows<'_>,
    ) -> Result<(), Stopped> {
        let plain: Vec<&Value> = values.iter().map(|(value, _)| value.as_ref()).collect();
        let sql = &self.statement.sql;
        // What defines gives no rows and takes no parameters.
        let defines = matches!(self.statement.class, Class::Definition | Class::Utility)
            && !quoted::takes_parameters(sql);
        let ran = if defines && !plain.is_empty() {
            Box::pin(run_quoted(session, sql, &plain, rows)).await
        } else if defines {
            Box::pin(unprepared(session, sql, rows)).await
        } else {
            run_bound(session, sql, &plain, rows).await
        };
        ran.map_err(|failed| failed.at(&Place::Arguments(values)))
    }
}

/// Finds the value of an argument.
fn resolve<'a>(argument: &'a Argument, input: &'a Input) -> Result<Resolved<'a>, Fault> {
    match argument {
        Argument::Input(pointer) => match input.value(pointer) {
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

/// Has the server put the values in place, then runs the statement that it answers.
async fn run_quoted(
    session: &mut Session,
    sql: &str,
    values: &[&Value],
    rows: &mut Rows<'_>,
) -> Result<(), Failed> {
    let question = quoted::question(sql, values).map_err(|at| Failed {
        stopped: Fault::statement("ValueError", NUL_IN_TEXT).into(),
        parameter: Some(at),
    })?;
    let opening = session.take_opening();
    let client = session.client();
    let parameters = question.texts.iter().map(|text| (text, Type::TEXT));
    let answer = opening
        .before(
            client,
            pin!(client.query_typed_raw(&question.sql, parameters)),
        )
        .await?;
    let mut answer = pin!(answer);
    let Some(row) = answer.as_mut().try_next().await? else {
        return Err(Fault::internal("the server gave no statement").into());
    };
    let statement: String = row.try_get(0)?;
    while answer.as_mut().try_next().await?.is_some() {}
    unprepared(session, &statement, rows).await
}

/// Runs a statement that gives no rows, takes no parameters and will not be seen again.
async fn unprepared(session: &mut Session, sql: &str, rows: &mut Rows<'_>) -> Result<(), Failed> {
    let opening = session.take_opening();
    let client = session.client();
    let none: [(Text<'_>, Type); 0] = [];
    let work = async {
        let result = opening
            .before(client, pin!(client.query_typed_raw(sql, none)))
            .await?;
        let mut result = pin!(result);
        while result.as_mut().try_next().await?.is_some() {}
        Ok::<_, Error>(result.rows_affected())
    };
    let (affected, xid) = session.asking().behind(pin!(work)).await;
    session.note_xid(xid);
    rows.add_affected(affected?.ok_or_else(error::incomplete)?);
    Ok(())
}

/// Runs a statement with these values to its end.
pub(super) async fn run_bound(
    session: &mut Session,
    sql: &str,
    values: &[&Value],
    rows: &mut Rows<'_>,
) -> Result<(), Failed> {
    let (prepared, texts) = bound(session, sql, values).await?;
    fetch(session, &prepared, &texts, rows).await?;
    rows.settle(session).await
}

async fn fetch(
    session: &mut Session,
    prepared: &Prepared,
    texts: &[Text<'_>],
    rows: &mut Rows<'_>,
) -> Result<(), Failed> {
    let opening = session.take_opening();
    let client = session.client();
    let work = async {
        let result = opening
            .before(client, pin!(client.query_raw(&prepared.statement, texts)))
            .await
            .map_err(|error| prepared.failed(error))?;
        rows.take(prepared, result).await
    };
    let (taken, xid) = session.asking().behind(pin!(work)).await;
    session.note_xid(xid);
    taken
}

/// Prepares `sql` for these values and writes them for the types that the server inferred.
pub(super) async fn bound<'v>(
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
            Err(error) => {
                let parameter = error::parameter_pointed_at(&error, sql);
                return Err(Failed {
                    parameter,
                    stopped: error.into(),
                });
            }
            Ok(prepared) => prepared,
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
