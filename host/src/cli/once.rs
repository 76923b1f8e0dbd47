//! `airlock call` and `airlock plan`: one command, here and now.

use super::{CallArguments, Ending, Result, async_runtime, connectors, input};
use airlock::{Limits, Parameters, reply};
use std::io::{self, Write as _};

/// Runs a command and prints its reply.
pub(super) fn call(arguments: &CallArguments, database: Option<String>) -> Result<Ending> {
    let runtime = connectors::load(
        Limits::default(),
        arguments.connectors.connectors.as_deref(),
    )?;
    let (connector, command) = &arguments.command;
    let parameters = input::parameters(&arguments.input)?;
    let result = async_runtime()?.block_on(async {
        let found = runtime.command(connector, command)?;
        runtime
            .run(&found, found.with_connection(parameters, database))
            .await
    });
    let mut out = io::stdout().lock();
    match result {
        Ok(reply) => {
            out.write_all(&reply.envelope())?;
            writeln!(out)?;
            Ok(Ending::Done)
        }
        Err(fault) => {
            writeln!(out, "{}", reply::failure(&fault))?;
            Ok(Ending::Failed)
        }
    }
}

/// Prints the plan of a command.
pub(super) fn plan(arguments: &CallArguments) -> Result<Ending> {
    let runtime = connectors::load(
        Limits::default(),
        arguments.connectors.connectors.as_deref(),
    )?;
    let (connector, command) = &arguments.command;
    let parameters: Parameters = input::parameters(&arguments.input)?;
    let result = async_runtime()?.block_on(async {
        let found = runtime.command(connector, command)?;
        // A plan does not depend on the connection, so none is needed.
        runtime
            .plan(
                &found,
                found.with_connection(parameters, Some(String::new())),
            )
            .await
    });
    let mut out = io::stdout().lock();
    match result {
        Ok(plan) => {
            writeln!(out, "{}", serde_json::to_string_pretty(&plan)?)?;
            Ok(Ending::Done)
        }
        Err(fault) => {
            writeln!(out, "{}", reply::failure(&fault))?;
            Ok(Ending::Failed)
        }
    }
}
