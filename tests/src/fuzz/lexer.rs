//! The SQL lexer and what is told of statements: tokens are the text, and spacing and case mean nothing.

use airlock_connector::lex::{self, Kind, Token};
use airlock_connector::statements::{Class, KINDS, Kinds, UNKNOWN, split};

/// An input that begins with one of these is repeated until it is so many bytes long: what takes longer
/// than linear time shows there, in the longer ones by the time limit of the fuzzer.
const REPEATED: [(u8, usize); 2] = [(b'\x01', 8 << 10), (b'\x02', 1 << 20)];

/// Takes the input as SQL text.
pub fn check(input: &[u8]) {
    let first = input.first();
    let repeated = REPEATED.iter().find(|(byte, _)| Some(byte) == first);
    match (repeated, input.get(1..)) {
        (Some((_, long)), Some(unit)) if !unit.is_empty() => {
            check_text(unit.repeat(long.div_ceil(unit.len())));
        }
        _ => check_text(input.to_vec()),
    }
}

fn check_text(text: Vec<u8>) {
    let Ok(sql) = String::from_utf8(text) else {
        return;
    };
    check_tokens(&sql);
    let statements = split(&sql);
    for statement in &statements {
        let words = &statement.words;
        assert!(!words.is_empty() && sql.contains(statement.text));
        assert!(words.iter().all(|word| !word.is_blank()));
        let again: Vec<_> = words.iter().map(spelled).collect();
        let own: Vec<_> = lex::words(statement.text);
        assert_eq!(own.iter().map(spelled).collect::<Vec<_>>(), again);
        check_kinds(statement.text, words);
    }
    // Cut once, there is nothing left to cut.
    if let [first, .., last] = statements.as_slice() {
        for statement in [first, last] {
            assert_eq!(split(statement.text).len(), 1, "{:?}", statement.text);
        }
    }
}

/// Tokens laid end to end are the text, and each is what it is by itself.
fn check_tokens(sql: &str) {
    let mut end = 0;
    for token in lex::tokens(sql) {
        assert_eq!(token.start, end);
        assert!(!token.text.is_empty());
        end += token.text.len();
        assert_eq!(sql.get(token.start..end), Some(token.text));
    }
    assert_eq!(end, sql.len());
    // What a token is does not depend on what stands before it, but for the space.
    let words = lex::words(sql);
    let spaced: String = words.iter().flat_map(|word| [word.text, " "]).collect();
    let again = lex::words(&spaced);
    let ends = words.iter().all(|word| word.kind != Kind::Unterminated);
    if ends {
        let both = [&words, &again].map(|words| words.iter().map(spelled).collect::<Vec<_>>());
        assert_eq!(both[0], both[1], "{sql:?}");
    }
}

/// A statement is of the same kinds in upper case and with other spacing.
fn check_kinds(sql: &str, words: &[Token<'_>]) {
    let (class, kinds) = (Class::of(words), Kinds::of(sql));
    assert_eq!(class, Class::of(&lex::words(sql)));
    for name in kinds.names() {
        assert!(KINDS.contains(&name) || name == UNKNOWN, "{name}");
    }
    // Words of literals count where their ends are in doubt, and so does their spelling.
    if words.iter().any(|word| word.text.contains('\\')) {
        return;
    }
    let cased = words.iter().map(|word| match word.kind {
        Kind::Word => word.text.to_ascii_uppercase(),
        _ => word.text.to_owned(),
    });
    let spaced = cased.collect::<Vec<_>>().join("\n");
    assert_eq!(class, Class::of(&lex::words(&spaced)), "{sql:?}");
    assert_eq!(kinds, Kinds::of(&spaced), "{sql:?}");
    // A statement that only reads by itself does so in parentheses and explained.
    if class == Class::Rows {
        assert_eq!(
            kinds.only_read(),
            Kinds::of(&format!("({sql}\n)")).only_read()
        );
        assert!(Kinds::of(&format!("EXPLAIN {sql}")).names().count() > kinds.names().count());
    }
}

fn spelled<'t>(token: &Token<'t>) -> (Kind, &'t str) {
    (token.kind, token.text)
}
