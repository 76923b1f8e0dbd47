//! Prepared statements of one connection, and how the rows of each are rendered.

use super::render::Codec;
use super::session::{Session, Settings};
use airlock_connector::lex;
use lru::LruCache;
use std::num::NonZeroUsize;
use std::sync::Arc;
use tokio_postgres::Statement;
use tokio_postgres::types::{Kind, Type};

/// A statement that is ready to run.
#[derive(Clone)]
pub(super) struct Prepared {
    /// What the server knows.
    pub(super) statement: Statement,
    /// Names of the columns.
    pub(super) columns: Arc<[String]>,
    /// How each column is rendered; none where the server does it value by value.
    pub(super) codecs: Arc<[Option<Codec>]>,
}

/// Text and declared types: what a statement is prepared for.
#[derive(Clone, PartialEq, Eq, Hash)]
struct Key {
    sql: String,
    types: Vec<Type>,
    /// Settings change which columns are rendered here.
    settings: [bool; 3],
}

/// The statements of one connection, the least recently used going first.
pub(super) struct Statements(LruCache<Key, Prepared>);

impl Statements {
    pub(super) fn new(most: usize) -> Statements {
        Statements(LruCache::new(
            NonZeroUsize::new(most).unwrap_or(NonZeroUsize::MIN),
        ))
    }

    pub(super) fn clear(&mut self) {
        self.0.clear();
    }
}

/// Prepares `sql` with these types, or takes it from the cache.
pub(super) async fn prepare(
    session: &mut Session,
    sql: &str,
    types: &[Type],
) -> Result<Prepared, tokio_postgres::Error> {
    let key = Key {
        sql: sql.into(),
        types: types.into(),
        settings: session.settings().snapshot(),
    };
    if let Some(prepared) = session.statements.0.get(&key) {
        return Ok(prepared.clone());
    }
    let statement = session.client().prepare_typed(sql, types).await?;
    note_types(session, &statement);
    let codecs = codecs(&statement, session.settings());
    let columns: Arc<[String]> = statement
        .columns()
        .iter()
        .map(|column| column.name().to_owned())
        .collect();
    let prepared = match by_server(sql, &codecs) {
        Some(wrapped) => {
            let statement = session.client().prepare_typed(&wrapped, types).await?;
            let codecs = self::codecs(&statement, session.settings());
            Prepared {
                statement,
                columns,
                codecs,
            }
        }
        None => Prepared {
            statement,
            columns,
            codecs,
        },
    };
    session.statements.0.put(key, prepared.clone());
    Ok(prepared)
}

/// Prepares a statement that will not be seen again.
pub(super) async fn once(
    session: &mut Session,
    sql: &str,
) -> Result<Prepared, tokio_postgres::Error> {
    let statement = session.client().prepare(sql).await?;
    note_types(session, &statement);
    let codecs = codecs(&statement, session.settings());
    let columns = statement
        .columns()
        .iter()
        .map(|column| column.name().to_owned())
        .collect();
    Ok(Prepared {
        statement,
        columns,
        codecs,
    })
}

/// Forgets the statements after definitions changed under them.
pub(super) fn forget(session: &mut Session) {
    session.statements.clear();
}

fn codecs(statement: &Statement, settings: &Settings) -> Arc<[Option<Codec>]> {
    statement
        .columns()
        .iter()
        .map(|column| Codec::of(column.type_(), settings))
        .collect()
}

/// The driver looks up types that are not built in through statements that it keeps prepared.
fn note_types(session: &mut Session, statement: &Statement) {
    let columns = statement
        .columns()
        .iter()
        .map(tokio_postgres::Column::type_);
    let foreign = statement
        .params()
        .iter()
        .chain(columns)
        .any(|known| Type::from_oid(known.oid()).is_none());
    session.looked_up_types |= foreign;
}

/// The statement with the columns that are not rendered here passed through the server's `to_json`,
/// where the statement can stand inside another one.
fn by_server(sql: &str, codecs: &[Option<Codec>]) -> Option<String> {
    if codecs.iter().all(Option::is_some) || !can_be_wrapped(sql) {
        return None;
    }
    let names: Vec<String> = (0..codecs.len()).map(|at| format!("c{at}")).collect();
    let results: Vec<String> = names
        .iter()
        .zip(codecs)
        .map(|(name, codec)| {
            if codec.is_some() {
                name.clone()
            } else {
                format!("to_json({name})")
            }
        })
        .collect();
    // The line break ends a comment at the end of the text.
    Some(format!(
        "WITH airlock_rows({}) AS ({sql}\n) SELECT {} FROM airlock_rows",
        names.join(", "),
        results.join(", ")
    ))
}

/// Queries can; what changes data may be rewritten by rules, or may only stand at the top.
fn can_be_wrapped(sql: &str) -> bool {
    let words = lex::words(sql);
    let is = |token: &lex::Token<'_>, list: &[&str]| list.iter().any(|word| token.is_word(word));
    let reads = words
        .iter()
        .find(|token| !token.is("("))
        .is_some_and(|first| is(first, &["select", "values", "table", "with"]));
    reads
        && !words
            .iter()
            .any(|token| is(token, &["insert", "update", "delete", "merge"]))
}

impl Settings {
    fn snapshot(&self) -> [bool; 3] {
        use std::sync::atomic::Ordering::Acquire;
        [
            self.utc.load(Acquire),
            self.postgres_intervals.load(Acquire),
            self.plain_output.load(Acquire),
        ]
    }
}

/// Whether `known` is an enum, whose values are text on the wire.
pub(super) fn is_enum(known: &Type) -> bool {
    matches!(known.kind(), Kind::Enum(_))
}
