//! What follows the name in a column definition: a type and column constraints.

use super::expression::Place;
use super::{Parsed, Reader, Refused, column_type};
use airlock_connector::Sql;

/// What a foreign key does when the referenced row goes or changes.
const ACTIONS: &[&str] = &[
    "no action",
    "restrict",
    "cascade",
    "set null",
    "set default",
];

/// Constraints that are just key words. Longer phrases come before their beginnings.
const PLAIN_CONSTRAINTS: &[&str] = &[
    "not null",
    "null",
    "primary key",
    "unique nulls not distinct",
    "unique",
    "not deferrable",
    "deferrable",
    "initially deferred",
    "initially immediate",
];

/// Reads `text`, such as `serial PRIMARY KEY` or `timestamp DEFAULT NOW()`, and appends it.
pub(crate) fn column_definition(sql: Sql, text: &str) -> Parsed {
    let mut reader = Reader::new(text)?;
    let mut sql = column_type::data_type(&mut reader, sql)?;
    while reader.peek().is_some() {
        sql = constraint(&mut reader, sql.text(" "))?;
    }
    Ok(sql)
}

fn constraint(reader: &mut Reader<'_>, mut sql: Sql) -> Parsed {
    if reader.takes_words("constraint") {
        sql = sql.text("constraint ").ident(&reader.ident()?).text(" ");
    }
    if let Some(phrase) = reader.takes_phrase(PLAIN_CONSTRAINTS) {
        return Ok(sql.text(phrase));
    }
    if reader.takes_words("default") {
        return reader.expression(sql.text("default "), Place::Default);
    }
    if reader.takes_words("check") {
        let sql = one_in_parentheses(reader, sql.text("check "))?;
        return Ok(if reader.takes_words("no inherit") {
            sql.text(" no inherit")
        } else {
            sql
        });
    }
    if reader.takes_words("collate") {
        return reader.qualified_name(sql.text("collate "));
    }
    if reader.takes_words("references") {
        return references(reader, sql.text("references "));
    }
    if reader.takes_words("generated") {
        return generated(reader, sql.text("generated "));
    }
    Err(reader.unexpected("a column constraint such as NOT NULL, PRIMARY KEY or DEFAULT"))
}

/// Reads a table constraint, such as `PRIMARY KEY (a, b)`, and appends it. None where the text
/// begins with no key word of one.
pub(crate) fn table_constraint(sql: Sql, text: &str) -> Option<Parsed> {
    let mut reader = Reader::new(text).ok()?;
    let mut sql = sql;
    if reader.takes_words("constraint") {
        sql = sql
            .text("constraint ")
            .ident(&reader.ident().ok()?)
            .text(" ");
    }
    const KINDS: &[&str] = &["primary key", "unique", "foreign key", "check"];
    let kind = reader.takes_phrase(KINDS)?;
    if !reader.peek().is_some_and(|token| token.is("(")) {
        return None;
    }
    let sql = sql.text(kind).text(" ");
    Some(constraint_body(&mut reader, sql, kind).and_then(|sql| reader.end().map(|()| sql)))
}

fn constraint_body(reader: &mut Reader<'_>, sql: Sql, kind: &str) -> Parsed {
    if kind == "check" {
        return one_in_parentheses(reader, sql);
    }
    let sql = reader.parenthesised(sql, &mut |r, s| Ok(s.ident(&r.ident()?)))?;
    if kind != "foreign key" {
        return Ok(sql);
    }
    reader.expects_words("references")?;
    references(reader, sql.text(" references "))
}

fn one_in_parentheses(reader: &mut Reader<'_>, sql: Sql) -> Parsed {
    reader.expects("(")?;
    let sql = reader.expression(sql.text("("), Place::Full)?;
    reader.expects(")")?;
    Ok(sql.text(")"))
}

fn references(reader: &mut Reader<'_>, sql: Sql) -> Parsed {
    let mut sql = reader.qualified_name(sql)?;
    if reader.peek().is_some_and(|token| token.is("(")) {
        sql = reader.parenthesised(sql.text(" "), &mut |r, s| Ok(s.ident(&r.ident()?)))?;
    }
    if let Some(kind) = reader.takes_phrase(&["match full", "match partial", "match simple"]) {
        sql = sql.text(" ").text(kind);
    }
    while let Some(event) = reader.takes_phrase(&["on delete", "on update"]) {
        let action = reader
            .takes_phrase(ACTIONS)
            .ok_or_else(|| reader.unexpected("an action such as CASCADE"))?;
        sql = sql.text(" ").text(event).text(" ").text(action);
    }
    Ok(sql)
}

fn generated(reader: &mut Reader<'_>, sql: Sql) -> Parsed {
    let when = reader.takes_phrase(&["always as", "by default as"]);
    let when = when.ok_or_else(|| reader.unexpected("ALWAYS AS or BY DEFAULT AS"))?;
    let sql = sql.text(when).text(" ");
    if !reader.takes_words("identity") {
        let sql = one_in_parentheses(reader, sql)?;
        reader.expects_words("stored")?;
        return Ok(sql.text(" stored"));
    }
    let sql = sql.text("identity");
    if reader.takes("(") {
        sequence_options(reader, sql.text(" ("))
    } else {
        Ok(sql)
    }
}

/// `START WITH 100 INCREMENT BY 10 …`
fn sequence_options(reader: &mut Reader<'_>, mut sql: Sql) -> Parsed {
    const PLAIN: &[&str] = &["no minvalue", "no maxvalue", "no cycle", "cycle"];
    const NUMBERED: &[&str] = &[
        "start with",
        "start",
        "increment by",
        "increment",
        "minvalue",
        "maxvalue",
        "cache",
    ];
    while !reader.takes(")") {
        if let Some(plain) = reader.takes_phrase(PLAIN) {
            sql = sql.text(" ").text(plain);
            continue;
        }
        let Some(option) = reader.takes_phrase(NUMBERED) else {
            return Err(Refused(
                "identity columns take options such as START WITH 100".into(),
            ));
        };
        sql = sql
            .text(" ")
            .text(option)
            .text(if reader.takes("-") { " -" } else { " " });
        sql = sql.number(reader.whole_number()?);
    }
    Ok(sql.text(")"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn definitions_are_rendered_in_canonical_form() {
        for (text, expected) in [
            ("int", "int"),
            ("serial PRIMARY KEY", r#""serial" primary key"#),
            ("varchar(255)", "varchar(255)"),
            ("decimal(10,2)", "decimal(10, 2)"),
            ("double precision", "double precision"),
            ("timestamp DEFAULT NOW()", "timestamp default now()"),
            (
                "timestamp(3) with time zone not null",
                "timestamp(3) with time zone not null",
            ),
            ("interval day to second(3)", "interval day to second(3)"),
            ("integer[][3]", "integer[][3]"),
            ("text DEFAULT '100%s %'", r#""text" default '100%s %'"#),
            (
                "text default 'it''s' not null",
                r#""text" default 'it''s' not null"#,
            ),
            (
                "jsonb NOT NULL DEFAULT '{}'::jsonb",
                r#""jsonb" not null default '{}'::"jsonb""#,
            ),
            ("boolean DEFAULT true", "boolean default true"),
            ("int DEFAULT -1", "int default  -1"),
            (
                "int CHECK (price > 0 AND price < 10)",
                r#"int check ("price" > 0 and "price" < 10)"#,
            ),
            (
                "text CHECK (v IN ('a', 'b'))",
                r#""text" check ("v" in ('a', 'b'))"#,
            ),
            (
                "int REFERENCES s.p (id) ON DELETE CASCADE",
                r#"int references "s"."p" ("id") on delete cascade"#,
            ),
            (
                "int GENERATED ALWAYS AS IDENTITY",
                "int generated always as identity",
            ),
            (
                "int GENERATED BY DEFAULT AS IDENTITY (START WITH 5)",
                "int generated by default as identity ( start with 5)",
            ),
            (
                "int GENERATED ALWAYS AS (a * 2) STORED",
                r#"int generated always as ("a" * 2) stored"#,
            ),
            ("bigint DEFAULT nextval('s')", "bigint default nextval('s')"),
            (
                "uuid DEFAULT gen_random_uuid() UNIQUE",
                r#""uuid" default gen_random_uuid() unique"#,
            ),
            ("my_schema.\"My Type\"", r#""my_schema"."My Type""#),
            ("text COLLATE \"C\"", r#""text" collate "C""#),
        ] {
            let sql = column_definition(Sql::new(""), text).unwrap();
            assert_eq!(sql.as_str(), expected, "{text}");
        }
    }

    #[test]
    fn table_constraints() {
        let read = |text| table_constraint(Sql::new(""), text);
        for (text, expected) in [
            ("PRIMARY KEY (a, B)", r#"primary key ("a", "b")"#),
            ("CONSTRAINT c UNIQUE (a)", r#"constraint "c" unique ("a")"#),
            ("CHECK (a < b)", r#"check ("a" < "b")"#),
            (
                "FOREIGN KEY (a) REFERENCES p (id) ON DELETE CASCADE",
                r#"foreign key ("a") references "p" ("id") on delete cascade"#,
            ),
        ] {
            assert_eq!(read(text).unwrap().unwrap().as_str(), expected, "{text}");
        }
        assert!(read("check text").is_none());
        assert!(read("PRIMARY KEY (a); DROP TABLE t").unwrap().is_err());
        assert!(read("PRIMARY KEY (a) x").unwrap().is_err());
    }

    #[test]
    fn smuggled_sql_is_refused() {
        for text in [
            "",
            "int); DROP TABLE v; --",
            "int; DROP TABLE v",
            "int, b text",
            "int) --",
            "KEY (a",
            "int DEFAULT (SELECT 1)",
            "int DEFAULT pg_sleep(1)",
            "text DEFAULT pg_read_file('/etc/passwd')",
            "int CHECK (true)); DROP TABLE v",
            "int /* x */",
            "int DEFAULT 1; SELECT 1",
            "text DEFAULT E'x'",
            "text DEFAULT $$x$$",
            "int USING INDEX TABLESPACE x",
            "int AS $1",
            "int DEFAULT lo_import('/x')",
            "int REFERENCES t(a) ON DELETE DROP",
            "int[1",
            "varchar(255",
            "text DEFAULT 'open",
        ] {
            assert!(column_definition(Sql::new(""), text).is_err(), "{text}");
        }
    }
}
