//! Links lead somewhere, in the repository's browser and in the built book. Nothing is fetched.
//!
//! mdBook copies what is beside the pages, makes `x.html` of each link to `x.md`, and leaves other links as
//! they are. So a page links to pages and pictures of the book, and to files elsewhere by relative paths
//! that lead there from `host/docs/src` and, as both are as deep, from `host/docs/book`; but not to Markdown
//! elsewhere.

use crate::document::{Document, Link, PAGES};
use crate::tracked;
use std::collections::{BTreeSet, HashMap};
use std::path::Path;

/// The hosts that are linked to. A new one is a decision.
const HOSTS: [&str; 2] = ["github.com", "rustup.rs"];

/// What links may lead to.
struct Places {
    /// Tracked files.
    files: BTreeSet<String>,
    /// Anchors by document.
    anchors: HashMap<String, Vec<String>>,
}

impl Places {
    fn of(files: impl IntoIterator<Item = String>, documents: &[Document]) -> Places {
        let anchors = documents.iter();
        let anchors = anchors.map(|document| (document.name.clone(), document.anchors()));
        Places {
            files: files.into_iter().collect(),
            anchors: anchors.collect(),
        }
    }

    fn is_directory(&self, path: &str) -> bool {
        let inside = format!("{}/", path.trim_end_matches('/'));
        self.files.iter().any(|file| file.starts_with(&inside))
    }

    /// What is wrong with a link of a document.
    fn mistake(&self, document: &Document, link: &Link) -> Option<String> {
        let target = link.target.as_str();
        if let Some((scheme, rest)) = target.split_once(':') {
            let host = rest
                .trim_start_matches("//")
                .split('/')
                .next()
                .unwrap_or_default();
            return match scheme {
                "https" if HOSTS.contains(&host) => None,
                "https" => Some(format!(
                    "leads to {host}, which is not among the hosts of this test"
                )),
                _ => Some("is neither https nor relative".into()),
            };
        }
        let (path, anchor) = target
            .split_once('#')
            .map_or((target, None), |(path, anchor)| (path, Some(anchor)));
        let Some(place) = resolve(&document.name, path) else {
            return Some("leads out of the repository".into());
        };
        if !self.files.contains(&place) && !self.is_directory(&place) {
            return Some(format!("leads to {place}, which is no tracked file"));
        }
        if document.name.starts_with(PAGES) && !place.starts_with(PAGES) {
            if link.is_image {
                return Some(
                    "shows a picture that is not beside the pages, so mdBook does not copy it"
                        .into(),
                );
            }
            if place.ends_with(".md") {
                return Some(
                    "leads to Markdown that is no page, and mdBook makes .html of that".into(),
                );
            }
        }
        let anchor = anchor?;
        let has = self
            .anchors
            .get(&place)
            .is_some_and(|anchors| anchors.iter().any(|it| it == anchor));
        (!has).then(|| format!("{place} has no heading #{anchor}"))
    }
}

/// The path of a target, seen from a document; none where it is outside of the repository.
fn resolve(document: &str, target: &str) -> Option<String> {
    if target.is_empty() {
        return Some(document.to_owned());
    }
    if target.starts_with('/') {
        return None;
    }
    let directory = Path::new(document).parent()?.to_str()?;
    let mut parts: Vec<&str> = Vec::new();
    for part in directory.split('/').chain(target.split('/')) {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop()?;
            }
            part => parts.push(part),
        }
    }
    Some(parts.join("/"))
}

fn mistakes(documents: &[Document], places: &Places) -> Vec<String> {
    let links = documents.iter().flat_map(|document| {
        let links = document.links().into_iter();
        links.map(move |link| (document, link))
    });
    let mistakes = links.filter_map(|(document, link)| {
        let mistake = places.mistake(document, &link)?;
        Some(format!(
            "{}:{}: {} {mistake}",
            document.name, link.line, link.target
        ))
    });
    mistakes.collect()
}

#[test]
fn every_link_leads_somewhere() {
    let documents = Document::all();
    let places = Places::of(tracked(), &documents);
    let mistakes = mistakes(&documents, &places);
    assert!(mistakes.is_empty(), "{}", mistakes.join("\n"));
    let links: Vec<_> = documents.iter().flat_map(Document::links).collect();
    for host in HOSTS {
        let start = format!("https://{host}");
        assert!(
            links.iter().any(|link| link.target.starts_with(&start)),
            "nothing links to {host}"
        );
    }
}

#[test]
fn dead_links_are_told() {
    let page = |name: &str, text: &str| Document::of(&format!("{PAGES}{name}"), text);
    let files = [
        "README.md",
        "src/lib.rs",
        "host/docs/console.png",
        "host/docs/src/i.png",
        "host/docs/src/a.md",
        "host/docs/src/b.md",
    ];
    let told = |text: &str| {
        let documents = [
            page("a.md", text),
            page("b.md", "# Part `one`\n"),
            Document::of("README.md", "# R\n"),
        ];
        let places = Places::of(files.map(str::to_owned), &documents);
        mistakes(&documents, &places).join("\n")
    };
    for alive in [
        "[b](b.md#part-one) [self](#a) [dir](../../../src) [file](../../../src/lib.rs)\n\n# A",
        "[out](https://rustup.rs) [out](https://github.com/a/b) ![i](i.png)",
        "`[code](nowhere.md)`\n\n```sh\n[code](nowhere.md)\n```\n",
        "[b][reference]\n\n[reference]: b.md",
    ] {
        assert_eq!(told(alive), "", "{alive}");
    }
    for (dead, mistake) in [
        (
            "\n[c](c.md)",
            "host/docs/src/a.md:2: c.md leads to host/docs/src/c.md, which is no tracked file",
        ),
        ("[b](b.md#part-two)", "has no heading #part-two"),
        ("[self](#b)\n\n# A", "has no heading #b"),
        ("[r](../../../README.md)", "Markdown that is no page"),
        ("[r](../../../../etc/passwd)", "out of the repository"),
        ("[r](/src/lib.rs)", "out of the repository"),
        ("[f](../../../src/lib.rs#L5)", "has no heading #L5"),
        ("![i](../console.png)", "not beside the pages"),
        ("![i](gone.png)", "no tracked file"),
        ("[out](http://rustup.rs)", "neither https nor relative"),
        ("[out](mailto:a@b.example)", "neither https nor relative"),
        ("<https://evil.example/a>", "leads to evil.example"),
        ("[b][reference]\n\n[reference]: gone.md", "gone.md"),
    ] {
        let told = told(dead);
        assert!(told.contains(mistake), "{dead}: {told}");
    }
}
