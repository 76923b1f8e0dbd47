//! COPY: the fastest way in.

use super::bind::{self, Unsuited};
use super::session::Session;
use crate::insert::PlainInsert;
use bytes::{Bytes, BytesMut};
use futures_util::SinkExt as _;
use serde_json::{Number, Value};
use std::pin::pin;
use tokio_postgres::Error;
use tokio_postgres::types::Type;

/// Size of the pieces in which rows are sent, in bytes.
const PIECE_BYTES: usize = 256 << 10;

/// The rows in COPY's text format, in pieces; none where a value would not be stored as INSERT stores
/// it.
pub(super) fn encode(rows: &[&[Value]], columns: &[Type]) -> Option<Vec<Bytes>> {
    let columns: Vec<Column<'_>> = columns.iter().map(Column::of).collect();
    let mut pieces = Vec::new();
    let mut out = BytesMut::with_capacity(PIECE_BYTES);
    for row in rows {
        for (at, (value, column)) in row.iter().zip(&columns).enumerate() {
            if at > 0 {
                out.extend_from_slice(b"\t");
            }
            column.write(value, &mut out)?;
        }
        out.extend_from_slice(b"\n");
        if out.len() >= PIECE_BYTES {
            pieces.push(std::mem::replace(&mut out, BytesMut::with_capacity(PIECE_BYTES)).freeze());
        }
    }
    pieces.push(out.freeze());
    Some(pieces)
}

/// Sends the rows and returns how many were stored.
pub(super) async fn send(
    session: &mut Session,
    insert: &PlainInsert,
    pieces: Vec<Bytes>,
) -> Result<u64, Error> {
    let sink = session.client().copy_in::<_, Bytes>(&insert.copy()).await?;
    let mut sink = pin!(sink);
    for piece in pieces {
        // A refusal shows at the end, whatever was sent behind it.
        sink.feed(piece).await?;
    }
    sink.finish().await
}

/// What of JSON goes into a column as it is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Takes {
    Integers,
    Numerics,
    Floats,
    Booleans,
    /// Only what the server infers the type of.
    Inferred,
}

struct Column<'t> {
    of_type: &'t Type,
    takes: Takes,
}

impl Column<'_> {
    fn of(of_type: &Type) -> Column<'_> {
        let takes = match *bind::base(of_type) {
            Type::INT2 | Type::INT4 | Type::INT8 => Takes::Integers,
            Type::NUMERIC => Takes::Numerics,
            Type::FLOAT4 | Type::FLOAT8 => Takes::Floats,
            Type::BOOL => Takes::Booleans,
            _ => Takes::Inferred,
        };
        Column { of_type, takes }
    }

    /// Writes one value. None where INSERT would cast it from the type of its literal, and that can
    /// give something else than reading its text does.
    fn write(&self, value: &Value, out: &mut BytesMut) -> Option<()> {
        match value {
            Value::Null => out.extend_from_slice(b"\\N"),
            Value::Bool(value) if self.takes == Takes::Booleans => {
                out.extend_from_slice(if *value { b"t" } else { b"f" });
            }
            Value::Bool(_) => return None,
            Value::Number(number) => self.number(number, out)?,
            Value::String(text) => escape(text, out)?,
            Value::Array(_) | Value::Object(_) => match bind::text(value, self.of_type) {
                Ok(text) => escape(text.as_str()?, out)?,
                Err(Unsuited::Declare(_) | Unsuited::Refuse(_)) => return None,
            },
        }
        Some(())
    }

    fn number(&self, number: &Number, out: &mut BytesMut) -> Option<()> {
        let text = number.as_str();
        match self.takes {
            Takes::Integers | Takes::Numerics | Takes::Floats if number.as_i64().is_some() => {
                // As an integer, -0 is 0.
                let text = if text == "-0" { "0" } else { text };
                out.extend_from_slice(text.as_bytes());
            }
            Takes::Numerics => out.extend_from_slice(text.as_bytes()),
            // Numerics have no negative zero, floats do.
            Takes::Floats if !text.starts_with('-') || has_digits(text) => {
                out.extend_from_slice(text.as_bytes());
            }
            _ => return None,
        }
        Some(())
    }
}

/// Whether a number is not zero.
fn has_digits(text: &str) -> bool {
    let mantissa = text.split(['e', 'E']).next().unwrap_or_default();
    mantissa.bytes().any(|byte| (b'1'..=b'9').contains(&byte))
}

/// Writes text with what has a meaning in the format behind backslashes. None where it holds a NUL.
fn escape(text: &str, out: &mut BytesMut) -> Option<()> {
    let mut rest = text.as_bytes();
    while let Some(at) = rest
        .iter()
        .position(|byte| matches!(byte, b'\\' | b'\t' | b'\n' | b'\r' | 0))
    {
        let (plain, special) = rest.split_at_checked(at)?;
        let (byte, behind) = special.split_first()?;
        out.extend_from_slice(plain);
        out.extend_from_slice(match byte {
            b'\\' => b"\\\\",
            b'\t' => b"\\t",
            b'\n' => b"\\n",
            b'\r' => b"\\r",
            _ => return None,
        });
        rest = behind;
    }
    out.extend_from_slice(rest);
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn copied(values: Value, columns: &[Type]) -> Option<String> {
        let pieces = encode(&[values.as_array().unwrap()], columns)?;
        Some(String::from_utf8(pieces.concat()).unwrap())
    }

    #[test]
    fn rows_are_escaped() {
        assert_eq!(
            copied(
                json!(["a\tb\\N\n", null, true, [1, "x\\"], {"k": "\t"}]),
                &[
                    Type::TEXT,
                    Type::TEXT,
                    Type::BOOL,
                    Type::TEXT_ARRAY,
                    Type::JSONB
                ]
            )
            .as_deref(),
            Some("a\\tb\\\\N\\n\t\\N\tt\t{1,\"x\\\\\\\\\"}\t{\"k\": \"\\\\t\"}\n")
        );
    }

    #[test]
    fn values_that_insert_would_cast_are_left_to_it() {
        let number = |text: &str| serde_json::from_str::<Value>(text).unwrap();
        for (value, column, expected) in [
            (number("1.50"), Type::NUMERIC, Some("1.50\n")),
            (number("-0"), Type::FLOAT8, Some("0\n")),
            (number("-0.0"), Type::FLOAT8, None),
            (number("-0.5"), Type::FLOAT8, Some("-0.5\n")),
            (number("1.5"), Type::INT4, None),
            (number("1e2"), Type::TEXT, None),
            (number("5"), Type::TEXT, None),
            (number("5"), Type::DATE, None),
            (json!(true), Type::TEXT, None),
            (json!("a\u{0}b"), Type::TEXT, None),
            (json!([1.5]), Type::INT4_ARRAY, None),
        ] {
            assert_eq!(
                copied(json!([value]), std::slice::from_ref(&column)).as_deref(),
                expected,
                "{value} {column}"
            );
        }
    }
}
