//! `airlock health`: the probe for images without a shell.

use crate::{AIRLOCK, airlock, path, run};
use airlock_tests::Server;
use airlock_tests::world::World;
use std::fs;
use std::net::TcpListener;

fn health(arguments: &[&str]) -> (Option<i32>, String, String) {
    run(&mut airlock(&[&["health"], arguments].concat()))
}

#[test]
fn a_server_is_ready_and_alive() {
    let server = Server::start(AIRLOCK, &[], &[]);
    let (code, out, _) = health(&["--url", &server.base]);
    assert_eq!((code, out.trim()), (Some(0), r#"{"ready": true}"#));
    let (code, out, _) = health(&["--live", "--url", &server.base]);
    assert_eq!((code, out.trim()), (Some(0), r#"{"ok": true}"#));
    // As images set it.
    let mut command = airlock(&["health"]);
    let (code, ..) = run(command.env("AIRLOCK_HEALTH_URL", &server.base));
    assert_eq!(code, Some(0));
}

#[test]
fn tls_is_spoken_and_no_certificate_is_checked() {
    let directory = tempfile::tempdir().unwrap();
    let own = rcgen::generate_simple_self_signed(["elsewhere.example".to_owned()]).unwrap();
    let at = |name: &str| directory.path().join(name);
    fs::write(at("server.crt"), own.cert.pem()).unwrap();
    fs::write(at("server.key"), own.signing_key.serialize_pem()).unwrap();
    let config = "[tls]\ncertificate_file = \"server.crt\"\nkey_file = \"server.key\"\n";
    fs::write(at("airlock.toml"), config).unwrap();
    let config = at("airlock.toml");
    let server = Server::start(AIRLOCK, &["--config", path(&config)], &[]);
    assert!(server.base.starts_with("https://"));
    assert_eq!(health(&["--url", &server.base]).0, Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn one_that_is_not_ready_is_alive() {
    let files = [("a.wasm", &b"no component"[..])];
    let world = World::start(AIRLOCK, "[connectors.a]\n", &files, &[]).await;
    let url = &world.server.base;
    let (code, out, _) = health(&["--url", url]);
    assert_eq!(code, Some(1), "{out}");
    assert!(
        out.contains("\"ready\":false") || out.contains("\"ready\": false"),
        "{out}"
    );
    assert_eq!(health(&["--live", "--url", url]).0, Some(0));
}

#[test]
fn nobody_there_and_silence_are_failures_and_a_wrong_url_is_wrong_usage() {
    // It accepts, as the system does that for it, and answers nothing.
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", silent.local_addr().unwrap());
    let (code, _, err) = health(&["--url", &url, "--timeout-ms", "200"]);
    assert_eq!(code, Some(1), "{err}");
    drop(silent);
    let (code, _, err) = health(&["--url", &url]);
    assert_eq!(code, Some(1));
    assert!(err.contains("no answer from"), "{err}");
    for url in ["", "localhost:7004", "ftp://localhost", "http://"] {
        let (code, _, err) = health(&["--url", url]);
        assert_eq!(code, Some(2), "{url}: {err}");
    }
}
