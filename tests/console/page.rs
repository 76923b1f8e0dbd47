//! The page and its files.

use crate::world::Console;
use reqwest::Method;
use std::fs;
use std::path::Path;

#[tokio::test(flavor = "multi_thread")]
async fn the_page_is_for_everybody() {
    let console = Console::start("", &[]).await;
    let page = console
        .stranger(Method::GET, "/console")
        .send()
        .await
        .unwrap();
    assert_eq!(page.status(), 200);
    let headers = page.headers().clone();
    assert_eq!(headers["content-type"], "text/html; charset=utf-8");
    assert_eq!(
        headers["content-security-policy"],
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'; \
         form-action 'none'; frame-ancestors 'none'; base-uri 'none'"
    );
    assert_eq!(headers["x-frame-options"], "DENY");
    assert_eq!(headers["x-content-type-options"], "nosniff");
    assert_eq!(headers["cache-control"], "no-store");
    let text = page.text().await.unwrap();
    assert!(!text.contains("postgres_v2"), "{text}");
    // Every file is served, and nothing else.
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/http/console");
    for entry in fs::read_dir(directory).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        let path = format!("/console/{name}");
        let file = console.stranger(Method::GET, &path).send().await.unwrap();
        assert_eq!(
            file.status(),
            200,
            "{name} is not in the list of console.rs"
        );
        assert!(file.headers().contains_key("content-type"), "{name}");
    }
    let slash = console
        .stranger(Method::GET, "/console/")
        .send()
        .await
        .unwrap();
    assert_eq!(
        (slash.status().as_u16(), &slash.headers()["location"]),
        (308, &"../console".parse().unwrap())
    );
    for missing in ["/console/other.js", "/console/..%2fadmin.rs"] {
        let response = console.stranger(Method::GET, missing).send().await.unwrap();
        assert_eq!(response.status(), 404, "{missing}");
    }
    // The page is not for those who call.
    let base = &console.world.server.base;
    let http = &console.world.server.http;
    let page = http.get(format!("{base}/console")).send().await.unwrap();
    assert_eq!(page.status(), 404);
}
