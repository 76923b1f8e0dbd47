//! Where clients and administrators come in: addresses, keys and certificates.

use super::ends;
use super::finding::Findings;
use crate::cli::health;
use airlock::config::{Config, Tls};
use airlock::{expiry, http};
use std::io::ErrorKind;
use std::net::{SocketAddr, TcpListener};
use std::time::Duration;

/// How long who is there already may take to say who it is.
const PATIENCE: Duration = Duration::from_secs(5);

/// What Airlock says at `/`, and its admin surface to who has no token.
const BANNER: &str = "This is Airlock";
const NO_TOKEN: &str = "unauthorized";

pub(super) fn look(config: &Config, findings: &mut Findings) {
    if let Some(tls) = &config.tls {
        certificate(tls, findings);
    }
    let scheme = match &config.tls {
        Some(_) => "https",
        None => "http",
    };
    let is_asked_for_certificates = config
        .tls
        .as_ref()
        .is_some_and(|tls| tls.client_ca_file.is_some());
    let door = Door {
        check: "listen",
        address: config.listen,
        scheme,
        path: "/",
        says: BANNER,
        is_asked_for_certificates,
    };
    door.look(findings);
    let is_open = !config.listen.ip().is_loopback();
    match &config.api_key {
        None if is_open => findings.warning(
            "api_key",
            format!("whoever reaches {} may call", config.listen),
            "set CONNECTOR_PROXY_API_KEY, or let only engines reach it",
        ),
        None => findings.ok("api_key", "there is none, and only this machine can call"),
        Some(_) => findings.ok("api_key", "callers need a key"),
    }
    let Some(admin) = &config.admin else {
        return;
    };
    let door = Door {
        check: "admin.listen",
        address: admin.listen,
        scheme: "http",
        path: "/v1/status",
        says: NO_TOKEN,
        is_asked_for_certificates: false,
    };
    door.look(findings);
    if !admin.listen.ip().is_loopback() {
        findings.warning(
            "admin.listen",
            format!(
                "the token crosses the network in the clear at {}",
                admin.listen
            ),
            "keep it on loopback",
        );
    }
}

/// An address that the server listens on.
struct Door {
    check: &'static str,
    address: SocketAddr,
    scheme: &'static str,
    /// Where who is there already says who it is, and what.
    path: &'static str,
    says: &'static str,
    is_asked_for_certificates: bool,
}

impl Door {
    fn look(&self, findings: &mut Findings) {
        let Door { check, address, .. } = self;
        match TcpListener::bind(address) {
            Ok(_) => findings.ok(*check, format!("{address} is free")),
            Err(error) if error.kind() == ErrorKind::AddrInUse => self.ask(findings),
            Err(error) => {
                let next = match error.kind() {
                    ErrorKind::PermissionDenied => {
                        "take a port from 1024 on, or give it CAP_NET_BIND_SERVICE"
                    }
                    _ => "take an address of this machine, such as 127.0.0.1 or 0.0.0.0",
                };
                findings.failed(
                    *check,
                    format!("{address} cannot be listened on: {error}"),
                    next,
                );
            }
        }
    }

    fn ask(&self, findings: &mut Findings) {
        let Door { check, address, .. } = self;
        if self.is_asked_for_certificates {
            let found = format!("{address} is in use, and who is there wants a certificate");
            return findings.warning(*check, found, "see whether it is Airlock: ss -ltnp");
        }
        let base = format!("{}://{}", self.scheme, reachable(*address));
        match health::get(&base, self.path, PATIENCE) {
            Ok((_, text)) if text.contains(self.says) => {
                findings.ok(*check, format!("Airlock serves at {address} already"));
            }
            _ => findings.failed(
                *check,
                format!("{address} is in use by another program"),
                "end it (ss -ltnp shows which), or take another address",
            ),
        }
    }
}

/// Where a server that listens on `address` can be asked from this machine.
fn reachable(mut address: SocketAddr) -> SocketAddr {
    if address.ip().is_unspecified() {
        address.set_ip(match address {
            SocketAddr::V4(_) => std::net::Ipv4Addr::LOCALHOST.into(),
            SocketAddr::V6(_) => std::net::Ipv6Addr::LOCALHOST.into(),
        });
    }
    address
}

fn certificate(tls: &Tls, findings: &mut Findings) {
    if let Err(error) = http::Certificates::read(tls.clone()) {
        let next = "name files in PEM that belong together";
        return findings.failed("tls", error.to_string(), next);
    }
    let files = [
        ("tls.certificate_file", Some(&tls.certificate_file)),
        ("tls.client_ca_file", tls.client_ca_file.as_ref()),
    ];
    for (check, path) in files {
        let Some(path) = path else {
            continue;
        };
        let what = path.display().to_string();
        match expiry::of_file(path) {
            Ok(end) => ends::look(check, &what, end, findings),
            Err(reason) => {
                findings.failed(check, format!("{what}: {reason}"), "name a file in PEM")
            }
        }
    }
}
