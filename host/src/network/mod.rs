//! Which servers may be dialled.
//!
//! A [`Network`] is the operator's word on names, addresses, ports, sockets and TLS; it holds for
//! connection strings of callers and for databases that have a name. `config/network.rs` reads it,
//! `exec/` asks it before each lookup and before each dial. It resolves nothing and opens nothing.

mod closed;
mod denial;
mod embedded;
mod host_name;
mod ports;
mod rule;
mod ssl_mode;

pub use denial::{Denial, Reason};
pub use host_name::{HostName, InvalidHostName};
pub use ports::Ports;
pub use rule::Rule;
pub use ssl_mode::SslMode;

use crate::certificates::Roots;
use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};

/// What connections may be made. The default allows every server but those at addresses that are
/// closed: link-local, cloud metadata, unspecified, multicast and reserved ones.
///
/// `deny` comes before `allow`. Names are compared as they are written, without resolving them, so a
/// name in `deny` stops that name and not the server behind it; an address does.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Network {
    /// What may be dialled; everything that is not closed where there is no list. An address or network
    /// in here that lies within a closed block opens that part of it.
    pub allow: Option<Vec<Rule>>,
    /// What may not be dialled.
    pub deny: Vec<Rule>,
    /// Ports that may be dialled; all where there is no list.
    pub ports: Option<Vec<Ports>>,
    /// Directories whose sockets may be dialled.
    pub unix_sockets: Vec<PathBuf>,
    /// The least TLS that connection strings of callers may ask for.
    pub least_ssl_mode: SslMode,
    /// Whom certificates of servers must come from; the roots of the system where there are none.
    pub roots: Option<Roots>,
}

impl Network {
    /// Whether a name may be looked up, to dial what it stands for: names that cannot be dialled in any
    /// case are not told to the DNS.
    ///
    /// # Errors
    /// With the rule that is against it.
    pub fn permits_lookup(&self, name: &HostName, port: u16) -> Result<(), Denial> {
        self.permits_name(name, port)?;
        let allow = self.allow.iter().flatten();
        let mut may_do = allow.filter(|rule| rule.is_about_addresses() || rule.names(name, port));
        if self.allow.is_some() && may_do.next().is_none() {
            return Err(Denial::of_name(name, port, Reason::NotAllowed));
        }
        Ok(())
    }

    /// Whether a server may be called by this name, wherever it is.
    ///
    /// # Errors
    /// With the rule that is against it.
    pub fn permits_name(&self, name: &HostName, port: u16) -> Result<(), Denial> {
        match self.against(port, |rule| rule.names(name, port)) {
            Some(reason) => Err(Denial::of_name(name, port, reason)),
            None => Ok(()),
        }
    }

    /// Whether this address may be dialled. `name` is the one that it was looked up for; none where the
    /// caller wrote the address, whatever name came with it.
    ///
    /// # Errors
    /// With the rule that is against it.
    pub fn permits(&self, name: Option<&HostName>, address: SocketAddr) -> Result<(), Denial> {
        let port = address.port();
        let ip = address.ip().to_canonical();
        // What is dialled, and what a gateway on the way may make of it.
        let faces = embedded::faces(ip);
        let denied = self.against(port, |rule| {
            faces.iter().any(|face| rule.holds(*face, port))
        });
        let reason = match denied {
            Some(Reason::Deny(rule)) => Some(Reason::DenyAddress(rule)),
            Some(reason) => Some(reason),
            None if !self.allows(name, ip, port) => Some(Reason::NotAllowed),
            None => {
                let kinds = faces.iter().find_map(|face| self.closes(*face, port));
                kinds.map(Reason::Closed)
            }
        };
        match (reason, name) {
            (None, _) => Ok(()),
            (Some(reason), Some(name)) => Err(Denial::of_name(name, port, reason)),
            (Some(reason), None) => Err(Denial::of_address(address.ip(), port, reason)),
        }
    }

    /// Whether sockets in this directory may be dialled.
    ///
    /// # Errors
    /// With what the operator would have to allow.
    pub fn permits_socket(&self, directory: &Path) -> Result<(), Denial> {
        // As it is written: what leads there by `..` or a link is another directory.
        match self.unix_sockets.iter().any(|listed| listed == directory) {
            true => Ok(()),
            false => Err(Denial::of_socket()),
        }
    }

    /// The rule against a port, or the one of `deny` that `is_met`.
    fn against(&self, port: u16, is_met: impl Fn(&Rule) -> bool) -> Option<Reason> {
        if let Some(ports) = &self.ports
            && !ports.iter().any(|ports| ports.contains(port))
        {
            return Some(Reason::Ports);
        }
        let rule = self.deny.iter().find(|rule| is_met(rule));
        rule.cloned().map(Reason::Deny)
    }

    fn allows(&self, name: Option<&HostName>, ip: IpAddr, port: u16) -> bool {
        let meets =
            |rule: &Rule| rule.holds(ip, port) || name.is_some_and(|name| rule.names(name, port));
        let allow = self.allow.as_ref();
        allow.is_none_or(|rules| rules.iter().any(meets))
    }

    /// The kind of addresses that an address is closed as, where no rule opens it: one that lies within
    /// the same block, as `0.0.0.0/0` does not say that anybody thought of those.
    fn closes(&self, ip: IpAddr, port: u16) -> Option<&'static str> {
        let mut blocks = closed::blocks_with(ip);
        let opens = |block: &closed::Block| {
            let allow = self.allow.iter().flatten();
            allow
                .into_iter()
                .any(|rule| rule.holds(ip, port) && rule.is_within(&block.net))
        };
        blocks.find(|block| !opens(block)).map(|block| block.kind)
    }
}

#[cfg(test)]
mod tests;
