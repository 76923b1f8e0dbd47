//! Text as JSON strings.

/// Appends a JSON string.
pub(in crate::exec) fn string(out: &mut Vec<u8>, text: &str) {
    out.push(b'"');
    escape(out, text.as_bytes());
    out.push(b'"');
}

/// Appends what `write` appends, as a JSON string.
pub(super) fn quoted(
    out: &mut Vec<u8>,
    write: impl FnOnce(&mut Vec<u8>) -> Option<()>,
) -> Option<()> {
    out.push(b'"');
    let start = out.len();
    write(out)?;
    let written = out.get(start..)?;
    if clean(written) < written.len() {
        let written = out.split_off(start);
        escape(out, &written);
    }
    out.push(b'"');
    Some(())
}

/// Appends `text` with escapes where JSON needs them, in the form that the server gives them.
fn escape(out: &mut Vec<u8>, text: &[u8]) {
    let mut rest = text;
    loop {
        let (run, special) = rest.split_at_checked(clean(rest)).unwrap_or((rest, &[]));
        out.extend_from_slice(run);
        let Some((byte, after)) = special.split_first() else {
            return;
        };
        match byte {
            b'"' => out.extend_from_slice(b"\\\""),
            b'\\' => out.extend_from_slice(b"\\\\"),
            0x08 => out.extend_from_slice(b"\\b"),
            b'\t' => out.extend_from_slice(b"\\t"),
            b'\n' => out.extend_from_slice(b"\\n"),
            0x0C => out.extend_from_slice(b"\\f"),
            b'\r' => out.extend_from_slice(b"\\r"),
            other => {
                out.extend_from_slice(b"\\u00");
                super::bytes::hex(out, &[*other]);
            }
        }
        rest = after;
    }
}

/// How many bytes at the start need no escape; eight at a time while there are any.
fn clean(text: &[u8]) -> usize {
    let (words, _) = text.as_chunks::<8>();
    let clean_words = words
        .iter()
        .take_while(|word| !has_special(u64::from_le_bytes(**word)))
        .count();
    let start = clean_words * 8;
    let rest = text.get(start..).unwrap_or_default();
    let special = |byte: &u8| *byte < 0x20 || matches!(byte, b'"' | b'\\');
    start + rest.iter().position(special).unwrap_or(rest.len())
}

/// Whether any byte of `word` is a control character, a quote or a backslash.
fn has_special(word: u64) -> bool {
    const ONES: u64 = u64::MAX / 255;
    const HIGH: u64 = ONES << 7;
    let below = |word: u64, limit: u64| word.wrapping_sub(ONES * limit) & !word & HIGH;
    let quote = below(word ^ (ONES * u64::from(b'"')), 1);
    let backslash = below(word ^ (ONES * u64::from(b'\\')), 1);
    (below(word, 0x20) | quote | backslash) != 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strings_are_escaped_as_json() {
        let mut texts: Vec<String> = (0..=0x80_u8)
            .map(|byte| format!("abcdefg{}hijklmnop", char::from(byte)))
            .collect();
        texts.extend(
            [
                "",
                "\"",
                "\\",
                "é\u{1f389}é\u{1f389}\n",
                "1234567\"",
                "12345678\"",
            ]
            .map(String::from),
        );
        for text in texts {
            let mut out = Vec::new();
            string(&mut out, &text);
            assert_eq!(out, serde_json::to_vec(&text).unwrap(), "{text:?}");
            let mut again = Vec::new();
            let write = |out: &mut Vec<u8>| {
                out.extend_from_slice(text.as_bytes());
                Some(())
            };
            quoted(&mut again, write).unwrap();
            assert_eq!(again, out, "{text:?}");
        }
    }
}
