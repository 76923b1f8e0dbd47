//! Prepared statements of one connection, and how the rows of each are rendered.

use super::error;
use super::failed::Failed;
use super::render::{self, Codec};
use super::session::Session;
use super::settings::Settings;
use crate::limits::Limits;
use crate::policy::Role;
use airlock_connector::lex;
use lru::LruCache;
use std::borrow::Borrow;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::num::NonZeroUsize;
use std::pin::pin;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio_postgres::Statement;
use tokio_postgres::types::Type;

/// A statement that is ready to run.
#[derive(Clone)]
pub(super) struct Prepared {
    /// What the server knows.
    pub(super) statement: Statement,
    /// What it gives.
    pub(super) columns: Arc<[Column]>,
    /// It was prepared for an earlier call, so definitions may have changed under it.
    pub(super) reused: bool,
}

impl Prepared {
    /// Why it failed. The types of parameters are inferred when a statement is prepared; where that was
    /// a while ago, a new look at the definitions may tell other ones.
    pub(super) fn failed(&self, error: tokio_postgres::Error) -> Failed {
        let doubtful = self.reused && error::is_about_types(&error);
        let mut failed = Failed::from(error);
        failed.stopped.again |= doubtful;
        failed
    }

    /// The same with the server rendering what may be outdated; none where nothing may be.
    pub(super) fn updated(&self) -> Option<Prepared> {
        let outdated = |column: &Column| column.codec.as_ref().is_some_and(Codec::can_be_outdated);
        if !self.columns.iter().any(outdated) {
            return None;
        }
        let columns = self.columns.iter().map(|column| Column {
            codec: column
                .codec
                .clone()
                .filter(|codec| !codec.can_be_outdated()),
            ..column.clone()
        });
        Some(Prepared {
            columns: columns.collect(),
            ..self.clone()
        })
    }
}

/// One column of the rows that a statement gives.
#[derive(Clone)]
pub(super) struct Column {
    /// Its name.
    pub(super) name: String,
    /// Its name as the key of a JSON object, with the colon.
    pub(super) key: Vec<u8>,
    /// Its type.
    pub(super) of_type: Type,
    /// How it is rendered; none where the server does it value by value.
    pub(super) codec: Option<Codec>,
}

impl fmt::Debug for Column {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.name, self.of_type)
    }
}

/// Text and declared types: what a statement is prepared for.
#[derive(PartialEq, Eq)]
struct Key {
    sql: String,
    types: Vec<Type>,
    /// Names can mean other tables to another role, as the search path begins with the role's own schema.
    role: Option<Role>,
    /// Settings change which columns are rendered here.
    settings: Arc<Settings>,
}

/// A key, owned or not.
trait AsKey {
    fn parts(&self) -> (&str, &[Type], Option<&Role>, &Settings);
}

impl AsKey for Key {
    fn parts(&self) -> (&str, &[Type], Option<&Role>, &Settings) {
        (&self.sql, &self.types, self.role.as_ref(), &self.settings)
    }
}

impl AsKey for (&str, &[Type], Option<&Role>, &Arc<Settings>) {
    fn parts(&self) -> (&str, &[Type], Option<&Role>, &Settings) {
        (self.0, self.1, self.2, self.3)
    }
}

impl<'a> Borrow<dyn AsKey + 'a> for Key {
    fn borrow(&self) -> &(dyn AsKey + 'a) {
        self
    }
}

impl Hash for Key {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.parts().hash(state);
    }
}

impl Hash for dyn AsKey + '_ {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.parts().hash(state);
    }
}

impl PartialEq for dyn AsKey + '_ {
    fn eq(&self, other: &Self) -> bool {
        self.parts() == other.parts()
    }
}

impl Eq for dyn AsKey + '_ {}

/// The statements of one connection, the least recently used going first.
pub(super) struct Statements {
    prepared: LruCache<Key, (Instant, Prepared)>,
    /// How long a statement is used.
    age: Duration,
}

impl Statements {
    pub(super) fn new(limits: &Limits) -> Statements {
        let most = NonZeroUsize::new(limits.prepared_statements).unwrap_or(NonZeroUsize::MIN);
        Statements {
            prepared: LruCache::new(most),
            age: Duration::from_millis(limits.prepared_ms),
        }
    }

    fn get(&mut self, key: &dyn AsKey) -> Option<Prepared> {
        let (since, prepared) = self.prepared.get(key)?;
        (since.elapsed() < self.age).then(|| Prepared {
            reused: true,
            ..prepared.clone()
        })
    }

    /// Whether it is there, however old.
    fn holds(&self, key: &dyn AsKey) -> bool {
        self.prepared.contains(key)
    }

    fn put(&mut self, key: Key, prepared: Prepared) {
        self.prepared.put(key, (Instant::now(), prepared));
    }

    pub(super) fn clear(&mut self) {
        self.prepared.clear();
    }
}

/// Prepares `sql` with these types, or takes it from the cache.
pub(super) async fn prepare(
    session: &mut Session,
    sql: &str,
    types: &[Type],
) -> Result<Prepared, tokio_postgres::Error> {
    let settings = session.settings();
    let role = session.role().cloned();
    let key = (sql, types, role.as_ref(), &settings);
    if let Some(prepared) = session.statements.get(&key) {
        return Ok(prepared);
    }
    if session.statements.holds(&key) {
        // It is too old, and so may be what the driver knows of the types.
        session.client().clear_type_cache();
    }
    let prepared = Box::pin(once(session, sql, types)).await?;
    let key = Key {
        sql: sql.into(),
        types: types.into(),
        role,
        // Settings that the server reported before it answered are known only now.
        settings: session.settings(),
    };
    let prepared = match by_server(sql, &prepared.columns) {
        Some(wrapped) => {
            let rendered = Box::pin(once(session, &wrapped, types)).await?;
            renamed(rendered, &prepared.columns)
        }
        None => prepared,
    };
    session.statements.put(key, prepared.clone());
    Ok(prepared)
}

/// Prepares a statement that will not be seen again.
pub(super) async fn once(
    session: &mut Session,
    sql: &str,
    types: &[Type],
) -> Result<Prepared, tokio_postgres::Error> {
    let opening = session.take_opening();
    let client = session.client();
    let statement = opening
        .before(client, pin!(client.prepare_typed(sql, types)))
        .await?;
    note_types(session, &statement);
    let settings = session.settings();
    let columns = statement.columns().iter().map(|column| Column {
        name: column.name().to_owned(),
        key: key(column.name()),
        of_type: column.type_().clone(),
        codec: Codec::of(column.type_(), &settings),
    });
    Ok(Prepared {
        columns: columns.collect(),
        statement,
        reused: false,
    })
}

/// Forgets the statements after definitions changed under them.
pub(super) fn forget(session: &mut Session) {
    session.statements.clear();
    session.client().clear_type_cache();
}

fn key(name: &str) -> Vec<u8> {
    let mut key = Vec::new();
    render::string(&mut key, name);
    key.push(b':');
    key
}

/// The statement with the names of other columns.
fn renamed(rendered: Prepared, names: &[Column]) -> Prepared {
    let columns = rendered
        .columns
        .iter()
        .zip(names)
        .map(|(column, named)| Column {
            name: named.name.clone(),
            key: named.key.clone(),
            ..column.clone()
        });
    Prepared {
        columns: columns.collect(),
        statement: rendered.statement,
        reused: false,
    }
}

/// The driver looks up types that are not built in through statements that it keeps prepared.
pub(super) fn note_types(session: &mut Session, statement: &Statement) {
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
fn by_server(sql: &str, columns: &[Column]) -> Option<String> {
    if columns.iter().all(|column| column.codec.is_some()) || !can_be_wrapped(sql) {
        return None;
    }
    let names: Vec<String> = (0..columns.len()).map(|at| format!("c{at}")).collect();
    let results: Vec<String> = names
        .iter()
        .zip(columns)
        .map(|(name, column)| {
            if column.codec.is_some() {
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
