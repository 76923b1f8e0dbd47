//! Where a call runs, and what its caller may learn of that.

use crate::fault::{Fault, Kind};
use crate::secret::Secret;
use std::sync::Arc;

/// Where a call runs. Prints without the connection string.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// The connection string.
    pub connection_string: Secret,
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
            _ => fault,
        }
    }
}
