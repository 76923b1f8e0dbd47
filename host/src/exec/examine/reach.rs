//! The way to a server up to where something answers, without a login.

use super::{Examination, Stage};
use crate::exec::ConnectionString;
use crate::exec::connect::{Attempt, Failed};
use crate::exec::dial;
use crate::exec::host::{Host, Place};
use crate::exec::tls::client_config;
use crate::expiry;
use crate::network::SslMode;
use rustls::pki_types::ServerName;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::SystemTime;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;

/// The addresses at which something listens, with the host of each.
pub(super) type Reached<'h> = Vec<(&'h Host, SocketAddr)>;

/// Goes to each host as far as to where something listens; none where there is no such host.
pub(super) async fn reach<'h>(
    attempt: &Attempt<'_>,
    target: &'h ConnectionString,
    found: &mut Examination,
) -> Option<Reached<'h>> {
    let mut reached = Reached::new();
    let mut is_reached = false;
    for host in &target.hosts {
        if let Err(denial) = attempt.permit(host) {
            found.failed(Stage::Policy, denial.to_string());
            return None;
        }
    }
    for host in &target.hosts {
        let addresses = match &host.place {
            Place::Socket(directory) => {
                is_reached |= socket(attempt, host, directory, found).await;
                continue;
            }
            Place::Address(address, _) => vec![SocketAddr::new(*address, host.port)],
            Place::Name(name) => {
                let looked_up = timeout(attempt.budget(), attempt.permitted(name, host.port));
                match looked_up.await {
                    Ok(Ok(addresses)) => {
                        let count = addresses.len();
                        found.passed(Stage::Name, format!("\"{name}\" has {count} to dial"));
                        addresses
                    }
                    Ok(Err(Failed::Denied(denial))) => {
                        found.failed(Stage::Policy, denial.to_string());
                        continue;
                    }
                    Ok(Err(Failed::Here(reason))) => {
                        found.failed(Stage::Name, reason);
                        continue;
                    }
                    Err(_) => {
                        let reason = format!("\"{name}\" was not found within connect_ms");
                        found.failed(Stage::Name, reason);
                        continue;
                    }
                }
            }
        };
        for address in addresses {
            let place = host.at(Some(address.ip()));
            match timeout(attempt.budget(), dial::tcp(address)).await {
                Ok(Ok(_)) => {
                    found.passed(Stage::Reach, format!("{place} is open"));
                    reached.push((host, address));
                    is_reached = true;
                }
                Ok(Err(reason)) => {
                    let reason = reason.lines().next().unwrap_or_default().to_owned();
                    found.failed(Stage::Reach, format!("{place} failed: {reason}"));
                }
                Err(_) => {
                    let reason = format!("{place} failed: nothing answers within connect_ms");
                    found.failed(Stage::Reach, reason);
                }
            }
        }
    }
    is_reached.then_some(reached)
}

async fn socket(
    attempt: &Attempt<'_>,
    host: &Host,
    directory: &str,
    found: &mut Examination,
) -> bool {
    let place = host.at(None);
    let permitted = attempt
        .in_force
        .network
        .permits_socket(Path::new(directory));
    if let Err(denial) = permitted {
        found.failed(Stage::Policy, format!("{place}: {denial}"));
        return false;
    }
    let dialled = dial::socket(&format!("{directory}/.s.PGSQL.{}", host.port)).await;
    match dialled {
        Ok(_) => {
            found.passed(Stage::Reach, format!("{place} is open"));
            true
        }
        Err(reason) => {
            let reason = reason.lines().next().unwrap_or_default().to_owned();
            found.failed(Stage::Reach, format!("{place} failed: {reason}"));
            false
        }
    }
}

/// When the first certificate that the server at `address` shows ends.
pub(super) async fn certificate_ends(
    attempt: &Attempt<'_>,
    target: &ConnectionString,
    reached: &Reached<'_>,
    address: SocketAddr,
    mode: SslMode,
) -> Option<SystemTime> {
    let (host, _) = reached.iter().find(|(_, reached)| *reached == address)?;
    let operator = target.operator.as_ref();
    let client = operator.and_then(|operator| operator.client.as_ref());
    let roots = || attempt.in_force.roots(operator);
    let config = client_config(mode, &target.tls, client, roots).ok()?;
    let name = ServerName::try_from(host.tls_name()?).ok()?;
    let shown = async {
        let stream = dial::tcp(address).await.ok()?;
        let (stream, _) = dial::negotiate(stream, SslMode::Require).await.ok()?;
        let connector = TlsConnector::from(Arc::new(config));
        let stream = connector.connect(name, stream).await.ok()?;
        let (_, session) = stream.get_ref();
        let chain = session.peer_certificates()?;
        expiry::first(chain.iter().map(|certificate| &**certificate))
    };
    timeout(attempt.budget(), shown).await.ok()?
}
