//! A server under a policy, and what it answers.

use airlock_tests::{Database, Server};
use serde_json::{Value, json};
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};

pub(crate) const AIRLOCK: &str = env!("CARGO_BIN_EXE_airlock");

/// A database with the table `t`, of one row, and a server that holds postgres_v2 to `rules`.
pub(crate) struct World {
    pub(crate) database: Database,
    pub(crate) server: Server,
}

impl World {
    pub(crate) async fn with(rules: &str) -> World {
        let database = Database::fresh().await;
        let table = "CREATE TABLE t (n int, who text DEFAULT current_user); INSERT INTO t VALUES (1); \
                     CREATE FUNCTION bump() RETURNS int LANGUAGE sql AS 'UPDATE t SET n = n + 1 RETURNING n'";
        database.batch_execute(table).await.unwrap();
        let directory = tempfile::tempdir().unwrap();
        let config = written(
            directory.path(),
            &format!("[connectors.postgres_v2]\n{rules}"),
        );
        let server = Server::start(AIRLOCK, &["--config", &config], &[]);
        World { database, server }
    }

    /// Runs a command on the table `t`.
    pub(crate) async fn call(&self, command: &str, schema: Value) -> (u16, Value) {
        let dsn = &self.database.dsn;
        let call = json!({"database_connection_str": dsn, "table_name": "t", "schema": schema});
        self.server
            .call(&format!("postgres_v2/{command}"), &call)
            .await
    }

    pub(crate) async fn sql_as(&self, dsn: &str, sql: &str) -> (u16, Value) {
        let schema = json!({"sql": sql, "fetch_results": true});
        let call = json!({"database_connection_str": dsn, "schema": schema});
        self.server.call("postgres_v2/DoSQL", &call).await
    }

    pub(crate) async fn sql(&self, sql: &str) -> (u16, Value) {
        self.sql_as(&self.database.dsn, sql).await
    }

    #[track_caller]
    pub(crate) fn denied(&self, (status, reply): (u16, Value), message: &str) {
        let error = &reply["error"];
        assert_eq!(
            (status, &error["error_code"]),
            (403, &json!("PolicyDenied")),
            "{reply}"
        );
        let expected = format!("the policy of postgres_v2 has {message}");
        assert_eq!(error["message"], json!(expected));
        assert_eq!(reply["command_response"]["body"], Value::Null);
    }

    #[track_caller]
    pub(crate) fn failed(&self, (status, reply): (u16, Value), code: &str, says: &str) {
        let error = &reply["error"];
        assert_eq!(
            (status, &error["error_code"]),
            (200, &json!(code)),
            "{reply}"
        );
        assert!(error["message"].as_str().unwrap().contains(says), "{reply}");
    }

    #[track_caller]
    pub(crate) fn answered(&self, (status, reply): (u16, Value), body: Value) {
        assert_eq!((status, &reply["error"]), (200, &Value::Null), "{reply}");
        assert_eq!(reply["command_response"]["body"], body);
    }

    /// The values of `n` in the table.
    pub(crate) async fn rows(&self) -> Vec<i32> {
        rows(&self.database).await
    }
}

pub(crate) async fn rows(database: &Database) -> Vec<i32> {
    let rows = database
        .query("SELECT n FROM t ORDER BY n", &[])
        .await
        .unwrap();
    rows.iter().map(|row| row.get(0)).collect()
}

/// Writes `airlock.toml` and gives its path.
pub(crate) fn written(directory: &Path, text: &str) -> String {
    let file = directory.join("airlock.toml");
    std::fs::write(&file, text).unwrap();
    file.to_str().unwrap().to_owned()
}

pub(crate) fn insert(rows: &[i32]) -> Value {
    let values: Vec<_> = rows.iter().map(|n| json!([n])).collect();
    json!({"columns": ["n"], "values": values})
}

/// Unique in the cluster, which the tests share.
pub(crate) fn role_name(what: &str) -> String {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    format!(
        "{what}_{}_{}",
        std::process::id(),
        NEXT.fetch_add(1, Ordering::Relaxed)
    )
}

impl World {
    /// A world in which a login without rights of its own runs everything as a role that may read and
    /// insert into `t`. Gives the role and the login's connection string.
    pub(crate) async fn with_role(rules: &str) -> (World, String, String) {
        let (role, login) = (role_name("Role \"x\""), role_name("login"));
        let world = World::with(&format!("role = '{role}'\n{rules}")).await;
        let quoted = role.replace('"', "\"\"");
        let grants = format!(
            "CREATE ROLE \"{quoted}\"; GRANT SELECT, INSERT ON t TO \"{quoted}\"; \
             CREATE ROLE {login} LOGIN NOINHERIT PASSWORD 'p'; GRANT \"{quoted}\" TO {login}"
        );
        world.database.batch_execute(&grants).await.unwrap();
        let dsn = &world.database.dsn;
        let keep = |pair: &&str| !pair.starts_with("user=") && !pair.starts_with("password=");
        let rest: Vec<_> = dsn.split(' ').filter(keep).collect();
        let dsn = format!("{} user={login} password=p", rest.join(" "));
        (world, role, dsn)
    }
}
