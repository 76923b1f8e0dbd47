//! Ranges and multiranges: bounds in their text form.

use super::Codec;
use super::reader::Reader;

const EMPTY: u8 = 0x01;
const LOWER_INCLUSIVE: u8 = 0x02;
const UPPER_INCLUSIVE: u8 = 0x04;
const LOWER_INFINITE: u8 = 0x08;
const UPPER_INFINITE: u8 = 0x10;

/// Flags, then each bound that there is behind its length.
pub(super) fn range(bound: &Codec, raw: &[u8], out: &mut Vec<u8>) -> Option<()> {
    let mut reader = Reader::new(raw);
    let flags = reader.u8()?;
    let has = |flag: u8| flags & flag != 0;
    if has(EMPTY) {
        out.extend_from_slice(b"empty");
        return reader.end();
    }
    out.push(if has(LOWER_INCLUSIVE) { b'[' } else { b'(' });
    if !has(LOWER_INFINITE) {
        write_bound(bound, reader.value()??, out)?;
    }
    out.push(b',');
    if !has(UPPER_INFINITE) {
        write_bound(bound, reader.value()??, out)?;
    }
    out.push(if has(UPPER_INCLUSIVE) { b']' } else { b')' });
    reader.end()
}

/// How many, then each range behind its length.
pub(super) fn multirange(bound: &Codec, raw: &[u8], out: &mut Vec<u8>) -> Option<()> {
    let mut reader = Reader::new(raw);
    let count = reader.count(4)?;
    out.push(b'{');
    for at in 0..count {
        if at > 0 {
            out.push(b',');
        }
        range(bound, reader.value()??, out)?;
    }
    out.push(b'}');
    reader.end()
}

/// Quotes the bound where it is empty or could be taken for something else.
fn write_bound(bound: &Codec, raw: &[u8], out: &mut Vec<u8>) -> Option<()> {
    let start = out.len();
    bound.text(raw, out)?;
    let written = out.get(start..)?;
    if !written.is_empty() && !written.iter().any(needs_quotes) {
        return Some(());
    }
    let written = out.split_off(start);
    out.push(b'"');
    for byte in written {
        if matches!(byte, b'"' | b'\\') {
            out.push(byte);
        }
        out.push(byte);
    }
    out.push(b'"');
    Some(())
}

fn needs_quotes(byte: &u8) -> bool {
    matches!(
        byte,
        b'"' | b'\\' | b'(' | b')' | b'[' | b']' | b',' | b' ' | b'\t'..=b'\r'
    )
}
