//! How files come and go: slowly, all at once, by link, and from elsewhere.

use crate::world::{serving, serving_too};
use airlock_tests::world::{answering, call, digest, until};
use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::os::unix::fs::symlink;

#[tokio::test(flavor = "multi_thread")]
async fn new_connectors_go_live() {
    let world = serving(&[]).await;
    let a = answering("a", "one").component();
    fs::write(world.at("a.wasm"), &a).unwrap();
    let live = |status: &serde_json::Value| status["live"]["digest"] == *digest(&a);
    world.until("a", live).await;
    assert_eq!(world.call("a").await, ("one".to_owned(), digest(&a)));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_is_being_written_is_left_alone() {
    let old = answering("a", "old").component();
    let new = answering("a", "new").component();
    let world = serving(&[("a.wasm", &old)]).await;
    let (first, second) = new.split_at(new.len() / 2);
    let mut file = OpenOptions::new()
        .write(true)
        .truncate(true)
        .open(world.at("a.wasm"))
        .unwrap();
    file.write_all(first).unwrap();
    file.flush().unwrap();
    // Another connector goes live meanwhile, so the directory was looked at.
    let b = answering("b", "b").component();
    world.put("b.wasm", &b);
    world
        .until("b", |status| status["live"]["digest"] == *digest(&b))
        .await;
    assert!(world.status("a").await["rejected"].is_null());
    assert_eq!(world.call("a").await.0, "old");
    file.write_all(second).unwrap();
    drop(file);
    let status = world
        .until("a", |status| status["live"]["digest"] == *digest(&new))
        .await;
    assert!(status["rejected"].is_null());
}

/// What came last is live in the end, however fast files change.
#[tokio::test(flavor = "multi_thread")]
async fn storms_of_renames_end_with_the_last_file() {
    let [a, b, last] = ["a", "b", "last"].map(|text| answering("a", text).component());
    let world = serving(&[("a.wasm", &a)]).await;
    let files: [(&[u8], &str); 3] = [(&a, "a"), (b"garbage", ""), (&b, "b")];
    for (contents, _) in files.iter().cycle().take(600) {
        world.put("a.wasm", contents);
        let (text, planned_by) = world.call("a").await;
        let (component, _) = files.iter().find(|(_, known)| *known == text).unwrap();
        assert_eq!(planned_by, digest(component));
    }
    world.put("a.wasm", &last);
    world
        .until("a", |status| status["live"]["digest"] == *digest(&last))
        .await;
    assert_eq!(world.call("a").await.0, "last");
}

/// As a volume of Kubernetes does it: a link to a link to a directory, which is exchanged.
#[tokio::test(flavor = "multi_thread")]
async fn links_are_followed_to_where_they_lead_now() {
    let [old, new] = ["old", "new"].map(|text| answering("a", text).component());
    let world = serving(&[]).await;
    for (version, component) in [("..1", &old), ("..2", &new)] {
        fs::create_dir(world.at(version)).unwrap();
        fs::write(world.at(version).join("a.wasm"), component).unwrap();
    }
    symlink("..1", world.at("..data")).unwrap();
    symlink("..data/a.wasm", world.at("a.wasm")).unwrap();
    world
        .until("a", |status| status["live"]["digest"] == *digest(&old))
        .await;
    symlink("..2", world.at("..new")).unwrap();
    fs::rename(world.at("..new"), world.at("..data")).unwrap();
    world
        .until("a", |status| status["live"]["digest"] == *digest(&new))
        .await;
    assert_eq!(world.call("a").await.0, "new");
}

/// Who deletes a file, by mistake or to write it anew, takes nothing out of service.
#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_is_gone_leaves_its_connector_live() {
    let [old, new, other] = ["old", "new", "other"].map(|text| answering("a", text).component());
    let world = serving(&[("a.wasm", &old)]).await;
    fs::remove_file(world.at("a.wasm")).unwrap();
    let b = answering("b", "b").component();
    world.put("b.wasm", &b);
    world
        .until("b", |status| status["live"]["digest"] == *digest(&b))
        .await;
    assert_eq!(world.call("a").await, ("old".to_owned(), digest(&old)));
    world.put("a.wasm", &new);
    world
        .until("a", |status| status["live"]["digest"] == *digest(&new))
        .await;
    // Even the directory may go and come back.
    let directory = world.at("").to_owned();
    let aside = tempfile::tempdir().unwrap();
    fs::rename(&directory, aside.path().join("aside")).unwrap();
    assert_eq!(world.call("a").await.0, "new");
    fs::create_dir(&directory).unwrap();
    world.put("a.wasm", &other);
    world
        .until("a", |status| status["live"]["digest"] == *digest(&other))
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_servers_share_a_directory() {
    let [old, new] = ["old", "new"].map(|text| answering("a", text).component());
    let world = serving(&[("a.wasm", &old)]).await;
    let second = serving_too(&world);
    for component in [&new, &old, &new] {
        world.put("a.wasm", component);
        let live = |status: &serde_json::Value| status["live"]["digest"] == *digest(component);
        world.until("a", live).await;
        until(&second, "a", live).await;
    }
    assert_eq!(world.call("a").await.0, "new");
    assert_eq!(call(&second, "a", &world.database.dsn).await.0, "new");
}
