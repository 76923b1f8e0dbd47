//! What the operator lets a connector do.
//!
//! A policy is the host's word: nothing that a component says of itself widens it.

use crate::limits::{ConnectorLimits, Profile};

/// What one connector may do.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Policy {
    /// What it may take.
    pub limits: ConnectorLimits,
}

impl Policy {
    /// The defaults for connectors of `profile`.
    #[must_use]
    pub fn of(profile: Profile) -> Policy {
        Policy {
            limits: ConnectorLimits::of(profile),
        }
    }
}
