//! Runs a statement for each row of a batch, in the fastest form that means the same.
//!
//! What a batch means is said by its slowest form: one statement for each row, in order, in one
//! transaction. Where the statement is a plain INSERT, the relation and the values decide whether COPY
//! or statements of many rows would store the same. Both of those tell less when they fail, so after
//! any refusal the transaction is rolled back and run again row by row: errors, and the pointers to
//! the rows that they are about, always come from there.

use super::bind::Text;
use super::copy;
use super::failed::{Failed, Place, Stopped};
use super::many;
use super::prepare::Prepared;
use super::relation;
use super::rows::{Keep, Rows};
use super::session::Session;
use super::statement::{self, Run};
use crate::fault::Fault;
use crate::input::Input;
use crate::plan::Batch;
use crate::seal;
use futures_util::stream::FuturesOrdered;
use futures_util::{StreamExt as _, future};
use serde_json::Value;
use serde_json::value::RawValue;
use std::pin::pin;
use std::sync::Arc;

/// Rows of a batch that are on their way to the server at the same time.
const PIPELINE: usize = 64;

/// Fewer rows go in one by one: looking at the relation takes a round trip more.
const WORTH_A_LOOK: usize = 32;

/// How a batch goes in.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// By COPY, where that means the same.
    Copy,
    /// In statements of many rows, where those mean the same.
    ManyRows,
    /// One statement for each row.
    RowByRow,
}

impl Form {
    /// How many forms there are.
    pub(super) const ALL: usize = 3;
}

/// Runs the statement for each row of `batch`.
pub(super) async fn run(
    run: &Run<'_>,
    batch: &Batch,
    session: &mut Session,
    rows: &mut Rows<'_>,
) -> Result<(), Stopped> {
    let insert = run.statement.insert.as_ref();
    let insert = insert.filter(|_| run.form != Form::RowByRow && run.keep == Keep::Count);
    let worth_a_look = || run.input.count(&batch.rows, WORTH_A_LOOK) == WORTH_A_LOOK;
    let relation = match insert.filter(|_| worth_a_look()) {
        None => None,
        Some(insert) => relation::look(session, insert)
            .await
            .map_err(Stopped::row_by_row)?
            .map(|relation| (insert, relation)),
    };
    if let Some((insert, relation)) = &relation
        && run.form == Form::Copy
        && relation.takes_copy
        && let Some(text) = text(run.input, batch)
    {
        let stored = copy::send(session, insert, text, relation.columns.clone()).await;
        let stored = stored.map_err(Stopped::row_by_row)?;
        rows.add_affected(stored.ok_or_else(|| Stopped::in_form(Form::ManyRows))?);
        return Ok(());
    }
    let given = match run.input.value(&batch.rows) {
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
    if let Some((insert, relation)) = &relation {
        let stored = many::insert(session, insert, &relation.columns, &given).await;
        if let Some(stored) = stored.map_err(Stopped::row_by_row)? {
            rows.add_affected(stored);
            return Ok(());
        }
    }
    row_by_row(run, batch, session, &given, rows).await
}

/// The rows as JSON text.
fn text(input: &Input, batch: &Batch) -> Option<Arc<RawValue>> {
    input.unread(&batch.rows).or_else(|| {
        let value = input.value(&batch.rows)?;
        serde_json::value::to_raw_value(value).ok().map(Arc::from)
    })
}

/// Runs the statement once for each row, many of them on their way at a time.
async fn row_by_row(
    run: &Run<'_>,
    batch: &Batch,
    session: &mut Session,
    given: &[&[Value]],
    rows: &mut Rows<'_>,
) -> Result<(), Stopped> {
    let place = |row: usize| Place::Row {
        rows: &batch.rows,
        row,
    };
    if let [row] = given {
        let values: Vec<&Value> = row.iter().collect();
        let ran = statement::run_bound(session, &run.statement.sql, &values, rows).await;
        return ran.map_err(|failed| failed.at(&place(0)));
    }
    for (number, window) in given.chunks(PIPELINE).enumerate() {
        let first = number * PIPELINE;
        let mut bound = Vec::with_capacity(window.len());
        for (at, row) in window.iter().enumerate() {
            let values: Vec<&Value> = row.iter().collect();
            let ready = statement::bound(session, &run.statement.sql, &values).await;
            bound.push(ready.map_err(|failed| failed.at(&place(first + at)))?);
        }
        flush(session, &bound, rows)
            .await
            .map_err(|(row, failed)| failed.at(&place(first + row)))?;
        // Nothing is under way now, so the server can be asked.
        rows.settle(session)
            .await
            .map_err(|failed| failed.at(&place(first)))?;
    }
    Ok(())
}

/// Sends a window of runs and takes in their results in order. The number counts within the window.
async fn flush(
    session: &mut Session,
    window: &[(Prepared, Vec<Text<'_>>)],
    rows: &mut Rows<'_>,
) -> Result<(), (usize, Failed)> {
    let opening = session.take_opening();
    let client = session.client();
    let work = async {
        let nothing = pin!(future::ok(()));
        let opened = opening.before(client, nothing);
        let runs = window
            .iter()
            .map(|(prepared, texts)| client.query_raw(&prepared.statement, texts));
        let mut results: FuturesOrdered<_> = runs.collect();
        let (opened, first) = future::join(opened, results.next()).await;
        opened.map_err(|error| (0, error.into()))?;
        let mut next = first;
        for (at, (prepared, _)) in window.iter().enumerate() {
            let Some(result) = next else {
                return Err((at, Fault::internal("a run without a result").into()));
            };
            let take = async {
                let result = result.map_err(|error| prepared.failed(error))?;
                rows.take(prepared, result).await
            };
            take.await.map_err(|failed| (at, failed))?;
            next = results.next().await;
        }
        Ok(())
    };
    let (worked, xid) = session.asking().behind(pin!(work)).await;
    session.note_xid(xid);
    worked
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
        other => Fault::statement(
            "TypeError",
            format!(
                "'{}' object does not support indexing\neach row must be a list of values",
                seal::python_type(other)
            ),
        ),
    };
    Err(fault.at(format!("{}/{at}", batch.rows)))
}
