//! Recognises the INSERT statements whose meaning is known to the last word.
//!
//! A batch runs its statement once for each row. Where that statement is nothing but
//! `INSERT INTO table (columns) VALUES ($1, …)`, the same rows can go in by faster statements, which
//! are written here from the words of the original. Whether those mean the same depends on the table
//! and the values, and is decided in `exec/batch.rs`.

use airlock_connector::lex::{self, Kind, Token};

/// `INSERT INTO table (columns) VALUES ($1, $2, …)` with one parameter for each column, in order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlainInsert {
    /// The table as the statement names it.
    pub table: String,
    /// The columns as the statement lists them, separated by commas.
    pub columns: String,
    /// The names of the columns, as the server knows them.
    pub names: Vec<String>,
    /// Number of columns.
    pub width: usize,
}

impl PlainInsert {
    /// Reads `sql`; none where it is anything else, or has anything more.
    #[must_use]
    pub fn recognise(sql: &str) -> Option<PlainInsert> {
        let words = lex::words(sql);
        let mut rest = words.iter();
        word(&mut rest, "insert")?;
        word(&mut rest, "into")?;
        let mut table = name(rest.next()?)?.to_owned();
        let mut next = rest.next()?;
        while next.is(".") {
            table.push('.');
            table.push_str(name(rest.next()?)?);
            next = rest.next()?;
        }
        let mut columns = Vec::new();
        if !next.is("(") {
            return None;
        }
        loop {
            columns.push(name(rest.next()?)?);
            match rest.next()? {
                comma if comma.is(",") => {}
                end if end.is(")") => break,
                _ => return None,
            }
        }
        word(&mut rest, "values")?;
        for at in 0..columns.len() {
            let separator = if at == 0 { "(" } else { "," };
            rest.next().filter(|token| token.is(separator))?;
            let number = rest.next()?.text.strip_prefix('$')?;
            (number.parse::<usize>().ok()? == at + 1).then_some(())?;
        }
        rest.next().filter(|token| token.is(")"))?;
        rest.next().is_none().then_some(PlainInsert {
            table,
            width: columns.len(),
            names: columns.iter().copied().map(unquoted).collect(),
            columns: columns.join(", "),
        })
    }

    /// `COPY table (columns) FROM STDIN`
    #[must_use]
    pub fn copy(&self) -> String {
        ["COPY ", &self.table, " (", &self.columns, ") FROM STDIN"].concat()
    }

    /// The same INSERT with parameters for `rows` rows.
    #[must_use]
    pub fn of_rows(&self, rows: usize) -> String {
        let mut sql = [
            "INSERT INTO ",
            &self.table,
            " (",
            &self.columns,
            ") VALUES ",
        ]
        .concat();
        for row in 0..rows {
            sql.push_str(if row == 0 { "(" } else { ", (" });
            for column in 0..self.width {
                sql.push_str(if column == 0 { "$" } else { ", $" });
                sql.push_str(&(row * self.width + column + 1).to_string());
            }
            sql.push(')');
        }
        sql
    }
}

fn word<'a>(rest: &mut impl Iterator<Item = &'a Token<'a>>, wanted: &str) -> Option<()> {
    rest.next().filter(|token| token.is_word(wanted)).map(drop)
}

fn name<'a>(token: &Token<'a>) -> Option<&'a str> {
    matches!(token.kind, Kind::Word | Kind::QuotedIdent).then_some(token.text)
}

/// What the server takes an identifier for.
fn unquoted(written: &str) -> String {
    match written
        .strip_prefix('"')
        .and_then(|rest| rest.strip_suffix('"'))
    {
        Some(quoted) => quoted.replace("\"\"", "\""),
        None => written.to_ascii_lowercase(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_inserts_are_recognised() {
        let insert =
            PlainInsert::recognise(r#"INSERT INTO "a b".t ("X""", Y) VALUES ($1, $2)"#).unwrap();
        assert_eq!(insert.copy(), r#"COPY "a b".t ("X""", Y) FROM STDIN"#);
        assert_eq!(
            insert.of_rows(2),
            r#"INSERT INTO "a b".t ("X""", Y) VALUES ($1, $2), ($3, $4)"#
        );
        assert_eq!(insert.names, ["X\"", "y"]);
    }

    #[test]
    fn anything_more_is_not() {
        for sql in [
            "INSERT INTO t (a) VALUES ($1) RETURNING a",
            "INSERT INTO t (a) VALUES ($1) ON CONFLICT DO NOTHING",
            "INSERT INTO t (a) VALUES ($1 + 1)",
            "INSERT INTO t (a) VALUES ($2)",
            "INSERT INTO t (a, b) VALUES ($1, $1)",
            "INSERT INTO t (a, b) VALUES ($1)",
            "INSERT INTO t (a) VALUES ($1), ($1)",
            "INSERT INTO t (a) VALUES ($1::text)",
            "INSERT INTO t AS x (a) VALUES ($1)",
            "INSERT INTO t (a) OVERRIDING SYSTEM VALUE VALUES ($1)",
            "INSERT INTO t (a[1]) VALUES ($1)",
            "INSERT INTO t VALUES ($1)",
            "WITH x AS (SELECT 1) INSERT INTO t (a) VALUES ($1)",
            "UPDATE t SET a = $1",
            "INSERT INTO t (a) VALUES ($1);",
            "INSERT INTO t () VALUES ()",
        ] {
            assert_eq!(PlainInsert::recognise(sql), None, "{sql}");
        }
    }
}
