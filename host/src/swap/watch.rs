//! Notices that component files or the configuration changed, and has them taken.
//!
//! The system tells of changes in the directories. It does not tell of everything: not of what another
//! host wrote to a directory that is shared, nor of the target of a link. So all files are looked at
//! every now and then as well.

use super::deployment::{Deployment, Why};
use super::file::Signature;
use super::seen::{SETTLED, Seen};
use crate::config::{ComponentSource, Config};
use notify::event::{AccessKind, AccessMode, ModifyKind, RenameMode};
use notify::{Event, EventKind, RecommendedWatcher, RecursiveMode, Watcher as _};
use std::collections::{BTreeMap, BTreeSet};
use std::mem;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::{Notify, Semaphore};
use tokio::task::JoinSet;

/// Time for further changes behind a first one: whoever moves a directory moves many files.
const GATHER: Duration = Duration::from_millis(20);

/// Connectors that are brought into service at the same time, so that those that take the compiler
/// long do not take all processors.
const WORKERS: usize = 2;

/// Changed files that are remembered one by one. The others are found when all are looked at.
const MAX_COMPLETE: usize = 10_000;

/// Where the configuration comes from.
pub struct ConfigFile {
    /// The file.
    pub path: PathBuf,
    /// Reads it again. The text says what is wrong.
    pub read: Box<dyn Fn() -> Result<Config, String> + Send + Sync>,
}

/// Keeps a deployment as its files are, until it is dropped. `hangup` has the configuration read again,
/// changed or not.
pub async fn watch(
    deployment: Arc<Deployment>,
    config_file: Option<Arc<ConfigFile>>,
    hangup: Arc<Notify>,
) {
    let news = Arc::new(News::default());
    let config_signature = config_file.as_ref().map(|file| Signature::of(&file.path));
    let mut watch = Watch {
        config_seen: Seen::taken(config_signature.flatten()),
        deployment,
        config_file,
        seen: BTreeMap::new(),
        complete: BTreeSet::new(),
        directories: Directories::new(news.clone()),
        workers: Arc::new(Semaphore::new(WORKERS)),
        at_work: JoinSet::new(),
        names_at_work: BTreeSet::new(),
    };
    let clock = watch.deployment.runtime().clock().clone();
    let mut asked = false;
    loop {
        watch.complete.extend(news.take());
        watch.look_at_config(asked).await;
        watch.look_at_components();
        asked = tokio::select! {
            () = news.arrived.notified() => false,
            () = hangup.notified() => true,
            () = clock.sleep_until(Instant::now() + SETTLED) => false,
            Some(done) = watch.at_work.join_next() => {
                done.map(|name| watch.names_at_work.remove(&name)).unwrap_or_default();
                false
            }
        };
        clock.sleep_until(Instant::now() + GATHER).await;
    }
}

struct Watch {
    deployment: Arc<Deployment>,
    config_file: Option<Arc<ConfigFile>>,
    config_seen: Seen,
    /// What was seen of the file of each connector.
    seen: BTreeMap<String, Seen>,
    /// Files whose writers are done and that were not taken yet.
    complete: BTreeSet<PathBuf>,
    directories: Directories,
    workers: Arc<Semaphore>,
    at_work: JoinSet<String>,
    names_at_work: BTreeSet<String>,
}

impl Watch {
    async fn look_at_config(&mut self, asked: bool) {
        let Some(file) = self.config_file.clone() else {
            return;
        };
        let complete = self.complete.remove(&file.path);
        let signature = Signature::of(&file.path);
        if !self.config_seen.look(signature, complete, Instant::now()) && !asked {
            return;
        }
        let deployment = self.deployment.clone();
        let reload = tokio::task::spawn_blocking(move || match (file.read)() {
            Ok(config) => {
                tracing::info!(file = %file.path.display(), "configuration read");
                deployment.reconfigure(Arc::new(config));
            }
            Err(mistakes) => {
                tracing::error!(%mistakes, "configuration refused; the one before stays in force");
            }
        });
        let _ = reload.await;
    }

    fn look_at_components(&mut self) {
        let components = match self.deployment.config().components() {
            Ok(components) => components,
            Err(error) => {
                tracing::warn!(%error, "components cannot be looked for");
                return;
            }
        };
        self.directories.watch(&self.wanted(&components));
        let now = Instant::now();
        for component in components {
            let (name, Some(path)) = (component.name, component.file) else {
                continue;
            };
            if self.names_at_work.contains(&name) {
                continue;
            }
            let deployment = &self.deployment;
            let seen = self
                .seen
                .entry(name.clone())
                .or_insert_with(|| Seen::taken(deployment.last_read(&name)));
            let complete = self.complete.remove(&path);
            if seen.look(Signature::of(&path), complete, now) {
                self.take(name);
            }
        }
        if self.names_at_work.is_empty() {
            // Nobody waits for what is left: files that are not components.
            self.complete.clear();
        }
    }

    /// Has a connector deployed, when a worker is free.
    fn take(&mut self, name: String) {
        self.names_at_work.insert(name.clone());
        let (deployment, workers) = (self.deployment.clone(), self.workers.clone());
        self.at_work.spawn(async move {
            let _worker = workers.acquire().await;
            let of = name.clone();
            // What comes of it is logged and in the status.
            let work = move || deployment.deploy(&of, Why::Changed).is_ok();
            let _ = tokio::task::spawn_blocking(work).await;
            name
        });
    }

    /// The directories in which something can happen.
    fn wanted(&self, components: &[ComponentSource]) -> BTreeSet<PathBuf> {
        let files = components
            .iter()
            .filter_map(|component| component.file.as_ref()?.parent());
        let config = self
            .config_file
            .as_ref()
            .and_then(|file| file.path.parent());
        let directory = self.deployment.config().connector_dir.clone();
        files
            .chain(config)
            .map(Path::to_owned)
            .chain(directory)
            .collect()
    }
}

/// What the system told.
#[derive(Default)]
struct News {
    /// Files whose writers are done.
    complete: Mutex<BTreeSet<PathBuf>>,
    arrived: Notify,
}

impl News {
    fn tell(&self, event: Event) {
        let complete = match event.kind {
            EventKind::Access(AccessKind::Close(AccessMode::Write))
            | EventKind::Modify(ModifyKind::Name(RenameMode::To | RenameMode::Both)) => {
                event.paths.into_iter().next_back()
            }
            // Reading, here or elsewhere, is no news.
            EventKind::Access(_) => return,
            _ => None,
        };
        if let Some(path) = complete {
            let mut complete = self.complete.lock().unwrap_or_else(PoisonError::into_inner);
            if complete.len() < MAX_COMPLETE {
                complete.insert(path);
            }
        }
        self.arrived.notify_one();
    }

    fn take(&self) -> BTreeSet<PathBuf> {
        mem::take(&mut self.complete.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// The directories that the system tells of.
struct Directories {
    /// None where it tells of none.
    watcher: Option<RecommendedWatcher>,
    /// With what tells a directory from another of the same name.
    watched: BTreeMap<PathBuf, (u64, u64)>,
}

impl Directories {
    fn new(news: Arc<News>) -> Directories {
        let watcher =
            notify::recommended_watcher(move |event: notify::Result<Event>| match event {
                Ok(event) => news.tell(event),
                // Events were lost: everything is looked at.
                Err(_) => news.arrived.notify_one(),
            });
        let watcher = watcher.inspect_err(|error| {
            tracing::warn!(%error, "changes of files are noticed late: the system does not tell of them");
        });
        Directories {
            watcher: watcher.ok(),
            watched: BTreeMap::new(),
        }
    }

    /// Has the system tell of these directories and no others.
    fn watch(&mut self, wanted: &BTreeSet<PathBuf>) {
        let Some(watcher) = &mut self.watcher else {
            return;
        };
        self.watched.retain(|directory, identity| {
            let stays = wanted.contains(directory) && identify(directory) == Some(*identity);
            if !stays {
                let _ = watcher.unwatch(directory);
            }
            stays
        });
        for directory in wanted {
            let Some(identity) = identify(directory) else {
                continue;
            };
            if self.watched.contains_key(directory) {
                continue;
            }
            match watcher.watch(directory, RecursiveMode::NonRecursive) {
                Ok(()) => {
                    self.watched.insert(directory.clone(), identity);
                }
                Err(error) => {
                    tracing::debug!(directory = %directory.display(), %error, "not watched")
                }
            }
        }
    }
}

fn identify(directory: &Path) -> Option<(u64, u64)> {
    let metadata = directory.metadata().ok()?;
    Some((metadata.dev(), metadata.ino()))
}
