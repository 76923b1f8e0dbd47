//! What the recorded cases need around them: a database as it was then, and servers that misbehave.

use airlock::postgres::Cluster;
use airlock_tests::{Database, Server};
use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::thread;
use tokio_postgres::Client;

pub(crate) struct World {
    pub(crate) server: Server,
    /// A superuser in the database `peer`.
    pub(crate) peer: Client,
    placeholders: Vec<(&'static str, String)>,
    _cluster: Cluster,
}

impl World {
    pub(crate) async fn start(variables: &[(&str, &str)]) -> World {
        // Roles and access rules are of a whole cluster.
        let cluster = Cluster::start().unwrap();
        let port = cluster.port();
        let postgres = Database::connect(cluster.connection_string().expose()).await;
        postgres
            .batch_execute("CREATE ROLE peer SUPERUSER LOGIN PASSWORD 'peer'; CREATE ROLE pwuser LOGIN PASSWORD 'right'")
            .await
            .unwrap();
        postgres
            .batch_execute("CREATE DATABASE peer OWNER peer")
            .await
            .unwrap();
        trust_all_but_pwuser(&postgres).await;
        let dsn = format!("dbname=peer user=peer password=peer host=127.0.0.1 port={port}");
        let server = Server::start(env!("CARGO_BIN_EXE_airlock"), &[], variables);
        let placeholders = vec![
            ("{{DSN}}", dsn.clone()),
            (
                "{{DSN_LIMITED}}",
                format!("dbname=peer user=pwuser password=right host=127.0.0.1 port={port}"),
            ),
            ("{{PGPORT}}", port.to_string()),
            ("{{SILENTPORT}}", listen(stay_silent).to_string()),
            ("{{CLOSEPORT}}", listen(drop).to_string()),
            ("{{HTTPPORT}}", listen(answer_http).to_string()),
            ("{{BASE}}", server.base.clone()),
        ];
        let peer = Database::connect(&dsn).await;
        World {
            server,
            peer,
            placeholders,
            _cluster: cluster,
        }
    }

    /// The text with its placeholders filled in.
    pub(crate) fn fill(&self, text: &str) -> String {
        self.placeholders
            .iter()
            .fold(text.to_owned(), |text, (name, value)| {
                text.replace(name, value)
            })
    }
}

/// As it was recorded: everyone is let in but `pwuser`, who needs the right password.
async fn trust_all_but_pwuser(database: &Client) {
    let row = database
        .query_one("SELECT current_setting('hba_file')", &[])
        .await
        .unwrap();
    let file: String = row.get(0);
    fs::write(
        file,
        "host all pwuser 127.0.0.1/32 scram-sha-256\nhost all all 127.0.0.1/32 trust\n",
    )
    .unwrap();
    database
        .batch_execute("SELECT pg_reload_conf()")
        .await
        .unwrap();
    // New sessions see the new rules once the server has read them.
    let rules = "SELECT count(*) FROM pg_hba_file_rules WHERE auth_method = 'trust'";
    assert_eq!(
        database
            .query_one(rules, &[])
            .await
            .unwrap()
            .get::<_, i64>(0),
        1
    );
}

fn listen(serve: fn(TcpStream)) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            thread::spawn(move || serve(stream));
        }
    });
    port
}

fn answer_http(mut stream: TcpStream) {
    let mut request = [0; 8];
    let _ = stream.read(&mut request);
    let _ = stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n");
}

/// Keeps a connection open without a word until the other side closes it.
fn stay_silent(mut stream: TcpStream) {
    let _ = std::io::copy(&mut stream, &mut std::io::sink());
}
