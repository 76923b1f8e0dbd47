//! Which values are sealed: JSON Pointers in which the step `*` matches all.

use crate::fault::Fault;

/// A compiled pattern.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pattern(pub(super) Vec<Step>);

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Step {
    /// `*`
    Any,
    /// A key of an object, and the index of an array that it can stand for.
    Key(String, Option<usize>),
}

impl Pattern {
    /// Reads a pattern such as `/where/*/2`.
    ///
    /// # Errors
    /// When it is neither empty nor begins with `/`; the connector is to blame.
    pub fn parse(text: &str) -> Result<Pattern, Fault> {
        let steps = match text.strip_prefix('/') {
            Some(steps) => steps.split('/').map(Step::parse).collect(),
            None if text.is_empty() => Vec::new(),
            None => {
                return Err(Fault::connector(format!(
                    "the sealing pattern {text:?} does not begin with /"
                )));
            }
        };
        Ok(Pattern(steps))
    }
}

impl Step {
    fn parse(text: &str) -> Step {
        match text {
            "*" => Step::Any,
            key => {
                let index = key.parse().ok().filter(|at: &usize| at.to_string() == key);
                Step::Key(key.replace("~1", "/").replace("~0", "~"), index)
            }
        }
    }

    pub(super) fn matches(&self, place: Place<'_>) -> bool {
        match (self, place) {
            (Step::Any, _) => true,
            (Step::Key(key, _), Place::Member(name)) => key == name,
            (Step::Key(_, index), Place::Item(at)) => *index == Some(at),
        }
    }
}

/// Where a value stands in its container.
#[derive(Clone, Copy)]
pub(super) enum Place<'a> {
    Item(usize),
    Member(&'a str),
}
