//! TLS to the database, by the modes of libpq.

use super::connection_string::{TlsWanted, refused, unknown};
use crate::certificates::{Certificates, ClientCertificate};
use crate::fault::Fault;
use crate::network::SslMode;
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::version::{TLS12, TLS13};
use rustls::{
    ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme, SupportedProtocolVersion,
};
use std::sync::Arc;
use tokio::net::TcpStream;
use tokio_postgres::tls::MakeTlsConnect;
use tokio_postgres_rustls::MakeRustlsConnect;

/// Versions of TLS that a connection may have. There is at least one.
#[derive(Debug, Clone)]
pub(super) struct TlsVersions(Vec<&'static SupportedProtocolVersion>);

impl TlsVersions {
    /// Those from `least` to `most`, in the words of libpq. The oldest that there is here is TLSv1.2.
    ///
    /// # Errors
    /// Where a word is none of those, or no version is left.
    pub(super) fn between(least: Option<&str>, most: Option<&str>) -> Result<TlsVersions, Fault> {
        const WORDS: [&str; 4] = ["TLSv1", "TLSv1.1", "TLSv1.2", "TLSv1.3"];
        let place = |key: &str, word: Option<&str>, default: usize| match word {
            None => Ok(default),
            Some(word) => WORDS
                .iter()
                .position(|known| *known == word)
                .ok_or_else(|| unknown(key, word)),
        };
        let least = place("ssl_min_protocol_version", least, 0)?;
        let most = place("ssl_max_protocol_version", most, WORDS.len())?;
        let there_are = [(2, &TLS12), (3, &TLS13)].into_iter();
        let versions: Vec<_> = there_are
            .filter(|(at, _)| (least..=most).contains(at))
            .map(|(_, version)| version)
            .collect();
        match versions.is_empty() {
            true => Err(refused("invalid SSL protocol version range\n")),
            false => Ok(TlsVersions(versions)),
        }
    }
}

/// How to make TLS to one server.
#[derive(Clone)]
pub(super) struct Tls {
    connector: MakeRustlsConnect,
    server_name: String,
}

impl Tls {
    /// TLS by `mode` to the server called `server_name`. Its certificate must come from `roots` where
    /// the mode says so; these are read only then.
    ///
    /// # Errors
    /// When certificates are needed and cannot be used, in words.
    pub(super) fn new(
        mode: SslMode,
        wanted: &TlsWanted,
        operator: Option<&Certificates>,
        roots: impl FnOnce() -> Result<Arc<RootCertStore>, rustls::Error>,
        server_name: String,
    ) -> Result<Tls, String> {
        let client = operator.and_then(|operator| operator.client.as_ref());
        let config = client_config(mode, wanted, client, roots)?;
        Ok(Tls {
            connector: MakeRustlsConnect::new(config),
            server_name,
        })
    }

    /// The name that the certificate of the server is for.
    pub(super) fn server_name(&self) -> &str {
        &self.server_name
    }

    /// One handshake to come; none where the name cannot be one of a server.
    pub(super) fn connect(
        &self,
    ) -> Option<<MakeRustlsConnect as MakeTlsConnect<TcpStream>>::TlsConnect> {
        MakeTlsConnect::<TcpStream>::make_tls_connect(
            &mut self.connector.clone(),
            &self.server_name,
        )
        .ok()
    }
}

/// The settings of a handshake by `mode`, see [`Tls::new`].
pub(super) fn client_config(
    mode: SslMode,
    wanted: &TlsWanted,
    client: Option<&ClientCertificate>,
    roots: impl FnOnce() -> Result<Arc<RootCertStore>, rustls::Error>,
) -> Result<ClientConfig, String> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let text = |error: rustls::Error| error.to_string();
    let chain = match mode {
        SslMode::VerifyCa | SslMode::VerifyFull => {
            let roots = roots().map_err(text)?;
            Some(chain(roots, &provider).map_err(text)?)
        }
        SslMode::Disable | SslMode::Allow | SslMode::Prefer | SslMode::Require => None,
    };
    let verifier: Arc<dyn ServerCertVerifier> = match chain {
        Some(chain) if mode == SslMode::VerifyFull => chain,
        chain => Arc::new(Checked {
            provider: provider.clone(),
            chain,
        }),
    };
    let TlsVersions(versions) = &wanted.versions;
    let config = ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(versions)
        .map_err(text)?
        .dangerous()
        .with_custom_certificate_verifier(verifier);
    let mut config = match client {
        None => config.with_no_client_auth(),
        Some(client) => config
            .with_client_auth_cert(client.chain(), client.key()?)
            .map_err(text)?,
    };
    config.enable_sni = wanted.sni;
    Ok(config)
}

fn chain(
    roots: Arc<RootCertStore>,
    provider: &Arc<CryptoProvider>,
) -> Result<Arc<WebPkiServerVerifier>, rustls::Error> {
    WebPkiServerVerifier::builder_with_provider(roots, provider.clone())
        .build()
        .map_err(|error| rustls::Error::General(error.to_string()))
}

/// Checks less than everything: the chain but not the name (`verify-ca`), or neither (`prefer`,
/// `require`), as libpq does. The handshake's signatures are always checked.
#[derive(Debug)]
struct Checked {
    provider: Arc<CryptoProvider>,
    chain: Option<Arc<WebPkiServerVerifier>>,
}

impl ServerCertVerifier for Checked {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        use rustls::CertificateError::{NotValidForName, NotValidForNameContext};
        let Some(chain) = &self.chain else {
            return Ok(ServerCertVerified::assertion());
        };
        match chain.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now) {
            Err(rustls::Error::InvalidCertificate(
                NotValidForName | NotValidForNameContext { .. },
            )) => Ok(ServerCertVerified::assertion()),
            other => other,
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(
            message,
            cert,
            dss,
            &self.provider.signature_verification_algorithms,
        )
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(
            message,
            cert,
            dss,
            &self.provider.signature_verification_algorithms,
        )
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider
            .signature_verification_algorithms
            .supported_schemes()
    }
}
