//! Types of the server's own bookkeeping.

use super::number::int;
use super::reader::Reader;

/// `16/B374D848`.
pub(super) fn lsn(raw: &[u8], out: &mut Vec<u8>) -> Option<()> {
    let position = u64::from_be_bytes(raw.try_into().ok()?);
    upper_hex(out, position >> 32);
    out.push(b'/');
    upper_hex(out, position & 0xFFFF_FFFF);
    Some(())
}

fn upper_hex(out: &mut Vec<u8>, value: u64) {
    let digits = (value.max(1).ilog2() / 4) + 1;
    for at in (0..digits).rev() {
        let digit = (value >> (at * 4) & 15) as u8;
        out.push(if digit < 10 {
            b'0' + digit
        } else {
            b'A' - 10 + digit
        });
    }
}

/// `(block,offset)`.
pub(super) fn tid(raw: &[u8], out: &mut Vec<u8>) -> Option<()> {
    let mut reader = Reader::new(raw);
    out.push(b'(');
    int(out, reader.u32()?);
    out.push(b',');
    int(out, reader.u16()?);
    out.push(b')');
    reader.end()
}

/// `xmin:xmax:xip,xip`.
pub(super) fn snapshot(raw: &[u8], out: &mut Vec<u8>) -> Option<()> {
    let mut reader = Reader::new(raw);
    let count = reader.count(8)?;
    int(out, reader.u64()?);
    out.push(b':');
    int(out, reader.u64()?);
    out.push(b':');
    for at in 0..count {
        if at > 0 {
            out.push(b',');
        }
        int(out, reader.u64()?);
    }
    reader.end()
}
