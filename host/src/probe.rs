//! Tries a connector out before it goes live: each command plans the example of its manifest.

use crate::call::{Call, CommandSpec, Parameters};
use crate::check::{CheckedPlan, Source};
use crate::connector::Connector;
use crate::fault::{Fault, Kind};
use serde_json::Value;
use std::time::{Duration, Instant};

/// Plans every example.
///
/// # Errors
/// With the command, where an example does not fit its own parameters or gives no plan that may run,
/// and where all together take longer than `probe_ms`.
pub(crate) fn probe(connector: &Connector, trusted: bool) -> Result<(), Fault> {
    let limits = &connector.policy().limits;
    let end = Instant::now() + Duration::from_millis(limits.probe_ms);
    for spec in connector.commands() {
        plan_example(connector, spec, trusted).map_err(|fault| {
            let name = &spec.command.name;
            Fault::connector(format!("the example of {name} cannot be planned: {fault}"))
        })?;
        if Instant::now() > end {
            return Err(Fault::connector(format!(
                "planning the examples was stopped at the limit probe_ms = {}",
                limits.probe_ms
            )));
        }
    }
    Ok(())
}

/// The call of a command's example.
///
/// # Errors
/// Where the example does not fit the parameters.
pub(crate) fn example(spec: &CommandSpec) -> Result<Call, Fault> {
    let mut parameters = Parameters::parse(spec.command.example.as_bytes())?;
    if let Some(connection) = spec.connection_parameter() {
        parameters = parameters.with(connection, Value::String(String::new()));
    }
    spec.call(parameters)
}

fn plan_example(connector: &Connector, spec: &CommandSpec, trusted: bool) -> Result<(), Fault> {
    let (command, call) = (&spec.command, example(spec)?);
    let plan = connector.plan(&command.name, call.sealed())?;
    let source = Source {
        connector: connector.name(),
        command,
        trusted,
    };
    match CheckedPlan::check(plan, &source, connector.policy()) {
        // The operator withholds this command; that is no defect of the connector.
        Err(fault) if fault.kind == Kind::Denied => Ok(()),
        checked => checked.map(drop),
    }
}
