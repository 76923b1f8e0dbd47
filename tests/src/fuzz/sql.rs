//! SQL text as PostgreSQL's manual cuts it, written apart from the lexer that it is held against.

/// What is left of `sql` when its quoted names and strings are taken out: one space in the place of
/// each. None where one of them does not end.
///
/// Only the forms are known that the builder writes: `"…"`, `'…'` and `E'…'`.
pub(super) fn without_quoted(sql: &str) -> Option<String> {
    let mut bare = String::new();
    let mut rest = sql.chars().peekable();
    while let Some(next) = rest.next() {
        let escapes = next == '\'' && bare.ends_with(" E");
        if next != '\'' && next != '"' {
            bare.push(next);
            continue;
        }
        if escapes {
            bare.pop();
        }
        loop {
            match rest.next()? {
                '\\' if escapes => drop(rest.next()?),
                end if end == next && rest.next_if_eq(&next).is_none() => break,
                _ => {}
            }
        }
        bare.push(' ');
    }
    Some(bare)
}

/// The deepest nesting of parentheses and brackets, and where the nesting ends first. None where they
/// do not match.
pub(super) fn nesting(bare: &str) -> Option<(usize, Option<usize>)> {
    let (mut open, mut deepest, mut first_end) = (Vec::new(), 0, None);
    for (at, next) in bare.char_indices() {
        match next {
            '(' => open.push(')'),
            '[' => open.push(']'),
            ')' | ']' => {
                if open.pop() != Some(next) {
                    return None;
                }
                if open.is_empty() {
                    first_end.get_or_insert(at);
                }
            }
            _ => {}
        }
        deepest = deepest.max(open.len());
    }
    open.is_empty().then_some((deepest, first_end))
}

/// Whether a word of `bare` belongs to the number in front of it, as in `1.E10`.
pub(super) fn is_exponent(bare: &str, word: &str) -> bool {
    let digits = word.strip_prefix(['e', 'E']);
    let begins = word.as_ptr() as usize - bare.as_ptr() as usize;
    let number = bare[..begins].strip_suffix('.');
    digits.is_some_and(|digits| {
        digits
            .bytes()
            .all(|byte| byte.is_ascii_digit() || byte == b'_')
    }) && number.is_some_and(|number| number.ends_with(|c: char| c.is_ascii_digit()))
}

/// The words and numbers of text without quotes.
pub(super) fn words(bare: &str) -> impl Iterator<Item = &str> {
    let word = |c: char| c.is_alphanumeric() || matches!(c, '_' | '$') || !c.is_ascii();
    bare.split(move |c| !word(c))
        .filter(|word| !word.is_empty())
}
