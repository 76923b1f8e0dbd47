//! Cuts SQL text into statements and tells what kind of statement each one is.

mod kinds;

pub use kinds::{KINDS, Kinds, UNKNOWN};

use crate::lex::{self, Token};

/// One statement of a longer text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Statement<'a> {
    /// The text from the first to the last token, without the semicolon.
    pub text: &'a str,
    /// The tokens, without white space and comments. Never empty.
    pub words: Vec<Token<'a>>,
}

/// Cuts `sql` at its semicolons. Those inside literals, comments, parentheses and the bodies of
/// SQL-standard routines (`BEGIN ATOMIC … END`) belong to their statement. Empty statements vanish.
#[must_use]
pub fn split(sql: &str) -> Vec<Statement<'_>> {
    let mut statements = Vec::new();
    let mut words: Vec<Token<'_>> = Vec::new();
    let mut nesting = Nesting::default();
    for token in lex::tokens(sql).filter(|token| !token.is_blank()) {
        if token.is(";") && nesting.is_outermost() {
            statements.extend(statement(sql, std::mem::take(&mut words)));
            nesting = Nesting::default();
        } else {
            nesting.enter(&words, token);
            words.push(token);
        }
    }
    statements.extend(statement(sql, words));
    statements
}

/// The one statement that `sql` holds.
///
/// # Errors
/// With the number of statements, where it is not one.
pub fn only(sql: &str) -> Result<Statement<'_>, usize> {
    let mut statements = split(sql);
    match (statements.pop(), statements.len()) {
        (Some(statement), 0) => Ok(statement),
        (last, before) => Err(before + usize::from(last.is_some())),
    }
}

fn statement<'a>(sql: &'a str, words: Vec<Token<'a>>) -> Option<Statement<'a>> {
    let (first, last) = (words.first()?, words.last()?);
    let text = sql.get(first.start..last.start + last.text.len())?;
    Some(Statement { text, words })
}

/// What a semicolon can be inside of.
#[derive(Default)]
struct Nesting {
    parentheses: usize,
    routine_blocks: usize,
}

impl Nesting {
    fn is_outermost(&self) -> bool {
        self.parentheses == 0 && self.routine_blocks == 0
    }

    fn enter(&mut self, before: &[Token<'_>], token: Token<'_>) {
        if token.is("(") {
            self.parentheses += 1;
        } else if token.is(")") {
            self.parentheses = self.parentheses.saturating_sub(1);
        } else if self.routine_blocks > 0 {
            // Inside a body, CASE … END nests in the same way as BEGIN … END.
            if token.is_word("begin") || token.is_word("case") {
                self.routine_blocks += 1;
            } else if token.is_word("end") {
                self.routine_blocks -= 1;
            }
        } else if token.is_word("atomic")
            && before.last().is_some_and(|word| word.is_word("begin"))
            && creates_routine(before)
        {
            self.routine_blocks = 1;
        }
    }
}

fn creates_routine(words: &[Token<'_>]) -> bool {
    words.first().is_some_and(|word| word.is_word("create"))
        && words
            .iter()
            .take(4)
            .any(|word| word.is_word("function") || word.is_word("procedure"))
}

/// What a statement does, as far as its first words tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Class {
    /// SELECT, VALUES, TABLE, INSERT, UPDATE, DELETE, MERGE or WITH: rows in or out.
    Rows,
    /// SHOW or EXPLAIN: rows that describe.
    Describe,
    /// Begins, ends or prepares a transaction; savepoints do not.
    TransactionControl,
    /// COPY that moves data from or to the client.
    CopyFromClient,
    /// COPY that moves data from or to the client.
    CopyToClient,
    /// A utility statement that counts rows: CREATE TABLE AS, FETCH, MOVE, EXECUTE, COPY.
    CountingUtility,
    /// CREATE TABLE, not AS a query, or DROP TABLE.
    Definition,
    /// Any other statement.
    Utility,
    /// No statement at all.
    Empty,
}

impl Class {
    /// Classifies the statement that `words`, without white space and comments, spell.
    #[must_use]
    pub fn of(words: &[Token<'_>]) -> Class {
        let opening = words.iter().position(|word| !word.is("("));
        let words = opening
            .and_then(|start| words.get(start..))
            .unwrap_or_default();
        let Some(first) = words.first() else {
            return Class::Empty;
        };
        let second = |word: &str| words.get(1).is_some_and(|token| token.is_word(word));
        let has = |word: &str| words.iter().any(|token| token.is_word(word));
        match first.text.to_ascii_lowercase().as_str() {
            "select" | "values" | "table" | "insert" | "update" | "delete" | "merge" | "with" => {
                Class::Rows
            }
            "show" | "explain" => Class::Describe,
            "begin" | "start" | "commit" | "end" | "abort" => Class::TransactionControl,
            "rollback" if rolls_back_to_savepoint(words) => Class::Utility,
            "rollback" => Class::TransactionControl,
            "prepare" if second("transaction") => Class::TransactionControl,
            "copy" if has("stdin") => Class::CopyFromClient,
            "copy" if has("stdout") => Class::CopyToClient,
            "copy" | "fetch" | "move" | "execute" => Class::CountingUtility,
            "create" if creates_table_as(words) => Class::CountingUtility,
            "create" if creates_table(words) => Class::Definition,
            "drop" if second("table") => Class::Definition,
            _ => Class::Utility,
        }
    }

    /// Whether the statement can run outside a transaction block without a difference: it is atomic
    /// by itself and cannot end a transaction.
    #[must_use]
    pub fn runs_alone(self) -> bool {
        matches!(self, Class::Rows | Class::Describe | Class::Definition)
    }

    /// Whether the statement is neither a query nor a change of rows.
    #[must_use]
    pub fn is_utility(self) -> bool {
        !matches!(self, Class::Rows | Class::Describe)
    }

    /// Whether the server counts the rows that the statement affects.
    #[must_use]
    pub fn counts_rows(self) -> bool {
        matches!(self, Class::Rows | Class::Describe | Class::CountingUtility)
    }
}

/// `ROLLBACK [WORK | TRANSACTION] TO [SAVEPOINT] name`
fn rolls_back_to_savepoint(words: &[Token<'_>]) -> bool {
    words.iter().take(3).any(|word| word.is_word("to"))
}

/// `CREATE [GLOBAL | LOCAL] [TEMP | TEMPORARY | UNLOGGED] TABLE …`
fn creates_table(words: &[Token<'_>]) -> bool {
    const KINDS: [&str; 5] = ["global", "local", "temp", "temporary", "unlogged"];
    let mut rest = words
        .iter()
        .skip(1)
        .skip_while(|word| KINDS.iter().any(|kind| word.is_word(kind)));
    rest.next().is_some_and(|word| word.is_word("table"))
}

/// `CREATE [TEMP | UNLOGGED …] TABLE | MATERIALIZED VIEW … AS …`, unless WITH NO DATA.
fn creates_table_as(words: &[Token<'_>]) -> bool {
    let head = words.iter().take(4);
    let relation = head
        .clone()
        .any(|word| word.is_word("table") || word.is_word("materialized"));
    let mut depth = 0_usize;
    let as_query = words.windows(2).any(|pair| {
        let [word, next] = pair else { return false };
        if word.is("(") {
            depth += 1;
        } else if word.is(")") {
            depth = depth.saturating_sub(1);
        }
        let query = next.is("(")
            || ["select", "table", "values", "with", "execute"]
                .iter()
                .any(|w| next.is_word(w));
        depth == 0 && word.is_word("as") && query
    });
    let without_data = words.iter().rev().take(3).rev().map(|word| word.text);
    relation && as_query && !without_data.eq_by_case(["with", "no", "data"])
}

/// Compares words without regard to case.
trait EqByCase<'a>: Iterator<Item = &'a str> + Sized {
    fn eq_by_case<const N: usize>(self, words: [&str; N]) -> bool {
        let found: Vec<&str> = self.collect();
        found.len() == N
            && found
                .iter()
                .zip(words)
                .all(|(a, b)| a.eq_ignore_ascii_case(b))
    }
}

impl<'a, I: Iterator<Item = &'a str>> EqByCase<'a> for I {}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(sql: &str) -> Vec<&str> {
        split(sql)
            .into_iter()
            .map(|statement| statement.text)
            .collect()
    }

    #[test]
    fn splits_at_semicolons_outside_of_everything() {
        assert_eq!(texts("SELECT 1; SELECT 2"), ["SELECT 1", "SELECT 2"]);
        assert_eq!(texts("SELECT ';'; -- ;\n; /* ; */"), ["SELECT ';'"]);
        assert_eq!(
            texts("DO $$ BEGIN; END $$; SELECT 1"),
            ["DO $$ BEGIN; END $$", "SELECT 1"]
        );
        assert_eq!(
            texts("CREATE RULE r AS ON INSERT TO t DO ALSO (SELECT 1; SELECT 2); SELECT 3").len(),
            2
        );
        assert_eq!(
            texts(
                "CREATE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT CASE WHEN true THEN 1 END; \
                 SELECT 2; END; SELECT 3"
            )
            .len(),
            2
        );
        assert_eq!(texts("BEGIN; SELECT 1; END"), ["BEGIN", "SELECT 1", "END"]);
        assert!(texts(" ; ;\n-- x").is_empty());
        assert_eq!(only("; SELECT 1; -- x").map(|one| one.text), Ok("SELECT 1"));
        assert_eq!(
            (only(" ; ").err(), only("a; b; c").err()),
            (Some(0), Some(3))
        );
    }

    #[test]
    fn classes() {
        for (sql, expected) in [
            ("select 1", Class::Rows),
            ("(select 1) union (select 2)", Class::Rows),
            ("/* x */ WITH x AS (SELECT 1) DELETE FROM t", Class::Rows),
            ("EXPLAIN ANALYZE SELECT 1", Class::Describe),
            ("BEGIN", Class::TransactionControl),
            ("ROLLBACK", Class::TransactionControl),
            ("ROLLBACK AND CHAIN", Class::TransactionControl),
            ("ROLLBACK TO SAVEPOINT a", Class::Utility),
            ("SAVEPOINT a", Class::Utility),
            ("PREPARE TRANSACTION 'x'", Class::TransactionControl),
            ("PREPARE p AS SELECT 1", Class::Utility),
            ("COPY t FROM STDIN", Class::CopyFromClient),
            ("COPY (SELECT 1) TO STDOUT", Class::CopyToClient),
            ("COPY t FROM '/x'", Class::CountingUtility),
            ("CREATE TABLE t AS SELECT 1", Class::CountingUtility),
            (
                "CREATE TEMP TABLE t (a) AS (SELECT 1)",
                Class::CountingUtility,
            ),
            ("CREATE TABLE t AS SELECT 1 WITH NO DATA", Class::Definition),
            (
                "CREATE TABLE t (a int GENERATED ALWAYS AS (1) STORED)",
                Class::Definition,
            ),
            ("CREATE LOCAL TEMP TABLE t (a int)", Class::Definition),
            ("DROP TABLE IF EXISTS t", Class::Definition),
            ("CREATE INDEX table_i ON t (a)", Class::Utility),
            ("CREATE DATABASE d", Class::Utility),
            ("VACUUM", Class::Utility),
            ("", Class::Empty),
        ] {
            assert_eq!(Class::of(&lex::words(sql)), expected, "{sql}");
        }
    }
}
