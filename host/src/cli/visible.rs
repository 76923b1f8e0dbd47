//! Text that others wrote, such as the summary of a connector, on a terminal.
//!
//! What would move the cursor, colour, hide or turn other text is shown as Rust escapes it.

use std::fmt::{self, Display, Formatter, Write as _};

/// `text` as one line.
pub(super) fn line(text: &str) -> Visible<'_> {
    Visible {
        text,
        has_lines: false,
    }
}

/// `text` with its lines.
pub(super) fn lines(text: &str) -> Visible<'_> {
    Visible {
        text,
        has_lines: true,
    }
}

/// A text in which every character is seen.
pub(super) struct Visible<'t> {
    text: &'t str,
    has_lines: bool,
}

impl Display for Visible<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        for c in self.text.chars() {
            match c {
                '\n' | '\t' if self.has_lines => f.write_char(c)?,
                _ if is_unseen(c) => write!(f, "{}", c.escape_default())?,
                _ => f.write_char(c)?,
            }
        }
        Ok(())
    }
}

/// Whether a character is none that is seen: controls, and marks that join, hide or turn others.
fn is_unseen(c: char) -> bool {
    c.is_control()
        || matches!(
            c,
            '\u{ad}'
                | '\u{61c}'
                | '\u{180e}'
                | '\u{200b}'..='\u{200f}'
                | '\u{2028}'..='\u{202e}'
                | '\u{2060}'..='\u{206f}'
                | '\u{feff}'
                | '\u{fff9}'..='\u{fffb}'
                | '\u{e0000}'..='\u{e007f}'
        )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_more_than_text() {
        let hostile = "a\u{1b}[31mb\r\nc\u{9b}2J\u{202e}d\u{200b}\té ☎";
        assert_eq!(
            line(hostile).to_string(),
            r"a\u{1b}[31mb\r\nc\u{9b}2J\u{202e}d\u{200b}\té ☎"
        );
        assert_eq!(
            lines(hostile).to_string(),
            "a\\u{1b}[31mb\\r\nc\\u{9b}2J\\u{202e}d\\u{200b}\té ☎"
        );
    }
}
