//! Byte strings, bit strings and identifiers in hexadecimal.

use super::reader::Reader;
use crate::exec::settings::ByteaOutput;

const DIGITS: [u8; 16] = *b"0123456789abcdef";

/// Two lower-case digits for each byte.
pub(super) fn hex(out: &mut Vec<u8>, bytes: &[u8]) {
    let digit = |value: u8| DIGITS.get(usize::from(value)).copied().unwrap_or(b'0');
    let pairs = bytes
        .iter()
        .flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]);
    out.extend(pairs);
}

/// `bytea` in the form that the session asks for.
pub(super) fn bytea(form: ByteaOutput, raw: &[u8], out: &mut Vec<u8>) {
    match form {
        ByteaOutput::Hex => {
            out.extend_from_slice(b"\\x");
            hex(out, raw);
        }
        ByteaOutput::Escape => raw.iter().for_each(|byte| match byte {
            b'\\' => out.extend_from_slice(b"\\\\"),
            0x20..0x7F => out.push(*byte),
            _ => octal(out, *byte),
        }),
    }
}

fn octal(out: &mut Vec<u8>, byte: u8) {
    let digit = |shift: u8| b'0' + (byte >> shift & 7);
    out.extend_from_slice(&[b'\\', digit(6), digit(3), digit(0)]);
}

/// The one-byte type `"char"`: nothing for zero, octal for what is not ASCII.
pub(super) fn internal_char(out: &mut Vec<u8>, byte: u8) {
    match byte {
        0 => {}
        1..0x80 => out.push(byte),
        _ => octal(out, byte),
    }
}

/// `a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11`.
pub(super) fn uuid(raw: &[u8], out: &mut Vec<u8>) -> Option<()> {
    let mut reader = Reader::new(raw);
    for (at, length) in [4, 2, 2, 2, 6].into_iter().enumerate() {
        if at > 0 {
            out.push(b'-');
        }
        hex(out, reader.take(length)?);
    }
    reader.end()
}

/// A length in bits, then the bits from the highest of the first byte on.
pub(super) fn bits(raw: &[u8], out: &mut Vec<u8>) -> Option<()> {
    let mut reader = Reader::new(raw);
    let length = usize::try_from(reader.i32()?).ok()?;
    let bytes = reader.take(length.div_ceil(8))?;
    let digits = bytes
        .iter()
        .flat_map(|byte| (0..8).rev().map(move |at| b'0' + (byte >> at & 1)));
    out.extend(digits.take(length));
    reader.end()
}

/// `08:00:2b:01:02:03`, of any length.
pub(super) fn mac(raw: &[u8], out: &mut Vec<u8>) {
    for (at, byte) in raw.iter().enumerate() {
        if at > 0 {
            out.push(b':');
        }
        hex(out, &[*byte]);
    }
}
