//! What every response says, whoever made it.

use super::raw::{Raw, Response};
use super::{AIRLOCK, serve};
use airlock_tests::{Database, Server};

const EXPECTED: [(&str, &str); 5] = [
    ("x-content-type-options", "nosniff"),
    ("cache-control", "no-store"),
    (
        "content-security-policy",
        "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    ),
    ("referrer-policy", "no-referrer"),
    ("x-frame-options", "DENY"),
];

fn assert_headers(response: &Response) {
    for (name, value) in EXPECTED {
        assert_eq!(response.header(name), Some(value), "{response:?}");
    }
    for absent in ["server", "strict-transport-security"] {
        assert_eq!(response.header(absent), None);
    }
    assert!(response.header("x-request-id").is_some(), "{response:?}");
}

async fn ask(address: &str, request: &str) -> Response {
    let mut raw = Raw::connect(address).await;
    raw.send(request.replace('\n', "\r\n")).await;
    raw.response().await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_response_has_them_on_both_listeners() {
    let token = ("AIRLOCK_ADMIN_TOKEN", "sesame");
    let directory = tempfile::tempdir().unwrap();
    let config = directory.path().join("airlock.toml");
    std::fs::write(&config, "[admin]\nlisten = \"127.0.0.1:0\"\n").unwrap();
    let arguments = ["--config", config.to_str().unwrap()];
    let variables = [token, ("CONNECTOR_PROXY_API_KEY", "sekrit")];
    let server = Server::start(AIRLOCK, &arguments, &variables);
    for (request, status) in [
        ("GET / HTTP/1.1\nHost: a\n\n", 200),
        ("GET /liveness HTTP/1.1\nHost: a\n\n", 200),
        ("GET /v1/commands HTTP/1.1\nHost: a\n\n", 401),
        (
            "GET /v1/commands HTTP/1.1\nHost: a\nSpiff-Connector-Proxy-Api-Key: sekri\n\n",
            401,
        ),
        (
            "GET /v1/commands HTTP/1.1\nHost: a\nSpiff-Connector-Proxy-Api-Key: sekrit\n\n",
            200,
        ),
        ("GET /nowhere HTTP/1.1\nHost: a\n\n", 404),
        ("GET //liveness HTTP/1.1\nHost: a\n\n", 308),
        ("DELETE /liveness HTTP/1.1\nHost: a\n\n", 405),
        ("GET /liveness HTTP/1.1\n\n", 400),
    ] {
        let response = ask(server.address(), request).await;
        assert_eq!(response.status, status, "{request}");
        assert_headers(&response);
    }
    let log = server.log();
    let (_, admin) = log.split_once("administered at http://").unwrap();
    let admin = admin.split_whitespace().next().unwrap();
    for (request, status) in [
        ("GET /v1/status HTTP/1.1\nHost: a\n\n", 401),
        (
            "GET /v1/status HTTP/1.1\nHost: a\nAuthorization: Bearer sesam\n\n",
            401,
        ),
        (
            "GET /v1/status HTTP/1.1\nHost: a\nAuthorization: Bearer sesame\n\n",
            200,
        ),
        (
            "GET /nowhere HTTP/1.1\nHost: a\nAuthorization: Bearer sesame\n\n",
            404,
        ),
    ] {
        let response = ask(admin, request).await;
        assert_eq!(response.status, status, "{request}");
        assert_headers(&response);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn ids_of_requests_are_in_responses_and_in_the_log() {
    let database = Database::fresh().await;
    let (server, _directory) = serve("");
    let call = |sql: &str, id: &'static str| {
        let url = format!("{}/v1/do/postgres_v2/DoSQL", server.base);
        let request = server.http.post(url).json(&super::sql(&database, sql));
        request.header("x-request-id", id).send()
    };
    let response = call("SELECT 1 / 0", "task-1:a/b").await.unwrap();
    assert_eq!(response.headers()["x-request-id"], "task-1:a/b");
    // One that could forge a line is not taken over.
    let response = call("SELECT 1 / 0", "two words").await.unwrap();
    let made = response.headers()["x-request-id"]
        .to_str()
        .unwrap()
        .to_owned();
    assert_eq!(made.len(), 32);
    for id in ["task-1:a/b", &made] {
        super::until_logged(&server, id).await;
    }
    let log = server.log();
    let lines: Vec<_> = log
        .lines()
        .filter(|line| line.contains("DivisionByZero"))
        .collect();
    assert_eq!(lines.len(), 2, "{log}");
    assert!(
        lines[0].contains("task-1:a/b") && lines[1].contains(&made),
        "{log}"
    );
    assert!(!log.contains("two words"));
}
