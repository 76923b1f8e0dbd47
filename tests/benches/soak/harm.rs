//! Calls that mean harm.

use crate::Soak;
use airlock_tests::hostile::Guest;
use serde_json::json;
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;

/// How long one may take.
const PATIENCE: Duration = Duration::from_secs(30);

/// A connector that never ends by itself.
pub(crate) fn looping() -> Vec<u8> {
    let looping = Guest::planning("(loop $again (br $again))");
    looping.called("looping").component()
}

/// Makes the call whose turn it is. How it ends is not looked at: nothing else may notice.
pub(crate) async fn call(soak: &Soak, turn: u64) {
    let dsn = &soak.dsn;
    let sql = |sql: &str| json!({"database_connection_str": dsn, "schema": {"sql": sql}});
    let made = async {
        match turn % 8 {
            0 => post(soak, "looping/C", &json!({"database_connection_str": dsn})).await,
            1 => {
                let dirt =
                    "SET work_mem = '8MB'; SELECT pg_advisory_lock(1); CREATE TEMP TABLE x (a int)";
                post(soak, "postgres_v2/DoSQL", &sql(dirt)).await;
            }
            2 => {
                // It leaves while the database works.
                let call = sql("SELECT pg_sleep(5)");
                let leaving = post(soak, "postgres_v2/DoSQL", &call);
                let _ = timeout(Duration::from_millis(20), leaving).await;
            }
            3 => raw(soak, b"GET / HTTP/1.1\r\nHost: x\r\nX: \0\r\n\r\n").await,
            4 => {
                let head = b"POST /v1/do/postgres_v2/DoSQL HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 99999999999\r\n\r\n{";
                raw(soak, head).await;
            }
            5 => {
                let metadata = json!({"database_connection_str": "host=169.254.169.254 user=u", "schema": {"sql": "SELECT 1"}});
                post(soak, "postgres_v2/DoSQL", &metadata).await;
            }
            6 => {
                let many = "SELECT repeat('x', 1000000) FROM generate_series(1, 1000)";
                let mut call = sql(many);
                call["schema"]["fetch_results"] = true.into();
                let leaving = post(soak, "postgres_v2/DoSQL", &call);
                let _ = timeout(Duration::from_millis(50), leaving).await;
            }
            _ => {
                let deep = format!("{{\"schema\": {}1{}}}", "[".repeat(5000), "]".repeat(5000));
                let head = format!(
                    "POST /v1/do/postgres_v2/DoSQL HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{deep}",
                    deep.len()
                );
                raw(soak, head.as_bytes()).await;
            }
        }
    };
    timeout(PATIENCE, made).await.expect("a call hangs");
}

async fn post(soak: &Soak, path: &str, call: &serde_json::Value) {
    let server = &soak.world.server;
    let url = format!("{}/v1/do/{path}", server.base);
    if let Ok(response) = server.http.post(url).json(call).send().await {
        let _ = response.bytes().await;
    }
}

async fn raw(soak: &Soak, bytes: &[u8]) {
    let address = soak.world.server.base.trim_start_matches("http://");
    let Ok(mut stream) = TcpStream::connect(address).await else {
        return;
    };
    if stream.write_all(bytes).await.is_ok() {
        let mut answer = [0; 256];
        let _ = timeout(Duration::from_millis(500), stream.read(&mut answer)).await;
    }
}
