//! The throw-away database of `serve --embedded-postgres`, `dev` and `demo`: started, named, shown.
//!
//! It goes away with the process, so its password may be seen. Calls find it by its name as they find those
//! of the configuration.

use super::Result;
use airlock::Secret;
use airlock::certificates::Certificates;
use airlock::config::Config;
use airlock::exec::Login;
use airlock::policy::DatabaseName;
use airlock::postgres::Cluster;
use std::io::{self, Write as _};

/// What calls name it by.
pub(super) const NAME: &str = "embedded";

/// The database, for as long as this is there.
pub(super) struct Embedded {
    cluster: Cluster,
}

/// How calls are let into the database: what is added to each configuration that is read.
#[derive(Debug, Clone)]
pub(super) struct Entry(Secret);

impl Embedded {
    /// Starts the server of the database.
    ///
    /// # Errors
    /// Where PostgreSQL is not found or does not start.
    pub(super) fn start() -> Result<Embedded> {
        let cluster = Cluster::start()?;
        Ok(Embedded { cluster })
    }

    /// How calls are let in.
    pub(super) fn entry(&self) -> Entry {
        Entry(self.cluster.connection_string())
    }

    /// Prints what calls can give as their connection.
    pub(super) fn show(&self) -> io::Result<()> {
        let mut out = io::stdout();
        let connection_string = self.cluster.connection_string();
        writeln!(
            out,
            "database_connection_str: {}",
            connection_string.expose()
        )?;
        writeln!(out, "or by its name: {NAME}")
    }
}

impl Entry {
    /// `config` with the database among those that have a name.
    ///
    /// # Errors
    /// Where another one has its name.
    pub(super) fn add_to(&self, mut config: Config) -> Result<Config> {
        let name = DatabaseName::new(NAME)?;
        let login = Login {
            connection_string: self.0.clone(),
            operator: Some(Certificates::default()),
        };
        let databases = config.databases.with(name, login).ok_or_else(|| {
            format!(
                "the configuration has [databases.{NAME}], and the throw-away database has that name: \
                 rename the table, or start without a throw-away database"
            )
        })?;
        config.databases = databases;
        Ok(config)
    }
}
