//! SQL text of callers on a real PostgreSQL: the next call finds the session as the first one did, and a
//! call that failed has stored nothing.

use crate::Database;
use airlock::fault::{Fault, Kind};
use airlock::postgres::Cluster;
use airlock::{Limits, Parameters, Runtime};
use serde_json::{Value, json};
use std::os::unix::process::CommandExt as _;
use std::process::{Child, Command, Stdio};
use std::sync::LazyLock;
use std::sync::atomic::{AtomicI64, Ordering};
use tokio::runtime;
use tokio_postgres::Client;

/// What stands between the calls of an input.
const NEXT_CALL: &str = "\n====\n";

/// Most calls of one input.
const CALLS: usize = 6;

/// What a login without rights of its own meets: `kept` to be hidden, `journal` to be written.
const SETUP: &str = "CREATE ROLE other; CREATE ROLE fuzz LOGIN PASSWORD 'fuzz'; GRANT other TO fuzz; \
    CREATE TABLE kept (v text); INSERT INTO kept VALUES ('kept'); GRANT SELECT ON kept TO PUBLIC; \
    CREATE TABLE journal (call bigint); GRANT INSERT ON journal TO PUBLIC; \
    CREATE TABLE late (n int UNIQUE DEFERRABLE INITIALLY DEFERRED); GRANT ALL ON late TO PUBLIC";

/// All of a session that can differ from what it was.
///
/// The host sets `default_transaction_read_only` by itself, and settings of the transaction that has
/// ended count as set, so of these only the values are compared.
const SESSION: &str = "SELECT current_user::text, session_user::text, current_schemas(false)::text, \
    (SELECT string_agg(name || '=' || setting, ' ' ORDER BY name) FROM pg_settings \
        WHERE name LIKE '%transaction_%'), \
    (SELECT string_agg(name || '=' || setting, ' ' ORDER BY name) FROM pg_settings \
        WHERE source = 'session' AND name NOT LIKE '%transaction_%'), \
    nullif(current_setting('my.own', true), ''), \
    (SELECT count(*) FROM pg_class WHERE relnamespace = pg_my_temp_schema()), \
    (SELECT count(*) FROM pg_proc WHERE pronamespace = pg_my_temp_schema()), \
    (SELECT count(*) FROM pg_prepared_statements WHERE from_sql), \
    (SELECT count(*) FROM pg_listening_channels()), \
    (SELECT count(*) FROM pg_cursors WHERE is_holdable), \
    (SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid()), \
    (SELECT count(*) FROM pg_stat_activity WHERE usename = 'fuzz' AND pid <> pg_backend_pid() AND state LIKE 'idle in%')";

static WORLD: LazyLock<World> = LazyLock::new(World::start);

/// A server, and a host that has one connection to it.
struct World {
    tokio: runtime::Runtime,
    host: Runtime,
    connection_string: String,
    superuser: Client,
    /// The session as the first call found it.
    clean: Value,
    _cluster: Cluster,
    _guard: Child,
}

/// Takes the input as SQL text for DoSQL; several calls are separated by a line of `====`.
pub fn check(input: &[u8]) {
    let Ok(text) = str::from_utf8(input) else {
        return;
    };
    let world = &*WORLD;
    world.tokio.block_on(async {
        for sql in text.split(NEXT_CALL).take(CALLS) {
            world.play(sql).await;
        }
        assert_eq!(world.session().await, world.clean, "after {text}");
        let select = json!({"table_name": "kept", "schema": {"columns": ["v"]}});
        let kept = world.run("SelectValuesV2", select).await;
        assert_eq!(kept.unwrap(), json!([["kept"]]), "after {text}");
    });
}

impl World {
    fn start() -> World {
        let tokio = runtime::Builder::new_multi_thread();
        let tokio = { tokio }.worker_threads(2).enable_all().build().unwrap();
        let cluster = Cluster::start().unwrap();
        let dsn = cluster.connection_string();
        let superuser = tokio.block_on(Database::connect(dsn.expose()));
        let guard = tokio.block_on(guard(&superuser));
        tokio.block_on(superuser.batch_execute(SETUP)).unwrap();
        let limits = Limits {
            pool_connections: 1,
            ..Limits::default()
        };
        let port = cluster.port();
        let mut world = World {
            host: Runtime::new(limits).unwrap(),
            connection_string: format!(
                "host=127.0.0.1 port={port} dbname=postgres user=fuzz password=fuzz sslmode=disable"
            ),
            superuser,
            clean: Value::Null,
            _cluster: cluster,
            _guard: guard,
            tokio,
        };
        world.clean = world.tokio.block_on(world.session());
        world
    }

    /// Runs the text and a line for the journal, all or nothing.
    async fn play(&self, sql: &str) {
        static CALL: AtomicI64 = AtomicI64::new(0);
        let call = CALL.fetch_add(1, Ordering::Relaxed);
        let line = format!("INSERT INTO public.journal VALUES ({call})");
        let first = call % 2 == 0;
        let sql = match first {
            true => format!("{line};\n{sql}"),
            false => format!("{sql}\n;{line}"),
        };
        let fetches = first && call % 4 == 0;
        let schema = json!({"schema": {"sql": sql, "fetch_results": fetches}});
        let outcome = self.run("DoSQL", schema).await;
        let count = "SELECT count(*) FROM journal WHERE call = $1";
        let stored: i64 = self
            .superuser
            .query_one(count, &[&call])
            .await
            .unwrap()
            .get(0);
        match outcome {
            Ok(_) => assert_eq!(stored, 1, "{sql}"),
            Err(fault) if fault.kind == Kind::OutcomeUnknown => {}
            Err(fault) => assert_eq!(stored, 0, "{fault:?} after {sql}"),
        }
    }

    async fn session(&self) -> Value {
        let schema = json!({"schema": {"sql": SESSION, "fetch_results": true}});
        self.run("DoSQL", schema).await.unwrap()
    }

    async fn run(&self, command: &str, mut call: Value) -> Result<Value, Fault> {
        call["database_connection_str"] = self.connection_string.as_str().into();
        let call = call.to_string();
        let command = self.host.command("postgres_v2", command)?;
        let parameters = Parameters::parse(call.as_bytes())?;
        let reply = self.host.run(&command, parameters).await?;
        let body = reply.body.collect().await?;
        Ok(serde_json::from_slice(&body).unwrap())
    }
}

/// Ends the server and removes its files when this process is gone: a fuzzer does not end by returning.
async fn guard(superuser: &Client) -> Child {
    const FACTS: &str = "SELECT split_part(pg_read_file('postmaster.pid'), E'\\n', 1), current_setting('data_directory')";
    const SCRIPT: &str =
        "cat; kill -INT \"$0\"; while kill -0 \"$0\"; do sleep 1; done; rm -rf \"$1\"";
    let facts = superuser.query_one(FACTS, &[]).await.unwrap();
    let (pid, data): (&str, &str) = (facts.get(0), facts.get(1));
    let directory = data.strip_suffix("/data").unwrap();
    assert!(directory.contains("/airlock-postgres-"), "{directory}");
    Command::new("sh")
        .args(["-c", SCRIPT, pid, directory])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .process_group(0)
        .spawn()
        .unwrap()
}
