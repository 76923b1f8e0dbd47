//! What a statement is called in a trace: a word of SQL, never one of the caller's.

/// The words that statements begin with.
const OPERATIONS: [&str; 27] = [
    "ALTER", "ANALYZE", "BEGIN", "CALL", "CLOSE", "COMMENT", "COMMIT", "COPY", "CREATE", "DECLARE",
    "DELETE", "DO", "DROP", "EXECUTE", "EXPLAIN", "FETCH", "GRANT", "INSERT", "LOCK", "MERGE",
    "REVOKE", "SELECT", "SET", "SHOW", "TRUNCATE", "UPDATE", "WITH",
];

/// Stands for every other one.
const OTHER: &str = "OTHER";

/// The word that the statement begins with, if it is one of SQL's.
pub(super) fn name(sql: &str) -> &'static str {
    let sql = sql.trim_start_matches(|c: char| c == '(' || c.is_ascii_whitespace());
    let end = sql.find(|c: char| !c.is_ascii_alphabetic());
    let word = sql.get(..end.unwrap_or(sql.len())).unwrap_or_default();
    let mut known = OPERATIONS.into_iter();
    known
        .find(|known| known.eq_ignore_ascii_case(word))
        .unwrap_or(OTHER)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_of_sql_or_none() {
        for (sql, expected) in [
            ("SELECT 1", "SELECT"),
            (" ( (select 1))", "SELECT"),
            ("insert\ninto t", "INSERT"),
            ("COMMIT", "COMMIT"),
            ("selected", "OTHER"),
            ("/* a */ SELECT 1", "OTHER"),
            ("'canary'", "OTHER"),
            ("", "OTHER"),
        ] {
            assert_eq!(name(sql), expected, "{sql}");
        }
    }
}
