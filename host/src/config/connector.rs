//! `[connectors.NAME]`: which component, and what it may do.

use super::mistakes::nearest;
use super::table::{At, Table};
use crate::connector::Digest;
use crate::limits::{ConnectorLimits, Limits, Profile};
use crate::plan::Access;
use crate::policy::{
    Caps, DatabaseName, Imports, Policy, ReplayRule, Role, SessionRules, ShowRequests,
    StatementRules, needed_by,
};
use crate::recording::CallId;
use airlock_connector::QualifiedName;
use airlock_connector::statements::{KINDS, Kinds};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Longest name of a connector, in bytes.
const MAX_NAME_BYTES: usize = 64;

/// The longest timeout that the server takes, in milliseconds.
const MAX_TIMEOUT_MS: u64 = i32::MAX as u64;

/// A connector that the configuration names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConnectorConfig {
    /// What it may do.
    pub policy: Arc<Policy>,
    /// The file of its component; none where it is in the directory or embedded.
    pub path: Option<PathBuf>,
    /// Whether it is loaded.
    pub enabled: bool,
}

/// What a table can refer to.
pub(super) struct Around<'a> {
    /// Where the file is.
    pub(super) directory: &'a Path,
    pub(super) limits: &'a Limits,
    /// The databases that have a name.
    pub(super) databases: &'a BTreeSet<DatabaseName>,
}

/// Reads the table of the connector `name`.
pub(super) fn read(name: At<&str>, table: Table<'_>, around: &Around<'_>) -> ConnectorConfig {
    let fits = (1..=MAX_NAME_BYTES).contains(&name.value.len());
    let plain = |byte: u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_');
    if !fits || !name.value.bytes().all(plain) {
        let message = format!(
            "no connector can be called {:?}: names are 1 to {MAX_NAME_BYTES} characters of a-z, 0-9 and _",
            name.value
        );
        table.mistakes().add(name.at, message);
    }
    let enabled = table.boolean("enabled").is_none_or(|enabled| enabled.value);
    let path = path(&table, around.directory, enabled);
    let sha256 = table.parsed("sha256", |text| {
        Digest::parse(text).ok_or_else(|| {
            "sha256 must be 64 hexadecimal digits, with or without \"sha256:\" in front".to_owned()
        })
    });
    let policy = Policy {
        limits: limits(&table, name, around.limits),
        sha256: sha256.map(|digest| digest.value),
        imports: imports(&table),
        statements: statements(&table),
        session: session(&table),
        caps: caps(&table, around.limits),
        show_requests: show_requests(&table),
        unconfirmed_writes: table
            .boolean("unconfirmed_writes")
            .is_some_and(|given| given.value),
        idempotency_table: table
            .parsed("idempotency_table", |text| {
                QualifiedName::parse(text).map_err(|error| format!("idempotency_table: {error}"))
            })
            .map(|given| given.value),
        replay: replay(&table, around.directory),
        databases: databases(&table, around.databases),
    };
    table.finish();
    ConnectorConfig {
        policy: Arc::new(policy),
        path,
        enabled,
    }
}

fn replay(table: &Table<'_>, directory: &Path) -> Option<ReplayRule> {
    let calls = table.text("replay");
    let listed = table.texts("replay_differences");
    let mut allowed = BTreeSet::new();
    for given in listed.iter().flat_map(|listed| &listed.value) {
        match CallId::parse(given.value) {
            Some(id) => {
                allowed.insert(id);
            }
            None => table.mistakes().add(
                given.at,
                format!("replay_differences lists {:?}, which is no call: airlock replay shows them, with 16 hexadecimal digits each", given.value),
            ),
        }
    }
    if let (None, Some(listed)) = (&calls, &listed) {
        table
            .mistakes()
            .add(listed.at, "replay_differences is of no use without replay");
    }
    Some(ReplayRule {
        calls: directory.join(calls?.value),
        allowed,
    })
}

fn imports(table: &Table<'_>) -> Imports {
    let words = [
        ("none", Imports::None),
        ("virtual-wasi", Imports::VirtualWasi),
    ];
    let imports = table.choice("imports", &words);
    imports.map(|imports| imports.value).unwrap_or_default()
}

fn path(table: &Table<'_>, directory: &Path, enabled: bool) -> Option<PathBuf> {
    let path = table.text("path")?;
    let file = directory.join(path.value);
    if enabled && !file.is_file() {
        let message = format!("path: there is no file {}", file.display());
        table.mistakes().add(path.at, message);
    }
    Some(file)
}

/// The limits, each within what the host sets aside.
fn limits(table: &Table<'_>, name: At<&str>, host: &Limits) -> ConnectorLimits {
    let profiles = [("native", Profile::Native), ("script", Profile::Script)];
    let profile = table.choice("profile", &profiles);
    let mut limits = ConnectorLimits::of(profile.map(|profile| profile.value).unwrap_or_default());
    let mut places = Vec::new();
    if let Some(given) = table.table("limits") {
        limits.take(|name, most| {
            let value = given.integer(name, 0..=most)?;
            places.push((name, value.at));
            Some(value.value)
        });
        given.finish();
    }
    let bounded = [
        (
            "memory_bytes",
            limits.memory_bytes,
            "instance_memory_bytes",
            host.instance_memory_bytes,
        ),
        (
            "table_elements",
            limits.table_elements,
            "instance_table_elements",
            host.instance_table_elements,
        ),
    ];
    for (limit, value, most_name, most) in bounded {
        if value > most {
            let place = places.iter().find(|(name, _)| *name == limit);
            let message = format!(
                "{limit} = {value} is more than {most_name} = {most}; raise that in [limits] as well"
            );
            table
                .mistakes()
                .add(place.map_or(name.at, |(_, at)| *at), message);
        }
    }
    limits
}

fn statements(table: &Table<'_>) -> StatementRules {
    let words = [Access::Read, Access::Write, Access::Define];
    let names = words.map(|access| access.to_string());
    let choices: Vec<(&str, Access)> = names.iter().map(String::as_str).zip(words).collect();
    let access = table.choice("access", &choices);
    let access = access.map_or(StatementRules::default().access, |access| access.value);
    let raw_sql = table.texts("raw_sql").map(|listed| {
        for kind in &listed.value {
            if let Some(reason) = wrong_kind(kind.value, access) {
                table.mistakes().add(kind.at, reason);
            }
        }
        let kinds = listed.value.iter().map(|kind| kind.value.to_owned());
        kinds.collect()
    });
    StatementRules { access, raw_sql }
}

/// Why a kind of statement cannot be listed, where that is so.
fn wrong_kind(kind: &str, widest: Access) -> Option<String> {
    if !KINDS.contains(&kind) {
        let hint = match nearest(kind, KINDS.iter().copied()) {
            Some(known) => format!("; did you mean {known:?}?"),
            None => "; write the first word of such statements in lower case".to_owned(),
        };
        return Some(format!(
            "raw_sql lists {kind:?}, which is no kind of statement{hint}"
        ));
    }
    let needed = needed_by(&Kinds::of(kind));
    (needed > widest).then(|| {
        format!(
            "raw_sql lists {kind:?}, which access = \"{widest}\" does not allow: it needs {needed}"
        )
    })
}

fn show_requests(table: &Table<'_>) -> ShowRequests {
    let words = [
        ("never", ShowRequests::Never),
        ("transactions", ShowRequests::Transactions),
        ("always", ShowRequests::Always),
    ];
    let given = table.choice("show_requests", &words);
    given.map(|given| given.value).unwrap_or_default()
}

fn session(table: &Table<'_>) -> SessionRules {
    let timeout = |key| {
        let given = table.integer(key, 1..=MAX_TIMEOUT_MS)?;
        u32::try_from(given.value).ok()
    };
    SessionRules {
        role: table.parsed("role", Role::new).map(|role| role.value),
        statement_timeout_ms: timeout("statement_timeout_ms"),
        lock_timeout_ms: timeout("lock_timeout_ms"),
    }
}

fn caps(table: &Table<'_>, host: &Limits) -> Caps {
    let within = |key, most: u64| {
        let given = table.integer(key, 0..=u64::MAX)?;
        if given.value > most {
            let message = format!(
                "{key} = {} is more than {key} = {most} in [limits], which holds for all connectors",
                given.value
            );
            table.mistakes().add(given.at, message);
        }
        Some(given.value)
    };
    Caps {
        reply_rows: within("reply_rows", host.reply_rows),
        reply_bytes: within("reply_bytes", host.reply_bytes as u64)
            .and_then(|bytes| usize::try_from(bytes).ok()),
        affected_rows: within("affected_rows", u64::MAX),
    }
}

fn databases(table: &Table<'_>, known: &BTreeSet<DatabaseName>) -> Option<BTreeSet<DatabaseName>> {
    let listed = table.texts("databases")?;
    let mut databases = BTreeSet::new();
    for given in listed.value {
        match DatabaseName::new(given.value) {
            Ok(name) if known.contains(&name) => {
                databases.insert(name);
            }
            _ => {
                let hint = match nearest(given.value, known.iter().map(DatabaseName::as_str)) {
                    Some(near) => format!("; did you mean {near:?}?"),
                    None => format!("; add [databases.{}]", given.value),
                };
                let message = format!("there is no database {:?}{hint}", given.value);
                table.mistakes().add(given.at, message);
            }
        }
    }
    Some(databases)
}
