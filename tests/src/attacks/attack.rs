//! One attack: a connector, what it is held to, and what shall come of it.

use crate::hostile::Guest;
use airlock::fault::Culprit;
use airlock::{ConnectorLimits, Fault, Imports, Parameters, Policy, Runtime};
use serde_json::json;
use std::error::Error;

/// Most that a fault may show of what a connector says, in bytes, and some words around it.
const MOST_SHOWN_BYTES: usize = 5_000;

/// A connector that means harm.
#[derive(Clone)]
pub struct Attack {
    /// What it does.
    pub name: String,
    component: Vec<u8>,
    /// It has to plan its examples before it is called.
    probed: bool,
    policy: Policy,
    end: End,
    says: String,
    limit: Option<&'static str>,
}

/// How an attack ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    /// The connector is not loaded.
    Refused(Culprit),
    /// Its call fails.
    Failed(Culprit),
    /// It does no harm: its call is answered.
    Answered,
}

impl Attack {
    /// An attack that ends well but for what is said after this.
    pub(super) fn new(name: impl Into<String>, guest: &Guest) -> Attack {
        Attack::by_file(name, guest.component())
    }

    /// As [`Attack::new`], by a file that need not be a component.
    pub(super) fn by_file(name: impl Into<String>, component: Vec<u8>) -> Attack {
        Attack {
            name: name.into(),
            component,
            probed: false,
            policy: Policy::default(),
            end: End::Answered,
            says: String::new(),
            limit: None,
        }
    }

    /// Holds it to other limits than the usual ones.
    pub(super) fn within(mut self, change: impl FnOnce(&mut ConnectorLimits)) -> Attack {
        change(&mut self.policy.limits);
        self
    }

    /// Grants it these imports.
    pub(super) fn granted(mut self, imports: Imports) -> Attack {
        self.policy.imports = imports;
        self
    }

    /// Has it plan its examples before it is called.
    pub(super) fn probed(self) -> Attack {
        Attack {
            probed: true,
            ..self
        }
    }

    /// Holds it to this policy, but for the limits.
    pub(super) fn under(self, policy: Policy) -> Attack {
        let limits = self.policy.limits;
        let policy = Policy { limits, ..policy };
        Attack { policy, ..self }
    }

    /// It is not loaded, and the reason says this.
    pub(super) fn refused(self, says: &str) -> Attack {
        self.ends(End::Refused(Culprit::Connector), says)
    }

    /// It is not loaded, and the reason names this limit.
    pub(super) fn refused_at(self, limit: &'static str) -> Attack {
        let limit = Some(limit);
        Attack { limit, ..self }.refused("")
    }

    /// Its call fails by its own fault, which says this.
    pub(super) fn fails(self, says: &str) -> Attack {
        self.fails_by(Culprit::Connector, says)
    }

    /// Its call fails by its own fault, which names this limit.
    pub(super) fn fails_at(self, limit: &'static str) -> Attack {
        let limit = Some(limit);
        Attack { limit, ..self }.fails("")
    }

    /// Its call fails, and somebody else has to act.
    pub(super) fn fails_by(self, culprit: Culprit, says: &str) -> Attack {
        self.ends(End::Failed(culprit), says)
    }

    /// Its call fails at this limit, and somebody else has to act.
    pub(super) fn fails_at_by(self, limit: &'static str, culprit: Culprit) -> Attack {
        let limit = Some(limit);
        Attack { limit, ..self }.fails_by(culprit, "")
    }

    /// Its call is answered with this, as if it meant no harm.
    pub(super) fn answers(self, body: &str) -> Attack {
        self.ends(End::Answered, body)
    }

    fn ends(self, end: End, says: &str) -> Attack {
        let says = says.into();
        Attack { end, says, ..self }
    }

    /// Name of the limit that it breaks.
    #[must_use]
    pub fn limit(&self) -> Option<&'static str> {
        self.limit
    }

    /// Attacks, and tells what is not as it shall be.
    pub async fn complaint(&self, runtime: &Runtime, dsn: &str) -> Option<String> {
        let (end, shown, story) = match self.attempt(runtime, dsn).await {
            Ok(body) => (End::Answered, body.clone(), body),
            Err((end, fault)) => (end, shown(&fault), story(&fault)),
        };
        let named = self.limit.is_none_or(|limit| shown.contains(limit));
        let told = story.contains(&self.says);
        let short = shown.len() < MOST_SHOWN_BYTES;
        if end == self.end && named && told && short {
            return None;
        }
        let story: String = story.chars().take(500).collect();
        Some(format!(
            "{}: {:?} {:?}{} was expected, but this came: {end:?}, {} bytes: {story}",
            self.name,
            self.end,
            self.says,
            self.limit.unwrap_or_default(),
            shown.len(),
        ))
    }

    async fn attempt(&self, runtime: &Runtime, dsn: &str) -> Result<String, (End, Fault)> {
        let policy = self.policy.clone();
        let loaded = match self.probed {
            true => runtime.swap("hostile", &self.component, policy),
            false => runtime.load(&self.component, policy),
        };
        loaded.map_err(|fault| (End::Refused(fault.culprit()), fault))?;
        call(runtime, dsn)
            .await
            .map_err(|fault| (End::Failed(fault.culprit()), fault))
    }
}

/// The one call that every attack gets.
async fn call(runtime: &Runtime, dsn: &str) -> Result<String, Fault> {
    let command = runtime.command("hostile", "C")?;
    let parameters = json!({"database_connection_str": dsn, "p": [[1], [2]]});
    let parameters = Parameters::from(parameters.as_object().unwrap().clone());
    let reply = runtime.run(&command, parameters).await?;
    let body = reply.body.collect().await?;
    Ok(String::from_utf8(body).unwrap())
}

/// What a caller gets to see of a fault.
fn shown(fault: &Fault) -> String {
    fault.to_string()
}

/// What the log has of a fault: its causes, too.
fn story(fault: &Fault) -> String {
    let mut story = fault.to_string();
    let mut cause = fault.source();
    while let Some(error) = cause {
        story += &format!("; {error}");
        cause = error.source();
    }
    story
}
