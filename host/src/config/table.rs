//! Reads tables of the file key by key. What is wrong is noted, and reading goes on.

use super::mistakes::{Mistakes, nearest};
use std::cell::RefCell;
use std::net::SocketAddr;
use std::ops::RangeInclusive;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// A value and where it stands, as an offset in bytes.
#[derive(Debug, Clone, Copy)]
pub(super) struct At<T> {
    pub(super) at: usize,
    pub(super) value: T,
}

/// A table of the file, and the keys that were asked for.
pub(super) struct Table<'d> {
    /// As it is written, `[limits]` for example; empty for the whole file.
    name: String,
    table: &'d DeTable<'d>,
    asked: RefCell<Vec<&'static str>>,
    mistakes: &'d Mistakes<'d>,
}

impl<'d> Table<'d> {
    /// The whole file.
    pub(super) fn whole(table: &'d DeTable<'d>, mistakes: &'d Mistakes<'d>) -> Table<'d> {
        Table::new(String::new(), table, mistakes)
    }

    fn new(name: String, table: &'d DeTable<'d>, mistakes: &'d Mistakes<'d>) -> Table<'d> {
        Table {
            name,
            table,
            asked: RefCell::default(),
            mistakes,
        }
    }

    pub(super) fn mistakes(&self) -> &'d Mistakes<'d> {
        self.mistakes
    }

    fn get(&self, key: &'static str) -> Option<&'d Spanned<DeValue<'d>>> {
        self.asked.borrow_mut().push(key);
        self.mistakes.note_key(self.inner_name(key));
        self.table.get(key)
    }

    /// What `read` makes of the value; where it makes nothing, `wanted` is asked for.
    fn read<T>(
        &self,
        key: &'static str,
        wanted: &str,
        read: impl FnOnce(&'d DeValue<'d>) -> Option<T>,
    ) -> Option<At<T>> {
        let written = self.get(key)?;
        let at = written.span().start;
        let value = read(written.get_ref());
        if value.is_none() {
            let found = found(written.get_ref());
            self.mistakes
                .add(at, format!("{key} must be {wanted}, not {found}"));
        }
        value.map(|value| At { at, value })
    }

    /// A text.
    pub(super) fn text(&self, key: &'static str) -> Option<At<&'d str>> {
        self.read(key, "a text", |value| match value {
            DeValue::String(text) => Some(text.as_ref()),
            _ => None,
        })
    }

    /// A text that `parse` makes something of, or tells why not.
    pub(super) fn parsed<T>(
        &self,
        key: &'static str,
        parse: impl FnOnce(&'d str) -> Result<T, String>,
    ) -> Option<At<T>> {
        let text = self.text(key)?;
        match parse(text.value) {
            Ok(value) => Some(At { at: text.at, value }),
            Err(reason) => {
                self.mistakes.add(text.at, reason);
                None
            }
        }
    }

    /// An address and a port, or `default`.
    pub(super) fn address(&self, key: &'static str, default: SocketAddr) -> SocketAddr {
        let address = self.parsed(key, |text| {
            let wrong = |_| format!("{key} must be an address and a port such as {default}");
            text.parse().map_err(wrong)
        });
        address.map_or(default, |address| address.value)
    }

    /// Where the value of a key stands, as an offset in bytes; 0 where there is none.
    pub(super) fn at(&self, key: &str) -> usize {
        self.table.get(key).map_or(0, |value| value.span().start)
    }

    /// One of these words.
    pub(super) fn choice<T: Copy>(&self, key: &'static str, words: &[(&str, T)]) -> Option<At<T>> {
        self.parsed(key, |text| {
            let word = words.iter().find(|(word, _)| *word == text);
            word.map(|(_, value)| *value).ok_or_else(|| {
                let words: Vec<_> = words.iter().map(|(word, _)| format!("{word:?}")).collect();
                format!("{key} must be one of {}, not {text:?}", words.join(", "))
            })
        })
    }

    /// True or false.
    pub(super) fn boolean(&self, key: &'static str) -> Option<At<bool>> {
        self.read(key, "true or false", |value| match value {
            DeValue::Boolean(value) => Some(*value),
            _ => None,
        })
    }

    /// A whole number in this range.
    pub(super) fn integer(&self, key: &'static str, range: RangeInclusive<u64>) -> Option<At<u64>> {
        let wanted = match *range.end() {
            u64::MAX => format!("a whole number of at least {}", range.start()),
            most => format!("a whole number from {} to {most}", range.start()),
        };
        self.read(key, &wanted, |value| match value {
            DeValue::Integer(number) => u64::from_str_radix(number.as_str(), number.radix())
                .ok()
                .filter(|number| range.contains(number)),
            _ => None,
        })
    }

    /// A number from 0 to 1.
    pub(super) fn ratio(&self, key: &'static str) -> Option<At<f64>> {
        self.read(key, "a number from 0 to 1", |value| {
            let number: f64 = match value {
                DeValue::Float(number) => number.as_str().parse().ok()?,
                DeValue::Integer(number) => number.as_str().parse().ok()?,
                _ => return None,
            };
            (0.0..=1.0).contains(&number).then_some(number)
        })
    }

    /// A list of texts, each only once.
    pub(super) fn texts(&self, key: &'static str) -> Option<At<Vec<At<&'d str>>>> {
        let list = self.read(key, "a list of texts", |value| match value {
            DeValue::Array(items) => Some(items),
            _ => None,
        })?;
        let mut texts: Vec<At<&str>> = Vec::new();
        for item in list.value.iter() {
            let at = item.span().start;
            let wrong = match item.get_ref() {
                DeValue::String(text) if texts.iter().any(|seen| seen.value == text.as_ref()) => {
                    format!("{key} lists {text:?} twice")
                }
                DeValue::String(text) => {
                    texts.push(At {
                        at,
                        value: text.as_ref(),
                    });
                    continue;
                }
                other => format!("{key} must be a list of texts, but holds {}", found(other)),
            };
            self.mistakes.add(at, wrong);
        }
        Some(At {
            at: list.at,
            value: texts,
        })
    }

    /// An inner table.
    pub(super) fn table(&self, key: &'static str) -> Option<Table<'d>> {
        let inner = self.read(key, "a table", |value| match value {
            DeValue::Table(table) => Some(table),
            _ => None,
        })?;
        Some(Table::new(self.inner_name(key), inner.value, self.mistakes))
    }

    /// The tables in an inner table, each with its name.
    pub(super) fn tables(&self, key: &'static str) -> Vec<(At<&'d str>, Table<'d>)> {
        let Some(outer) = self.table(key) else {
            return Vec::new();
        };
        let mut tables = Vec::new();
        for (name, value) in outer.table.iter() {
            let at = name.span().start;
            let name = name.get_ref().as_ref();
            match value.get_ref() {
                DeValue::Table(table) => {
                    let table = Table::new(outer.inner_name(name), table, self.mistakes);
                    tables.push((At { at, value: name }, table));
                }
                other => self.mistakes.add(
                    at,
                    format!("{key}.{name} must be a table, not {}", found(other)),
                ),
            }
        }
        tables
    }

    fn inner_name(&self, key: &str) -> String {
        match self.name.as_str() {
            "" => key.to_owned(),
            name => format!("{name}.{key}"),
        }
    }

    /// Notes the keys that nobody asked for.
    pub(super) fn finish(self) {
        let asked = self.asked.into_inner();
        for (key, _) in self.table.iter() {
            let name = key.get_ref().as_ref();
            if asked.contains(&name) {
                continue;
            }
            let place = match self.name.as_str() {
                "" => String::new(),
                table => format!(" in [{table}]"),
            };
            let hint = match nearest(name, asked.iter().copied()) {
                Some(known) => format!("; did you mean {known:?}?"),
                None => String::new(),
            };
            self.mistakes.add(
                key.span().start,
                format!("unknown key {name:?}{place}{hint}"),
            );
        }
    }
}

/// What a value is, in words; numbers as they are written.
fn found(value: &DeValue<'_>) -> String {
    match value {
        DeValue::String(_) => "a text".into(),
        DeValue::Integer(number) => number.to_string(),
        DeValue::Float(number) => number.to_string(),
        DeValue::Boolean(value) => value.to_string(),
        DeValue::Datetime(_) => "a date or time".into(),
        DeValue::Array(_) => "a list".into(),
        DeValue::Table(_) => "a table".into(),
    }
}
