//! The places that a connection string names.

use super::connection_string::{invalid, refused, shown};
use crate::fault::Fault;
use crate::limits::Limits;
use crate::network::{HostName, InvalidHostName};
use std::net::IpAddr;

/// Port where the string names none.
const DEFAULT_PORT: u16 = 5432;

/// Where libpq looks for the server of this machine.
const DEFAULT_SOCKET: &str = "/var/run/postgresql";

/// One place to try.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Host {
    pub(super) place: Place,
    pub(super) port: u16,
}

/// What is dialled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Place {
    /// What a name stands for.
    Name(HostName),
    /// An address. Its server may be called otherwise.
    Address(IpAddr, Option<Called>),
    /// The socket in a directory.
    Socket(String),
}

/// What the server at an address is called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Called {
    Name(HostName),
    Address(IpAddr),
}

impl Called {
    /// Reads a name or an address.
    pub(super) fn parse(text: &str) -> Result<Called, InvalidHostName> {
        match text.parse() {
            Ok(address) => Ok(Called::Address(address)),
            Err(_) => HostName::new(text).map(Called::Name),
        }
    }
}

impl Host {
    /// Whether its server is called so, or dialled there.
    pub(super) fn is(&self, called: &Called) -> bool {
        match (&self.place, called) {
            (Place::Name(name), Called::Name(called)) => name == called,
            (Place::Address(address, _), Called::Address(called)) if address == called => true,
            (Place::Address(_, also), called) => also.as_ref() == Some(called),
            _ => false,
        }
    }

    /// The words in which libpq names the place. `address` is the one of a name that is dialled.
    pub(super) fn at(&self, address: Option<IpAddr>) -> String {
        let port = self.port;
        let (name, address) = match &self.place {
            Place::Socket(directory) => {
                let directory = shown(directory);
                return format!("connection to server on socket \"{directory}/.s.PGSQL.{port}\"");
            }
            Place::Name(name) => (name.to_string(), address),
            Place::Address(address, None) => (address.to_string(), None),
            Place::Address(address, Some(Called::Address(called))) => (
                called.to_string(),
                Some(*address).filter(|address| address != called),
            ),
            Place::Address(address, Some(Called::Name(name))) => (name.to_string(), Some(*address)),
        };
        match address {
            Some(address) => {
                format!("connection to server at \"{name}\" ({address}), port {port}")
            }
            None => format!("connection to server at \"{name}\", port {port}"),
        }
    }

    /// The name that the certificate of the server must be for; none on a socket, which has no TLS.
    pub(super) fn tls_name(&self) -> Option<String> {
        match &self.place {
            Place::Name(name) | Place::Address(_, Some(Called::Name(name))) => {
                Some(name.to_string())
            }
            Place::Address(address, None) | Place::Address(_, Some(Called::Address(address))) => {
                Some(address.to_string())
            }
            Place::Socket(_) => None,
        }
    }
}

/// The places, in the order in which they are tried. There is at least one.
pub(super) fn hosts(
    names: Option<String>,
    addresses: Option<String>,
    ports: Option<String>,
    limits: &Limits,
) -> Result<Vec<Host>, Fault> {
    let list = |text: &Option<String>| -> Vec<String> {
        text.as_deref()
            .map(|text| text.split(',').map(|item| item.trim().to_owned()).collect())
            .unwrap_or_default()
    };
    let ports: Vec<u16> = list(&ports)
        .iter()
        .map(|text| port(text))
        .collect::<Result<_, _>>()?;
    let (names, addresses) = (list(&names), list(&addresses));
    let count = names.len().max(addresses.len());
    if count > limits.connection_hosts {
        return Err(invalid(format!(
            "it names more hosts than connection_hosts = {} allows",
            limits.connection_hosts
        )));
    }
    if !names.is_empty() && !addresses.is_empty() && names.len() != addresses.len() {
        let message = format!(
            "could not match {} host names to {} hostaddr values\n",
            names.len(),
            addresses.len()
        );
        return Err(refused(message));
    }
    if ports.len() > 1 && ports.len() != count {
        return Err(refused(format!(
            "could not match {} port numbers to {count} hosts\n",
            ports.len()
        )));
    }
    let port_of = |at: usize| {
        let port = ports.get(at).or(ports.first());
        port.copied().unwrap_or(DEFAULT_PORT)
    };
    let text = |list: &[String], at: usize| list.get(at).cloned().unwrap_or_default();
    let host = |at: usize| {
        Ok(Host {
            place: place(&text(&names, at), &text(&addresses, at))?,
            port: port_of(at),
        })
    };
    (0..count.max(1)).map(host).collect()
}

fn place(name: &str, address: &str) -> Result<Place, Fault> {
    if address.is_empty() {
        return Ok(match name {
            // Without a name, libpq turns to the socket of this machine.
            "" => Place::Socket(DEFAULT_SOCKET.into()),
            path if path.starts_with(['/', '@']) => Place::Socket(path.into()),
            name => match called(name)? {
                Called::Name(name) => Place::Name(name),
                Called::Address(address) => Place::Address(address, None),
            },
        });
    }
    let Ok(address) = address.parse() else {
        return Err(refused(format!(
            "could not parse network address \"{}\"\n",
            shown(address)
        )));
    };
    let called = match name {
        "" => None,
        name => Some(called(name)?),
    };
    Ok(Place::Address(address, called))
}

fn called(name: &str) -> Result<Called, Fault> {
    let untranslated = |reason| {
        refused(format!(
            "could not translate host name \"{}\" to address: {reason}\n",
            shown(name)
        ))
    };
    Called::parse(name).map_err(untranslated)
}

fn port(text: &str) -> Result<u16, Fault> {
    if text.is_empty() {
        return Ok(DEFAULT_PORT);
    }
    match text.parse::<i64>() {
        Ok(number) => u16::try_from(number)
            .ok()
            .filter(|port| *port > 0)
            .ok_or_else(|| refused(format!("invalid port number: \"{text}\"\n"))),
        Err(_) => Err(refused(format!(
            "invalid integer value \"{}\" for connection option \"port\"\n",
            shown(text)
        ))),
    }
}
