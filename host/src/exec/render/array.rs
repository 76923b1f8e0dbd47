//! Arrays as JSON arrays, one level for each dimension. Lower bounds do not show.

use super::Codec;
use super::reader::Reader;

/// As many dimensions as the server allows.
const MOST_DIMENSIONS: usize = 6;

/// Dimensions, flags, element type, then size and lower bound of each dimension, then the elements
/// in row-major order, each behind its length.
pub(super) fn json(element: &Codec, raw: &[u8], out: &mut Vec<u8>) -> Option<()> {
    let mut reader = Reader::new(raw);
    let dimensions = usize::try_from(reader.i32()?).ok()?;
    if dimensions > MOST_DIMENSIONS {
        return None;
    }
    let (_flags, _type) = (reader.i32()?, reader.i32()?);
    let mut sizes = [0; MOST_DIMENSIONS];
    let sizes = sizes.get_mut(..dimensions)?;
    for size in sizes.iter_mut() {
        *size = usize::try_from(reader.i32()?).ok()?;
        let _lower_bound = reader.i32()?;
    }
    let count = match dimensions {
        0 => 0,
        _ => sizes
            .iter()
            .try_fold(1_usize, |count, size| count.checked_mul(*size))?,
    };
    // Each element has a length of four bytes at least.
    if count.checked_mul(4)? > reader.left() {
        return None;
    }
    if count == 0 {
        out.extend_from_slice(b"[]");
    } else {
        level(element, sizes, &mut reader, out)?;
    }
    reader.end()
}

fn level(
    element: &Codec,
    sizes: &[usize],
    reader: &mut Reader<'_>,
    out: &mut Vec<u8>,
) -> Option<()> {
    let (size, inner) = sizes.split_first()?;
    out.push(b'[');
    for at in 0..*size {
        if at > 0 {
            out.push(b',');
        }
        if inner.is_empty() {
            element.json_or_null(reader.value()?, out)?;
        } else {
            level(element, inner, reader, out)?;
        }
    }
    out.push(b']');
    Some(())
}
