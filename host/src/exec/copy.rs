//! COPY: the fastest way in.

use super::bind::{self, Unsuited};
use super::session::Session;
use crate::insert::PlainInsert;
use bytes::{Bytes, BytesMut};
use futures_util::SinkExt as _;
use serde::de::{DeserializeSeed, Deserializer, Error as _, IgnoredAny, SeqAccess, Visitor};
use serde_json::Value;
use serde_json::value::RawValue;
use std::fmt;
use std::pin::pin;
use std::sync::Arc;
use tokio::sync::mpsc;
use tokio_postgres::Error;
use tokio_postgres::types::Type;

/// Size of the pieces in which rows are sent, in bytes.
const PIECE_BYTES: usize = 64 << 10;

/// Pieces that wait to be sent: the server and the encoder work at the same time.
const WAITING: usize = 4;

/// Sends the rows, a JSON array, and returns how many were stored. None where a row or a value would
/// not be stored as INSERT stores it; the transaction must be rolled back then.
pub(super) async fn send(
    session: &mut Session,
    insert: &PlainInsert,
    rows: Arc<RawValue>,
    columns: Vec<Type>,
) -> Result<Option<u64>, Error> {
    let (sender, mut pieces) = mpsc::channel(WAITING);
    let encoder = tokio::task::spawn_blocking(move || {
        encode(rows.get(), &columns, |piece| {
            sender.blocking_send(piece).is_ok()
        })
    });
    let sink = session.client().copy_in::<_, Bytes>(&insert.copy()).await?;
    let mut sink = Box::pin(sink);
    while let Some(piece) = pieces.recv().await {
        // A refusal shows at the end, whatever was sent behind it.
        sink.feed(piece).await?;
    }
    match encoder.await {
        Ok(true) => {
            let (stored, xid) = session.asking().behind(pin!(sink.as_mut().finish())).await;
            session.note_xid(xid);
            stored.map(Some)
        }
        // Dropping the sink ends COPY with an error.
        _ => Ok(None),
    }
}

/// Hands out the rows in COPY's text format, in pieces; false where a row or a value would not be
/// stored as INSERT stores it, or nobody takes the pieces.
fn encode(rows: &str, columns: &[Type], send: impl FnMut(Bytes) -> bool) -> bool {
    let columns: Vec<Column<'_>> = columns.iter().map(Column::of).collect();
    let mut encoder = Encoder {
        columns: &columns,
        out: BytesMut::new(),
        send,
    };
    let mut json = serde_json::Deserializer::from_str(rows);
    json.deserialize_seq(&mut encoder).is_ok() && (encoder.send)(encoder.out.freeze())
}

/// Reads rows and writes them in COPY's text format.
struct Encoder<'c, S> {
    columns: &'c [Column<'c>],
    out: BytesMut,
    send: S,
}

impl<'de, S: FnMut(Bytes) -> bool> Visitor<'de> for &mut Encoder<'_, S> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array of rows")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut rows: A) -> Result<(), A::Error> {
        while let Some(()) = rows.next_element_seed(Row {
            columns: self.columns,
            out: &mut self.out,
        })? {
            if self.out.len() >= PIECE_BYTES {
                let piece = self.out.split().freeze();
                self.out.reserve(PIECE_BYTES + PIECE_BYTES / 8);
                if !(self.send)(piece) {
                    return Err(A::Error::custom("nobody takes the rows"));
                }
            }
        }
        Ok(())
    }
}

struct Row<'a> {
    columns: &'a [Column<'a>],
    out: &'a mut BytesMut,
}

impl<'de> DeserializeSeed<'de> for Row<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<(), D::Error> {
        json.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for Row<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a row of values")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut values: A) -> Result<(), A::Error> {
        for (at, column) in self.columns.iter().enumerate() {
            if at > 0 {
                self.out.extend_from_slice(b"\t");
            }
            let value = values.next_element::<&RawValue>()?;
            value
                .and_then(|value| column.write(value.get(), self.out))
                .ok_or_else(|| A::Error::custom("not as INSERT stores it"))?;
        }
        match values.next_element::<IgnoredAny>()? {
            Some(_) => Err(A::Error::custom("the row has more values than columns")),
            None => {
                self.out.extend_from_slice(b"\n");
                Ok(())
            }
        }
    }
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

    /// Writes one value, given as JSON text. None where INSERT would cast it from the type of its
    /// literal, and that can give something else than reading its text does.
    fn write(&self, json: &str, out: &mut BytesMut) -> Option<()> {
        match json.as_bytes().first()? {
            b'n' => out.extend_from_slice(b"\\N"),
            b't' | b'f' => {
                (self.takes == Takes::Booleans).then_some(())?;
                out.extend_from_slice(json.as_bytes().get(..1)?);
            }
            b'"' if json.contains('\\') => {
                escape(&serde_json::from_str::<String>(json).ok()?, out)?;
            }
            // Without a backslash, nothing in it has a meaning for COPY either.
            b'"' => out.extend_from_slice(json.as_bytes().get(1..json.len() - 1)?),
            b'[' | b'{' => {
                let value: Value = serde_json::from_str(json).ok()?;
                match bind::text(&value, self.of_type) {
                    Ok(text) => escape(text.as_str()?, out)?,
                    Err(Unsuited::Declare(_) | Unsuited::Refuse(_)) => return None,
                }
            }
            _ => self.number(json, out)?,
        }
        Some(())
    }

    fn number(&self, text: &str, out: &mut BytesMut) -> Option<()> {
        match self.takes {
            Takes::Integers | Takes::Numerics | Takes::Floats if text.parse::<i64>().is_ok() => {
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
        let mut sent = Vec::new();
        let encoded = encode(&json!([values]).to_string(), columns, |piece| {
            sent.extend_from_slice(&piece);
            true
        });
        encoded.then(|| String::from_utf8(sent).unwrap())
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
    fn rows_that_do_not_fit_are_left_to_insert() {
        let one = [Type::TEXT];
        for rows in ["[[]]", "[[null, null]]", "[5]", "[{}]", "[null]"] {
            assert!(!encode(rows, &one, |_| true), "{rows}");
        }
        assert!(!encode("[[null]]", &one, |_| false));
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
