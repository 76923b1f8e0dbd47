//! A document, and what a reader of Markdown finds in it.

use crate::{repository, tracked};
use pulldown_cmark::{CodeBlockKind, Event, Options, Parser, Tag, TagEnd};
use std::collections::HashMap;
use std::fs;
use std::ops::Range;

/// Where the pages of the book are.
pub(crate) const PAGES: &str = "host/docs/src/";

/// What tells, in front of a block, why it is not run.
const NOT_RUN: &str = "<!-- not run: ";

/// A Markdown file.
#[derive(Debug, Clone)]
pub(crate) struct Document {
    /// Its path in the repository.
    pub(crate) name: String,
    pub(crate) text: String,
}

/// A fenced block of code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Block {
    pub(crate) language: String,
    pub(crate) text: String,
    /// Line of the fence, from 1.
    pub(crate) line: usize,
    /// Why it is not run, where it says so.
    pub(crate) not_run: Option<String>,
    /// Whether only blank lines are between it and the block before.
    pub(crate) follows: bool,
}

/// A link or a picture.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Link {
    pub(crate) target: String,
    pub(crate) line: usize,
    pub(crate) is_image: bool,
}

impl Document {
    pub(crate) fn of(name: &str, text: &str) -> Document {
        Document {
            name: name.into(),
            text: text.into(),
        }
    }

    pub(crate) fn read(name: &str) -> Document {
        let file = repository().join(name);
        let text = fs::read_to_string(file).unwrap_or_else(|error| panic!("{name}: {error}"));
        Document::of(name, &text)
    }

    /// README.md and all pages of the book.
    pub(crate) fn all() -> Vec<Document> {
        let is_page = |file: &String| file.starts_with(PAGES) && file.ends_with(".md");
        let pages = tracked().into_iter().filter(is_page);
        let names = ["README.md".to_owned()].into_iter().chain(pages);
        names.map(|name| Document::read(&name)).collect()
    }

    /// The anchors of its headings, by GitHub's rule.
    pub(crate) fn anchors(&self) -> Vec<String> {
        let mut anchors = Vec::new();
        let mut seen: HashMap<String, usize> = HashMap::new();
        let mut heading = None;
        for (event, _) in self.events() {
            match event {
                Event::Start(Tag::Heading { .. }) => heading = Some(String::new()),
                Event::Text(text) | Event::Code(text) => {
                    if let Some(heading) = &mut heading {
                        heading.push_str(&text);
                    }
                }
                Event::End(TagEnd::Heading(_)) => {
                    let anchor = anchor(&heading.take().unwrap());
                    let before = seen.entry(anchor.clone()).or_default();
                    anchors.push(match *before {
                        0 => anchor,
                        times => format!("{anchor}-{times}"),
                    });
                    *before += 1;
                }
                _ => {}
            }
        }
        anchors
    }

    pub(crate) fn links(&self) -> Vec<Link> {
        let links = self.events().filter_map(|(event, at)| {
            let (target, is_image) = match event {
                Event::Start(Tag::Link { dest_url, .. }) => (dest_url, false),
                Event::Start(Tag::Image { dest_url, .. }) => (dest_url, true),
                _ => return None,
            };
            Some(Link {
                target: target.into_string(),
                line: self.line(&at),
                is_image,
            })
        });
        links.collect()
    }

    /// Code within text, with its line.
    pub(crate) fn code(&self) -> Vec<(usize, String)> {
        let code = self.events().filter_map(|(event, at)| match event {
            Event::Code(text) => Some((self.line(&at), text.into_string())),
            _ => None,
        });
        code.collect()
    }

    pub(crate) fn blocks(&self) -> Vec<Block> {
        let mut blocks: Vec<Block> = Vec::new();
        let mut open: Option<Block> = None;
        let (mut reason, mut follows) = (None, false);
        for (event, at) in self.events() {
            match event {
                Event::Start(Tag::CodeBlock(CodeBlockKind::Fenced(language))) => {
                    open = Some(Block {
                        language: language.into_string(),
                        text: String::new(),
                        line: self.line(&at),
                        not_run: reason.take(),
                        follows,
                    });
                }
                Event::Text(text) if open.is_some() => {
                    open.as_mut().unwrap().text.push_str(&text);
                }
                Event::End(TagEnd::CodeBlock) => {
                    blocks.extend(open.take());
                    follows = true;
                }
                Event::Start(Tag::HtmlBlock) | Event::End(TagEnd::HtmlBlock) => {}
                Event::Html(html) => {
                    let words = html.trim().strip_prefix(NOT_RUN);
                    reason = words
                        .and_then(|words| words.strip_suffix(" -->"))
                        .map(str::to_owned);
                }
                _ => (reason, follows) = (None, false),
            }
        }
        blocks
    }

    fn events(&self) -> impl Iterator<Item = (Event<'_>, Range<usize>)> {
        let options = Options::ENABLE_TABLES
            | Options::ENABLE_FOOTNOTES
            | Options::ENABLE_STRIKETHROUGH
            | Options::ENABLE_TASKLISTS;
        Parser::new_ext(&self.text, options).into_offset_iter()
    }

    fn line(&self, at: &Range<usize>) -> usize {
        1 + self.text[..at.start].matches('\n').count()
    }
}

/// The anchor of a heading.
fn anchor(heading: &str) -> String {
    let kept = heading.chars().filter_map(|c| match c {
        ' ' => Some('-'),
        '-' | '_' => Some(c),
        _ => c.is_alphanumeric().then_some(c),
    });
    kept.flat_map(char::to_lowercase).collect()
}

#[test]
fn a_document_is_read_as_its_readers_do() {
    let document = Document::of(
        "a.md",
        "# The `one` & [the](b.md#c) \"other\"\n# The one\n# The one\n\n\
         1. list\n\n   ```sh\n   a \\\n     b\n   ```\n   ```json\n   {}\n   ```\n\n\
         <!-- not run: because -->\n```sh\n[no](link)\n```\n<!-- not run: for text -->\ntext `cargo x`\n```sh\n```\n![i](i.png)\n",
    );
    assert_eq!(
        document.anchors(),
        ["the-one--the-other", "the-one", "the-one-1"]
    );
    let links: Vec<_> = document
        .links()
        .into_iter()
        .map(|it| (it.target, it.line, it.is_image))
        .collect();
    assert_eq!(
        links,
        [
            ("b.md#c".to_owned(), 1, false),
            ("i.png".to_owned(), 23, true)
        ]
    );
    let blocks = document.blocks();
    let texts: Vec<_> = blocks
        .iter()
        .map(|block| (block.line, block.text.as_str()))
        .collect();
    assert_eq!(
        texts,
        [
            (7, "a \\\n  b\n"),
            (11, "{}\n"),
            (16, "[no](link)\n"),
            (21, "")
        ]
    );
    let reasons: Vec<_> = blocks
        .iter()
        .map(|block| block.not_run.as_deref())
        .collect();
    assert_eq!(reasons, [None, None, Some("because"), None]);
    let follows: Vec<_> = blocks.iter().map(|block| block.follows).collect();
    assert_eq!(follows, [false, true, false, false]);
    assert_eq!(
        document.code(),
        [(1, "one".to_owned()), (20, "cargo x".to_owned())]
    );
}
