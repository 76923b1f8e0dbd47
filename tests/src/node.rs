//! JavaScript programs, with the packages that a lock file pins.

use crate::made_once::made_once;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// What to do where it is not there.
const INSTALL: &str = "Node.js with npm is not installed: apt-get install nodejs npm, brew install node or \
                       your system's package";

/// The packages of one `package.json`.
pub struct Node {
    directory: PathBuf,
}

impl Node {
    /// The packages for `package.json` and `package-lock.json` in `source`, below `target`, which is
    /// `CARGO_TARGET_TMPDIR` for tests. The first one to ask installs them, and runs nothing of theirs.
    ///
    /// No Node.js on this machine is a failure, not a reason to skip.
    #[must_use]
    pub fn with(target: &str, source: &Path) -> Node {
        let files = ["package.json", "package-lock.json"];
        let key = files.map(|file| fs::read(source.join(file)).unwrap());
        let directory = made_once(Path::new(target), "node", &key.concat(), |directory| {
            fs::create_dir_all(directory).unwrap();
            for file in files {
                fs::copy(source.join(file), directory.join(file)).unwrap();
            }
            let mut install = Command::new("npm");
            install.args(["ci", "--no-audit", "--no-fund", "--ignore-scripts"]);
            let installed = install.current_dir(directory).output();
            let installed = installed.unwrap_or_else(|error| panic!("npm: {error}. {INSTALL}"));
            let said = String::from_utf8_lossy(&installed.stderr);
            assert!(installed.status.success(), "npm ci: {said}");
        });
        Node { directory }
    }

    /// Where the packages are, in `node_modules`.
    #[must_use]
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// A program in a file. Its first argument is where the packages are.
    #[must_use]
    pub fn program(&self, file: &Path) -> Command {
        let mut command = Command::new("node");
        command.arg(file).arg(&self.directory);
        command
    }
}
