//! What must hold for every input, one module for each place where bytes from outside come in.
//!
//! Each target is a plain function of bytes that panics where a property does not hold. The crate in
//! `tests/fuzz` hands it to libFuzzer; `tests/fuzzing.rs` runs it over the committed corpus and some
//! thousands of mutations that are the same each time, see [`Target::replay`].

pub mod bodies;
pub mod connection_strings;
mod corpus;
pub mod definitions;
pub mod frames;
pub mod identifiers;
pub mod lexer;
mod mutate;
pub mod plans;
pub mod sealing;
pub mod sessions;
mod sql;

/// One fuzz target. Its corpus is in `tests/fuzz/corpus`, under its name.
#[derive(Debug, Clone, Copy)]
pub struct Target {
    /// Name of the target, the corpus and the dictionary.
    pub name: &'static str,
    /// Panics where a property does not hold.
    pub check: fn(&[u8]),
}

/// Every target.
pub const TARGETS: [Target; 9] = [
    Target {
        name: "bodies",
        check: bodies::check,
    },
    Target {
        name: "connection_strings",
        check: connection_strings::check,
    },
    Target {
        name: "definitions",
        check: definitions::check,
    },
    Target {
        name: "frames",
        check: frames::check,
    },
    Target {
        name: "identifiers",
        check: identifiers::check,
    },
    Target {
        name: "lexer",
        check: lexer::check,
    },
    Target {
        name: "plans",
        check: plans::check,
    },
    Target {
        name: "sealing",
        check: sealing::check,
    },
    Target {
        name: "sessions",
        check: sessions::check,
    },
];

/// The target of this name.
#[must_use]
pub fn target(name: &str) -> Target {
    let mut targets = TARGETS.into_iter();
    targets.find(|target| target.name == name).unwrap()
}
