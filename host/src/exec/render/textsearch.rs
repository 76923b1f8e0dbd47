//! `tsvector` and `tsquery`.

use super::number::int;
use super::reader::Reader;

/// How many lexemes, then each as text with its positions.
pub(super) fn vector(raw: &[u8], out: &mut Vec<u8>) -> Option<()> {
    let mut reader = Reader::new(raw);
    // A lexeme takes its zero byte and its number of positions.
    for at in 0..reader.count(3)? {
        if at > 0 {
            out.push(b' ');
        }
        lexeme(out, reader.c_string()?);
        for position in 0..reader.u16()? {
            out.push(if position == 0 { b':' } else { b',' });
            let entry = reader.u16()?;
            int(out, entry & 0x3FFF);
            match entry >> 14 {
                3 => out.push(b'A'),
                2 => out.push(b'B'),
                1 => out.push(b'C'),
                _ => {}
            }
        }
    }
    reader.end()
}

fn lexeme(out: &mut Vec<u8>, text: &str) {
    out.push(b'\'');
    for byte in text.bytes() {
        if matches!(byte, b'\'' | b'\\') {
            out.push(byte);
        }
        out.push(byte);
    }
    out.push(b'\'');
}

/// One operand or operator of a query.
enum Item<'a> {
    Value {
        weights: u8,
        prefix: bool,
        text: &'a str,
    },
    Not,
    /// Where its operands are among the items.
    Binary {
        operator: Operator,
        left: usize,
        right: usize,
    },
}

#[derive(Clone, Copy)]
enum Operator {
    And,
    Or,
    Phrase(i16),
}

impl Operator {
    /// What binds more tightly has the higher number.
    fn priority(self) -> u8 {
        match self {
            Operator::Or => 1,
            Operator::And => 2,
            Operator::Phrase(_) => 3,
        }
    }
}

const NOT_PRIORITY: u8 = 4;

/// What is still to be written; a stack of these takes the place of recursion, which a long query
/// would take too deep.
enum Task {
    /// An item, below an operator of this priority, perhaps to the right of a phrase operator.
    Item(usize, u8, bool),
    Operator(Operator),
    Close,
}

/// How many items, then each operator in front of its operands, the right one first.
pub(super) fn query(raw: &[u8], out: &mut Vec<u8>) -> Option<()> {
    let items = items(raw)?;
    let mut tasks = Vec::new();
    if !items.is_empty() {
        tasks.push(Task::Item(0, 0, false));
    }
    while let Some(task) = tasks.pop() {
        match task {
            Task::Close => out.extend_from_slice(b" )"),
            Task::Operator(Operator::And) => out.extend_from_slice(b" & "),
            Task::Operator(Operator::Or) => out.extend_from_slice(b" | "),
            Task::Operator(Operator::Phrase(1)) => out.extend_from_slice(b" <-> "),
            Task::Operator(Operator::Phrase(distance)) => {
                out.extend_from_slice(b" <");
                int(out, distance);
                out.extend_from_slice(b"> ");
            }
            Task::Item(at, outer, right_of_phrase) => {
                item(items.get(at)?, at, outer, right_of_phrase, &mut tasks, out);
            }
        }
    }
    Some(())
}

fn item(
    item: &Item<'_>,
    at: usize,
    outer: u8,
    right_of_phrase: bool,
    tasks: &mut Vec<Task>,
    out: &mut Vec<u8>,
) {
    match item {
        Item::Value {
            weights,
            prefix,
            text,
        } => operand(*weights, *prefix, text, out),
        Item::Not => {
            open(NOT_PRIORITY < outer, tasks, out);
            out.push(b'!');
            tasks.push(Task::Item(at + 1, NOT_PRIORITY, false));
        }
        Item::Binary {
            operator,
            left,
            right,
        } => {
            let priority = operator.priority();
            let is_phrase = matches!(operator, Operator::Phrase(_));
            open(
                priority < outer || (is_phrase && right_of_phrase),
                tasks,
                out,
            );
            tasks.push(Task::Item(*right, priority, is_phrase));
            tasks.push(Task::Operator(*operator));
            tasks.push(Task::Item(*left, priority, false));
        }
    }
}

fn open(needed: bool, tasks: &mut Vec<Task>, out: &mut Vec<u8>) {
    if needed {
        out.extend_from_slice(b"( ");
        tasks.push(Task::Close);
    }
}

fn operand(weights: u8, prefix: bool, text: &str, out: &mut Vec<u8>) {
    lexeme(out, text);
    if weights == 0 && !prefix {
        return;
    }
    out.push(b':');
    if prefix {
        out.push(b'*');
    }
    for (bit, letter) in [(3, b'A'), (2, b'B'), (1, b'C'), (0, b'D')] {
        if weights >> bit & 1 == 1 {
            out.push(letter);
        }
    }
}

/// Reads the items and finds the operands of each; none where they do not make one tree.
fn items(raw: &[u8]) -> Option<Vec<Item<'_>>> {
    let mut reader = Reader::new(raw);
    // An operator takes two bytes.
    let count = reader.count(2)?;
    let mut items = Vec::with_capacity(count);
    for _ in 0..count {
        items.push(read(&mut reader)?);
    }
    reader.end()?;
    // From the back, operands come before their operators.
    let mut roots = Vec::new();
    for (at, item) in items.iter_mut().enumerate().rev() {
        match item {
            Item::Value { .. } => {}
            Item::Not => {
                roots.pop()?;
            }
            Item::Binary { left, right, .. } => {
                *right = roots.pop()?;
                *left = roots.pop()?;
            }
        }
        roots.push(at);
    }
    (roots.len() == usize::from(count > 0)).then_some(items)
}

fn read<'a>(reader: &mut Reader<'a>) -> Option<Item<'a>> {
    const VALUE: u8 = 1;
    const OPERATOR: u8 = 2;
    let binary = |operator| {
        Some(Item::Binary {
            operator,
            left: 0,
            right: 0,
        })
    };
    match reader.u8()? {
        VALUE => Some(Item::Value {
            weights: reader.u8()?,
            prefix: reader.u8()? != 0,
            text: reader.c_string()?,
        }),
        OPERATOR => match reader.u8()? {
            1 => Some(Item::Not),
            2 => binary(Operator::And),
            3 => binary(Operator::Or),
            4 => binary(Operator::Phrase(reader.i16()?)),
            _ => None,
        },
        _ => None,
    }
}
