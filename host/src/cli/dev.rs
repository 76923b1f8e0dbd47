//! `airlock dev`: each version that is saved is built, compared with the golden plans and swapped in.
//!
//! It serves by itself, on a throw-away database, or hands each version to a server that runs already. A
//! version that does not build, or that the server refuses, changes nothing there.

use super::build::{Built, Project, Workbench, replace};
use super::embedded::Embedded;
use super::input::Usage;
use super::sources::{Change, Sources};
use super::{AdminArguments, DevArguments, Ending, LogFormat, Result, async_runtime};
use super::{admin, connectors, golden, logging, serve, test};
use airlock::http::Drained;
use airlock::swap::Deployment;
use serde_json::Value;
use std::fs;
use std::io::{self, Write as _};
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::thread;

/// Who takes a version into service; gives the digest that is live then.
type Take<'a> = dyn Fn(&Workbench, &Built) -> Result<String> + 'a;

/// Serves, or hands over, until it is ended.
pub(super) fn run(arguments: DevArguments) -> Result<Ending> {
    let project = Project::find(&arguments.directory)?;
    let sources = Sources::of(&project)?;
    let workbench = Workbench::of(project)?;
    match arguments.into {
        Some(directory) if directory.is_dir() => attend(sources, workbench, &|_, built| {
            hand_over(&directory, &arguments.admin, built)
        }),
        Some(directory) => {
            let message = format!("there is no directory {}", directory.display());
            Err(Usage(message).into())
        }
        None => serve_versions(sources, workbench, arguments.listen),
    }
}

/// Starts a server and a database, and takes each version into service there.
fn serve_versions(
    sources: Sources,
    workbench: Workbench,
    listen: Option<SocketAddr>,
) -> Result<Ending> {
    logging::start(LogFormat::Text);
    let embedded = Embedded::start()?;
    let mut config = embedded.entry().add_to(workbench.project.config()?)?;
    config.listen = listen.unwrap_or(config.listen);
    // Versions go live because they were built here, not because their file is in place.
    config.connector_dir = None;
    let compiler = connectors::trusting_compiler(&config)?;
    let deployment = Arc::new(connectors::deployment_by(compiler, config)?);
    connectors::deploy_all(&deployment)?;
    embedded.show()?;
    let deployed = deployment.clone();
    thread::spawn(move || {
        let take = |workbench: &Workbench, built: &Built| swap_in(&deployed, workbench, built);
        if let Err(error) = attend(sources, workbench, &take) {
            tracing::error!("changes are noticed no more: {error}");
        }
    });
    let runtime = async_runtime()?;
    let drained = runtime.block_on(serve::listen(deployment, None));
    runtime.shutdown_background();
    Ok(match drained? {
        Drained::Whole => Ending::Done,
        Drained::CutOff => Ending::CutOff,
    })
}

fn swap_in(deployment: &Deployment, workbench: &Workbench, built: &Built) -> Result<String> {
    let name = built.connector.name();
    let policy = workbench.project.policy(&workbench.config, name);
    let component = fs::read(&built.file)?;
    let live = deployment.runtime().swap(name, &component, policy)?;
    Ok(live.digest().to_string())
}

/// Puts the component where a server takes it from, and asks that server to.
fn hand_over(directory: &Path, arguments: &AdminArguments, built: &Built) -> Result<String> {
    let name = built.connector.name();
    let file = directory.join(name).with_extension("wasm");
    replace(&file, &fs::read(&built.file)?)?;
    let live = admin::ask(arguments, "POST", &format!("/v1/connectors/{name}/swap"))?;
    let digest = live.get("digest").and_then(Value::as_str);
    Ok(digest.unwrap_or_default().to_owned())
}

/// Builds, compares and hands over at each change, and shows what goes wrong on the way.
///
/// # Errors
/// Where changes cannot be noticed, or nothing can be shown.
fn attend(mut sources: Sources, mut workbench: Workbench, take: &Take<'_>) -> Result<Ending> {
    let mut last = None;
    loop {
        let change = sources.wait()?;
        let built = match (change, last.take()) {
            (Change::Plans, Some(built)) => Ok(built),
            _ => workbench.reconfigure().and_then(|()| workbench.build()),
        };
        let mut out = io::stdout();
        let built = match built {
            Ok(built) => built,
            Err(error) => {
                writeln!(out, "\nnot built, so what is live stays live: {error}")?;
                continue;
            }
        };
        writeln!(out)?;
        let compared = golden::read(&workbench.project.directory)
            .and_then(|plans| test::show(&mut out, &workbench, &built.connector, &plans, false));
        if let Err(error) = compared {
            writeln!(out, "the golden plans cannot be compared: {error}")?;
        }
        if change == Change::Source {
            match take(&workbench, &built) {
                Ok(digest) => writeln!(out, "live       {digest}")?,
                Err(error) => writeln!(out, "refused, so what is live stays live: {error}")?,
            }
        }
        last = Some(built);
    }
}
