//! The configuration file: every mistake is told at once, and the reference says what is true.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used
)]

use airlock::config::Config;
use std::path::Path;
use std::process::Command;

/// The configuration reference.
const REFERENCE: &str = include_str!("../host/docs/src/configure.md");

/// Runs `airlock` in a directory; gives the exit code, standard output and standard error.
fn airlock(directory: &Path, arguments: &[&str]) -> (Option<i32>, String, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_airlock"))
        .args(arguments)
        .current_dir(directory)
        .env("ORDERS_DSN", "host=db.example user=airlock password=canary")
        .env("BAD_DSN", "canary")
        .env_remove("UNSET_DSN")
        .env_remove("CONNECTOR_PROXY_API_KEY")
        .output()
        .unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (
        output.status.code(),
        text(output.stdout),
        text(output.stderr),
    )
}

/// Mistakes of every kind; what is expected of a line stands behind `#` in it: column and message.
const MISTAKEN: &str = r#"
listen = "localhost"              # 10: listen must be an address and a port such as 127.0.0.1:7004
connector_dir = "nowhere"         # 17: connector_dir: there is no directory nowhere
unlisted_conectors = false        # 1: unknown key "unlisted_conectors"; did you mean "unlisted_connectors"?
raw_connection_strings = "no"     # 26: raw_connection_strings must be true or false, not a text
listen = "127.0.0.1:1"            # 1: duplicate key

[limits]
deadline_ms = "40s"               # 15: deadline_ms must be a whole number of at least 0, not a text
instances = 5_000_000_000         # 13: instances must be a whole number from 0 to 4294967295, not 5000000000
poools = 5                        # 1: unknown key "poools" in [limits]; did you mean "pools"?
pools = -1                        # 9: pools must be a whole number of at least 0, not -1
instance_memory_bytes = 1_000_000
reply_rows = 100

[connectors.Reports]              # 13: no connector can be called "Reports": names are 1 to 64 characters of a-z, 0-9 and _ + 13: memory_bytes = 67108864 is more than instance_memory_bytes = 1000000; raise that in [limits] as well
profile = "python"                # 11: profile must be one of "native", "script", not "python"
path = "reports.wasm"             # 8: path: there is no file reports.wasm
sha256 = "sha256:abc"             # 10: sha256 must be 64 hexadecimal digits, with or without "sha256:" in front
imports = "wasi"                  # 11: imports must be one of "none", "virtual-wasi", not "wasi"
access = "admin"                  # 10: access must be one of "read", "write", "define", not "admin"
raw_sql = ["selct", "select", "select", 5, "VACUUM"] # 12: raw_sql lists "selct", which is no kind of statement; did you mean "select"? + 31: raw_sql lists "select" twice + 41: raw_sql must be a list of texts, but holds 5 + 44: raw_sql lists "VACUUM", which is no kind of statement; write the first word of such statements in lower case
databases = ["order", "missing"]  # 14: there is no database "order"; did you mean "orders"? + 23: there is no database "missing"; add [databases.missing]
role = "none"                     # 8: no role is called "none": SET ROLE takes it for the login
statement_timeout_ms = 0          # 24: statement_timeout_ms must be a whole number from 1 to 2147483647, not 0
lock_timeout_ms = 1.5             # 19: lock_timeout_ms must be a whole number from 1 to 2147483647, not 1.5
reply_rows = 1000                 # 14: reply_rows = 1000 is more than reply_rows = 100 in [limits], which holds for all connectors
affected_rows = true              # 17: affected_rows must be a whole number of at least 0, not true
enabled = 1                       # 11: enabled must be true or false, not 1
max_rows = 5                      # 1: unknown key "max_rows" in [connectors.Reports]

[connectors.reader]
access = "read"
raw_sql = ["select", "insert"]    # 22: raw_sql lists "insert", which access = "read" does not allow: it needs write
role = ""                         # 8: a name must not be empty

[connectors.reader.limits]
memory_bytes = 2_000_000          # 16: memory_bytes = 2000000 is more than instance_memory_bytes = 1000000; raise that in [limits] as well
plan_ms = []                      # 11: plan_ms must be a whole number of at least 0, not a list

[databases.orders]                # 12: give connection_string_env or connection_string_file
[databases.both]
connection_string_env = "ORDERS_DSN"
connection_string_file = "dsn"    # 26: give connection_string_env or connection_string_file, not both
[databases."Upper Case"]          # 12: "Upper Case": a database's name must be 1 to 64 characters of a-z, 0-9, _ and -
connection_string_env = "UNSET_DSN" # 25: the variable UNSET_DSN is not set
[databases.secret]
connection_string_env = "BAD_DSN" # 25: the variable BAD_DSN holds no connection string: a "=" is missing
[databases.file]
connection_string_file = "gone"   # 26: cannot read gone: No such file or directory (os error 2)
[databases.bad-file]
connection_string_file = "dsn"    # 26: the file dsn holds no connection string: it names no user
[databases.certified]
connection_string_env = "ORDERS_DSN"
ca_file = "dsn"                   # 11: ca_file: dsn: there is no certificate in PEM
client_key_file = "key.pem"       # 19: give client_certificate_file and client_key_file, both

[network]
allow = ["10.0.0.1/8", "db.example:0", "*"] # 10: allow: "10.0.0.1/8": its network is written 10.0.0.0/8 + 24: allow: "0" is no port from 1 to 65535, and no range such as "6432-6440" + 40: allow: "*": a name is made of letters, digits, - and _ in parts of at most 63 with dots between them
deny = ["0x7f.1", "10.0.0.0/8", "10.0.0.0/8"] # 9: deny: "0x7f.1": an IPv4 address is written as four decimal numbers, as in 127.0.0.1 + 33: deny lists "10.0.0.0/8" twice
ports = ["5432", "6-5", 5432]     # 18: ports: "6-5" is no port from 1 to 65535, and no range such as "6432-6440" + 25: ports must be a list of texts, but holds 5432
unix_sockets = ["run"]            # 17: unix_sockets: "run" is no absolute path of a directory, such as "/var/run/postgresql"
least_sslmode = "verify"          # 17: least_sslmode must be one of "disable", "allow", "prefer", "require", "verify-ca", "verify-full", not "verify"
ca_file = "gone.pem"              # 11: cannot read gone.pem: No such file or directory (os error 2)
ca = "x"                          # 1: unknown key "ca" in [network]
"#;

/// What is to be told of [`MISTAKEN`].
fn expected() -> Vec<String> {
    let mut lines = Vec::new();
    for (at, line) in MISTAKEN.lines().enumerate() {
        let Some((_, mistakes)) = line.split_once(" # ") else {
            continue;
        };
        for mistake in mistakes.trim().split(" + ") {
            lines.push(format!("airlock.toml:{}:{mistake}", at + 1));
        }
    }
    lines
}

#[test]
fn every_mistake_is_told_at_once_with_its_place() {
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(directory.path().join("airlock.toml"), MISTAKEN).unwrap();
    std::fs::write(directory.path().join("dsn"), "host=canary\n").unwrap();
    let (code, told, error) = airlock(directory.path(), &["check", "airlock.toml"]);
    let expected = expected();
    assert!(expected.len() > 30);
    let told: Vec<_> = told.lines().collect();
    assert_eq!((code, error.as_str()), (Some(1), ""));
    assert_eq!(told, expected, "{}", told.join("\n"));
    assert!(!told.join("").contains("canary"));
    // Whoever reads the file tells as much.
    for command in ["serve", "commands"] {
        let (code, _, error) = airlock(directory.path(), &[command, "--config", "airlock.toml"]);
        assert_eq!(code, Some(1));
        let told: Vec<_> = error.lines().skip(1).collect();
        assert_eq!(told, expected, "{error}");
    }
}

#[test]
fn what_is_no_toml_is_told_with_its_place() {
    let directory = tempfile::tempdir().unwrap();
    let text = "listen = \"127.0.0.1:1\nlisten = 5\nfoo = bar\n[limits]\npools = 08\ninstances = 1__0\n= 7\n\
                drain_ms = false\n[connectors\n";
    std::fs::write(directory.path().join("a.toml"), text).unwrap();
    let (code, told, _) = airlock(directory.path(), &["check", "a.toml"]);
    assert_eq!(code, Some(1));
    let expected = [
        "a.toml:1:22: invalid basic string, expected `\"`",
        "a.toml:2:1: duplicate key",
        "a.toml:3:7: string values must be quoted, expected literal string",
        "a.toml:5:9: unexpected leading zero",
        "a.toml:6:14: `_` may only go between digits",
        "a.toml:7:1: unquoted keys cannot be empty, expected letters, numbers, `-`, `_`",
        // What is wrong beside that is told as well.
        "a.toml:8:12: drain_ms must be a whole number of at least 0, not false",
        "a.toml:9:12: unclosed table, expected `]`",
    ];
    assert_eq!(told.lines().collect::<Vec<_>>(), expected);
}

#[test]
fn what_cannot_be_read_is_wrong_usage() {
    let directory = tempfile::tempdir().unwrap();
    let (code, _, error) = airlock(directory.path(), &["check", "gone.toml"]);
    assert!(code == Some(2) && error.contains("gone.toml"), "{error}");
}

#[test]
fn what_is_right_is_told_as_it_was_read() {
    let directory = tempfile::tempdir().unwrap();
    let config = "connector_dir = \"connectors\"\n\
                  [databases.orders]\nconnection_string_env = \"ORDERS_DSN\"\n\
                  [databases.archive]\nconnection_string_file = \"archive.dsn\"\n\
                  [connectors.reports]\npath = \"reports-1.4.wasm\"\n";
    std::fs::create_dir_all(directory.path().join("sub/connectors")).unwrap();
    std::fs::write(directory.path().join("sub/airlock.toml"), config).unwrap();
    std::fs::write(directory.path().join("sub/reports-1.4.wasm"), "").unwrap();
    std::fs::write(directory.path().join("sub/archive.dsn"), "host=h user=u\n").unwrap();
    // Names of files count from where the configuration is.
    let (code, told, error) = airlock(directory.path(), &["check", "sub/airlock.toml"]);
    assert_eq!((code, error.as_str()), (Some(0), ""), "{told}");
    assert_eq!(
        told,
        "ok: listens on 127.0.0.1:7004; connectors: postgres_v2, reports; databases: archive, orders\n"
    );
}

/// Every key stands in the reference, and the reference has no key that is not there.
#[test]
fn the_reference_has_every_key() {
    let keys = Config::keys();
    assert!(keys.contains("connectors.NAME.affected_rows") && keys.contains("limits.deadline_ms"));
    let (_, reference) = REFERENCE.split_once("<!-- keys:begin -->").unwrap();
    let (reference, _) = reference.split_once("<!-- keys:end -->").unwrap();
    let mut listed: Vec<String> = Vec::new();
    let mut table = "";
    for line in reference.lines() {
        let cell = line.split('|').nth(1).unwrap_or_default().trim();
        if let Some(name) = cell
            .strip_prefix("`[")
            .and_then(|cell| cell.strip_suffix("]`"))
        {
            table = name;
        } else if let Some(key) = cell
            .strip_prefix('`')
            .and_then(|cell| cell.strip_suffix('`'))
        {
            let dot = if table.is_empty() { "" } else { "." };
            listed.push(format!("{table}{dot}{key}"));
        }
    }
    // The limits are listed where they are defined.
    let is_limit = |key: &&String| key.contains("limits.");
    let is_table = |key: &&String| {
        [
            "admin",
            "network",
            "recording",
            "tls",
            "tracing",
            "limits",
            "connectors",
            "databases",
            "connectors.NAME.limits",
        ]
        .contains(&key.as_str())
    };
    let keys: Vec<_> = keys
        .iter()
        .filter(|key| !is_limit(key) && !is_table(key))
        .cloned()
        .collect();
    listed.sort();
    assert_eq!(listed, keys);
}
