//! How the live version of a connector plans beside one that was live before.

use super::Deployment;
use crate::connector::{Connector, Digest};
use crate::fault::Fault;
use crate::priority;
use crate::probe;
use crate::recording::{self, RecordedCall};
use crate::replay::{self, Difference, Replay};
use crate::versions;
use serde::Serialize;
use serde_json::value::RawValue;
use std::path::PathBuf;
use std::sync::Arc;

/// Differences that are shown: nobody reads more, and each holds two plans.
const SHOWN: usize = 100;

/// How two versions of a connector plan the same calls.
#[derive(Debug, Serialize)]
pub struct Comparison {
    /// SHA-256 of the version that was live before.
    pub old: Digest,
    /// SHA-256 of the live one.
    pub new: Digest,
    /// Which calls were planned.
    pub source: Source,
    /// How many.
    pub calls: usize,
    /// How many of them are planned differently.
    pub differing: usize,
    /// The first 100 of those.
    pub differences: Vec<Difference>,
}

/// Which calls are planned to compare versions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Source {
    /// Those that were recorded, in the file of the connector's policy or of the host.
    Recorded,
    /// The examples of the commands, as no call was recorded.
    Examples,
}

impl Deployment {
    /// Compares the live version of a connector with the version `before` that is still warm. Takes a
    /// CPU-bound while.
    ///
    /// # Errors
    /// `not_found` where one of them is not there; where the recorded calls cannot be read, or planning
    /// takes longer than `probe_ms`.
    pub fn compare(&self, name: &str, before: Digest) -> Result<Comparison, Fault> {
        let history = self.runtime().versions().history(name);
        let mut previous = history.previous.iter();
        let old = previous.find(|version| version.connector.digest() == before);
        let (Some(old), Some(new)) = (old, &history.live) else {
            let message = format!("{name} is not live, or has no version {before} that is kept");
            return Err(versions::not_found(message));
        };
        let (old, new) = (&old.connector, &new.connector);
        let (source, calls) = self.calls(old, new)?;
        let Replay { calls, differences } = priority::aside(|| replay::replay(old, new, &calls))?;
        Ok(Comparison {
            old: old.digest(),
            new: new.digest(),
            source,
            calls,
            differing: differences.len(),
            differences: differences.into_iter().take(SHOWN).collect(),
        })
    }

    /// The calls that were recorded, else the examples.
    fn calls(
        &self,
        old: &Connector,
        new: &Arc<Connector>,
    ) -> Result<(Source, Vec<RecordedCall>), Fault> {
        if let Some(file) = self.recorded(new) {
            let mut calls = recording::read(&file).map_err(|error| {
                Fault::connector(format!("the recorded calls cannot be read: {error}"))
            })?;
            calls.retain(|call| call.connector == new.name());
            if !calls.is_empty() {
                return Ok((Source::Recorded, calls));
            }
        }
        Ok((Source::Examples, examples(old, new)?))
    }

    fn recorded(&self, connector: &Connector) -> Option<PathBuf> {
        let rule = connector.policy().replay.as_ref();
        let ruled = rule.map(|rule| rule.calls.clone());
        ruled.or_else(|| Some(self.config().recording.as_ref()?.file.clone()))
    }
}

/// The examples of all commands that either version has; those of the new one come first.
fn examples(old: &Connector, new: &Connector) -> Result<Vec<RecordedCall>, Fault> {
    let gone = old.commands().iter();
    let gone = gone.filter(|spec| new.position(&spec.command.name).is_none());
    let specs = new.commands().iter().chain(gone);
    let calls = specs.map(|spec| {
        let sealed = probe::example(spec)?.sealed().to_owned();
        Ok(RecordedCall {
            connector: new.name().to_owned(),
            command: spec.command.name.clone(),
            sealed: RawValue::from_string(sealed).map_err(Fault::internal)?,
        })
    });
    calls.collect()
}
