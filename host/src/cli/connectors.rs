//! Loads the connectors that a command works with.

use super::progress::Progress;
use super::{ConnectorArguments, Result};
use airlock::config::{Config, ConfigError};
use airlock::recording::Recorder;
use airlock::swap::Deployment;
use airlock::{CompileCache, Compiler, Fault, Imports, Policy, Profile, Runtime};
use std::env;
use std::path::PathBuf;
use std::sync::Arc;

/// What the configuration file says, with the directory that the command line names.
pub(super) fn configure(arguments: &ConnectorArguments) -> Result<Config> {
    Ok(read(arguments)?)
}

/// As [`configure`]; the error is every mistake.
pub(super) fn read(arguments: &ConnectorArguments) -> std::result::Result<Config, ConfigError> {
    let mut config = Config::load(arguments.config.as_deref())?;
    if let Some(directory) = &arguments.connectors {
        config.connector_dir = Some(directory.clone());
    }
    Ok(config)
}

/// A runtime with the embedded connector and those that the configuration names, each held to its
/// policy.
pub(super) fn load(config: Config) -> Result<Arc<Runtime>> {
    Ok(deploy(config)?.runtime().clone())
}

/// The connectors of a configuration, all of them in service.
pub(super) fn deploy(config: Config) -> Result<Deployment> {
    let deployment = deployment(config)?;
    let _progress = Progress::of("loading connectors");
    let refused = deploy_all(&deployment)?;
    if refused.is_empty() {
        return Ok(deployment);
    }
    let reasons = refused
        .iter()
        .map(|(name, fault)| format!("{name}: {}", fault.message));
    Err(reasons.collect::<Vec<_>>().join("\n").into())
}

/// The connectors of a configuration, none of them in service yet.
pub(super) fn deployment(config: Config) -> Result<Deployment> {
    deployment_by(compiler(&config)?, config)
}

/// As [`deployment`], where `compiler` compiles them.
pub(super) fn deployment_by(compiler: Compiler, config: Config) -> Result<Deployment> {
    let mut runtime = Runtime::compiling_by(compiler, config.limits)?;
    if let Some(recording) = &config.recording {
        runtime.record_to(Recorder::open(&recording.file, recording.max_bytes)?);
    }
    Ok(Deployment::new(Arc::new(runtime), Arc::new(config)))
}

/// Brings all connectors into service; gives those that were refused, with the reasons.
pub(super) fn deploy_all(deployment: &Deployment) -> Result<Vec<(String, Fault)>> {
    Ok(deployment.deploy_all()?)
}

/// This program, compiling what is not in the cache.
pub(super) fn compiler(config: &Config) -> Result<Compiler> {
    let compiler = Compiler::Child {
        program: env::current_exe()?,
        arguments: vec!["compile".into()],
    };
    cached(compiler, config)
}

/// As [`compiler`], for what the user of this machine has just built on it: in this process, as it is
/// trusted and waited for.
pub(super) fn trusting_compiler(config: &Config) -> Result<Compiler> {
    cached(Compiler::InProcess, config)
}

fn cached(compiler: Compiler, config: &Config) -> Result<Compiler> {
    let cache = match &config.compile_cache_dir {
        Some(directory) if directory.as_os_str().is_empty() => None,
        Some(directory) => Some(CompileCache::open(directory, &config.limits)?),
        // Nobody asked for it, so it works without.
        None => user_cache_dir().and_then(|directory| {
            CompileCache::open(&directory, &config.limits)
                .map_err(|error| tracing::warn!("components are compiled at each start: {error}"))
                .ok()
        }),
    };
    Ok(match cache {
        Some(cache) => compiler.cached(Arc::new(cache)),
        None => compiler,
    })
}

/// The wider limits, and all that can be granted: for a component of which it is not known yet what it
/// is.
pub(super) fn widest() -> Policy {
    Policy {
        imports: Imports::VirtualWasi,
        ..Policy::of(Profile::Script)
    }
}

/// Where this user's programs keep what they can make again.
pub(super) fn user_cache_dir() -> Option<PathBuf> {
    let base = |variable: &str| {
        let path = PathBuf::from(env::var_os(variable)?);
        // Others are to be ignored, by the standard that names the variable.
        path.is_absolute().then_some(path)
    };
    let caches = base("XDG_CACHE_HOME").or_else(|| Some(base("HOME")?.join(".cache")))?;
    Some(caches.join("airlock").join("compiled"))
}
