//! The places that a connection string names.

use super::connection_string::refused;
use crate::fault::Fault;

/// Port where the string names none.
const DEFAULT_PORT: u16 = 5432;

/// Where libpq looks for the server of this machine.
const DEFAULT_SOCKET: &str = "/var/run/postgresql";

/// One place to try.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Host {
    /// Name or address as written.
    pub(super) name: String,
    /// The address to dial in place of the name.
    pub(super) address: Option<String>,
    pub(super) port: u16,
}

impl Host {
    /// The directory of the socket, where the host is one.
    fn socket(&self) -> Option<&str> {
        match self.name.as_str() {
            _ if self.address.is_some() => None,
            "" => Some(DEFAULT_SOCKET),
            name if name.starts_with(['/', '@']) => Some(name),
            _ => None,
        }
    }

    /// Why this host cannot be dialled, where that is so.
    pub(super) fn refusal(&self) -> Option<String> {
        let place = self.socket().map(|_| self.at())?;
        Some(format!(
            "{place} failed: unix sockets are not available here; name a host, as in host=127.0.0.1"
        ))
    }

    /// The words in which libpq names the place.
    pub(super) fn at(&self) -> String {
        if let Some(directory) = self.socket() {
            return format!(
                "connection to server on socket \"{directory}/.s.PGSQL.{}\"",
                self.port
            );
        }
        match &self.address {
            Some(address) if *address != self.name && !self.name.is_empty() => {
                format!(
                    "connection to server at \"{}\" ({address}), port {}",
                    self.name, self.port
                )
            }
            Some(address) => format!("connection to server at \"{address}\", port {}", self.port),
            None => format!(
                "connection to server at \"{}\", port {}",
                self.name, self.port
            ),
        }
    }
}

/// The places, in the order in which they are tried. There is at least one.
pub(super) fn hosts(
    names: Option<String>,
    addresses: Option<String>,
    ports: Option<String>,
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
        ports
            .get(at)
            .or(ports.first())
            .copied()
            .unwrap_or(DEFAULT_PORT)
    };
    // Without a name, libpq turns to the socket of this machine.
    Ok((0..count.max(1))
        .map(|at| Host {
            name: names.get(at).cloned().unwrap_or_default(),
            address: addresses
                .get(at)
                .filter(|address| !address.is_empty())
                .cloned(),
            port: port_of(at),
        })
        .collect())
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
            "invalid integer value \"{text}\" for connection option \"port\"\n"
        ))),
    }
}
