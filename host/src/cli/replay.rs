//! `airlock replay`: how two versions of a connector plan the same calls.

use super::progress::Progress;
use super::{Ending, ReplayArguments, Result, connectors, input::Usage};
use airlock::config::Config;
use airlock::replay::{self, Answer, Difference};
use airlock::{Connector, Runtime, recording};
use std::fs;
use std::io::{self, Write as _};
use std::path::Path;

/// Prints the calls that are planned differently.
pub(super) fn run(arguments: &ReplayArguments) -> Result<Ending> {
    let config = Config::load(arguments.config.as_deref())?;
    let runtime = Runtime::compiling_by(connectors::compiler(&config)?, config.limits)?;
    let progress = Progress::of("compiling");
    let load = |file: &Path| load(&runtime, &config, file);
    let (old, new) = (load(&arguments.old)?, load(&arguments.new)?);
    if old.name() != new.name() {
        let message = format!("{} and {} are different connectors", old.name(), new.name());
        return Err(Usage(message).into());
    }
    let calls = recording::read(&arguments.calls).map_err(|error| Usage(error.to_string()))?;
    progress.now(format!("planning {} calls twice", calls.len()));
    let replay = replay::replay(&old, &new, &calls)?;
    drop(progress);
    let mut out = io::stdout().lock();
    if arguments.json {
        writeln!(out, "{}", serde_json::to_string_pretty(&replay)?)?;
    } else {
        for difference in &replay.differences {
            print(&mut out, difference)?;
        }
        writeln!(
            out,
            "{} of {} calls of {} are planned differently",
            replay.differences.len(),
            replay.calls,
            new.name()
        )?;
    }
    Ok(match replay.differences.as_slice() {
        [] => Ending::Done,
        _ => Ending::Failed,
    })
}

/// The component in a file, held to what the configuration says of it, but not to a digest: one of the
/// two has another.
fn load(runtime: &Runtime, config: &Config, file: &Path) -> Result<Connector> {
    let bytes = fs::read(file)
        .map_err(|error| Usage(format!("cannot read {}: {error}", file.display())))?;
    let refused = |fault: airlock::Fault| format!("{}: {}", file.display(), fault.message);
    let unknown = runtime
        .compile(&bytes, connectors::widest())
        .map_err(refused)?;
    let mut policy = (*config.policy(unknown.name())).clone();
    policy.sha256 = None;
    Ok(unknown.held_to(policy.into()).map_err(refused)?)
}

fn print(out: &mut impl io::Write, difference: &Difference) -> Result<()> {
    let Difference {
        id,
        command,
        sealed,
        old,
        new,
    } = difference;
    writeln!(out, "{id} {command} {sealed}")?;
    for (sign, answer) in [('-', old), ('+', new)] {
        let lines = match answer {
            Answer::Missing => "there is no such command".to_owned(),
            answer => serde_json::to_string_pretty(answer)?,
        };
        for line in lines.lines() {
            writeln!(out, "{sign} {line}")?;
        }
    }
    writeln!(out)?;
    Ok(())
}
