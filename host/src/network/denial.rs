//! Why something may not be dialled, in words for the caller.

use super::{HostName, Rule};
use crate::fault::{Fault, Kind};
use std::fmt;
use std::net::IpAddr;
use thiserror::Error;

/// A server that may not be dialled. Says which rule is against it, and nothing of the addresses that a
/// name has.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("[network] does not allow {place}: {why}")]
pub struct Denial {
    place: String,
    why: String,
}

/// The rule that is against it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reason {
    /// `ports` does not list the port.
    Ports,
    /// `deny` lists what the caller wrote.
    Deny(Rule),
    /// `deny` lists the address.
    DenyAddress(Rule),
    /// `allow` does not list it.
    NotAllowed,
    /// The address is one of a kind that is closed.
    Closed(&'static str),
}

impl Denial {
    pub(super) fn of_name(name: &HostName, port: u16, reason: Reason) -> Denial {
        let why = match reason {
            // The rule may be as narrow as the address itself.
            Reason::DenyAddress(_) => "it has an address that deny lists".into(),
            Reason::Closed(_) => {
                "it has an address of a kind that is closed unless allow lists it".into()
            }
            reason => reason.to_string(),
        };
        Denial {
            place: format!("\"{name}\", port {port}"),
            why,
        }
    }

    pub(super) fn of_address(ip: IpAddr, port: u16, reason: Reason) -> Denial {
        Denial {
            place: format!("\"{ip}\", port {port}"),
            why: reason.to_string(),
        }
    }

    pub(super) fn of_socket() -> Denial {
        Denial {
            place: "the unix socket".into(),
            why: "unix_sockets does not list its directory; name a host, as in host=127.0.0.1"
                .into(),
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Reason::Ports => f.write_str("ports does not list the port"),
            Reason::Deny(rule) | Reason::DenyAddress(rule) => {
                write!(f, "deny lists \"{rule}\"")
            }
            Reason::NotAllowed => f.write_str("allow does not list it"),
            Reason::Closed(kind) => {
                write!(f, "{kind} addresses are closed unless allow lists them")
            }
        }
    }
}

impl From<Denial> for Fault {
    fn from(denial: Denial) -> Fault {
        Fault::new(Kind::Denied, "PolicyDenied", denial.to_string())
    }
}
