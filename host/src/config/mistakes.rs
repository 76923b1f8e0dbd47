//! What is wrong with a configuration file, and where.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::path::Path;

/// Mistakes as they are found, of one file.
pub(super) struct Mistakes<'t> {
    path: &'t Path,
    text: &'t str,
    /// Each with where it stands, as an offset in bytes.
    found: RefCell<Vec<(usize, String)>>,
    /// The keys that were asked for, whether they are there or not.
    keys: RefCell<BTreeSet<String>>,
}

impl<'t> Mistakes<'t> {
    pub(super) fn new(path: &'t Path, text: &'t str) -> Mistakes<'t> {
        Mistakes {
            path,
            text,
            found: RefCell::default(),
            keys: RefCell::default(),
        }
    }

    /// Takes in a mistake.
    pub(super) fn add(&self, at: usize, message: impl Into<String>) {
        self.found.borrow_mut().push((at, message.into()));
    }

    /// Takes in a key that a file can have.
    pub(super) fn note_key(&self, key: String) {
        self.keys.borrow_mut().insert(key);
    }

    /// The keys that a file can have.
    pub(super) fn into_keys(self) -> BTreeSet<String> {
        self.keys.into_inner()
    }

    /// The offsets of the lines that have a mistake so far.
    pub(super) fn lines(&self) -> Vec<usize> {
        let found = self.found.borrow();
        found.iter().map(|(at, _)| self.line(*at)).collect()
    }

    /// Forgets the mistakes behind the first `count` that stand in one of these lines: they follow
    /// from what is wrong there.
    pub(super) fn forget_followers(&self, count: usize, lines: &[usize]) {
        let mut number = 0;
        self.found.borrow_mut().retain(|(at, _)| {
            number += 1;
            number <= count || !lines.contains(&self.line(*at))
        });
    }

    /// Offset of the line that holds this offset.
    fn line(&self, at: usize) -> usize {
        let before = self.text.get(..at).unwrap_or(self.text);
        before.rfind('\n').map_or(0, |end| end + 1)
    }

    /// `FILE:LINE:COLUMN: message` for each, in the order of the file. Lines and columns count from 1,
    /// columns in characters.
    pub(super) fn into_lines(self) -> Vec<String> {
        let mut found = self.found.take();
        found.sort_by_key(|(at, _)| *at);
        let place = |at: usize| {
            let before = self.text.get(..at).unwrap_or(self.text);
            let line = self.line(at);
            let column = before.get(line..).unwrap_or_default().chars().count() + 1;
            (before.matches('\n').count() + 1, column)
        };
        let lines = found.into_iter().map(|(at, message)| {
            let (line, column) = place(at);
            format!("{}:{line}:{column}: {message}", self.path.display())
        });
        lines.collect()
    }
}

/// The one of `known` that `given` may have been meant to be.
pub(super) fn nearest<'k>(
    given: &str,
    known: impl IntoIterator<Item = &'k str>,
) -> Option<&'k str> {
    /// Letters that a third of a word may differ in, and one at least.
    const TOLERANCE: usize = 3;
    let near = known.into_iter().map(|known| {
        let distance = strsim::damerau_levenshtein(given, known);
        (distance, known)
    });
    near.filter(|(distance, known)| *distance <= (known.len() / TOLERANCE).max(1))
        .min()
        .map(|(_, known)| known)
}
