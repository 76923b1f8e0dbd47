//! What the system sees while the table runs: which files are opened and which addresses are dialled.

use crate::answers::{Answer, serve};
use crate::table::{CONFIG, rows};
use crate::world::{AIRLOCK, Canary, World, text};
use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;

/// Files that name resolution may open. No row of the table gets so far that certificates are read.
const NAMES: &[&str] = &[
    "/etc/gai.conf",
    "/etc/host.conf",
    "/etc/hosts",
    "/etc/nsswitch.conf",
    "/etc/resolv.conf",
    "/etc/services",
    // What the resolver loads.
    "/etc/ld.so.cache",
    "/lib/",
    "/usr/lib/",
];

/// Where the authorities are that the system trusts.
const AUTHORITIES: &[&str] = &[
    "/etc/ssl/",
    "/etc/pki/",
    "/usr/lib/ssl/",
    "/usr/share/ca-certificates/",
];

/// Runs the table under strace:
/// `cargo test -p airlock --test network -- --ignored traced --nocapture`
#[ignore = "needs strace, and a machine that lets one process trace another"]
#[tokio::test(flavor = "multi_thread")]
async fn nothing_else_is_opened_or_dialled() {
    let directory = tempfile::tempdir().unwrap();
    let (trace, program) = (
        directory.path().join("trace"),
        directory.path().join("traced"),
    );
    // The tracer stands aside, so that the server is the process that is started and ended.
    let script = format!(
        "#!/bin/sh\nexec strace -D -f -qq -e trace=open,openat,openat2,connect -o {} {AIRLOCK} \"$@\"\n",
        text(&trace)
    );
    fs::write(&program, script).unwrap();
    fs::set_permissions(&program, fs::Permissions::from_mode(0o700)).unwrap();
    let world = World::start_by(&text(&program), CONFIG);
    let canary = Canary::listen().await;
    // What a first call loads, it loads here.
    let plain = format!("user=u host=127.0.0.1 port={} sslmode=disable", canary.port);
    world.outcome(&plain).await;
    let before = fs::read_to_string(&trace).unwrap().len();
    let own = canary.dialled();
    assert!(before > 0 && own > 0);
    let rows = rows(canary.port);
    for row in &rows {
        world.outcome(&row.dsn).await;
    }
    // A mark that the trace must have, so that all before it was written.
    world.outcome(&plain).await;
    let (files, dials) = calls(&fs::read_to_string(&trace).unwrap()[before..]);
    eprintln!(
        "{} strings\nopened: {files:#?}\ndialled: {dials:#?}",
        rows.len()
    );
    assert_eq!(outside(&files, NAMES), [] as [&str; 0]);
    // The mark is the one dial of a database; the rest asks for names.
    let mark = format!("127.0.0.1:{}", canary.port);
    let mut servers = name_servers();
    servers.extend([
        "unix:/var/run/nscd/socket".into(),
        "unspecified".into(),
        mark.clone(),
    ]);
    let strange: Vec<_> = dials
        .keys()
        .filter(|place| !servers.contains(place))
        .collect();
    assert!(strange.is_empty(), "{strange:?}");
    assert_eq!(dials.get(&mark), Some(&1));
    assert_eq!(canary.dialled(), own + 1);

    // Certificates are read where a mode asks for them and the server has TLS, and nothing else is.
    let before = fs::read_to_string(&trace).unwrap().len();
    let (port, _) = serve(Answer::AgreesThenSays(b"garbage")).await;
    let dsn = format!("user=u host=127.0.0.1 port={port} sslmode=verify-full");
    let (_, message) = world.outcome(&dsn).await;
    assert!(
        message.contains("error performing TLS handshake"),
        "{message}"
    );
    world.outcome(&plain).await;
    let (files, dials) = calls(&fs::read_to_string(&trace).unwrap()[before..]);
    eprintln!(
        "verify-full\nopened: {} files\ndialled: {dials:#?}",
        files.len()
    );
    assert!(!files.is_empty());
    assert_eq!(outside(&files, AUTHORITIES), [] as [&str; 0]);
    let expected = [(format!("127.0.0.1:{port}"), 1), (mark, 1)];
    assert_eq!(dials, BTreeMap::from(expected));
}

/// How often each file was opened and each place was dialled.
fn calls(trace: &str) -> (BTreeMap<String, usize>, BTreeMap<String, usize>) {
    let (mut files, mut dials) = (BTreeMap::new(), BTreeMap::new());
    for line in trace.lines() {
        if let Some((_, call)) = line.split_once("connect(") {
            *dials.entry(place(call)).or_insert(0) += 1;
        } else if line.contains("open") && !line.contains("resumed>") {
            let file = line.split('"').nth(1).unwrap_or(line);
            *files.entry(file.to_owned()).or_insert(0) += 1;
        }
    }
    (files, dials)
}

/// The files that are in none of these places.
fn outside<'f>(files: &'f BTreeMap<String, usize>, places: &[&str]) -> Vec<&'f str> {
    let is_inside = |file: &&String| places.iter().any(|place| file.starts_with(place));
    files
        .keys()
        .filter(|file| !is_inside(file))
        .map(String::as_str)
        .collect()
}

/// The place that `connect` is called for, as `address:port` or `unix:path`.
fn place(call: &str) -> String {
    let behind = |mark: &str, end: char| {
        let (_, rest) = call.split_once(mark)?;
        rest.split(end).next().map(str::to_owned)
    };
    if call.contains("AF_UNSPEC") {
        return "unspecified".into();
    }
    if let Some(path) = behind("sun_path=\"", '"') {
        return format!("unix:{path}");
    }
    let address = behind("inet_addr(\"", '"').or(behind("inet_pton(AF_INET6, \"", '"'));
    let port = behind("htons(", ')');
    format!(
        "{}:{}",
        address.unwrap_or_default(),
        port.unwrap_or_default()
    )
}

/// Where this machine asks for names.
fn name_servers() -> Vec<String> {
    let text = fs::read_to_string("/etc/resolv.conf").unwrap_or_default();
    let servers = text
        .lines()
        .filter_map(|line| line.strip_prefix("nameserver"));
    servers
        .map(|server| format!("{}:53", server.trim()))
        .collect()
}
