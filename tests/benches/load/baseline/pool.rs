//! Connections and their prepared statements.

use deadpool::managed::{Manager, Metrics, Object, Pool, RecycleError, RecycleResult};
use std::collections::HashMap;
use std::ops::Deref;
use tokio_postgres::{Client, Config, Error, NoTls, Statement};

/// Most connections, as Airlock's default.
const CONNECTIONS: usize = 16;

/// A connection on loan.
pub(super) type Lease = Object<Connections>;

/// Makes connections to one database.
pub(super) struct Connections(Config);

/// The pool for the database at `dsn`.
pub(super) fn pool(dsn: &str) -> Pool<Connections> {
    Pool::builder(Connections(dsn.parse().unwrap()))
        .max_size(CONNECTIONS)
        .build()
        .unwrap()
}

impl Manager for Connections {
    type Type = Connection;
    type Error = Error;

    async fn create(&self) -> Result<Connection, Error> {
        let (client, driver) = self.0.connect(NoTls).await?;
        tokio::spawn(driver);
        Ok(Connection {
            client,
            statements: HashMap::new(),
        })
    }

    async fn recycle(&self, connection: &mut Connection, _: &Metrics) -> RecycleResult<Error> {
        match connection.is_closed() {
            true => Err(RecycleError::message("closed")),
            false => Ok(()),
        }
    }
}

/// A connection that keeps what it prepared.
pub(super) struct Connection {
    client: Client,
    statements: HashMap<&'static str, Statement>,
}

impl Connection {
    /// Prepares `sql` the first time.
    pub(super) async fn prepared(&mut self, sql: &'static str) -> Result<Statement, Error> {
        if let Some(statement) = self.statements.get(sql) {
            return Ok(statement.clone());
        }
        let statement = self.client.prepare(sql).await?;
        self.statements.insert(sql, statement.clone());
        Ok(statement)
    }
}

impl Deref for Connection {
    type Target = Client;

    fn deref(&self) -> &Client {
        &self.client
    }
}
