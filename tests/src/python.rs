//! Python programs, with the packages that a file of requirements pins.

use crate::made_once::made_once;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// What to do where it is not there.
const INSTALL: &str = "Python with its venv module is not installed: apt-get install python3-venv, \
                       brew install python or your system's package";

/// A virtual environment.
pub struct Python {
    directory: PathBuf,
}

impl Python {
    /// The environment for a file of requirements, with hashes, below `target`, which is
    /// `CARGO_TARGET_TMPDIR` for tests. The first one to ask installs the packages.
    ///
    /// No Python on this machine is a failure, not a reason to skip.
    #[must_use]
    pub fn with(target: &str, requirements: &Path) -> Python {
        let version = output(Command::new("python3").arg("--version"));
        let key = [version.stdout, fs::read(requirements).unwrap()].concat();
        let directory = made_once(Path::new(target), "python", &key, |directory| {
            output(Command::new("python3").args(["-m", "venv"]).arg(directory));
            let mut install = Command::new(directory.join("bin/python"));
            install.args(["-m", "pip", "install", "--quiet", "--no-input"]);
            install.args(["--disable-pip-version-check", "--require-hashes", "-r"]);
            output(install.arg(requirements));
        });
        Python { directory }
    }

    /// A program in a file.
    #[must_use]
    pub fn program(&self, file: &Path) -> Command {
        let mut command = Command::new(self.directory.join("bin/python"));
        // What it compiles would stay beside the file.
        command.env("PYTHONDONTWRITEBYTECODE", "1").arg(file);
        command
    }

    /// A command that one of the packages brings.
    #[must_use]
    pub fn tool(&self, name: &str) -> Command {
        Command::new(self.directory.join("bin").join(name))
    }
}

/// What a command that ends well writes.
fn output(command: &mut Command) -> Output {
    let output = command
        .output()
        .unwrap_or_else(|error| panic!("{command:?}: {error}. {INSTALL}"));
    let said = [&output.stdout[..], &output.stderr].concat();
    let said = String::from_utf8_lossy(&said);
    let hint = match said.contains("ensurepip") || said.contains("No module named venv") {
        true => INSTALL,
        false => "",
    };
    assert!(output.status.success(), "{command:?}: {said} {hint}");
    output
}
