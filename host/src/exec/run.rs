//! Runs one plan on one connection: all or nothing.

use super::bind::NUL_IN_TEXT;
use super::bind::{self, Text, Unsuited};
use super::error;
use super::prepare::{self, Prepared};
use super::quoted;
use super::render::{self, Raw};
use super::session::Session;
use crate::check::{CheckedPlan, CheckedStatement};
use crate::fault::{Fault, Kind};
use crate::limits::Limits;
use crate::plan::{Argument, Arguments, Batch, Reply, RowShape};
use airlock_connector::statements::Class;
use bytes::BytesMut;
use futures_util::stream::FuturesOrdered;
use futures_util::{StreamExt as _, TryStreamExt as _};
use serde_json::Value;
use std::borrow::Cow;
use std::error::Error;
use tokio_postgres::types::{Format, IsNull, ToSql, Type, to_sql_checked};

/// Rows of a batch that are on their way to the server at the same time.
const PIPELINE: usize = 64;

/// What one statement gave.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// Names of the columns; empty where the statement gives no rows.
    pub columns: Vec<String>,
    /// The rows as a JSON array, in the shape that the reply asks for.
    pub rows: Vec<u8>,
    /// Rows affected or returned.
    pub affected: u64,
    /// Whether the server counts rows for a statement of this kind.
    pub counted: bool,
}

/// What becomes of the rows of a statement.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Keep {
    Count,
    Rows(RowShape),
}

/// Runs the statements of `plan`, in a transaction where it needs one.
pub(super) async fn run(
    session: &mut Session,
    plan: &CheckedPlan,
    input: &Value,
    limits: &Limits,
) -> Result<Vec<Outcome>, Fault> {
    // A statement that the server could not make out may be clear the second time: with fresh
    // definitions, or with its text declared as text. Nothing of the first attempt is stored.
    let mut attempts = plan.statements().len() + 1;
    loop {
        let outcome = match plan.needs_transaction() {
            true => transaction(session, plan, input, limits).await,
            false => statements(session, plan, input, limits).await,
        };
        attempts -= 1;
        match outcome {
            Err(stopped) if stopped.again && attempts > 0 => prepare::forget(session),
            other => return other.map_err(|stopped| stopped.fault),
        }
    }
}

/// Why a plan stopped.
struct Stopped {
    fault: Fault,
    /// Nothing was stored, and what stopped it may not do so again.
    again: bool,
}

impl From<Fault> for Stopped {
    fn from(fault: Fault) -> Self {
        Stopped {
            fault,
            again: false,
        }
    }
}

impl From<tokio_postgres::Error> for Stopped {
    fn from(error: tokio_postgres::Error) -> Self {
        Stopped {
            again: error::is_stale_statement(&error),
            fault: error::statement(&error),
        }
    }
}

async fn transaction(
    session: &mut Session,
    plan: &CheckedPlan,
    input: &Value,
    limits: &Limits,
) -> Result<Vec<Outcome>, Stopped> {
    let begin = if plan.is_read_only() {
        "BEGIN READ ONLY"
    } else {
        "BEGIN"
    };
    session.client().batch_execute(begin).await?;
    match statements(session, plan, input, limits).await {
        Ok(outcomes) => {
            commit(session).await?;
            Ok(outcomes)
        }
        Err(stopped) => {
            if session.client().batch_execute("ROLLBACK").await.is_err() {
                session.is_broken = true;
                return Err(Stopped {
                    again: false,
                    ..stopped
                });
            }
            Err(stopped)
        }
    }
}

async fn commit(session: &Session) -> Result<(), Stopped> {
    match session.client().batch_execute("COMMIT").await {
        Ok(()) => Ok(()),
        // A refusal, for example of a deferred constraint, rolls back.
        Err(refused) if refused.as_db_error().is_some() => Err(refused.into()),
        Err(_) => Err(Fault::new(
            Kind::OutcomeUnknown,
            "TransactionResolutionUnknown",
            "the connection broke while the transaction was being committed; look before you try again",
        )
        .into()),
    }
}

async fn statements(
    session: &mut Session,
    plan: &CheckedPlan,
    input: &Value,
    limits: &Limits,
) -> Result<Vec<Outcome>, Stopped> {
    let mut outcomes = Vec::with_capacity(plan.statements().len());
    let mut room = match plan.reply() {
        Reply::Resume(_) => limits.outcome_bytes,
        _ => limits.reply_bytes,
    };
    for (at, statement) in plan.statements().iter().enumerate() {
        let last = at + 1 == plan.statements().len();
        let keep = match plan.reply() {
            Reply::Rows(shape) if last => Keep::Rows(*shape),
            Reply::Resume(_) => Keep::Rows(RowShape::Arrays),
            _ => Keep::Count,
        };
        let outcome = statement_outcome(session, statement, input, keep, room).await?;
        room = room.saturating_sub(outcome.rows.len());
        if let (Reply::Rows(_), true, false) = (plan.reply(), last, gives_rows(&outcome, statement))
        {
            return Err(Fault::statement("ProgrammingError", "no results to fetch\nnothing was changed; leave fetch_results out for statements that return no rows").into());
        }
        if statement
            .max_affected
            .is_some_and(|most| outcome.affected > most)
        {
            let message = format!(
                "{} rows would be affected, more than max_affected allows; nothing was changed",
                outcome.affected
            );
            return Err(Fault::statement("CardinalityViolation", message).into());
        }
        if statement.class == Class::Utility {
            session.distrust_settings();
        }
        outcomes.push(outcome);
    }
    Ok(outcomes)
}

/// A query without columns gives rows all the same: `SELECT FROM t`.
fn gives_rows(outcome: &Outcome, statement: &CheckedStatement) -> bool {
    !outcome.columns.is_empty() || (statement.class == Class::Rows && outcome.rows.len() > 2)
}

async fn statement_outcome(
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

type Resolved<'a> = (Cow<'a, Value>, Cow<'a, str>);

/// The value of an argument and the pointer to name it by.
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

/// A failure and the parameter that it is about.
struct Failed {
    stopped: Stopped,
    parameter: Option<usize>,
}

/// Where the values of one run come from.
enum Place<'a> {
    /// The arguments of a statement that runs once.
    Arguments(&'a [Resolved<'a>]),
    /// One row of a batch.
    Row { rows: &'a str, row: usize },
}

impl Place<'_> {
    /// The pointer to the value of one parameter.
    fn parameter(&self, at: usize) -> Option<String> {
        match self {
            Place::Arguments(values) => values.get(at).map(|(_, pointer)| pointer.to_string()),
            Place::Row { rows, row } => Some(format!("{rows}/{row}/{at}")),
        }
    }

    /// The narrowest pointer where the server names no parameter. A data exception in a statement
    /// with a single argument is about that one.
    fn whole(&self, fault: &Fault) -> Option<String> {
        let server = fault.server.as_ref()?;
        match self {
            Place::Arguments([_]) if server.sqlstate.starts_with("22") => self.parameter(0),
            Place::Arguments(_) => None,
            Place::Row { rows, row } => Some(format!("{rows}/{row}")),
        }
    }
}

impl Failed {
    /// Names the offending value as narrowly as it is known.
    fn at(mut self, place: &Place<'_>) -> Stopped {
        let fault = &mut self.stopped.fault;
        if fault.pointer.is_none() {
            fault.pointer = match self.parameter {
                Some(at) => place.parameter(at),
                None => place.whole(fault),
            };
        }
        self.stopped
    }
}

impl From<tokio_postgres::Error> for Failed {
    fn from(error: tokio_postgres::Error) -> Self {
        Failed {
            parameter: error::offending_parameter(&error),
            stopped: error.into(),
        }
    }
}

impl From<Fault> for Failed {
    fn from(fault: Fault) -> Self {
        Failed {
            stopped: fault.into(),
            parameter: None,
        }
    }
}

/// Rows as they come in, rendered.
struct Rows {
    keep: Keep,
    columns: Vec<String>,
    json: Vec<u8>,
    count: u64,
    affected: u64,
    room: usize,
}

impl Rows {
    fn new(keep: Keep, room: usize) -> Rows {
        Rows {
            keep,
            columns: Vec::new(),
            json: b"[".to_vec(),
            count: 0,
            affected: 0,
            room,
        }
    }

    /// Takes in the result of one run to its end.
    async fn take(
        &mut self,
        prepared: &Prepared,
        session: &Session,
        result: tokio_postgres::RowStream,
    ) -> Result<(), Failed> {
        let mut result = Box::pin(result);
        self.columns = prepared.columns.to_vec();
        if prepared.codecs.iter().any(Option::is_none) && self.keep != Keep::Count {
            // The stream must end before the server can be asked about single values.
            let rows: Vec<_> = result.as_mut().try_collect().await?;
            for row in &rows {
                self.push(prepared, row, Some(session)).await?;
            }
        } else {
            while let Some(row) = result.as_mut().try_next().await? {
                self.push(prepared, &row, None).await?;
            }
        }
        self.affected += result.rows_affected().unwrap_or(0);
        Ok(())
    }

    async fn push(
        &mut self,
        prepared: &Prepared,
        row: &tokio_postgres::Row,
        server: Option<&Session>,
    ) -> Result<(), Failed> {
        self.count += 1;
        let Keep::Rows(shape) = self.keep else {
            return Ok(());
        };
        if self.count > 1 {
            self.json.push(b',');
        }
        self.json.push(if shape == RowShape::Arrays {
            b'['
        } else {
            b'{'
        });
        for (at, codec) in prepared.codecs.iter().enumerate() {
            if at > 0 {
                self.json.push(b',');
            }
            if shape == RowShape::Objects {
                render::string(
                    &mut self.json,
                    prepared.columns.get(at).map_or("", String::as_str),
                );
                self.json.push(b':');
            }
            let Raw(raw) = row.try_get(at)?;
            match (raw, codec, server) {
                (None, _, _) => self.json.extend_from_slice(b"null"),
                (Some(raw), Some(codec), _) => {
                    if !codec.render(raw, &mut self.json) {
                        return Err(Fault::new(
                            Kind::Database,
                            "DataError",
                            "the server sent a value that is not of its type",
                        )
                        .into());
                    }
                }
                (Some(raw), None, Some(session)) => {
                    let column = prepared
                        .statement
                        .columns()
                        .get(at)
                        .map(tokio_postgres::Column::type_);
                    let json = to_json(session, raw, column.unwrap_or(&Type::TEXT)).await?;
                    self.json.extend_from_slice(&json);
                }
                (Some(_), None, None) => return Err(Fault::internal("a value has no codec").into()),
            }
        }
        self.json.push(if shape == RowShape::Arrays {
            b']'
        } else {
            b'}'
        });
        if self.json.len() > self.room {
            let message = format!(
                "the rows have more than {} bytes; ask for fewer with limit or conditions. Nothing was changed",
                self.room
            );
            return Err(Fault::statement("ProgramLimitExceeded", message).into());
        }
        Ok(())
    }

    fn into_outcome(mut self, class: Class) -> Outcome {
        self.json.push(b']');
        let returned = !self.columns.is_empty() || self.count > 0;
        Outcome {
            counted: returned || self.affected > 0 || class.counts_rows(),
            affected: if returned { self.count } else { self.affected },
            columns: self.columns,
            rows: self.json,
        }
    }
}

/// Has the server render one value that it sent.
async fn to_json(
    session: &Session,
    raw: &[u8],
    known: &Type,
) -> Result<Vec<u8>, tokio_postgres::Error> {
    let statement = session
        .client()
        .prepare_typed("SELECT to_json($1)", std::slice::from_ref(known))
        .await?;
    let row = session
        .client()
        .query_one(&statement, &[&Binary(raw)])
        .await?;
    let Raw(json) = row.try_get(0)?;
    Ok(json.unwrap_or(b"null").to_vec())
}

/// A value in the binary form in which it came.
struct Binary<'a>(&'a [u8]);

impl ToSql for Binary<'_> {
    fn to_sql(&self, _: &Type, out: &mut BytesMut) -> Result<IsNull, Box<dyn Error + Sync + Send>> {
        out.extend_from_slice(self.0);
        Ok(IsNull::No)
    }

    fn accepts(_: &Type) -> bool {
        true
    }

    fn encode_format(&self, _: &Type) -> Format {
        Format::Binary
    }

    to_sql_checked!();
}

impl std::fmt::Debug for Binary<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("(redacted)")
    }
}
