//! What a connector needs in a database beside the login: its role, and the table of calls.

use crate::policy::Role;
use airlock_connector::QualifiedName;
use tokio_postgres::error::SqlState;
use tokio_postgres::types::{ToSql, Type};
use tokio_postgres::{Client, Error};

/// The columns of the table, their types, and whether each is demanded of an INSERT.
const COLUMNS: &str = "SELECT a.attname::pg_catalog.text, \
     pg_catalog.format_type(a.atttypid, NULL), a.attnotnull AND NOT a.atthasdef AND a.attidentity = '' \
     FROM pg_catalog.pg_attribute a WHERE a.attrelid = pg_catalog.to_regclass($1) \
     AND a.attnum > 0 AND NOT a.attisdropped";

/// Whether one row can be there for each process and task, and what may be done with it.
const RULES: &str = "SELECT EXISTS (SELECT FROM pg_catalog.pg_index i \
       WHERE i.indrelid = pg_catalog.to_regclass($1) AND i.indisunique AND i.indisvalid \
       AND i.indimmediate AND i.indpred IS NULL AND i.indexprs IS NULL AND i.indnatts = 2 \
       AND (SELECT pg_catalog.count(*) FROM pg_catalog.pg_attribute a \
         WHERE a.attrelid = i.indrelid AND a.attnum = ANY (i.indkey) \
         AND a.attname IN ('process_id', 'task_id')) = 2), \
     pg_catalog.has_table_privilege(pg_catalog.to_regclass($1), 'SELECT'), \
     pg_catalog.has_table_privilege(pg_catalog.to_regclass($1), 'INSERT'), \
     pg_catalog.has_table_privilege(pg_catalog.to_regclass($1), 'UPDATE')";

/// The columns that are written here, and types that take what is.
const USED: [(&str, &[&str]); 4] = [
    ("process_id", &["text", "character varying"]),
    ("task_id", &["text", "character varying"]),
    ("call", &["bytea"]),
    ("reply", &["text", "character varying"]),
];

/// What a connector needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    /// The role that its statements run as.
    pub role: Option<Role>,
    /// The table in which its calls are recorded.
    pub idempotency_table: Option<QualifiedName>,
}

/// What it would find.
#[derive(Debug, Default)]
pub struct Granted {
    /// Why it cannot have its role; none where it can or has none.
    pub role: Option<String>,
    /// What is wrong with the table; nothing where it is fine or there is none.
    pub idempotency_table: Vec<String>,
}

/// Asks as the connector would: in a transaction, as its role. It is rolled back.
pub(super) async fn ask(client: &Client, wanted: &Wanted) -> Granted {
    let mut granted = Granted::default();
    if let Err(error) = client.batch_execute("BEGIN READ ONLY").await {
        granted.role = Some(unasked(&error));
        return granted;
    }
    if let Some(role) = &wanted.role {
        let name: (&(dyn ToSql + Sync), Type) = (&role.as_str(), Type::TEXT);
        let set = "SELECT pg_catalog.set_config('role', $1, true)";
        let set = client.query_typed(set, &[name]).await;
        granted.role = set.err().map(|error| why_no_role(&error));
    }
    if let (Some(table), None) = (&wanted.idempotency_table, &granted.role) {
        granted.idempotency_table = match table_problems(client, table).await {
            Ok(problems) => problems,
            Err(error) => vec![unasked(&error)],
        };
    }
    let _ = client.batch_execute("ROLLBACK").await;
    granted
}

async fn table_problems(client: &Client, table: &QualifiedName) -> Result<Vec<String>, Error> {
    let name = table.to_string();
    let name: (&(dyn ToSql + Sync), Type) = (&name, Type::TEXT);
    let columns = client
        .query_typed(COLUMNS, std::slice::from_ref(&name))
        .await?;
    if columns.is_empty() {
        return Ok(vec![
            "there is no such table, or its schema cannot be seen".into(),
        ]);
    }
    let mut there = Vec::new();
    for row in &columns {
        let column: (String, String, bool) = (row.try_get(0)?, row.try_get(1)?, row.try_get(2)?);
        there.push(column);
    }
    let mut problems = Vec::new();
    for (name, types) in USED {
        match there.iter().find(|(column, ..)| column == name) {
            None => problems.push(format!("the column {name} is missing")),
            Some((_, kind, _)) if !types.contains(&kind.as_str()) => {
                let wanted = types.first().copied().unwrap_or_default();
                problems.push(format!("the column {name} is {kind}, not {wanted}"));
            }
            Some((_, _, true)) if name == "reply" => {
                problems.push("the column reply is NOT NULL; it is filled later".into());
            }
            Some(_) => {}
        }
    }
    let used = |column: &str| USED.iter().any(|(name, _)| *name == column);
    for (column, ..) in there
        .iter()
        .filter(|(name, _, demanded)| *demanded && !used(name))
    {
        problems.push(format!(
            "the column {column} is NOT NULL and has no default"
        ));
    }
    let rows = client.query_typed(RULES, &[name]).await?;
    if let Some(row) = rows.first() {
        if !row.try_get::<_, bool>(0)? {
            problems.push("it has no unique key of (process_id, task_id)".into());
        }
        for (at, privilege) in ["SELECT", "INSERT", "UPDATE"].into_iter().enumerate() {
            if !row.try_get::<_, bool>(at + 1)? {
                problems.push(format!("{privilege} is not granted"));
            }
        }
    }
    Ok(problems)
}

fn why_no_role(error: &Error) -> String {
    match error.code() {
        Some(code) if *code == SqlState::INSUFFICIENT_PRIVILEGE => {
            "the login is not a member of it".into()
        }
        Some(code) if *code == SqlState::INVALID_PARAMETER_VALUE => "there is no such role".into(),
        _ => unasked(error),
    }
}

fn unasked(error: &Error) -> String {
    match error.code() {
        Some(code) => format!("the server refuses to say, with SQLSTATE {}", code.code()),
        None => "the connection broke".into(),
    }
}
