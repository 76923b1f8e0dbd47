//! How a call ended, as one of a few words.

use crate::fault::{Fault, Kind};

/// How a call ended. The words are the host's own: neither the codes of a connector nor those of a
/// database are labels, as either could make up as many as it likes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// It succeeded.
    Ok,
    /// Whoever called did not wait for the end.
    ClientGone,
    /// The parameters do not have the form that the command takes.
    Parameters,
    /// The parameters make no statement.
    Statement,
    /// The policy does not allow it.
    Denied,
    /// The connector broke its contract.
    Connector,
    /// There was no connection to the database.
    Connection,
    /// The database refused.
    Database,
    /// It took longer than it may.
    Deadline,
    /// Nobody knows whether what it changed is stored.
    OutcomeUnknown,
    /// Too much was going on.
    Overload,
    /// The host failed.
    Internal,
}

impl Outcome {
    /// All of them, in the order of their numbers.
    pub const ALL: [Outcome; 12] = [
        Outcome::Ok,
        Outcome::ClientGone,
        Outcome::Parameters,
        Outcome::Statement,
        Outcome::Denied,
        Outcome::Connector,
        Outcome::Connection,
        Outcome::Database,
        Outcome::Deadline,
        Outcome::OutcomeUnknown,
        Outcome::Overload,
        Outcome::Internal,
    ];

    /// How a call ended that failed.
    #[must_use]
    pub fn of(fault: &Fault) -> Outcome {
        match fault.kind {
            Kind::UnknownCommand | Kind::Parameters => Outcome::Parameters,
            Kind::Statement => Outcome::Statement,
            Kind::Denied => Outcome::Denied,
            Kind::Connector => Outcome::Connector,
            Kind::Connection => Outcome::Connection,
            Kind::Database => Outcome::Database,
            Kind::Deadline => Outcome::Deadline,
            Kind::OutcomeUnknown => Outcome::OutcomeUnknown,
            Kind::Overload => Outcome::Overload,
            Kind::Internal => Outcome::Internal,
        }
    }

    /// The value of the label `outcome`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Outcome::Ok => "ok",
            Outcome::ClientGone => "client_gone",
            Outcome::Parameters => "parameters",
            Outcome::Statement => "statement",
            Outcome::Denied => "denied",
            Outcome::Connector => "connector",
            Outcome::Connection => "connection",
            Outcome::Database => "database",
            Outcome::Deadline => "deadline",
            Outcome::OutcomeUnknown => "outcome_unknown",
            Outcome::Overload => "overload",
            Outcome::Internal => "internal",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_follow_the_list() {
        for (at, outcome) in Outcome::ALL.into_iter().enumerate() {
            assert_eq!(outcome as usize, at);
        }
    }
}
