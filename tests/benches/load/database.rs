//! The database that everything runs on, and PostgreSQL's own programs as the floor.

use airlock::postgres::{Cluster, bin_dir};
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;
use tokio_postgres::{Client, NoTls};

/// Ids of `users`: 10,000 of them, all of five digits, so that a request can be told another one in
/// place.
pub(crate) const IDS: std::ops::Range<u32> = 10_000..20_000;

/// Tables to read, and one to write.
const TABLES: &str = "
    CREATE TABLE users (id int PRIMARY KEY, name text NOT NULL, email text NOT NULL);
    INSERT INTO users SELECT id, 'User ' || id, 'user' || id || '@example.com' FROM generate_series(10000, 19999) id;
    CREATE TABLE ledger (id int NOT NULL, label text NOT NULL, amount numeric NOT NULL) WITH (autovacuum_enabled = off);
    CREATE TABLE ledger_1m (LIKE ledger);
    INSERT INTO ledger_1m
        SELECT id, 'entry ' || lpad(id::text, 7, '0') || ' of the ledger', ((id::bigint * 7919 % 1000000) / 100.0)::numeric(12, 2)
        FROM generate_series(1, 1000000) id;
    CREATE TABLE ledger_100k (LIKE ledger);
    INSERT INTO ledger_100k SELECT * FROM ledger_1m LIMIT 100000;
";

/// A private PostgreSQL with the tables of the benchmark.
pub(crate) struct Database {
    /// Connection string of a superuser.
    pub(crate) dsn: String,
    admin: Client,
    programs: PathBuf,
    _cluster: Cluster,
}

impl Database {
    /// Starts the server and fills the tables.
    pub(crate) async fn start() -> Database {
        let cluster = Cluster::start().unwrap();
        let first = connect(cluster.connection_string().expose()).await;
        for sql in [
            "CREATE DATABASE load",
            "ALTER DATABASE load SET synchronous_commit = off",
            // A large scan that starts in the middle gives its rows in another order.
            "ALTER DATABASE load SET synchronize_seqscans = off",
        ] {
            first.batch_execute(sql).await.unwrap();
        }
        let dsn = cluster.connection_string_to("load").expose().to_owned();
        let admin = connect(&dsn).await;
        admin.batch_execute(TABLES).await.unwrap();
        admin
            .batch_execute("VACUUM (FREEZE, ANALYZE)")
            .await
            .unwrap();
        admin.batch_execute("CHECKPOINT").await.unwrap();
        Database {
            dsn,
            admin,
            programs: programs(),
            _cluster: cluster,
        }
    }

    /// Empties the table that is written.
    pub(crate) async fn truncate(&self) {
        self.admin.batch_execute("TRUNCATE ledger").await.unwrap();
    }

    /// Number of rows in the table that is written.
    pub(crate) async fn rows(&self) -> u64 {
        let sql = "SELECT count(*) FROM ledger";
        let rows: i64 = self.admin.query_one(sql, &[]).await.unwrap().get(0);
        rows as u64
    }

    /// What the written table holds, in short.
    pub(crate) async fn fingerprint(&self) -> String {
        let sql = "SELECT concat(count(*), ' rows, hash ', sum(hashtextextended(ledger::text, 0))) FROM ledger";
        self.admin.query_one(sql, &[]).await.unwrap().get(0)
    }

    /// The value of a setting of the server.
    pub(crate) async fn setting(&self, name: &str) -> String {
        let sql = "SELECT current_setting($1)";
        self.admin.query_one(sql, &[&name]).await.unwrap().get(0)
    }

    /// Transactions a second of a script of pgbench.
    pub(crate) fn pgbench(&self, script: &Path, clients: u32, seconds: u64) -> f64 {
        let (clients, seconds) = (clients.to_string(), seconds.to_string());
        let mut command = self.program("pgbench");
        command.args(["-n", "-M", "prepared", "-j", "1", "-f"]);
        command.arg(script);
        command.args(["-c", &clients, "-T", &seconds, &self.dsn]);
        number_after(&run(command), "tps = ")
    }

    /// Time that `\copy` takes for a file into the written table.
    pub(crate) fn copy(&self, file: &Path) -> Duration {
        let copy = format!(
            r#"\copy "ledger" ("id", "label", "amount") FROM '{}'"#,
            file.display()
        );
        let mut command = self.program("psql");
        command.args([
            "-X",
            "-v",
            "ON_ERROR_STOP=1",
            "-c",
            r"\timing on",
            "-c",
            &copy,
        ]);
        command.args(["-d", &self.dsn]);
        Duration::from_secs_f64(number_after(&run(command), "Time: ") / 1e3)
    }

    fn program(&self, name: &str) -> Command {
        let mut command = Command::new(self.programs.join(name));
        command.env("LC_ALL", "C");
        command
    }
}

/// Rows as COPY reads them: those of `ledger_1m`, from the first one on.
pub(crate) fn copy_text(rows: u32) -> String {
    rows_as(rows, |out, id, label, amount| {
        writeln!(out, "{id}\t{label}\t{amount}").unwrap();
    })
}

/// The same rows as the elements of a JSON array.
pub(crate) fn json_rows(rows: u32) -> String {
    let text = rows_as(rows, |out, id, label, amount| {
        write!(out, r#"[{id}, "{label}", {amount}], "#).unwrap();
    });
    text.trim_end_matches(", ").to_owned()
}

fn rows_as(rows: u32, write: impl Fn(&mut String, u32, &str, &str)) -> String {
    let mut out = String::new();
    for id in 1..=rows {
        let cents = u64::from(id) * 7919 % 1_000_000;
        let label = format!("entry {id:07} of the ledger");
        write(
            &mut out,
            id,
            &label,
            &format!("{}.{:02}", cents / 100, cents % 100),
        );
    }
    out
}

/// The directory of the server's programs itself: there may be links to some of them only.
fn programs() -> PathBuf {
    let server = bin_dir().unwrap().join("postgres");
    fs::canonicalize(server).unwrap().parent().unwrap().into()
}

fn run(mut command: Command) -> String {
    let output = command.output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(
        output.status.success(),
        "{command:?} failed: {text}{errors}"
    );
    text
}

fn number_after(text: &str, label: &str) -> f64 {
    let (_, rest) = text
        .split_once(label)
        .unwrap_or_else(|| panic!("no {label:?} in {text}"));
    let end = rest
        .find(|c: char| !c.is_ascii_digit() && c != '.')
        .unwrap_or(rest.len());
    rest[..end].parse().unwrap()
}

async fn connect(dsn: &str) -> Client {
    let (client, driver) = tokio_postgres::connect(dsn, NoTls).await.unwrap();
    tokio::spawn(driver);
    client
}
