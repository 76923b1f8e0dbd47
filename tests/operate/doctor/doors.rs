//! Where clients come in: addresses, keys, certificates, and files that others can read.

use super::Place;
use crate::image::may_enter;
use crate::{AIRLOCK, path, run};
use airlock_tests::Server;
use airlock_tests::world::{TOKEN, World, admin_base};
use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, SystemTime};

fn mode(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn addresses_are_free_or_airlocks_or_taken() {
    let server = Server::start(AIRLOCK, &[], &[]);
    let other = TcpListener::bind("127.0.0.1:0").unwrap();
    let taken = other.local_addr().unwrap().to_string();
    // Who is there says nothing, until it is gone.
    let closing = std::thread::spawn(move || other.incoming().take(1).for_each(drop));
    for (address, status, says) in [
        ("127.0.0.1:0", "ok", "is free"),
        (server.address(), "ok", "Airlock serves"),
        (&taken, "failed", "by another program"),
        ("192.0.2.1:7004", "failed", "cannot be listened on"),
    ] {
        let place = Place::new(&format!("listen = \"{address}\"\n"));
        place.look(&[]).expect("listen", status, says);
    }
    closing.join().unwrap();
    let open = Place::new("listen = \"0.0.0.0:0\"\n");
    open.look(&[]).expect("api_key", "warning", "may call");
    open.look(&[("CONNECTOR_PROXY_API_KEY", "canary-of-a-key")])
        .expect_all_ok();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_admin_surface_is_looked_at() {
    let world = World::start(AIRLOCK, "", &[], &[]).await;
    let (_, address) = {
        let base = admin_base(&world.server);
        let (scheme, address) = base.split_once("://").unwrap();
        (scheme.to_owned(), address.to_owned())
    };
    let token = [("AIRLOCK_ADMIN_TOKEN", TOKEN)];
    let place = Place::new(&format!("[admin]\nlisten = \"{address}\"\n"));
    place
        .look(&token)
        .expect("admin.listen", "ok", "Airlock serves");
    let place = Place::new("[admin]\nlisten = \"0.0.0.0:0\"\n");
    place
        .look(&token)
        .expect("admin.listen", "warning", "in the clear");
}

#[test]
fn tokens_and_keys_are_private() {
    let config = "[admin]\nlisten = \"127.0.0.1:0\"\ntoken_file = \"token\"\n\
                  [databases.orders]\nconnection_string_file = \"dsn\"\n";
    let dsn = "host=127.0.0.1 port=1 user=u password=canary-of-a-file";
    airlock_tests::secrets::plant("canary-of-a-file");
    airlock_tests::secrets::plant("canary-of-a-token");
    let place = Place::new(config)
        .with("token", "canary-of-a-token")
        .with("dsn", dsn);
    let (token, dsn) = (place.at("token"), place.at("dsn"));
    mode(&token, 0o644);
    mode(&dsn, 0o604);
    let report = place.look(&[]);
    report.expect("admin.token_file", "warning", "mode 644");
    report.expect("databases.secrets", "warning", "mode 604");
    mode(&token, 0o600);
    mode(&dsn, 0o440);
    let report = place.look(&[]);
    report.expect("admin.token_file", "ok", "private");
    report.expect("databases.secrets", "ok", "private");
    fs::write(&token, "\n").unwrap();
    place
        .look(&[])
        .expect("admin.token_file", "failed", "empty");
    fs::remove_file(&token).unwrap();
    place
        .look(&[])
        .expect("admin.token_file", "ok", "will be written");
    let lost = config.replace("\"token\"", "\"no/such/token\"");
    fs::write(place.at("airlock.toml"), lost).unwrap();
    place
        .look(&[])
        .expect("admin.token_file", "failed", "cannot be written");
}

#[test]
fn certificates_to_clients_belong_together_and_have_not_ended() {
    let config = "[tls]\ncertificate_file = \"server.crt\"\nkey_file = \"server.key\"\n";
    let own = |days: i32| {
        let mut params = rcgen::CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
        let day = Duration::from_secs(24 * 3_600);
        let away = days.unsigned_abs() * day;
        let now = SystemTime::now();
        let end = if days < 0 { now - away } else { now + away };
        params.not_after = end.into();
        let key = rcgen::KeyPair::generate().unwrap();
        (params.self_signed(&key).unwrap().pem(), key.serialize_pem())
    };
    let good = own(400);
    for (pair, status, says) in [
        (&good, "ok", "good until"),
        (&own(10), "warning", "ends on"),
        (&own(-10), "failed", "has ended"),
    ] {
        let place = Place::new(config)
            .with("server.crt", &pair.0)
            .with("server.key", &pair.1);
        mode(&place.at("server.key"), 0o600);
        place.look(&[]).expect("tls.certificate_file", status, says);
    }
    let place = Place::new(config)
        .with("server.crt", &good.0)
        .with("server.key", own(400).1);
    place.look(&[]).expect("tls", "failed", "server.crt");
}

#[test]
fn the_compile_cache_is_private() {
    // Compiling takes long beside all other tests.
    let patient = "[connectors.postgres_v2.limits]\ncompile_ms = 600_000\n";
    let place = Place::new(&format!("compile_cache_dir = \"cache\"\n{patient}"));
    place.look(&[]).expect("compile_cache", "ok", "can be made");
    // Looking makes none.
    let cache = place.at("cache");
    assert!(!cache.exists());
    fs::create_dir(&cache).unwrap();
    mode(&cache, 0o755);
    let report = place.look(&[]);
    report.expect("compile_cache", "failed", "mode 755");
    report.expect("connectors.postgres_v2", "ok", "loads");
    mode(&cache, 0o700);
    place.look(&[]).expect("compile_cache", "ok", "is private");
    // For root, only a file system that nobody writes to will do.
    if may_enter() {
        let seal = "mount --bind \"$0\" \"$0\" && mount -o remount,ro,bind \"$0\" && exec \"$@\"";
        let config = place.at("airlock.toml");
        let mut sealed = Command::new("unshare");
        sealed.args(["--mount", "sh", "-c", seal, path(&cache)]);
        sealed.args([AIRLOCK, "doctor", "--json", "--config", path(&config)]);
        let found = super::report(run(&mut sealed));
        found.expect("compile_cache", "warning", "cannot be written to");
    } else {
        mode(&cache, 0o500);
        place
            .look(&[])
            .expect("compile_cache", "warning", "cannot be written to");
        mode(&cache, 0o700);
    }
    fs::remove_dir_all(&cache).unwrap();
    fs::write(&cache, "a file").unwrap();
    place
        .look(&[])
        .expect("compile_cache", "failed", "cannot use");
    let none = Place::new(&format!("compile_cache_dir = \"\"\n{patient}"));
    none.look(&[])
        .expect("compile_cache", "ok", "by configuration");
}
