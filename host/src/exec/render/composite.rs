//! Composites as JSON objects.

use super::reader::Reader;
use super::{Codec, text};

/// One field of a composite.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::exec) struct Field {
    pub(super) name: String,
    /// Type by number, to notice a definition that has changed.
    pub(super) oid: u32,
    pub(super) codec: Codec,
}

/// How many fields, then the type of each and its value behind its length.
///
/// None where the fields are not these: the definition can change while a connection is open.
pub(super) fn json(fields: &[Field], raw: &[u8], out: &mut Vec<u8>) -> Option<()> {
    let mut reader = Reader::new(raw);
    if reader.count(8)? != fields.len() {
        return None;
    }
    out.push(b'{');
    for (at, field) in fields.iter().enumerate() {
        if reader.u32()? != field.oid {
            return None;
        }
        if at > 0 {
            out.push(b',');
        }
        text::string(out, &field.name);
        out.push(b':');
        field.codec.json_or_null(reader.value()?, out)?;
    }
    out.push(b'}');
    reader.end()
}
