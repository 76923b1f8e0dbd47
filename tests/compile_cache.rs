//! The cache of compiled components: what it gives is what was stored, or nothing.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used
)]

use airlock::connector::{CompileCacheError, CompileCacheKey, CompileCacheStats, Digest};
use airlock::{CompileCache, Compiler, Connector, Limits, Policy, Runtime};
use airlock_tests::RECORDER;
use std::fs::{self, File, Permissions};
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

/// A cache in a directory that goes away with it.
struct Place {
    directory: tempfile::TempDir,
}

impl Place {
    fn new() -> Place {
        Place {
            directory: tempfile::tempdir().unwrap(),
        }
    }

    fn path(&self) -> PathBuf {
        self.directory.path().join("compiled")
    }

    fn open(&self) -> Arc<CompileCache> {
        self.holding(&Limits::default())
    }

    fn holding(&self, limits: &Limits) -> Arc<CompileCache> {
        Arc::new(CompileCache::open(&self.path(), limits).unwrap())
    }

    fn entries(&self) -> Vec<PathBuf> {
        compiled(&self.path())
    }

    /// The only entry, with its key and what it holds.
    fn entry(&self) -> (PathBuf, CompileCacheKey, Vec<u8>) {
        let [entry] = self.entries().try_into().unwrap();
        let key = key(&entry);
        let bytes = fs::read(&entry).unwrap();
        (entry, key, bytes)
    }
}

/// The entries in a directory, in the order of their names.
fn compiled(directory: &Path) -> Vec<PathBuf> {
    let files = fs::read_dir(directory).unwrap();
    let mut entries: Vec<_> = files
        .map(|file| file.unwrap().path())
        .filter(|path| name(path).parse::<CompileCacheKey>().is_ok())
        .collect();
    entries.sort();
    entries
}

fn name(path: &Path) -> &str {
    path.file_name().unwrap().to_str().unwrap()
}

fn key(entry: &Path) -> CompileCacheKey {
    name(entry).parse().unwrap()
}

fn load(cache: &Arc<CompileCache>, component: &[u8]) -> Connector {
    let compiler = Compiler::InProcess.cached(cache.clone());
    let runtime = Runtime::compiling_by(compiler, Limits::default()).unwrap();
    runtime.compile(component, Policy::default()).unwrap()
}

/// The recorder with a section that says `mark` and means nothing: another component.
fn marked(mark: u8) -> Vec<u8> {
    let mut component = RECORDER.to_vec();
    component.extend([0, 3, 1, b'm', mark]);
    component
}

/// A deterministic stream of numbers: xorshift64*.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) as usize % bound
    }
}

fn stats(hits: u64, misses: u64, refused: u64) -> CompileCacheStats {
    CompileCacheStats {
        hits,
        misses,
        refused,
    }
}

#[test]
fn a_second_start_compiles_nothing() {
    let place = Place::new();
    let first = place.open();
    let compiled = load(&first, RECORDER);
    assert_eq!(first.stats(), stats(0, 1, 0));
    let second = place.open();
    let recalled = load(&second, RECORDER);
    assert_eq!(second.stats(), stats(1, 0, 0));
    assert_eq!(recalled.digest(), compiled.digest());
    let [command, ..] = recalled.commands() else {
        panic!("it has no command")
    };
    let plan = |connector: &Connector| connector.plan(&command.command.name, "{}");
    assert_eq!(
        format!("{:?}", plan(&recalled)),
        format!("{:?}", plan(&compiled))
    );
}

#[test]
fn a_changed_byte_is_never_accepted() {
    let place = Place::new();
    load(&place.open(), RECORDER);
    let (entry, key, good) = place.entry();
    let cache = place.open();
    let mut random = Random(5);
    for round in 0..10_000 {
        let mut bad = good.clone();
        let at = random.below(bad.len());
        bad[at] ^= 1 + random.below(255) as u8;
        put(&entry, &bad);
        assert!(cache.get(&key).is_none(), "byte {at} in round {round}");
        assert!(!entry.exists());
    }
    assert_eq!(cache.stats(), stats(0, 10_000, 10_000));
    put(&entry, &good);
    assert!(cache.get(&key).is_some());
}

#[test]
fn a_truncated_entry_is_never_accepted() {
    let place = Place::new();
    load(&place.open(), RECORDER);
    let (entry, key, good) = place.entry();
    let cache = place.open();
    let mut random = Random(7);
    let edges = [0, 1, 31, 32, 33, good.len() - 1, good.len() - 32];
    let places = edges
        .into_iter()
        .chain((edges.len()..1_000).map(|_| random.below(good.len())));
    for length in places {
        put(&entry, &good[..length]);
        assert!(cache.get(&key).is_none(), "{length} bytes");
    }
    put(&entry, &[&good[..], &[0]].concat());
    assert!(cache.get(&key).is_none(), "one byte more");
    assert_eq!(cache.stats(), stats(0, 1_001, 1_001));
}

/// Writes a file as the cache would.
fn put(entry: &Path, bytes: &[u8]) {
    fs::write(entry, bytes).unwrap();
    fs::set_permissions(entry, Permissions::from_mode(0o600)).unwrap();
}

#[test]
fn a_damaged_entry_is_compiled_anew() {
    let place = Place::new();
    load(&place.open(), RECORDER);
    let (entry, _, good) = place.entry();
    put(&entry, &good[..good.len() / 2]);
    let cache = place.open();
    load(&cache, RECORDER);
    assert_eq!(cache.stats(), stats(0, 1, 1));
    load(&cache, RECORDER);
    assert_eq!(cache.stats(), stats(1, 1, 1));
}

#[test]
fn entries_of_two_components_cannot_be_swapped() {
    let place = Place::new();
    let components = [marked(1), marked(2)];
    components.iter().for_each(|component| {
        load(&place.open(), component);
    });
    let [a, b] = place.entries().try_into().unwrap();
    let spare = place.path().join("spare");
    fs::rename(&a, &spare).unwrap();
    fs::rename(&b, &a).unwrap();
    fs::rename(&spare, &b).unwrap();
    let cache = place.open();
    components.iter().for_each(|component| {
        load(&cache, component);
    });
    assert_eq!(cache.stats(), stats(0, 2, 2));
}

#[test]
fn another_key_file_makes_all_entries_foreign() {
    for replaced in [vec![7; 32], vec![7; 31], vec![7; 33], Vec::new()] {
        let place = Place::new();
        load(&place.open(), RECORDER);
        put(&place.path().join("key"), &replaced);
        let cache = place.open();
        load(&cache, RECORDER);
        assert_eq!(cache.stats(), stats(0, 1, 1), "{} bytes", replaced.len());
        assert_eq!(fs::read(place.path().join("key")).unwrap().len(), 32);
        load(&place.open(), RECORDER);
    }
}

#[test]
fn another_version_finds_nothing() {
    let place = Place::new();
    load(&place.open(), RECORDER);
    let (entry, _, _) = place.entry();
    let cache = place.open();
    let other = CompileCacheKey::new(Digest::of(RECORDER), &"settings", "0.0.1");
    assert!(cache.get(&other).is_none());
    // Nor where somebody renames the entry.
    fs::rename(&entry, place.path().join(other.to_string())).unwrap();
    assert!(cache.get(&other).is_none());
    assert_eq!(cache.stats(), stats(0, 2, 1));
}

#[test]
fn a_directory_that_others_can_reach_is_refused() {
    for mode in [0o701, 0o710, 0o750, 0o755, 0o777] {
        let place = Place::new();
        fs::create_dir(place.path()).unwrap();
        fs::set_permissions(place.path(), Permissions::from_mode(mode)).unwrap();
        let error = CompileCache::open(&place.path(), &Limits::default()).unwrap_err();
        assert!(
            matches!(error, CompileCacheError::Exposed { .. }),
            "{error}"
        );
        assert!(error.to_string().contains(&format!("{mode:o}")), "{error}");
    }
}

#[test]
fn a_directory_behind_a_link_is_refused() {
    let place = Place::new();
    place.open();
    let link = place.directory.path().join("link");
    symlink(place.path(), &link).unwrap();
    let error = CompileCache::open(&link, &Limits::default()).unwrap_err();
    assert!(error.to_string().contains("compile_cache_dir"), "{error}");
}

#[test]
fn what_is_made_is_private() {
    let place = Place::new();
    load(&place.open(), RECORDER);
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&place.path()), 0o700);
    assert_eq!(mode(&place.path().join("key")), 0o600);
    assert_eq!(mode(&place.entry().0), 0o600);
    // Nothing unfinished stays behind.
    assert_eq!(fs::read_dir(place.path()).unwrap().count(), 2);
}

#[test]
fn links_pipes_and_directories_are_no_entries() {
    let place = Place::new();
    load(&place.open(), RECORDER);
    let (entry, key, good) = place.entry();
    let elsewhere = place.directory.path().join("elsewhere");
    put(&elsewhere, &good);
    let cache = place.open();

    fs::remove_file(&entry).unwrap();
    symlink(&elsewhere, &entry).unwrap();
    assert!(cache.get(&key).is_none(), "a link was followed");
    assert!(fs::symlink_metadata(&entry).is_err());
    assert_eq!(fs::read(&elsewhere).unwrap(), good, "it was written to");

    let made = Command::new("mkfifo").arg(&entry).status().unwrap();
    assert!(made.success());
    assert!(cache.get(&key).is_none(), "a pipe was read");

    put(&entry, &good);
    fs::set_permissions(&entry, Permissions::from_mode(0o644)).unwrap();
    assert!(cache.get(&key).is_none(), "others can read it");

    // It cannot be removed, which must not matter.
    fs::create_dir(&entry).unwrap();
    load(&cache, RECORDER);
    assert_eq!(cache.stats(), stats(0, 4, 4));
}

#[test]
fn a_link_in_the_place_of_the_key_is_not_followed() {
    let place = Place::new();
    load(&place.open(), RECORDER);
    let file = place.path().join("key");
    let elsewhere = place.directory.path().join("elsewhere");
    fs::rename(&file, &elsewhere).unwrap();
    symlink(&elsewhere, &file).unwrap();
    let cache = place.open();
    assert!(fs::symlink_metadata(&file).unwrap().is_file());
    load(&cache, RECORDER);
    assert_eq!(cache.stats(), stats(0, 1, 1));
}

#[test]
fn those_that_start_at_once_share_one_key() {
    let place = Place::new();
    let limits = Limits::default();
    let caches: Vec<_> = std::thread::scope(|threads| {
        let started: Vec<_> = (0..16)
            .map(|_| threads.spawn(|| place.holding(&limits)))
            .collect();
        started.into_iter().map(|one| one.join().unwrap()).collect()
    });
    load(&caches[0], RECORDER);
    let (_, key, _) = place.entry();
    for cache in &caches[1..] {
        assert!(cache.get(&key).is_some());
    }
}

#[test]
fn those_used_longest_ago_go_first() {
    let place = Place::new();
    load(&place.open(), &marked(0));
    let (_, _, one) = place.entry();
    let limits = Limits {
        compile_cache_bytes: one.len() as u64 * 7 / 2,
        ..Limits::default()
    };
    let cache = place.holding(&limits);
    let hour = |ago: u64| SystemTime::now() - Duration::from_secs(3_600 * ago);
    let age = |entry: &Path, ago: u64| File::open(entry).unwrap().set_modified(hour(ago)).unwrap();
    age(&place.entries()[0], 9);
    load(&cache, &marked(1));
    let first = |entries: &[PathBuf]| entries.iter().find(|e| modified(e) < hour(8)).cloned();
    let oldest = first(&place.entries()).unwrap();
    let other = place.entries().into_iter().find(|e| *e != oldest).unwrap();
    age(&other, 5);
    load(&cache, &marked(2));
    // What is used becomes young again.
    assert!(cache.get(&key(&oldest)).is_some());
    assert!(modified(&oldest) > hour(1));
    load(&cache, &marked(3));
    let left = place.entries();
    assert_eq!(left.len(), 3);
    assert!(left.contains(&oldest) && !left.contains(&other));
    // What does not fit at all is not stored, and pushes nothing out.
    let tiny = Limits {
        compile_cache_bytes: 1_000,
        ..limits
    };
    load(&place.holding(&tiny), &marked(4));
    assert_eq!(place.entries(), left);
}

fn modified(path: &Path) -> SystemTime {
    fs::metadata(path).unwrap().modified().unwrap()
}

#[test]
fn what_a_process_left_behind_is_cleared_away() {
    let place = Place::new();
    let cache = place.open();
    let left = [".new-0123", ".new-4567"].map(|name| place.path().join(name));
    left.iter().for_each(|file| put(file, b"half"));
    let long_ago = SystemTime::now() - Duration::from_secs(7_200);
    File::open(&left[0])
        .unwrap()
        .set_modified(long_ago)
        .unwrap();
    load(&cache, RECORDER);
    assert!(!left[0].exists());
    assert!(left[1].exists(), "another process may be writing it");
}

/// `airlock commands` with these variables and this configuration.
fn airlock(variables: &[(&str, &str)], config: Option<&str>) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_airlock"));
    command
        .arg("commands")
        .env_clear()
        .envs(variables.iter().copied());
    let directory = tempfile::tempdir().unwrap();
    if let Some(text) = config {
        let file = directory.path().join("airlock.toml");
        fs::write(&file, text).unwrap();
        command.arg("--config").arg(&file);
    }
    command.output().unwrap()
}

#[test]
fn the_program_keeps_what_its_child_compiled() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().to_str().unwrap();
    for (variables, place) in [
        ([("HOME", path)], ".cache/airlock/compiled"),
        ([("XDG_CACHE_HOME", path)], "airlock/compiled"),
    ] {
        assert!(airlock(&variables, None).status.success());
        let place = home.path().join(place);
        let entry = || {
            let [entry] = compiled(&place).try_into().unwrap();
            entry
        };
        let long_ago = SystemTime::now() - Duration::from_secs(7_200);
        let first: PathBuf = entry();
        File::open(&first).unwrap().set_modified(long_ago).unwrap();
        assert!(airlock(&variables, None).status.success());
        assert_eq!(entry(), first);
        assert!(modified(&first) > long_ago, "it was not used");
    }
}

#[test]
fn programs_that_start_at_once_share_a_cache() {
    let home = tempfile::tempdir().unwrap();
    let variables = [("HOME", home.path().to_str().unwrap())];
    let all_well = std::thread::scope(|threads| {
        let started = [(); 4].map(|()| threads.spawn(|| airlock(&variables, None)));
        started.map(|one| one.join().unwrap().status.success())
    });
    assert_eq!(all_well, [true; 4]);
    let place = home.path().join(".cache/airlock/compiled");
    let cache = CompileCache::open(&place, &Limits::default()).unwrap();
    let [entry] = compiled(&place).try_into().unwrap();
    assert!(cache.get(&key(&entry)).is_some());
}

#[test]
fn the_program_keeps_nothing_where_it_must_not() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().to_str().unwrap();
    let off = airlock(&[("HOME", path)], Some("compile_cache_dir = \"\"\n"));
    assert!(off.status.success());
    assert!(airlock(&[], None).status.success());
    assert_eq!(fs::read_dir(home.path()).unwrap().count(), 0);
    // A directory that cannot be used stops whoever named it, and nobody else.
    let file = home.path().join("file");
    fs::write(&file, "").unwrap();
    let file = file.to_str().unwrap();
    assert!(airlock(&[("HOME", file)], None).status.success());
    let named = airlock(&[], Some(&format!("compile_cache_dir = {file:?}\n")));
    assert_eq!(named.status.code(), Some(1));
    let message = String::from_utf8(named.stderr).unwrap();
    assert!(message.contains("as the compile cache"), "{message}");
}
