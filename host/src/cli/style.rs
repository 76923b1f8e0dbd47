//! Whether and how output is coloured: on a terminal, unless `NO_COLOR` is set or `TERM` is `dumb` and
//! `CI` is not set; elsewhere where `CLICOLOR_FORCE` is.

use anstream::stream::RawStream;
use anstream::{AutoStream, ColorChoice};

/// Escape sequence of a look.
pub(super) type Look = &'static str;

pub(super) const BOLD: Look = "\x1b[1m";
pub(super) const GOOD: Look = "\x1b[32m";
pub(super) const DOUBTFUL: Look = "\x1b[33m";
pub(super) const BAD: Look = "\x1b[1;31m";

const PLAIN: Look = "\x1b[0m";

/// How one stream is written to.
#[derive(Debug, Clone, Copy)]
pub(super) struct Style {
    is_coloured: bool,
}

impl Style {
    /// The style of `stream`.
    pub(super) fn of(stream: &impl RawStream) -> Style {
        Style {
            is_coloured: AutoStream::choice(stream) != ColorChoice::Never,
        }
    }

    pub(super) fn is_coloured(self) -> bool {
        self.is_coloured
    }

    /// What goes before and behind a text that shall have this look.
    pub(super) fn around(self, look: Look) -> (Look, Look) {
        match self.is_coloured {
            true => (look, PLAIN),
            false => ("", ""),
        }
    }
}
