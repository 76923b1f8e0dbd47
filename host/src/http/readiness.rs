//! Whether calls should come here: what a load balancer asks before it sends any.
//!
//! It says nothing of databases: where one is away, all servers behind a balancer would leave it at
//! once, and nobody would be left to say so.

use crate::config::Config;
use crate::runtime::Runtime;
use futures_util::{Stream, StreamExt as _, stream};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::time::timeout;

/// Why calls should not come, as balancers and people are told.
const STOPPING: &str = "the server is stopping";
const NOT_LIVE: &str =
    "a connector of the configuration is not live; the log and airlock status say why";

/// Whether calls should come: from when every connector that has a table in the configuration has been
/// live, and the embedded one, until the order to stop.
#[derive(Debug)]
pub struct Readiness {
    awaited: Vec<String>,
    was_complete: AtomicBool,
    is_leaving: AtomicBool,
}

impl Readiness {
    /// Awaits the connectors that `config` names. Those that only lie in the directory are not waited for:
    /// whoever puts a bad file there must not keep the others out of service.
    #[must_use]
    pub fn of(config: &Config) -> Readiness {
        let named = config.connectors.keys().map(String::as_str);
        let named = named.chain([crate::connector::EMBEDDED]);
        let there = named.filter(|name| config.component(name).is_some());
        Readiness {
            awaited: there.map(str::to_owned).collect(),
            was_complete: AtomicBool::new(false),
            is_leaving: AtomicBool::new(false),
        }
    }

    /// Calls should come no more.
    pub fn leave(&self) {
        self.is_leaving.store(true, Ordering::Release);
    }

    /// Whether calls should come to `runtime`; the error is the reason why not.
    ///
    /// # Errors
    /// Where they should not.
    pub(super) fn ask(&self, runtime: &Runtime) -> Result<(), &'static str> {
        if self.is_leaving.load(Ordering::Acquire) {
            return Err(STOPPING);
        }
        // Once it was complete it stays so: a version that is refused later displaces none that is live.
        if !self.was_complete.load(Ordering::Acquire) {
            let live = runtime.versions().live();
            if !self.awaited.iter().all(|name| live.contains_key(name)) {
                return Err(NOT_LIVE);
            }
            self.was_complete.store(true, Ordering::Release);
        }
        Ok(())
    }
}

/// The same signals, the first of them late: readiness ends with it, and it comes `unready` after that,
/// so that balancers have noticed before the server accepts no more. A second signal is not held back,
/// nor the first one any longer.
pub fn leaving<'s>(
    readiness: Arc<Readiness>,
    unready: Duration,
    signals: impl Stream<Item = ()> + Send + 's,
) -> impl Stream<Item = ()> + Send + 's {
    let state = State {
        signals: Box::pin(signals),
        readiness,
        phase: Phase::Serving,
    };
    stream::unfold(state, move |state| state.next(unready))
}

struct State<'s> {
    signals: Pin<Box<dyn Stream<Item = ()> + Send + 's>>,
    readiness: Arc<Readiness>,
    phase: Phase,
}

enum Phase {
    Serving,
    /// The second signal came before the first one was passed on.
    Hurried,
    Stopping,
}

impl State<'_> {
    async fn next(mut self, unready: Duration) -> Option<((), Self)> {
        self.phase = match self.phase {
            Phase::Serving => {
                self.signals.next().await?;
                self.readiness.leave();
                if unready.is_zero() {
                    Phase::Stopping
                } else {
                    tracing::info!("not ready any more: calls still come for unready_ms");
                    match timeout(unready, self.signals.next()).await {
                        Ok(Some(())) => Phase::Hurried,
                        _ => Phase::Stopping,
                    }
                }
            }
            Phase::Hurried => Phase::Stopping,
            Phase::Stopping => {
                self.signals.next().await?;
                Phase::Stopping
            }
        };
        Some(((), self))
    }
}
