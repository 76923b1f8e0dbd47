//! Texts where names, types and expressions go: what is accepted stays inside of its place.

use super::sql;
use airlock_connector::{Argument, Arguments, Call, Connector as _, Plan};
use airlock_postgres::Postgres;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::sync::LazyLock;

/// The sources in which the words stand that can get into SQL without quotes.
const GRAMMAR: &[&str] = &[
    include_str!("../../../guest/postgres/src/condition.rs"),
    include_str!("../../../guest/postgres/src/create_table.rs"),
    include_str!("../../../guest/postgres/src/delete_values.rs"),
    include_str!("../../../guest/postgres/src/drop_table.rs"),
    include_str!("../../../guest/postgres/src/insert_values.rs"),
    include_str!("../../../guest/postgres/src/rows.rs"),
    include_str!("../../../guest/postgres/src/select_values.rs"),
    include_str!("../../../guest/postgres/src/update_values.rs"),
    include_str!("../../../guest/postgres/src/grammar.rs"),
    include_str!("../../../guest/postgres/src/grammar/column_definition.rs"),
    include_str!("../../../guest/postgres/src/grammar/column_type.rs"),
    include_str!("../../../guest/postgres/src/grammar/expression.rs"),
    include_str!("../../../guest/postgres/src/grammar/functions.rs"),
    include_str!("../../../guest/postgres/src/grammar/items.rs"),
];

/// The words in the string literals of [`GRAMMAR`].
static VOCABULARY: LazyLock<BTreeSet<String>> = LazyLock::new(|| {
    let mut vocabulary = BTreeSet::new();
    for text in GRAMMAR {
        let own = text.split("#[cfg(test)]").next().unwrap();
        let own = own.replace("\\\"", "");
        let literals = own.split('"').skip(1).step_by(2);
        vocabulary.extend(literals.flat_map(sql::words).map(str::to_owned));
    }
    // Were a quote missed, code would be taken for literals.
    assert!(vocabulary.contains("primary") && !vocabulary.contains("let"));
    vocabulary
});

/// Deepest nesting: what the grammar allows, and what the statements around it add.
const DEEPEST: usize = 60;

/// A command, and its parameters with a text in one place.
type Place = (&'static str, fn(&str) -> Value);

/// The calls that have a text in one place: the first byte of an input chooses.
const PLACES: &[Place] = &[
    ("CreateTableV2", |text| column("a", text)),
    ("CreateTableV2", |text| column(text, "int")),
    ("CreateTableV2", |text| column("primary", text)),
    (
        "CreateTableV2",
        |text| json!({"table_name": text, "schema": {"column_definitions": [{"name": "a", "type": "int"}]}}),
    ),
    ("DropTableV2", |text| json!({"table_name": text})),
    (
        "SelectValuesV2",
        |text| json!({"table_name": "t", "schema": {"columns": [text]}}),
    ),
    (
        "SelectValuesV2",
        |text| json!({"table_name": text, "schema": {"columns": ["a"]}}),
    ),
    (
        "SelectValuesV2",
        |text| json!({"table_name": "t", "schema": {"columns": ["a"], "order_by": [text]}}),
    ),
    (
        "SelectValuesV2",
        |text| json!({"table_name": "t", "schema": {"columns": ["a"], "where": [[text, "=", "int4"]]}}),
    ),
    (
        "UpdateValuesV2",
        |text| json!({"table_name": "t", "schema": {"set": {text: "int4"}, "where": [["a", "=", "int4"]]}}),
    ),
    (
        "UpdateValuesV2",
        |text| json!({"table_name": "t", "schema": {"set": {"a": "int4"}, "where": [["a", text, "int4"]], "returning": ["a"]}}),
    ),
    (
        "DeleteValuesV2",
        |text| json!({"table_name": "t", "schema": {"where": [{"or": [[text, "=", "int4"], ["b", "=", "int4"]]}], "returning": [text]}}),
    ),
    (
        "InsertValuesV2",
        |text| json!({"table_name": "t", "schema": {"columns": ["a", text], "values": "array", "on_conflict": {"columns": [text], "update": [text]}, "returning": [text]}}),
    ),
    (
        "InsertValuesV2",
        |text| json!({"table_name": text, "schema": {"columns": ["a"], "values": "array", "on_conflict": {"constraint": text, "update": ["a"]}}}),
    ),
];

fn column(name: &str, definition: &str) -> Value {
    json!({"table_name": "t", "schema": {"column_definitions": [{"name": name, "type": definition}]}})
}

/// Takes the first byte as a letter that chooses the place, and the rest as the text that goes there.
pub fn check(input: &[u8]) {
    for (sql, arguments) in accepted(input) {
        check_sql(&sql, arguments);
    }
}

/// The statements of the call, and how many arguments each has; none where the text is refused.
#[must_use]
pub fn accepted(input: &[u8]) -> Vec<(String, usize)> {
    let Some((place, text)) = input.split_first() else {
        return Vec::new();
    };
    let Ok(text) = str::from_utf8(text) else {
        return Vec::new();
    };
    let place = usize::from(place.wrapping_sub(b'a')) % PLACES.len();
    let (command, call) = PLACES[place];
    let plan = Postgres::plan(Call {
        command: command.into(),
        input: call(text).to_string(),
    });
    match plan {
        Ok(plan) => statements(plan),
        Err(failure) => {
            assert!(!failure.code.is_empty() && failure.message.len() < 1 << 10);
            Vec::new()
        }
    }
}

fn statements(plan: Plan) -> Vec<(String, usize)> {
    let statements = plan.statements.into_iter();
    let counted = statements.map(|statement| {
        let count = match statement.arguments {
            Arguments::None => 0,
            Arguments::Once(arguments) => {
                let inputs = |argument: &Argument| matches!(argument, Argument::Input(_));
                assert!(arguments.iter().all(inputs));
                arguments.len()
            }
            Arguments::Each(batch) => batch.width as usize,
        };
        (statement.sql, count)
    });
    counted.collect()
}

/// The statement is one of the connector's own words, quoted names and literals, and parameters.
fn check_sql(text: &str, arguments: usize) {
    let bare = sql::without_quoted(text).unwrap_or_else(|| panic!("a quote is open: {text}"));
    for odd in [";", "--", "/*", "*/", "\\", "\0", "'", "\""] {
        assert!(!bare.contains(odd), "{odd:?} in {text}");
    }
    let (deepest, first_end) =
        sql::nesting(&bare).unwrap_or_else(|| panic!("parentheses do not match: {text}"));
    assert!(deepest <= DEEPEST, "{text}");
    if bare.starts_with("CREATE TABLE") {
        assert_eq!(
            first_end,
            Some(bare.len() - 1),
            "the list ends early: {text}"
        );
    }
    let mut parameters = BTreeSet::new();
    for word in sql::words(&bare) {
        if let Some(number) = word.strip_prefix('$') {
            parameters.insert(number.parse::<usize>().unwrap());
        } else if !word.starts_with(|c: char| c.is_ascii_digit()) && !sql::is_exponent(&bare, word)
        {
            assert!(
                VOCABULARY.contains(word),
                "{word:?} is no word of the grammar: {text}"
            );
        }
    }
    assert!(parameters.into_iter().eq(1..=arguments), "{text}");
}
