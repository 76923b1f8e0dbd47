//! Whole texts: a table, a select list item, an ORDER BY item, the left side of a condition.

use super::expression::Place;
use super::{Parsed, Reader};
use airlock_connector::Sql;
use airlock_connector::lex::Kind;

/// `table [[AS] alias]`
pub(crate) fn table(sql: Sql, text: &str) -> Parsed {
    let mut reader = Reader::new(text)?;
    let mut sql = reader.qualified_name(sql)?;
    if reader.takes_words("as") || reader.words.len() == reader.at + 1 {
        sql = sql.text(" as ").ident(&reader.ident()?);
    }
    reader.end()?;
    Ok(sql)
}

/// `table, table … [CASCADE | RESTRICT]`
pub(crate) fn dropped_tables(sql: Sql, text: &str) -> Parsed {
    let mut reader = Reader::new(text)?;
    let mut sql = reader.qualified_name(sql)?;
    while reader.takes(",") {
        sql = reader.qualified_name(sql.text(", "))?;
    }
    if let Some(behaviour) = reader.takes_phrase(&["cascade", "restrict"]) {
        sql = sql.text(" ").text(behaviour);
    }
    reader.end()?;
    Ok(sql)
}

/// What SELECT reads from: a table, or `generate_series(…)`.
pub(crate) fn source(sql: Sql, text: &str) -> Parsed {
    let mut reader = Reader::new(text)?;
    if !reader.takes_words("generate_series") {
        return table(sql, text);
    }
    let mut sql = reader.parenthesised(sql.text("generate_series"), &mut |reader, sql| {
        reader.expression(sql, Place::Scalar)
    })?;
    if reader.takes_words("as") || reader.peek().is_some() {
        sql = sql.text(" as ").ident(&reader.ident()?);
    }
    reader.end()?;
    Ok(sql)
}

/// One text of a select list: `*`, or expressions with optional aliases, separated by commas.
pub(crate) fn select_items(sql: Sql, text: &str) -> Parsed {
    let mut reader = Reader::new(text)?;
    let mut sql = sql;
    // A key word only in front of an expression; else it is a column of that name.
    let distinct = reader
        .peek_second()
        .is_some_and(|next| !next.is(",") && !next.is(".") && !next.is_word("as"));
    if distinct && reader.takes_words("distinct") {
        sql = sql.text("distinct ");
    }
    sql = select_item(&mut reader, sql)?;
    while reader.takes(",") {
        sql = select_item(&mut reader, sql.text(", "))?;
    }
    reader.end()?;
    Ok(sql)
}

fn select_item(reader: &mut Reader<'_>, sql: Sql) -> Parsed {
    if reader.takes("*") {
        return Ok(sql.text("*"));
    }
    let sql = reader.expression(sql, Place::Full)?;
    let named = reader.takes_words("as")
        || reader
            .peek()
            .is_some_and(|t| matches!(t.kind, Kind::Word | Kind::QuotedIdent));
    if named {
        Ok(sql.text(" as ").ident(&reader.ident()?))
    } else {
        Ok(sql)
    }
}

/// An expression without comparison or logic.
pub(crate) fn scalar(sql: Sql, text: &str) -> Parsed {
    let mut reader = Reader::new(text)?;
    let sql = reader.expression(sql, Place::Scalar)?;
    reader.end()?;
    Ok(sql)
}

/// `expression [ASC | DESC] [NULLS FIRST | NULLS LAST], …`
pub(crate) fn order(sql: Sql, text: &str) -> Parsed {
    let mut reader = Reader::new(text)?;
    let sql = reader.order(sql)?;
    reader.end()?;
    Ok(sql)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn select(text: &str) -> Option<String> {
        select_items(Sql::new(""), text)
            .ok()
            .map(|sql| sql.as_str().to_owned())
    }

    #[test]
    fn select_lists() {
        for (text, expected) in [
            ("*", "*"),
            ("id", r#""id""#),
            ("ID", r#""id""#),
            ("\"Col A\"", r#""Col A""#),
            ("t.*", r#""t".*"#),
            ("a.id", r#""a"."id""#),
            ("id*2 AS dbl", r#""id" * 2 as "dbl""#),
            ("upper(name)", r#"upper("name")"#),
            ("count(*)", "count(*)"),
            ("count(DISTINCT name) n", r#"count(distinct "name") as "n""#),
            ("id % 2", r#""id" % 2"#),
            ("created_at::text", r#""created_at"::"text""#),
            ("cast(id as varchar(5))", r#"cast("id" as varchar(5))"#),
            ("extract(year from d)", r#"extract(year from "d")"#),
            (
                "coalesce(name, 'none') AS \"Name\"",
                r#"coalesce("name", 'none') as "Name""#,
            ),
            ("data->>'a'", r#""data" ->> 'a'"#),
            ("tags[1]", r#""tags"[1]"#),
            ("1", "1"),
            ("- -n", r#" - -"n""#),
            (
                "CASE WHEN n > 5 THEN 'big' ELSE 'small' END",
                r#"case when "n" > 5 then 'big' else 'small' end"#,
            ),
            ("n IS NULL", r#""n" is null"#),
            ("n IS NULL AND NOT b", r#""n" is null and not "b""#),
            ("n BETWEEN 1 AND 2", r#""n" between 1 and 2"#),
            (
                "n IN (1, 2) OR n IS NOT NULL",
                r#""n" in (1, 2) or "n" is not null"#,
            ),
            (
                "row_number() OVER (PARTITION BY a ORDER BY b DESC)",
                r#"row_number() over (partition by "a" order by "b" desc)"#,
            ),
            ("id, name", r#""id", "name""#),
            ("DISTINCT name", r#"distinct "name""#),
            ("distinct", r#""distinct""#),
            ("current_date", "current_date"),
            ("current_timestamp(3)", "current_timestamp(3)"),
            ("date '2024-01-31'", "date '2024-01-31'"),
            ("'a\\b'", r" E'a\\b'"),
        ] {
            assert_eq!(select(text).as_deref(), Some(expected), "{text}");
        }
    }

    #[test]
    fn anything_else_is_refused() {
        for text in [
            "",
            "id;",
            "id FROM t",
            "id) FROM t --",
            "(SELECT 1)",
            "id UNION SELECT 1",
            "pg_sleep(1)",
            "pg_catalog.pg_sleep(1)",
            "\"pg_sleep\"(1)",
            "lo_unlink(1)",
            "set_config('a','b',false)",
            "pg_read_file('/etc/passwd')",
            "query_to_xml('x',true,true,'')",
            "nextval('s')",
            "id AS a b",
            "id +",
            "'open",
            "$1",
            "id -- x",
            "id /* x */",
            "E'x'",
            "$$x$$",
            "a.b.c(1)",
            "exists(select 1)",
        ] {
            assert_eq!(select(text), None, "{text}");
        }
        assert_eq!(select(&"(".repeat(100_000)), None);
    }

    #[test]
    fn tables_and_where_columns() {
        let table = |text| {
            super::table(Sql::new(""), text)
                .ok()
                .map(|sql| sql.as_str().to_owned())
        };
        assert_eq!(
            table("public.users").as_deref(),
            Some(r#""public"."users""#)
        );
        assert_eq!(table("users AS q").as_deref(), Some(r#""users" as "q""#));
        assert_eq!(table("users q").as_deref(), Some(r#""users" as "q""#));
        for text in [
            "t; DROP TABLE t",
            "t ORDER BY id",
            "t a JOIN t b",
            "(SELECT 1) q",
            "f(1)",
            "t, u",
            "",
        ] {
            assert_eq!(table(text), None, "{text}");
        }
        let scalar = |text| {
            super::scalar(Sql::new(""), text)
                .ok()
                .map(|sql| sql.as_str().to_owned())
        };
        assert_eq!(scalar("lower(name)").as_deref(), Some(r#"lower("name")"#));
        assert_eq!(scalar("id %% 2").as_deref(), Some(r#""id" % 2"#));
        for text in [
            "1=1 OR id",
            "id = 3 OR name",
            "id OR id",
            "id IS NULL",
            "id) OR (1",
            "id, id",
        ] {
            assert_eq!(scalar(text), None, "{text}");
        }
    }
}
