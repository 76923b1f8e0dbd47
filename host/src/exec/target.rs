//! Where a call runs, and what its caller may learn of that.

use super::connection_string::ConnectionString;
use crate::certificates::Certificates;
use crate::fault::{Fault, Kind};
use crate::limits::Limits;
use crate::secret::Secret;
use std::sync::Arc;

/// Where and as whom connections are made. What is equal may share them. Prints without secrets.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Login {
    /// The connection string.
    pub connection_string: Secret,
    /// What the operator adds to it; none where a caller brought the string.
    pub operator: Option<Certificates>,
}

impl Login {
    /// Reads the connection string.
    ///
    /// # Errors
    /// As for [`ConnectionString::parse`].
    pub fn read(&self, limits: &Limits) -> Result<ConnectionString, Fault> {
        let read = ConnectionString::parse_within(self.connection_string.expose(), limits)?;
        Ok(ConnectionString {
            operator: self.operator.clone(),
            ..read
        })
    }
}

/// Where a call runs. Prints without the connection string.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// Where connections are made.
    pub login: Login,
    /// The name of the database, where that is all that the caller knows of it.
    pub name: Option<Arc<str>>,
}

impl Target {
    /// What the caller is told of a connection that failed. Of a database that has a name, host, user
    /// and address are none of the caller's business: they go to the log.
    pub(super) fn failed(&self, fault: Fault) -> Fault {
        match &self.name {
            Some(name) if fault.kind == Kind::Connection => {
                tracing::warn!(database = &**name, reason = fault.message, "cannot connect");
                let message = format!(
                    "cannot connect to the database \"{name}\"; the log of the host has the reason"
                );
                Fault::new(Kind::Connection, fault.code, message)
            }
            Some(name) if fault.kind == Kind::Denied => {
                tracing::warn!(database = &**name, reason = fault.message, "not allowed");
                let message = format!(
                    "[network] does not allow the database \"{name}\"; the log of the host has the reason"
                );
                Fault::new(Kind::Denied, fault.code, message)
            }
            _ => fault,
        }
    }
}
