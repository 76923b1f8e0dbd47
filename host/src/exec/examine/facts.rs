//! What a server says of itself and of the login.

use std::time::{SystemTime, UNIX_EPOCH};
use tokio_postgres::{Client, Error};

/// Superusers are members of every role, so these say something only of others.
const QUESTION: &str = "SELECT pg_catalog.current_setting('server_version_num')::pg_catalog.int4, \
     r.rolsuper, r.rolbypassrls, r.rolcreaterole, r.rolreplication, \
     ARRAY(SELECT g.rolname::pg_catalog.text FROM pg_catalog.pg_roles g WHERE g.rolname IN \
       ('pg_execute_server_program', 'pg_read_server_files', 'pg_write_server_files') \
       AND pg_catalog.pg_has_role(r.oid, g.oid, 'MEMBER')), \
     pg_catalog.current_setting('max_connections')::pg_catalog.int4 \
       - pg_catalog.current_setting('superuser_reserved_connections')::pg_catalog.int4, \
     r.rolconnlimit, d.datconnlimit, pg_catalog.pg_is_in_recovery(), \
     pg_catalog.date_part('epoch', pg_catalog.clock_timestamp()) \
     FROM pg_catalog.pg_roles r, pg_catalog.pg_database d \
     WHERE r.rolname = current_user AND d.datname = pg_catalog.current_database()";

/// What a server says of itself and of the login.
#[derive(Debug, Clone)]
pub struct ServerFacts {
    /// Version as `server_version_num` has it, such as 150004 for 15.4.
    pub version: i32,
    /// What the login may do beyond what connectors can need, in PostgreSQL's words.
    pub excess: Vec<String>,
    /// Connections that the server has for logins like this one.
    pub connections: i32,
    /// Connections that it has for this login and for this database; none where only the server's count.
    pub bound: Option<i32>,
    /// It is a standby, so nothing can be changed there.
    pub is_standby: bool,
    /// How far its clock is ahead of the one here, in seconds.
    pub ahead_seconds: f64,
}

pub(super) async fn ask(client: &Client) -> Result<ServerFacts, Error> {
    let before = seconds();
    let rows = client.query_typed(QUESTION, &[]).await?;
    let now = f64::midpoint(before, seconds());
    let row = match rows.first() {
        Some(row) => row,
        // The login has no row where the catalogue hides it; ask for one, for its error.
        None => &client.query_one(QUESTION, &[]).await?,
    };
    let attributes = ["SUPERUSER", "BYPASSRLS", "CREATEROLE", "REPLICATION"];
    let mut excess = Vec::new();
    for (at, attribute) in attributes.into_iter().enumerate() {
        if row.try_get(at + 1)? {
            excess.push(attribute.to_owned());
        }
    }
    if !row.try_get::<_, bool>(1)? {
        excess.extend(row.try_get::<_, Vec<String>>(5)?);
    }
    let (connections, login, database) = (row.try_get(6)?, row.try_get(7)?, row.try_get(8)?);
    let bounds: [i32; 2] = [login, database];
    Ok(ServerFacts {
        version: row.try_get(0)?,
        excess,
        connections,
        bound: bounds.into_iter().filter(|bound| *bound >= 0).min(),
        is_standby: row.try_get(9)?,
        ahead_seconds: row.try_get::<_, f64>(10)? - now,
    })
}

fn seconds() -> f64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.unwrap_or_default().as_secs_f64()
}
