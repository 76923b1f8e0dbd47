//! Every `sh` block of README.md and of the book is run as it is written.
//!
//! The blocks of a page run in order, in one bash that stops at the first failure, in a copy of the tracked
//! files with the program as `target/release/airlock`. A line that starts a server runs as in another
//! terminal: the next one begins when the server answers, and it is stopped before another one starts there,
//! and at the end of the page, by SIGTERM, after which its exit code has to be 0. `cargo` is a stand-in, see
//! [`cargo`]. A `toml` block that begins with `# airlock.toml` is what its reader keeps under that name.
//!
//! A `json` block directly behind an `sh` block is what its last command printed, if that was JSON; `"…"`
//! stands for a value that is another one each time. A reply that is an error has to be shown there. A block behind `<!-- not run: REASON -->` is not run,
//! and listed in [`NOT_RUN`].

mod cargo;
mod page;
mod ports;
mod presupposed;
mod program;
mod script;

use crate::document::Document;
use page::Page;

/// The languages of blocks. One that a shell or a check could take for another would go unnoticed.
const LANGUAGES: [&str; 6] = ["", "json", "rust", "sh", "sql", "toml"];

/// The blocks that are not run: page, and first line of the block.
const NOT_RUN: &[(&str, &str)] = &[];

#[test]
fn every_block_of_commands_works() {
    let ports = ports::Ports::wait();
    let workspace = cargo::Workspace::here();
    let mut mistakes = Vec::new();
    for document in Document::all() {
        ports.are_free();
        let started = std::time::Instant::now();
        let page = Page::of(document);
        if let Err(mistake) = page.run(&workspace) {
            mistakes.push(mistake);
        }
        eprintln!("{}: {:.1} s", page.name(), started.elapsed().as_secs_f32());
    }
    assert!(mistakes.is_empty(), "{}", mistakes.join("\n\n"));
}

#[test]
fn nothing_is_left_out_unnoticed() {
    let documents = Document::all();
    let blocks = documents.iter().flat_map(|document| {
        let blocks = document.blocks().into_iter();
        blocks.map(move |block| (document.name.clone(), block))
    });
    let blocks: Vec<_> = blocks.collect();
    for (name, block) in &blocks {
        let (language, line) = (block.language.as_str(), block.line);
        assert!(
            LANGUAGES.contains(&language),
            "{name}:{line}: a block of {language}"
        );
    }
    let left_out = blocks
        .into_iter()
        .filter(|(_, block)| block.not_run.is_some());
    let left_out: Vec<_> = left_out
        .map(|(name, block)| {
            (
                name,
                block.text.lines().next().unwrap_or_default().to_owned(),
            )
        })
        .collect();
    let left_out: Vec<_> = left_out
        .iter()
        .map(|(name, line)| (name.as_str(), line.as_str()))
        .collect();
    assert_eq!(left_out, NOT_RUN);
}

/// What is told of a document with this text.
fn told(text: &str) -> String {
    let page = Page::of(Document::of("test.md", text));
    page.run(&cargo::Workspace::here())
        .err()
        .unwrap_or_default()
}

#[test]
fn documents_that_are_wrong_are_told() {
    let ports = ports::Ports::wait();
    for (text, mistake) in [
        (
            "\n```sh\ntrue\nno-such-program a b\n```\n",
            "test.md:4: no-such-program a b",
        ),
        ("```sh\necho said; false\n```\n", "said"),
        (
            "```sh\necho \"$NO_SUCH_VARIABLE\"\n```\n",
            "NO_SUCH_VARIABLE: unbound variable",
        ),
        ("```sh\nfalse | true\n```\n", "test.md:2: "),
        ("```sh\nif\n```\n", "syntax error"),
        ("```sh\ncat a\n```\n", "No such file"),
        (
            "```sh\ntarget/release/airlock fly\n```\n",
            "unrecognized subcommand",
        ),
        // Blocks of a page are one shell.
        (
            "```sh\nmkdir d; cd d\nA=1\n```\n\n```sh\ntest -d ../d -a $A = 2\n```\n",
            "test.md:7: ",
        ),
        (
            "```sh\ntarget/release/airlock serve --listen 192.0.2.1:7004\n```\n",
            "test.md:2: ",
        ),
        (
            "```sh\ntarget/release/airlock serve &\nkill -9 $!\n```\n",
            "test.md:2: the server that was started here ended with exit code 137",
        ),
        (
            "```sh\ntarget/release/airlock serve --config gone.toml &\n```\n",
            "gone.toml",
        ),
        (
            "```sh\necho '{\"a\": [1.0, \"x\"]}'\n```\n\n```json\n{\"a\": [1.0, \"y\"]}\n```\n",
            "test.md:5: ",
        ),
        (
            "```sh\necho '{\"a\": 1}{\"error\": {\"error_code\": \"E\"}}'; echo '{}'\n```\n\n```json\n{}\n```\n",
            "test.md:1: ",
        ),
        (
            "```sh\ncargo test -p no-such-package\n```\n",
            "no-such-package",
        ),
        ("```sh\ncargo fly\n```\n", "cargo fly"),
        (
            "text `cargo test -p airlock --test nowhere`\n",
            "test.md:1: ",
        ),
        (
            "text `airlock serve --no-such`\n",
            "serve has no option --no-such",
        ),
    ] {
        ports.are_free();
        let told = told(text);
        assert!(told.contains(mistake), "{text}\n---\n{told}");
    }
}

#[test]
fn documents_that_are_right_are_not_told() {
    let ports = ports::Ports::wait();
    ports.are_free();
    let text = r#"
```toml
# airlock.toml
[connectors.postgres_v2]
access = "read"
```

```sh
cargo build --release
mkdir -p connectors
cargo run --release -- serve --config airlock.toml --connectors connectors   # a server
curl -s http://127.0.0.1:7004/liveness
```

```json
{"ok": true}
```

```sh
cd connectors
../target/release/airlock serve &
cargo run --release -- health \
  --live
curl -s http://127.0.0.1:7004/v1/commands | head -c 1 > /dev/null || true
echo '{"a": [1, "x"]}'
```
```json
{"a": [1, "…"]}
```

<!-- not run: there is no such program -->
```sh
no-such-program
```

    no-such-program

```text
no-such-program
```
"#;
    assert_eq!(told(text), "");
    // Servers are gone then.
    ports.are_free();
}
