//! The book can be built, and its summary lists what is there.

use crate::document::{Document, PAGES};
use crate::repository;
use mdbook_driver::MDBook;
use std::collections::BTreeSet;
use std::fs;
use std::io::{self, Write};
use std::path::Path;
use std::sync::{Arc, Mutex};
use tracing::Level;

/// What is said while a book is built.
#[derive(Clone, Default)]
struct Said(Arc<Mutex<Vec<u8>>>);

impl Write for Said {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Builds the book in a directory; gives each warning.
fn warnings(root: &Path, into: &Path) -> String {
    let said = Said::default();
    let writer = said.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(Level::WARN)
        .with_ansi(false)
        .with_writer(move || writer.clone())
        .finish();
    let built = tracing::subscriber::with_default(subscriber, || {
        let mut book = MDBook::load(root)?;
        book.config.build.build_dir = into.to_owned();
        book.build()
    });
    let mut said = String::from_utf8(said.0.lock().unwrap().clone()).unwrap();
    if let Err(error) = built {
        said += &format!("{error:#}");
    }
    said
}

/// What is in the summary and is no page, and the other way.
fn unlisted(summary: &Document, pages: &[&str]) -> Vec<String> {
    let links = summary.links();
    let listed: BTreeSet<&str> = links.iter().map(|link| link.target.as_str()).collect();
    let pages: BTreeSet<&str> = pages.iter().copied().collect();
    listed
        .symmetric_difference(&pages)
        .map(|page| (*page).to_owned())
        .collect()
}

#[test]
fn it_is_built_without_a_warning() {
    let into = tempfile::tempdir().unwrap();
    let said = warnings(&repository().join("host/docs"), into.path());
    assert_eq!(said, "");
    for document in Document::all() {
        let Some(page) = document.name.strip_prefix(PAGES) else {
            continue;
        };
        if page != "SUMMARY.md" {
            let html = into.path().join(page).with_extension("html");
            assert!(html.is_file(), "{page} was not built");
        }
    }
}

#[test]
fn its_summary_lists_every_page() {
    let all = Document::all();
    let pages = all
        .iter()
        .filter_map(|document| document.name.strip_prefix(PAGES));
    let pages: Vec<_> = pages.filter(|page| *page != "SUMMARY.md").collect();
    assert!(pages.len() > 10, "{pages:?}");
    let unlisted = unlisted(&Document::read(&format!("{PAGES}SUMMARY.md")), &pages);
    assert!(
        unlisted.is_empty(),
        "in SUMMARY.md or there, but not both: {unlisted:?}"
    );
}

#[test]
fn what_is_wrong_with_a_book_is_told() {
    let book = |summary: &str, page: &str| {
        let root = tempfile::tempdir().unwrap();
        let at = |name: &str| root.path().join(name);
        fs::create_dir(at("src")).unwrap();
        fs::write(at("book.toml"), "[book]\ntitle = \"A\"\n").unwrap();
        fs::write(at("src/SUMMARY.md"), summary).unwrap();
        fs::write(at("src/a.md"), page).unwrap();
        warnings(root.path(), &at("built"))
    };
    let summary = "# Summary\n\n- [A](a.md)\n";
    assert_eq!(book(summary, "# A\n\ntext\n"), "");
    let unclosed = book(summary, "# A\n\n<div>\n\ntext\n");
    assert!(unclosed.contains("div"), "{unclosed}");
    let outside = book(summary, "# A\n\n{{#include nowhere.md}}\n");
    assert!(outside.contains("nowhere.md"), "{outside}");
    let wrong = book(
        "# Summary\n\n- [A](a.md\n\n- [A](a.md)\n- [B](b.md)\n- - -\n---\n[",
        "# A\n",
    );
    assert_ne!(wrong, "");
    let summary = Document::of("SUMMARY.md", "- [A](a.md)\n- [B](b.md)\n");
    assert_eq!(unlisted(&summary, &["a.md", "c.md"]), ["b.md", "c.md"]);
}
