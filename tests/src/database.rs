//! Databases for tests.

use crate::secrets;
use airlock::postgres::Cluster;
use std::ops::Deref;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, Weak};
use tokio_postgres::{Client, NoTls};

/// The cluster that the tests of one process share while any of them runs.
///
/// No PostgreSQL on this machine is a failure, not a reason to skip.
pub fn cluster() -> Arc<Cluster> {
    static SHARED: Mutex<Weak<Cluster>> = Mutex::new(Weak::new());
    let mut shared = SHARED.lock().unwrap();
    shared.upgrade().unwrap_or_else(|| {
        let cluster = Arc::new(Cluster::start().unwrap());
        secrets::plant_password(cluster.connection_string().expose());
        *shared = Arc::downgrade(&cluster);
        cluster
    })
}

/// A fresh database and a superuser's connection to it.
pub struct Database {
    /// Connection string of a superuser.
    pub dsn: String,
    client: Client,
    cluster: Arc<Cluster>,
}

impl Database {
    /// Makes a database of its own for a test.
    pub async fn fresh() -> Database {
        static NEXT: AtomicUsize = AtomicUsize::new(0);
        let name = format!("test{}", NEXT.fetch_add(1, Ordering::Relaxed));
        let cluster = cluster();
        let postgres = connect(cluster.connection_string().expose()).await;
        postgres
            .batch_execute(&format!("CREATE DATABASE {name}"))
            .await
            .unwrap();
        let dsn = cluster.connection_string_to(&name).expose().to_owned();
        let client = connect(&dsn).await;
        Database {
            dsn,
            client,
            cluster,
        }
    }

    /// The cluster that it is in.
    pub fn cluster(&self) -> &Cluster {
        &self.cluster
    }

    /// Another connection, by connection string.
    pub async fn connect(dsn: &str) -> Client {
        connect(dsn).await
    }
}

impl Deref for Database {
    type Target = Client;

    fn deref(&self) -> &Client {
        &self.client
    }
}

async fn connect(dsn: &str) -> Client {
    let (client, connection) = tokio_postgres::connect(dsn, NoTls).await.unwrap();
    tokio::spawn(connection);
    client
}
