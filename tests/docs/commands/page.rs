//! One page: its copy of the repository, its shell, and what came of it.

use super::cargo::Workspace;
use super::{presupposed, program, script};
use crate::document::Document;
use crate::{AIRLOCK, KEPT, repository, tracked};
use airlock_tests::POSTGRES_ADMIN;
use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;
use serde_json::Value;
use std::env;
use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::channel;
use std::time::Duration;
use tempfile::TempDir;

/// How long a page may take, builds of connectors included.
const PATIENCE: Duration = Duration::from_secs(600);

/// How long a server may take until it answers, in seconds.
const SERVER_PATIENCE: &str = "300";

/// Has bash keep the line that it is in. It does so in a file that says it itself.
const NOTE_LINE: &str = "trap 'export DOCS_LINE=$LINENO' DEBUG";

/// A page and what its commands leave behind.
pub(super) struct Page {
    document: Document,
    /// The copy of the repository. It has the same path each time, so that cargo finds what it has built.
    root: PathBuf,
    state: TempDir,
}

impl Page {
    pub(super) fn of(document: Document) -> Page {
        let directory = document.name.replace('/', "_");
        Page {
            root: Path::new(KEPT).join("docs").join(directory),
            state: tempfile::tempdir().unwrap(),
            document,
        }
    }

    pub(super) fn name(&self) -> &str {
        &self.document.name
    }

    /// Runs its commands; the error says what is wrong.
    pub(super) fn run(&self, workspace: &Workspace) -> Result<(), String> {
        for (line, code) in self.document.code() {
            let named = workspace
                .check_words(&code)
                .and_then(|()| program::check_words(&code));
            named.map_err(|mistake| self.mistake(line, &code, &mistake))?;
        }
        let blocks = self.document.blocks();
        if !blocks
            .iter()
            .any(|block| block.language == "sh" && block.not_run.is_none())
        {
            return Ok(());
        }
        self.copy();
        self.shell()?;
        self.noted(workspace)?;
        self.printed()
    }

    /// Makes the copy what a clone is, with the program where `cargo build --release` puts it.
    fn copy(&self) {
        let tracked = tracked();
        fs::create_dir_all(&self.root).unwrap();
        remove_others(&self.root, "", &tracked);
        for file in tracked {
            let (from, to) = (repository().join(&file), self.root.join(&file));
            fs::create_dir_all(to.parent().unwrap()).unwrap();
            if let Ok(target) = fs::read_link(&from) {
                let _ = fs::remove_file(&to);
                symlink(target, to).unwrap();
                continue;
            }
            // Most are there from the run before.
            let contents = fs::read(&from).unwrap();
            if fs::read(&to).ok().as_ref() != Some(&contents) {
                fs::write(&to, contents).unwrap();
            }
            let permissions = fs::metadata(&from).unwrap().permissions();
            fs::set_permissions(to, permissions).unwrap();
        }
        let target = self.root.join("target/release");
        fs::create_dir_all(&target).unwrap();
        symlink(AIRLOCK, target.join("airlock")).unwrap();
    }

    fn at(&self, name: &str) -> PathBuf {
        self.state.path().join(name)
    }

    /// What is in a file of the state; nothing where it is not there.
    fn state(&self, name: &str) -> String {
        let bytes = fs::read(self.at(name)).unwrap_or_default();
        String::from_utf8_lossy(&bytes).into_owned()
    }

    fn shell(&self) -> Result<(), String> {
        let script = format!("{NOTE_LINE}; {}", script::of(&self.document));
        fs::write(self.at("page.sh"), script).unwrap();
        let presupposed = presupposed::by(self.name());
        fs::write(self.at("presupposed.sh"), presupposed).unwrap();
        fs::write(self.at("component.wasm"), POSTGRES_ADMIN).unwrap();
        for directory in ["home", "bin"] {
            fs::create_dir(self.at(directory)).unwrap();
        }
        let cargo = self.at("bin/cargo");
        fs::write(&cargo, include_str!("cargo.sh")).unwrap();
        fs::set_permissions(&cargo, fs::Permissions::from_mode(0o755)).unwrap();
        let mut shell = Command::new("bash");
        shell
            .args(["-c", include_str!("terminal.sh"), "bash"])
            .arg(self.at("page.sh"))
            .current_dir(&self.root)
            .stdin(Stdio::null())
            .stdout(fs::File::create(self.at("out")).unwrap())
            .stderr(fs::File::create(self.at("err")).unwrap())
            .process_group(0);
        self.environment(&mut shell);
        if ends_well(shell.spawn().unwrap()) {
            return Ok(());
        }
        let failure = self.state("failure");
        let (line, command) = failure.split_once('\n').unwrap_or(("?", ""));
        let block = self.state("block");
        let block = block.trim();
        let said = ["err", &format!("{block}.err"), &format!("{block}.out")];
        let said: String = said.iter().map(|name| self.state(name)).collect();
        Err(format!(
            "{}:{line}: {}\n{said}",
            self.name(),
            command.trim_end()
        ))
    }

    fn environment(&self, shell: &mut Command) {
        let is_foreign = |name: &str| {
            name.starts_with("AIRLOCK_")
                || name.starts_with("CONNECTOR_PROXY_")
                || name.starts_with("OTEL_")
                || name == "RUST_LOG"
        };
        for (name, _) in env::vars().filter(|(name, _)| is_foreign(name)) {
            shell.env_remove(name);
        }
        let home = PathBuf::from(env::var_os("HOME").unwrap());
        let kept = |variable: &str, directory: &str| {
            env::var_os(variable).unwrap_or_else(|| home.join(directory).into())
        };
        let path = env::var("PATH").unwrap();
        shell
            .env("CARGO_HOME", kept("CARGO_HOME", ".cargo"))
            .env("RUSTUP_HOME", kept("RUSTUP_HOME", ".rustup"))
            .env("HOME", self.at("home"))
            .env("PATH", format!("{}:{path}", self.at("bin").display()))
            .env("XDG_CACHE_HOME", KEPT)
            .env("CARGO_TARGET_DIR", Path::new(KEPT).join("docs/target"))
            .env("DOCS_ROOT", &self.root)
            .env("DOCS_COMPONENT", self.at("component.wasm"))
            .env("DOCS_STATE", self.state.path())
            .env("DOCS_PATIENCE", SERVER_PATIENCE)
            .env(
                "DOCS_CARGO",
                env::var_os("CARGO").unwrap_or_else(|| "cargo".into()),
            )
            .env("DOCS_REPOSITORY", repository())
            .env("DOCS_TARGET", Path::new(KEPT).parent().unwrap());
    }

    /// Holds what the stand-in for cargo has noted against what there is.
    fn noted(&self, workspace: &Workspace) -> Result<(), String> {
        for call in self.state("noted").lines() {
            let mut words = call.trim_end_matches('\0').split('\0');
            let line = words.next().unwrap_or_default().parse().unwrap_or_default();
            let words: Vec<&str> = words.collect();
            let named = workspace.check(&words);
            named.map_err(|mistake| {
                self.mistake(line, &format!("cargo {}", words.join(" ")), &mistake)
            })?;
        }
        Ok(())
    }

    /// Holds what the page says was printed against what was, and replies to what they say: an error that
    /// the page does not show is a mistake.
    fn printed(&self) -> Result<(), String> {
        let blocks = self.document.blocks();
        for (at, block) in blocks.iter().enumerate() {
            if block.language != "sh" || block.not_run.is_some() {
                continue;
            }
            let mut printed = values(&self.state(&format!("{}.out", block.line)));
            let reply = blocks.get(at + 1);
            let reply = reply.filter(|reply| reply.follows && reply.language == "json");
            if let Some((reply, last)) = reply.and_then(|reply| Some((reply, printed.pop()?))) {
                let said: Value = serde_json::from_str(&reply.text)
                    .map_err(|error| self.mistake(reply.line, "", &error.to_string()))?;
                if !is_as_said(&said, &last) {
                    let mistake = format!("the page says\n{said}\nbut there came\n{last}");
                    return Err(self.mistake(reply.line, "", &mistake));
                }
            }
            if let Some(reply) = printed.iter().find(|reply| reply["error"].is_object()) {
                let mistake = format!("a reply that the page does not show is an error:\n{reply}");
                return Err(self.mistake(block.line, "", &mistake));
            }
        }
        Ok(())
    }

    fn mistake(&self, line: usize, command: &str, mistake: &str) -> String {
        format!("{}:{line}: {command}\n{mistake}", self.name())
    }
}

/// Removes what is in a directory of the copy and is not tracked.
fn remove_others(directory: &Path, path: &str, tracked: &[String]) {
    for entry in fs::read_dir(directory).unwrap() {
        let entry = entry.unwrap();
        let name = format!("{path}{}", entry.file_name().to_str().unwrap());
        let inside = format!("{name}/");
        if !entry.file_type().unwrap().is_dir() {
            if !tracked.contains(&name) {
                fs::remove_file(entry.path()).unwrap();
            }
        } else if tracked.iter().any(|file| file.starts_with(&inside)) {
            remove_others(&entry.path(), &inside, tracked);
        } else {
            fs::remove_dir_all(entry.path()).unwrap();
        }
    }
}

/// Waits for a shell and ends what it has left behind; whether it ended well.
fn ends_well(mut shell: Child) -> bool {
    let group = Pid::from_raw(i32::try_from(shell.id()).unwrap());
    let (sender, ended) = channel();
    let waiting = std::thread::spawn(move || {
        let status = shell.wait().unwrap();
        let _ = sender.send(());
        status
    });
    let in_time = ended.recv_timeout(PATIENCE).is_ok();
    let _ = killpg(group, Signal::SIGKILL);
    waiting.join().unwrap().success() && in_time
}

/// The JSON that was printed: all of the output, or its last line.
fn values(out: &str) -> Vec<Value> {
    let read = |text: &str| {
        let values = serde_json::Deserializer::from_str(text).into_iter();
        values.collect::<Result<Vec<Value>, _>>()
    };
    let last = out.trim_end().lines().last().unwrap_or_default();
    read(out).or_else(|_| read(last)).unwrap_or_default()
}

/// Whether something is what a page says, where `…` stands for anything.
fn is_as_said(said: &Value, printed: &Value) -> bool {
    match (said, printed) {
        (Value::String(any), _) if any == "…" => true,
        (Value::Array(said), Value::Array(printed)) => {
            said.len() == printed.len()
                && said
                    .iter()
                    .zip(printed)
                    .all(|(said, printed)| is_as_said(said, printed))
        }
        (Value::Object(said), Value::Object(printed)) => {
            let is_there = |(key, said)| {
                printed
                    .get(key)
                    .is_some_and(|printed| is_as_said(said, printed))
            };
            said.len() == printed.len() && said.iter().all(is_there)
        }
        _ => said == printed,
    }
}
