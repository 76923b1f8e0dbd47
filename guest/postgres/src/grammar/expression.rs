//! Expressions over columns: operators, casts, calls of pure functions, CASE.

use super::{Parsed, Reader, Refused, column_type, functions, shorten, string_value};
use airlock_connector::Sql;
use airlock_connector::lex::{Kind, Token};

/// Where an expression stands, which decides what it may hold.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// Anything: select lists, CHECK, generated columns, inside parentheses.
    Full,
    /// No comparison and no logic: the left side of a where condition, ORDER BY.
    Scalar,
    /// Like [`Place::Scalar`], and sequences may be advanced: column defaults.
    Default,
}

/// Operators that compute.
const COMPUTING: &[&str] = &[
    "+", "-", "*", "/", "%", "^", "||", "->", "->>", "#>", "#>>", "&", "|", "#", "<<", ">>",
];

/// Operators that compare.
const COMPARING: &[&str] = &[
    "=", "<>", "!=", "<", ">", "<=", ">=", "~", "~*", "!~", "!~*", "@>", "<@", "&&", "?", "?|",
    "?&",
];

/// Key words that stand between two operands. Longer phrases come before their beginnings.
const CONNECTING: &[&str] = &[
    "and",
    "or",
    "not like",
    "like",
    "not ilike",
    "ilike",
    "not between",
    "between",
    "is not distinct from",
    "is distinct from",
];

/// Key words that follow an operand.
const TESTING: &[&str] = &[
    "is not null",
    "is null",
    "is not true",
    "is true",
    "is not false",
    "is false",
    "is not unknown",
    "is unknown",
];

/// Fields of EXTRACT.
const FIELDS: &[&str] = &[
    "century",
    "day",
    "decade",
    "dow",
    "doy",
    "epoch",
    "hour",
    "isodow",
    "isoyear",
    "julian",
    "microseconds",
    "millennium",
    "milliseconds",
    "minute",
    "month",
    "quarter",
    "second",
    "timezone",
    "week",
    "year",
];

impl Reader<'_> {
    /// `operand [operator operand] …`, in the order in which it is written.
    pub(super) fn expression(&mut self, sql: Sql, place: Place) -> Parsed {
        self.nest(|reader| {
            let mut sql = reader.operand(sql, place)?;
            loop {
                if let Some(test) = reader.phrase_in(place, TESTING) {
                    sql = sql.text(" ").text(test);
                } else if let Some(phrase) = reader.phrase_in(place, &["not in", "in"]) {
                    sql = reader.list(sql.text(" ").text(phrase).text(" "))?;
                } else if let Some(operator) = reader.operator(place) {
                    sql = reader.operand(sql.text(" ").text(operator).text(" "), place)?;
                } else {
                    return Ok(sql);
                }
            }
        })
    }

    /// `(expression, expression …)`
    fn list(&mut self, sql: Sql) -> Parsed {
        self.parenthesised(sql, &mut |reader, sql| reader.expression(sql, Place::Full))
    }

    fn phrase_in(&mut self, place: Place, phrases: &[&'static str]) -> Option<&'static str> {
        if place == Place::Full {
            self.takes_phrase(phrases)
        } else {
            None
        }
    }

    fn operator(&mut self, place: Place) -> Option<&'static str> {
        let token = self.peek()?;
        let pick = |list: &[&'static str]| list.iter().copied().find(|text| token.is(text));
        // Those who came to write %% for % may go on doing so.
        let symbol = pick(COMPUTING)
            .or_else(|| token.is("%%").then_some("%"))
            .or_else(|| pick(COMPARING).filter(|_| place == Place::Full));
        self.at += usize::from(symbol.is_some());
        symbol.or_else(|| self.phrase_in(place, CONNECTING))
    }

    /// `[NOT] [sign] value [::type] [[subscript]] [COLLATE name] …`
    fn operand(&mut self, mut sql: Sql, place: Place) -> Parsed {
        while self.phrase_in(place, &["not"]).is_some() {
            sql = sql.text("not ");
        }
        while let Some(sign) = self.peek().filter(|token| token.is("-") || token.is("+")) {
            self.at += 1;
            // The space keeps two signs from becoming a comment.
            sql = sql.text(if sign.is("-") { " -" } else { " +" });
        }
        sql = self.value(sql, place)?;
        loop {
            if self.takes("::") {
                sql = column_type::data_type(self, sql.text("::"))?;
            } else if self.takes("[") {
                sql = self.expression(sql.text("["), Place::Scalar)?;
                if self.takes(":") {
                    sql = self.expression(sql.text(":"), Place::Scalar)?;
                }
                self.expects("]")?;
                sql = sql.text("]");
            } else if self.takes_words("at time zone") {
                sql = sql.text(" at time zone ").literal(&self.string()?);
            } else if self.takes_words("collate") {
                sql = self.qualified_name(sql.text(" collate "))?;
            } else {
                return Ok(sql);
            }
        }
    }

    fn value(&mut self, sql: Sql, place: Place) -> Parsed {
        let Some(token) = self.peek() else {
            return Err(self.unexpected("an expression"));
        };
        let called = self.peek_second().is_some_and(|next| next.is("("));
        match token.kind {
            Kind::Number => {
                self.at += 1;
                Ok(sql.number_token(token))
            }
            Kind::String => {
                self.at += 1;
                Ok(sql.literal(&string_value(token)?))
            }
            Kind::Punctuation if token.is("(") => self.list(sql),
            Kind::Word if called => self.call(sql, token, place),
            Kind::Word => self.word(sql, token, place),
            Kind::QuotedIdent => self.column(sql),
            _ => Err(self.unexpected("an expression")),
        }
    }

    /// A column, a key word that is a value, CASE, ARRAY or a typed literal.
    fn word(&mut self, sql: Sql, token: Token<'_>, place: Place) -> Parsed {
        let next = self.peek_second();
        if token.is_word("case") {
            self.at += 1;
            return self.case(sql.text("case"));
        }
        if token.is_word("array") && next.is_some_and(|next| next.is("[")) {
            self.at += 2;
            return self.array(sql.text("array["), place);
        }
        if next.is_some_and(|next| next.kind == Kind::String) {
            let Some(name) = column_type::literal_type(token.text) else {
                return Err(self.unexpected("a type in front of the string"));
            };
            self.at += 1;
            return Ok(sql.text(name).text(" ").literal(&self.string()?));
        }
        if let Some(value) = functions::value(token.text) {
            self.at += 1;
            return Ok(sql.text(value));
        }
        self.column(sql)
    }

    /// `column`, `table.column` or `table.*`
    fn column(&mut self, sql: Sql) -> Parsed {
        let mut sql = sql.ident(&self.ident()?);
        while self.takes(".") {
            if self.takes("*") {
                return Ok(sql.text(".*"));
            }
            sql = sql.text(".").ident(&self.ident()?);
        }
        match self.peek() {
            Some(next) if next.is("(") => Err(Refused(
                "functions with a qualified or quoted name cannot be called here; use DoSQL".into(),
            )),
            _ => Ok(sql),
        }
    }

    /// `function(argument, …) [FILTER (WHERE …)] [OVER (…)]`, CAST or EXTRACT.
    fn call(&mut self, sql: Sql, name: Token<'_>, place: Place) -> Parsed {
        self.at += 2;
        if name.is_word("cast") {
            let sql = self.expression(sql.text("cast("), Place::Full)?;
            self.expects_words("as")?;
            let sql = column_type::data_type(self, sql.text(" as "))?;
            self.expects(")")?;
            return Ok(sql.text(")"));
        }
        if name.is_word("extract") {
            let field = self
                .takes_phrase(FIELDS)
                .ok_or_else(|| self.unexpected("a field such as year"))?;
            self.expects_words("from")?;
            let sql =
                self.expression(sql.text("extract(").text(field).text(" from "), Place::Full)?;
            self.expects(")")?;
            return Ok(sql.text(")"));
        }
        let known = functions::value(name.text)
            .or_else(|| functions::function(name.text, place == Place::Default));
        let Some(known) = known else {
            return Err(Refused(format!(
                "the function {} cannot be called here; expressions may call built-in functions \
                 that only compute. Use DoSQL for others",
                shorten(name.text)
            )));
        };
        let sql = self.arguments(sql.text(known).text("("), place)?;
        self.window(sql)
    }

    fn arguments(&mut self, mut sql: Sql, place: Place) -> Parsed {
        if self.takes(")") {
            return Ok(sql.text(")"));
        }
        if self.takes("*") {
            self.expects(")")?;
            return Ok(sql.text("*)"));
        }
        if self.takes_words("distinct") {
            sql = sql.text("distinct ");
        }
        let inner = if place == Place::Default {
            Place::Default
        } else {
            Place::Full
        };
        sql = self.comma_separated(sql, inner)?;
        if self.takes_words("order by") {
            sql = self.order(sql.text(" order by "))?;
        }
        self.expects(")")?;
        Ok(sql.text(")"))
    }

    fn comma_separated(&mut self, sql: Sql, place: Place) -> Parsed {
        let mut sql = self.expression(sql, place)?;
        while self.takes(",") {
            sql = self.expression(sql.text(", "), place)?;
        }
        Ok(sql)
    }

    fn window(&mut self, mut sql: Sql) -> Parsed {
        if self.takes_words("filter") {
            self.expects("(")?;
            self.expects_words("where")?;
            sql = self
                .expression(sql.text(" filter (where "), Place::Full)?
                .text(")");
            self.expects(")")?;
        }
        if self.takes_words("over") {
            self.expects("(")?;
            sql = sql.text(" over (");
            if self.takes_words("partition by") {
                sql = self.comma_separated(sql.text("partition by "), Place::Scalar)?;
            }
            if self.takes_words("order by") {
                sql = self.order(sql.text(" order by "))?;
            }
            self.expects(")")?;
            sql = sql.text(")");
        }
        Ok(sql)
    }

    /// `expression [ASC | DESC] [NULLS FIRST | NULLS LAST], …`
    pub(super) fn order(&mut self, sql: Sql) -> Parsed {
        let mut sql = self.order_item(sql)?;
        while self.takes(",") {
            sql = self.order_item(sql.text(", "))?;
        }
        Ok(sql)
    }

    fn order_item(&mut self, sql: Sql) -> Parsed {
        let mut sql = self.expression(sql, Place::Scalar)?;
        for choices in [["asc", "desc"], ["nulls first", "nulls last"]] {
            if let Some(choice) = self.takes_phrase(&choices) {
                sql = sql.text(" ").text(choice);
            }
        }
        Ok(sql)
    }

    fn case(&mut self, mut sql: Sql) -> Parsed {
        if !self.peek().is_some_and(|token| token.is_word("when")) {
            sql = self.expression(sql.text(" "), Place::Full)?;
        }
        while self.takes_words("when") {
            sql = self.expression(sql.text(" when "), Place::Full)?;
            self.expects_words("then")?;
            sql = self.expression(sql.text(" then "), Place::Full)?;
        }
        if self.takes_words("else") {
            sql = self.expression(sql.text(" else "), Place::Full)?;
        }
        self.expects_words("end")?;
        Ok(sql.text(" end"))
    }

    fn array(&mut self, mut sql: Sql, place: Place) -> Parsed {
        if !self.takes("]") {
            sql = self.comma_separated(sql, place)?;
            self.expects("]")?;
        }
        Ok(sql.text("]"))
    }
}
