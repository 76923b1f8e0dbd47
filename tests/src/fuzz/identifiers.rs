//! Names: what is read, and what is written for the server, is what PostgreSQL takes it for.

use airlock_connector::ident::MAX_NAME_BYTES;
use airlock_connector::lex::{self, Kind};
use airlock_connector::{Ident, QualifiedName};

/// Takes the input as the text of a name.
pub fn check(input: &[u8]) {
    let Ok(text) = str::from_utf8(input) else {
        return;
    };
    check_read(text);
    if let Ok(ident) = Ident::new(text.to_owned()) {
        assert_eq!(ident.as_str(), text);
        check_written(&QualifiedName::from(ident));
    }
}

/// The parts of a name that is accepted.
#[must_use]
pub fn accepted(text: &str) -> Option<Vec<String>> {
    let name = QualifiedName::parse(text).ok()?;
    Some(parts(&name))
}

/// A text is read exactly where, and exactly as, the manual says.
fn check_read(text: &str) {
    let expected = read(text).filter(|parts| {
        let fits = |part: &String| part.len() <= MAX_NAME_BYTES && !part.contains('\0');
        parts.len() <= 3 && parts.iter().all(fits)
    });
    let name = QualifiedName::parse(text);
    assert_eq!(name.as_ref().ok().map(parts), expected, "{text:?}");
    assert_eq!(
        Ident::parse(text).ok().map(|ident| ident.as_str().into()),
        expected
            .filter(|parts| parts.len() == 1)
            .map(|parts| parts.concat())
    );
    if let Ok(name) = name {
        check_written(&name);
    }
}

/// What is written is read as the same name, and nothing of it gets out of its quotes.
fn check_written(name: &QualifiedName) {
    let written = name.to_string();
    assert_eq!(read(&written), Some(parts(name)), "{written}");
    assert_eq!(QualifiedName::parse(&written).as_ref(), Ok(name));
    let statement = format!("({written});x");
    let kinds: Vec<Kind> = lex::tokens(&statement).map(|token| token.kind).collect();
    let mut expected = vec![Kind::Punctuation];
    for _ in name.parts() {
        expected.extend([Kind::QuotedIdent, Kind::Punctuation]);
    }
    expected.extend([Kind::Punctuation, Kind::Word]);
    assert_eq!(kinds, expected, "{statement}");
}

fn parts(name: &QualifiedName) -> Vec<String> {
    let parts = name.parts().iter();
    parts.map(|part| part.as_str().to_owned()).collect()
}

/// Reads names joined by dots, from the chapter "Identifiers and Key Words" of the manual.
fn read(text: &str) -> Option<Vec<String>> {
    let mut parts = Vec::new();
    let mut rest = text.chars().peekable();
    let space = |c: &char| matches!(c, ' ' | '\t' | '\n' | '\r' | '\x0b' | '\x0c');
    loop {
        while rest.next_if(space).is_some() {}
        let mut part = String::new();
        if rest.next_if_eq(&'"').is_some() {
            loop {
                match rest.next()? {
                    '"' if rest.next_if_eq(&'"').is_none() => break,
                    other => part.push(other),
                }
            }
        } else {
            let begins = |c: &char| c.is_ascii_alphabetic() || *c == '_' || !c.is_ascii();
            let goes_on = |c: &char| begins(c) || c.is_ascii_digit() || *c == '$';
            part.extend(rest.next_if(begins));
            while let Some(next) = rest.next_if(|c| !part.is_empty() && goes_on(c)) {
                part.push(next);
            }
            part.make_ascii_lowercase();
        }
        if part.is_empty() {
            return None;
        }
        parts.push(part);
        while rest.next_if(space).is_some() {}
        match rest.next() {
            None => return Some(parts),
            Some('.') => {}
            Some(_) => return None,
        }
    }
}
