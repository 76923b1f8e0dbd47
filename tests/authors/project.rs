//! A project in a directory of its own, and the commands that work on it.
//!
//! What builds need from registries is kept below the target directory, by what the projects pin, so that
//! only the first run fetches it.

use airlock::connector::Digest;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::Mutex;
use tempfile::TempDir;

/// The program.
pub(crate) const AIRLOCK: &str = env!("CARGO_BIN_EXE_airlock");

/// Where things are kept for the next run.
pub(crate) const KEPT: &str = env!("CARGO_TARGET_TMPDIR");

/// A project that was just made.
pub(crate) struct Project {
    pub(crate) directory: PathBuf,
    _parent: TempDir,
}

/// A language: its template, what pins the tools, and where builds install them.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Language {
    pub(crate) template: &'static str,
    pins: Option<(&'static str, &'static str)>,
    /// The source of the connector.
    pub(crate) source: &'static str,
}

pub(crate) const RUST: Language = Language {
    template: "rust",
    pins: None,
    source: "src/lib.rs",
};
pub(crate) const PYTHON: Language = Language {
    template: "python",
    pins: Some(("requirements.txt", ".venv")),
    source: "app.py",
};
pub(crate) const JAVASCRIPT: Language = Language {
    template: "javascript",
    pins: Some(("package-lock.json", "node_modules")),
    source: "connector.js",
};

impl Project {
    /// Makes the project of a connector `notes`.
    pub(crate) fn new(language: Language) -> Project {
        Project::named("notes", language)
    }

    /// Makes the project of a connector.
    pub(crate) fn named(name: &str, language: Language) -> Project {
        let parent = tempfile::tempdir().unwrap();
        let output = run(
            parent.path(),
            &["new", name, "--template", language.template],
        );
        assert_eq!(output.status.code(), Some(0), "{}", said(&output));
        Project {
            directory: parent.path().join(name),
            _parent: parent,
        }
    }

    /// Gives it the tools that building it takes.
    pub(crate) fn with_tools(self, language: Language) -> Project {
        let project = self;
        if let Some((pins, installed)) = language.pins {
            let tools = tools(language, pins, installed, &project.directory.join(pins));
            symlink(tools, project.directory.join(installed)).unwrap();
        }
        project
    }

    /// Runs `airlock` in the project.
    pub(crate) fn airlock(&self, arguments: &[&str]) -> Output {
        run(&self.directory, arguments)
    }

    /// As [`Project::airlock`], where that must go well; gives what was printed.
    pub(crate) fn done(&self, arguments: &[&str]) -> String {
        let output = self.airlock(arguments);
        assert_eq!(output.status.code(), Some(0), "{}", said(&output));
        String::from_utf8(output.stdout).unwrap()
    }

    /// As [`Project::airlock`], where that must end with `code`; gives what was said of it.
    pub(crate) fn failed(&self, arguments: &[&str], code: i32) -> String {
        let output = self.airlock(arguments);
        assert_eq!(output.status.code(), Some(code), "{}", said(&output));
        said(&output)
    }

    /// The path of a file.
    pub(crate) fn at(&self, file: &str) -> PathBuf {
        self.directory.join(file)
    }

    /// Changes a file that has `old` in it.
    pub(crate) fn replace(&self, file: &str, old: &str, new: &str) {
        let text = fs::read_to_string(self.at(file)).unwrap();
        assert!(text.contains(old), "{file} has no {old}");
        fs::write(self.at(file), text.replace(old, new)).unwrap();
    }

    /// The digest of the component that was built.
    pub(crate) fn digest(&self) -> String {
        Digest::of(&fs::read(self.at("notes.wasm")).unwrap()).to_string()
    }
}

/// Where the tools of a language are installed, which is done by building a project.
fn tools(language: Language, pins: &str, installed: &str, pinned: &Path) -> PathBuf {
    // One test after the other: two must not install into the same directory.
    static TURN: Mutex<()> = Mutex::new(());
    let turn = TURN.lock();
    let key = Digest::of(&fs::read(pinned).unwrap()).to_string();
    let (_, key) = key.split_once(':').unwrap();
    let home =
        Path::new(KEPT)
            .join("authors")
            .join(format!("{}-{}", language.template, &key[..16]));
    let project = home.join("notes");
    if !home.join("complete").is_file() {
        if project.exists() {
            fs::remove_dir_all(&project).unwrap();
        }
        fs::create_dir_all(&home).unwrap();
        let made = run(&home, &["new", "notes", "--template", language.template]);
        assert_eq!(made.status.code(), Some(0), "{}", said(&made));
        assert!(!project.join(installed).exists() && project.join(pins).is_file());
        let built = run(&project, &["build"]);
        assert_eq!(built.status.code(), Some(0), "{}", said(&built));
        fs::write(home.join("complete"), "").unwrap();
    }
    drop(turn);
    project.join(installed)
}

/// Runs `airlock` in a directory.
pub(crate) fn run(directory: &Path, arguments: &[&str]) -> Output {
    command(directory).args(arguments).output().unwrap()
}

/// `airlock`, to be run in a directory.
pub(crate) fn command(directory: &Path) -> Command {
    let mut command = Command::new(AIRLOCK);
    command
        .current_dir(directory)
        .env("XDG_CACHE_HOME", KEPT)
        .env("CARGO_TARGET_DIR", Path::new(KEPT).join("authors/target"));
    command
}

/// All that a command said.
pub(crate) fn said(output: &Output) -> String {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    text(&output.stdout) + &text(&output.stderr)
}
