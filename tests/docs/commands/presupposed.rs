//! What the readers of a page are presupposed to have done, as commands in front of its own.

/// Page and commands. `$DOCS_COMPONENT` is the `postgres_admin` connector.
const PRESUPPOSED: [(&str, &str); 3] = [
    (
        "host/docs/src/configure.md",
        "mkdir connectors
         touch reports-1.4.wasm
         echo 'host=db.example user=archive' > archive.dsn
         export ORDERS_DSN='host=db.example user=airlock'",
    ),
    (
        "host/docs/src/operate.md",
        "echo 'raw_connection_strings = true' > airlock.toml",
    ),
    (
        "host/docs/src/swap.md",
        r#"cp "$DOCS_COMPONENT" reports-1.4.wasm
         cp "$DOCS_COMPONENT" reports-1.5.wasm
         echo '{"connector": "postgres_admin", "command": "ListSchemas", "sealed": {}}' > calls.jsonl"#,
    ),
];

/// The commands in front of those of `page`.
pub(super) fn by(page: &str) -> &'static str {
    let found = PRESUPPOSED.iter().find(|(name, _)| *name == page);
    found.map_or("", |(_, commands)| commands)
}

#[test]
fn pages_that_presuppose_something_are_there() {
    for (page, _) in PRESUPPOSED {
        assert!(crate::repository().join(page).is_file(), "{page}");
    }
}
