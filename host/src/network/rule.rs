//! One entry of `allow` or `deny`.

use super::{HostName, Ports};
use ipnet::IpNet;
use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

/// Names or addresses, at all ports or some: `db.example`, `*.example`, `10.0.0.0/8`,
/// `db.example:5432`, `[fd00::/8]:6432-6440`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rule {
    hosts: Hosts,
    ports: Option<Ports>,
    /// As it was written.
    text: String,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Hosts {
    Named(HostName),
    /// Every name below this one.
    Below(HostName),
    Net(IpNet),
}

impl Rule {
    /// Whether it is about this name.
    #[must_use]
    pub fn names(&self, name: &HostName, port: u16) -> bool {
        let is_named = match &self.hosts {
            Hosts::Named(named) => named == name,
            Hosts::Below(above) => {
                let rest = name.as_str().strip_suffix(above.as_str());
                rest.is_some_and(|rest| rest.ends_with('.'))
            }
            Hosts::Net(_) => false,
        };
        is_named && self.has(port)
    }

    /// Whether it is about this address. IPv4 addresses must not be mapped into IPv6.
    #[must_use]
    pub fn holds(&self, ip: IpAddr, port: u16) -> bool {
        matches!(&self.hosts, Hosts::Net(net) if net.contains(&ip)) && self.has(port)
    }

    /// Whether it is about addresses, not names.
    #[must_use]
    pub fn is_about_addresses(&self) -> bool {
        matches!(self.hosts, Hosts::Net(_))
    }

    /// Whether all that it is about are addresses in `block`.
    pub(super) fn is_within(&self, block: &IpNet) -> bool {
        matches!(&self.hosts, Hosts::Net(net) if block.contains(net))
    }

    fn has(&self, port: u16) -> bool {
        self.ports.is_none_or(|ports| ports.contains(port))
    }
}

impl FromStr for Rule {
    type Err = String;

    fn from_str(text: &str) -> Result<Rule, String> {
        let (hosts, ports) = split(text);
        Ok(Rule {
            hosts: read_hosts(hosts).map_err(|reason| format!("{text:?}: {reason}"))?,
            ports: ports.map(Ports::from_str).transpose()?,
            text: text.into(),
        })
    }
}

/// The hosts and the ports of an entry.
fn split(text: &str) -> (&str, Option<&str>) {
    if let Some((hosts, ports)) = text
        .strip_prefix('[')
        .and_then(|rest| rest.split_once("]:"))
    {
        return (hosts, Some(ports));
    }
    match text.split_once(':') {
        // IPv6 has more colons than one.
        Some((hosts, ports)) if !ports.contains(':') => (hosts, Some(ports)),
        _ => (text, None),
    }
}

fn read_hosts(text: &str) -> Result<Hosts, String> {
    let address = text.parse::<IpAddr>().map(IpNet::from);
    if let Ok(net) = text.parse::<IpNet>().or(address) {
        return match net {
            _ if net.trunc() != net => Err(format!("its network is written {}", net.trunc())),
            IpNet::V6(v6) if v6.addr().to_ipv4_mapped().is_some() => {
                Err("write the IPv4 address or network itself".into())
            }
            _ => Ok(Hosts::Net(net)),
        };
    }
    if text.contains('/') {
        return Err("this is no network such as 10.0.0.0/8".into());
    }
    let name = |text: &str| HostName::new(text).map_err(|reason| reason.to_string());
    match text.strip_prefix("*.") {
        Some(above) => name(above).map(Hosts::Below),
        None => name(text).map(Hosts::Named),
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}
