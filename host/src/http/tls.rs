//! TLS to clients: the certificate, and taking it anew while the server runs.

use crate::config::Tls;
use arc_swap::ArcSwap;
use rustls::RootCertStore;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::{ServerConfig, WebPkiClientVerifier};
use std::io;
use std::path::Path;
use std::sync::Arc;
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

/// What is spoken over TLS, the best first.
const PROTOCOLS: [&[u8]; 2] = [b"h2", b"http/1.1"];

/// The certificate of a server and its key, and whose certificates clients must have.
pub struct Certificates {
    files: Tls,
    live: ArcSwap<ServerConfig>,
}

impl Certificates {
    /// Reads the files.
    ///
    /// # Errors
    /// Where they cannot be used; names the file.
    pub fn read(files: Tls) -> io::Result<Certificates> {
        Ok(Certificates {
            live: ArcSwap::from(read(&files)?),
            files,
        })
    }

    /// Reads the files again. What cannot be used changes nothing and is logged. Connections that are
    /// open keep what they have.
    pub fn read_again(&self) {
        match read(&self.files) {
            Ok(config) => {
                self.live.store(config);
                tracing::info!("the certificate was read again");
            }
            Err(error) => tracing::error!(%error, "the certificate stays as it was"),
        }
    }

    /// Shakes hands with a client.
    pub(super) async fn accept(&self, stream: TcpStream) -> io::Result<TlsStream<TcpStream>> {
        TlsAcceptor::from(self.live.load_full())
            .accept(stream)
            .await
    }
}

fn read(files: &Tls) -> io::Result<Arc<ServerConfig>> {
    let chain = certificates(&files.certificate_file)?;
    let key = PrivateKeyDer::from_pem_file(&files.key_file)
        .map_err(|error| about(&files.key_file, error))?;
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider.clone())
        .with_safe_default_protocol_versions()
        .map_err(io::Error::other)?;
    let config = match &files.client_ca_file {
        None => config.with_no_client_auth(),
        Some(path) => {
            let mut roots = RootCertStore::empty();
            for certificate in certificates(path)? {
                roots.add(certificate).map_err(|error| about(path, error))?;
            }
            let clients = WebPkiClientVerifier::builder_with_provider(roots.into(), provider);
            let clients = clients.build().map_err(|error| about(path, error))?;
            config.with_client_cert_verifier(clients)
        }
    };
    let mut config = config
        .with_single_cert(chain, key)
        .map_err(|error| about(&files.certificate_file, error))?;
    config.alpn_protocols = PROTOCOLS.map(<[u8]>::to_vec).to_vec();
    Ok(Arc::new(config))
}

fn certificates(path: &Path) -> io::Result<Vec<CertificateDer<'static>>> {
    let read = CertificateDer::pem_file_iter(path).and_then(Iterator::collect);
    match read {
        Ok(certificates) if Vec::is_empty(&certificates) => {
            Err(about(path, "it holds no certificate in PEM"))
        }
        read => read.map_err(|error| about(path, error)),
    }
}

fn about(path: &Path, error: impl std::fmt::Display) -> io::Error {
    io::Error::other(format!("[tls]: {}: {error}", path.display()))
}
