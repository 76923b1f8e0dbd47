//! Loads the connectors that a command works with.

use super::{ConnectorArguments, Result};
use airlock::config::Config;
use airlock::swap::Deployment;
use airlock::{Compiler, Fault, Runtime};
use std::env;
use std::sync::Arc;

/// What the configuration file says, with the directory that the command line names.
pub(super) fn configure(arguments: &ConnectorArguments) -> Result<Config> {
    let mut config = Config::load(arguments.config.as_deref())?;
    if let Some(directory) = &arguments.connectors {
        config.connector_dir = Some(directory.clone());
    }
    Ok(config)
}

/// A runtime with the embedded connector and those that the configuration names, each held to its
/// policy.
pub(super) fn load(config: Config) -> Result<Arc<Runtime>> {
    let deployment = deployment(config)?;
    let refused = deploy_all(&deployment)?;
    if refused.is_empty() {
        return Ok(deployment.runtime().clone());
    }
    let reasons = refused
        .iter()
        .map(|(name, fault)| format!("{name}: {}", fault.message));
    Err(reasons.collect::<Vec<_>>().join("\n").into())
}

/// The connectors of a configuration, none of them in service yet.
pub(super) fn deployment(config: Config) -> Result<Deployment> {
    let runtime = Runtime::compiling_by(compiler()?, config.limits)?;
    Ok(Deployment::new(Arc::new(runtime), Arc::new(config)))
}

/// Brings all connectors into service; gives those that were refused, with the reasons.
pub(super) fn deploy_all(deployment: &Deployment) -> Result<Vec<(String, Fault)>> {
    Ok(deployment.deploy_all()?)
}

/// This program, compiling.
pub(super) fn compiler() -> Result<Compiler> {
    Ok(Compiler::Child {
        program: env::current_exe()?,
        arguments: vec!["compile".into()],
    })
}
