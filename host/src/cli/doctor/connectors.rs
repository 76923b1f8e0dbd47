//! The connectors: whether each is the one that is meant, loads, and plans its examples.

use super::finding::Findings;
use crate::cli::{Result, connectors};
use airlock::Runtime;
use airlock::config::Config;
use airlock::swap::Deployment;
use std::sync::Arc;

/// Brings all connectors into service as a start does, in a runtime of its own that serves nobody.
pub(super) fn look(mut config: Config, findings: &mut Findings) -> Result<Arc<Config>> {
    // What is wrong with the cache was said; here it would only stand in the way.
    let missing = config
        .compile_cache_dir
        .clone()
        .or_else(connectors::user_cache_dir)
        .is_none_or(|directory| !directory.exists());
    let given = config.compile_cache_dir.clone();
    if missing {
        config.compile_cache_dir = Some(Default::default());
    }
    let compiler = connectors::compiler(&config).or_else(|_| {
        config.compile_cache_dir = Some(Default::default());
        connectors::compiler(&config)
    })?;
    config.compile_cache_dir = given;
    let config = Arc::new(config);
    let runtime = match Runtime::compiling_by(compiler, config.limits) {
        Ok(runtime) => Arc::new(runtime),
        // Said of the address space already.
        Err(_) => return Ok(config),
    };
    let deployment = Deployment::new(runtime.clone(), config.clone());
    let refused = match deployment.deploy_all() {
        Ok(refused) => refused,
        Err(error) => {
            let next = "let the user read it who runs airlock";
            findings.failed("connector_dir", error.to_string(), next);
            return Ok(config);
        }
    };
    for (name, fault) in &refused {
        let check = format!("connectors.{name}");
        findings.failed(check, fault.message.clone(), next(&fault.message));
    }
    for connector in runtime.connectors() {
        let name = connector.name();
        if refused.iter().any(|(refused, _)| refused == name) {
            continue;
        }
        findings.ok(
            format!("connectors.{name}"),
            format!(
                "{} loads and plans ({})",
                connector.version(),
                connector.digest()
            ),
        );
    }
    for name in config.connectors.keys() {
        if !config.is_disabled(name) && config.component(name).is_none() {
            findings.warning(
                format!("connectors.{name}"),
                "it has a table and no file",
                format!("put {name}.wasm into connector_dir, or name its path"),
            );
        }
    }
    Ok(config)
}

/// What to do about a connector that is refused for this reason.
fn next(reason: &str) -> &'static str {
    if reason.contains("make memory executable") {
        return "the system lets no machine code be made: take MemoryDenyWriteExecute out of the unit, or what else denies it";
    }
    "calls of it fail at a start; put the right file in place, or change its table. airlock inspect FILE shows what a file is"
}
