//! `airlock call` and `airlock plan`: one command, here and now.

use super::{CallArguments, Ending, Result, async_runtime, connectors, input};
use airlock::reply::{self, Body, Envelope};
use futures_util::StreamExt as _;
use serde_json::json;
use std::io::{self, Write as _};

/// Runs a command and prints its reply.
pub(super) fn call(arguments: &CallArguments, database: Option<String>) -> Result<Ending> {
    let runtime = connectors::load(connectors::configure(&arguments.connectors)?)?;
    let (connector, command) = &arguments.command;
    let text = input::text(&arguments.input)?;
    let parameters = input::parameters(&text)?;
    let ending = async_runtime()?.block_on(async {
        let reply = async {
            let found = runtime.command(connector, command)?;
            let parameters = found.with_connection(parameters, database);
            runtime.run(&found, parameters).await
        };
        match reply.await {
            Ok(reply) => print(reply.body).await,
            Err(fault) => {
                write!(io::stdout(), "{}", reply::failure(&fault)).map(|()| Ending::Failed)
            }
        }
    })?;
    writeln!(io::stdout())?;
    Ok(ending)
}

/// Prints the envelope of a reply while it comes in.
async fn print(body: Body) -> io::Result<Ending> {
    let (first, rest) = match body {
        Body::Whole(body) => {
            io::stdout().lock().write_all(&reply::success(&body))?;
            return Ok(Ending::Done);
        }
        Body::Streaming(first, rest) => (first, rest),
    };
    let mut envelope = Envelope::new(first, rest);
    while let Some(part) = envelope.next().await {
        io::stdout().lock().write_all(&part)?;
    }
    Ok(match envelope.outcome() {
        Some(Ok(())) => Ending::Done,
        _ => Ending::Failed,
    })
}

/// Prints the plan of a command, and what the policy says to it.
pub(super) fn plan(arguments: &CallArguments) -> Result<Ending> {
    let runtime = connectors::load(connectors::configure(&arguments.connectors)?)?;
    let (connector, command) = &arguments.command;
    let text = input::text(&arguments.input)?;
    let parameters = input::parameters(&text)?;
    let result = async_runtime()?.block_on(async {
        let found = runtime.command(connector, command)?;
        // A plan does not depend on the connection, so none is needed.
        let parameters = found.with_connection(parameters, Some(String::new()));
        runtime.preview(&found, parameters).await
    });
    let mut out = io::stdout().lock();
    match result {
        Ok((plan, verdict)) => {
            let shown = json!({"plan": plan, "verdict": verdict});
            writeln!(out, "{}", serde_json::to_string_pretty(&shown)?)?;
            Ok(match verdict.is_allowed() {
                true => Ending::Done,
                false => Ending::Failed,
            })
        }
        Err(fault) => {
            writeln!(out, "{}", reply::failure(&fault))?;
            Ok(Ending::Failed)
        }
    }
}
