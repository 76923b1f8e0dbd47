//! The `where` list: which rows a command is about.
//!
//! `read` takes the conditions of a call, `operator` is what stands between a column and its value, and
//! `schema` tells callers what they may write.

mod operator;
mod read;
mod schema;

use airlock_connector::{Failure, Sealed, Sql};

use crate::errors::VALUE_ERROR;
use crate::grammar;

/// Where the values of conditions stand, relative to `schema`. Groups of different kinds nest two
/// deep; whatever is nested deeper is sealed whole.
pub(crate) const SEALED: [&str; 11] = [
    "/where/*/2",
    "/where/*/or/*/2",
    "/where/*/and/*/2",
    "/where/*/or/*/and/*/2",
    "/where/*/and/*/or/*/2",
    "/where/*/or/*/or",
    "/where/*/and/*/and",
    "/where/*/or/*/and/*/or",
    "/where/*/or/*/and/*/and",
    "/where/*/and/*/or/*/or",
    "/where/*/and/*/or/*/and",
];

/// Conditions joined by AND. None select all rows.
#[derive(Debug, Default)]
pub(crate) struct Where(Vec<Condition>);

#[derive(Debug)]
enum Condition {
    Test {
        column: String,
        operator: String,
        value: Option<Sealed>,
    },
    Group {
        word: &'static str,
        conditions: Group,
    },
}

/// What is in a group: conditions, or something nested too deep, which is sealed.
#[derive(Debug)]
enum Group {
    Conditions(Vec<Condition>),
    Sealed,
}

impl Where {
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Appends `WHERE …`, or nothing where there are no conditions.
    pub(crate) fn append(&self, sql: Sql) -> Result<Sql, Failure> {
        if self.is_empty() {
            return Ok(sql);
        }
        join(sql.text(" WHERE "), &self.0, "and", "/schema/where")
    }
}

fn join(
    mut sql: Sql,
    conditions: &[Condition],
    word: &'static str,
    pointer: &str,
) -> Result<Sql, Failure> {
    for (at, condition) in conditions.iter().enumerate() {
        if at > 0 {
            sql = sql.text(if word == "and" { " AND " } else { " OR " });
        }
        sql = condition.append(sql, &format!("{pointer}/{at}"))?;
    }
    Ok(sql)
}

impl Condition {
    fn append(&self, sql: Sql, pointer: &str) -> Result<Sql, Failure> {
        match self {
            Condition::Test {
                column,
                operator,
                value,
            } => {
                let sql = grammar::scalar(sql, column)
                    .map_err(|refused| refused.at(&format!("{pointer}/0")))?;
                operator::append(sql, operator, *value, pointer)
            }
            Condition::Group { word, conditions } => {
                let inner = format!("{pointer}/{word}");
                let refused = |message| Err(VALUE_ERROR.failure(message).at(&inner));
                match conditions {
                    Group::Sealed => refused(
                        "groups of conditions nest two deep, or in and or and in or; use DoSQL for more",
                    ),
                    Group::Conditions(conditions) if conditions.is_empty() => {
                        refused("a group needs at least one condition")
                    }
                    Group::Conditions(conditions) => {
                        Ok(join(sql.text("("), conditions, word, &inner)?.text(")"))
                    }
                }
            }
        }
    }
}
