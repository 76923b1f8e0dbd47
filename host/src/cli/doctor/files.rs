//! Files that others must not read or write: tokens, keys, the compile cache.

use super::finding::Findings;
use crate::cli::connectors::user_cache_dir;
use airlock::CompileCache;
use airlock::admin::Token;
use airlock::config::Config;
use rustix::fs::{Access, access};
use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

/// What users may do that are neither the owner nor in its group, as bits of a mode.
const ALL_OTHERS: u32 = 0o007;

pub(super) fn look(config: &Config, findings: &mut Findings) {
    if let Some(admin) = &config.admin
        && let Token::File(path) = &admin.token
    {
        token(path, &admin.token, findings);
    }
    if let Some(tls) = &config.tls {
        private("tls.key_file", &tls.key_file, findings);
    }
    for path in &config.secret_files {
        private("databases.secrets", path, findings);
    }
    compile_cache(config, findings);
}

fn token(path: &Path, token: &Token, findings: &mut Findings) {
    match token.read() {
        Ok(_) => private("admin.token_file", path, findings),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let parent = path.parent().unwrap_or(path);
            match is_writable(parent) {
                true => findings.ok(
                    "admin.token_file",
                    format!("{} is not there yet and will be written", path.display()),
                ),
                false => findings.failed(
                    "admin.token_file",
                    format!("{} is not there and cannot be written", path.display()),
                    "write a token into it, or set AIRLOCK_ADMIN_TOKEN",
                ),
            }
        }
        Err(error) => findings.failed(
            "admin.token_file",
            error.to_string(),
            "write a token into it for this user to read",
        ),
    }
}

/// A group may read what a service manager or an orchestrator hands to it.
fn private(check: &str, path: &Path, findings: &mut Findings) {
    let shown = path.display();
    match path.metadata().map(|is| is.permissions().mode() & 0o777) {
        Ok(mode) if mode & ALL_OTHERS != 0 => findings.warning(
            check,
            format!("every user can reach {shown} (mode {mode:03o})"),
            format!("chmod 600 {shown}, and take another secret if others had this one"),
        ),
        Ok(mode) => findings.ok(check, format!("{shown} is private (mode {mode:03o})")),
        Err(error) => findings.failed(
            check,
            format!("{shown} cannot be read: {error}"),
            "let the user read it who runs airlock",
        ),
    }
}

fn compile_cache(config: &Config, findings: &mut Findings) {
    const CHECK: &str = "compile_cache";
    let (directory, is_asked_for) = match &config.compile_cache_dir {
        Some(directory) if directory.as_os_str().is_empty() => {
            return findings.ok(CHECK, "there is none by configuration: each start compiles");
        }
        Some(directory) => (directory.clone(), true),
        None => match user_cache_dir() {
            Some(directory) => (directory, false),
            None => {
                let next = "set compile_cache_dir, or XDG_CACHE_HOME";
                return findings.warning(CHECK, "this user has none: each start compiles", next);
            }
        },
    };
    // It is not made here: whoever runs this may not be who serves.
    if directory.symlink_metadata().is_err() {
        let above = directory.ancestors().skip(1).find(|path| path.exists());
        let shown = directory.display();
        return match above.is_some_and(is_writable) {
            true => findings.ok(CHECK, format!("{shown} is not there yet and can be made")),
            false => findings.failed(
                CHECK,
                format!("{shown} is not there and this user cannot make it"),
                "make it for the user who runs airlock, with mode 700",
            ),
        };
    }
    match CompileCache::open(&directory, &config.limits) {
        Ok(_) if is_writable(&directory) => {
            findings.ok(CHECK, format!("{} is private", directory.display()));
        }
        Ok(_) => findings.warning(
            CHECK,
            format!("{} cannot be written to", directory.display()),
            "let this user write there: what is not in there yet is compiled at each start",
        ),
        Err(error) => {
            // The message says what to do.
            let text = error.to_string();
            let (found, next) = text
                .split_once("; ")
                .unwrap_or((&text, "see Operate in the documentation"));
            match is_asked_for {
                true => findings.failed(CHECK, found, next),
                false => findings.warning(CHECK, found, next),
            }
        }
    }
}

fn is_writable(directory: &Path) -> bool {
    let directory = match directory.as_os_str().is_empty() {
        true => Path::new("."),
        false => directory,
    };
    access(directory, Access::WRITE_OK | Access::EXEC_OK).is_ok()
}
