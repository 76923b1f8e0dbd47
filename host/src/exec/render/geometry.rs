//! Geometric types: floating-point numbers between brackets.

use super::float;
use super::reader::Reader;

/// The shapes that differ only in brackets and in how many points they have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::exec) enum Shape {
    Point,
    Lseg,
    Box,
    Path,
    Polygon,
    Line,
    Circle,
}

pub(super) fn text(shape: Shape, raw: &[u8], out: &mut Vec<u8>) -> Option<()> {
    let mut reader = Reader::new(raw);
    match shape {
        Shape::Point => point(&mut reader, out)?,
        Shape::Lseg => points(&mut reader, 2, [b'[', b']'], out)?,
        Shape::Box => {
            point(&mut reader, out)?;
            out.push(b',');
            point(&mut reader, out)?;
        }
        Shape::Path => {
            let brackets = if reader.u8()? == 0 { *b"[]" } else { *b"()" };
            let count = reader.count(POINT_BYTES)?;
            points(&mut reader, count, brackets, out)?;
        }
        Shape::Polygon => {
            let count = reader.count(POINT_BYTES)?;
            points(&mut reader, count, *b"()", out)?;
        }
        Shape::Line => {
            out.push(b'{');
            numbers(&mut reader, 3, out)?;
            out.push(b'}');
        }
        Shape::Circle => {
            out.push(b'<');
            point(&mut reader, out)?;
            out.push(b',');
            numbers(&mut reader, 1, out)?;
            out.push(b'>');
        }
    }
    reader.end()
}

/// Two numbers.
const POINT_BYTES: usize = 16;

fn points(
    reader: &mut Reader<'_>,
    count: usize,
    [open, close]: [u8; 2],
    out: &mut Vec<u8>,
) -> Option<()> {
    out.push(open);
    for at in 0..count {
        if at > 0 {
            out.push(b',');
        }
        point(reader, out)?;
    }
    out.push(close);
    Some(())
}

fn point(reader: &mut Reader<'_>, out: &mut Vec<u8>) -> Option<()> {
    out.push(b'(');
    numbers(reader, 2, out)?;
    out.push(b')');
    Some(())
}

fn numbers(reader: &mut Reader<'_>, count: usize, out: &mut Vec<u8>) -> Option<()> {
    for at in 0..count {
        if at > 0 {
            out.push(b',');
        }
        float::text(out, reader.f64()?)?;
    }
    Some(())
}
