//! Types: `varchar(255)`, `timestamp(3) with time zone`, `integer[]`, `my_schema.my_type`.

use super::{Parsed, Reader};
use airlock_connector::Sql;
use airlock_connector::lex::Kind;

/// Types that the server's grammar spells with key words. They go into SQL without quotes, because
/// in quotes they would be other types. Longer phrases come before their beginnings.
const KEYWORD_TYPES: &[&str] = &[
    "double precision",
    "character varying",
    "char varying",
    "national character varying",
    "national char varying",
    "national character",
    "national char",
    "bit varying",
    "bigint",
    "bit",
    "boolean",
    "char",
    "character",
    "dec",
    "decimal",
    "float",
    "int",
    "integer",
    "interval",
    "nchar",
    "numeric",
    "real",
    "smallint",
    "time",
    "timestamp",
    "varchar",
];

/// Key words of `interval day to second`.
const INTERVAL_FIELDS: &[&str] = &[
    "year to month",
    "day to hour",
    "day to minute",
    "day to second",
    "hour to minute",
    "hour to second",
    "minute to second",
    "year",
    "month",
    "day",
    "hour",
    "minute",
    "second",
];

/// Types in front of a string, as in `date '2024-01-31'`.
const LITERAL_TYPES: &str =
    "bytea date inet interval json jsonb numeric text time timestamp timestamptz uuid";

/// The type `word`, if it can stand in front of a string literal.
pub(super) fn literal_type(word: &str) -> Option<&'static str> {
    LITERAL_TYPES
        .split(' ')
        .find(|name| name.eq_ignore_ascii_case(word))
}

/// Reads a type and appends it.
pub(super) fn data_type(reader: &mut Reader<'_>, sql: Sql) -> Parsed {
    let mut sql = match reader.takes_phrase(KEYWORD_TYPES) {
        Some(name) => keyword_type(reader, sql.text(name), name)?,
        None => {
            let sql = reader.qualified_name(sql)?;
            modifiers(reader, sql)?
        }
    };
    if reader.takes_words("array") {
        sql = sql.text(" array");
    }
    while reader.takes("[") {
        sql = sql.text("[");
        if !reader.takes("]") {
            sql = sql.number(reader.whole_number()?);
            reader.expects("]")?;
        }
        sql = sql.text("]");
    }
    Ok(sql)
}

fn keyword_type(reader: &mut Reader<'_>, mut sql: Sql, name: &str) -> Parsed {
    if name == "interval"
        && let Some(fields) = reader.takes_phrase(INTERVAL_FIELDS)
    {
        sql = sql.text(" ").text(fields);
    }
    sql = modifiers(reader, sql)?;
    if matches!(name, "time" | "timestamp")
        && let Some(zone) = reader.takes_phrase(&["with time zone", "without time zone"])
    {
        sql = sql.text(" ").text(zone);
    }
    Ok(sql)
}

/// `(10, 2)`; some extension types take words, such as `geometry(Point, 4326)`.
fn modifiers(reader: &mut Reader<'_>, sql: Sql) -> Parsed {
    if !reader.peek().is_some_and(|token| token.is("(")) {
        return Ok(sql);
    }
    reader.parenthesised(sql, &mut |reader, sql| match reader.peek() {
        Some(token) if token.kind == Kind::Word => Ok(sql.ident(&reader.ident()?)),
        _ if reader.takes("-") => Ok(sql.text("-").number(reader.whole_number()?)),
        _ => Ok(sql.number(reader.whole_number()?)),
    })
}
