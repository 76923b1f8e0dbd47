//! Operators: what stands between the column of a condition and its value.

use airlock_connector::{Argument, ErrorCode, Failure, Sealed, Sql};

use crate::errors::{EXCEPTION, VALUE_ERROR};
use crate::grammar;

/// The operators, for messages.
pub(super) const OPERATORS: &str = "=, !=, <>, <, >, <=, >=, [NOT] LIKE, [NOT] ILIKE, [NOT] IN, \
                         [NOT] BETWEEN, IS [NOT] NULL, IS DISTINCT FROM";

/// Operators that stand between a column and one value, as written and as SQL.
const COMPARISONS: [(&str, &str); 12] = [
    ("=", " = "),
    ("!=", " <> "),
    ("<>", " <> "),
    ("<", " < "),
    (">", " > "),
    ("<=", " <= "),
    (">=", " >= "),
    ("LIKE", " LIKE "),
    ("NOT LIKE", " NOT LIKE "),
    ("ILIKE", " ILIKE "),
    ("NOT ILIKE", " NOT ILIKE "),
    ("IS DISTINCT FROM", " IS DISTINCT FROM "),
];

/// Appends the operator and the value of a condition whose column is already there.
pub(super) fn append(
    sql: Sql,
    operator: &str,
    value: Option<Sealed>,
    pointer: &str,
) -> Result<Sql, Failure> {
    let argument = |path: &str| Argument::Input(format!("{pointer}/2{path}"));
    let upper = operator.to_ascii_uppercase();
    let name = upper.as_str();
    if let Some((_, text)) = COMPARISONS.iter().find(|(written, _)| *written == name) {
        wants_value(value, operator, pointer)?;
        return Ok(sql.text(text).argument(argument("")));
    }
    let refused =
        |code: ErrorCode, message: String| code.failure(message).at(format!("{pointer}/2"));
    match (name, value) {
        ("IS NULL", None | Some(Sealed::Null)) | ("IS", Some(Sealed::Null)) => {
            Ok(sql.text(" IS NULL"))
        }
        ("IS NOT NULL", None | Some(Sealed::Null)) | ("IS NOT", Some(Sealed::Null)) => {
            Ok(sql.text(" IS NOT NULL"))
        }
        ("IS NULL" | "IS NOT NULL", Some(_)) => {
            Err(refused(VALUE_ERROR, format!("{name} takes no value")))
        }
        ("IN", Some(Sealed::Array)) => Ok(sql.text(" = ANY(").argument(argument("")).text(")")),
        ("NOT IN", Some(Sealed::Array)) => {
            Ok(sql.text(" <> ALL(").argument(argument("")).text(")"))
        }
        ("BETWEEN" | "NOT BETWEEN", Some(Sealed::Array)) => {
            let sql = sql.text(if name == "BETWEEN" {
                " BETWEEN "
            } else {
                " NOT BETWEEN "
            });
            let sql = sql.argument(argument("/0")).text(" AND ");
            Ok(sql.argument(argument("/1")))
        }
        ("IN" | "NOT IN" | "BETWEEN" | "NOT BETWEEN", _) => Err(refused(
            EXCEPTION,
            format!("Unsupported value for {name} in where clause: give a list such as [1, 5]"),
        )),
        _ => Err(EXCEPTION
            .failure(format!(
                "Unsupported operator {:?} in where clause; use one of {OPERATORS}",
                grammar::shorten(operator)
            ))
            .at(format!("{pointer}/1"))),
    }
}

fn wants_value(value: Option<Sealed>, operator: &str, pointer: &str) -> Result<(), Failure> {
    match value {
        Some(_) => Ok(()),
        None => Err(VALUE_ERROR
            .failure(format!("the condition has no value for {operator}"))
            .at(pointer)),
    }
}
