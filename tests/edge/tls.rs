//! TLS to clients.

use super::raw::{Raw, Response};
use super::{AIRLOCK, until_logged};
use airlock_tests::Server;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use std::io;
use std::path::Path;
use std::sync::Arc;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

/// An authority, and what it vouches for.
struct Authority(CertifiedIssuer<'static, KeyPair>);

impl Authority {
    fn new() -> Authority {
        let mut parameters = CertificateParams::new(Vec::new()).unwrap();
        parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        Authority(CertifiedIssuer::self_signed(parameters, key).unwrap())
    }

    /// A certificate for `localhost` and its key, in PEM.
    fn issue(&self) -> (String, String) {
        let key = KeyPair::generate().unwrap();
        let parameters = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
        (
            parameters.signed_by(&key, &self.0).unwrap().pem(),
            key.serialize_pem(),
        )
    }

    fn write_to(&self, directory: &Path) {
        let (certificate, key) = self.issue();
        std::fs::write(directory.join("server.crt"), certificate).unwrap();
        std::fs::write(directory.join("server.key"), key).unwrap();
    }
}

/// A server with the certificate in the directory.
fn serve(directory: &Path, more: &str) -> Server {
    let config = directory.join("airlock.toml");
    let tls = "[tls]\ncertificate_file = \"server.crt\"\nkey_file = \"server.key\"";
    std::fs::write(&config, format!("{tls}\n{more}")).unwrap();
    Server::start(AIRLOCK, &["--config", config.to_str().unwrap()], &[])
}

/// Connects and trusts `authority` alone; with a certificate of `own`, where there is one.
async fn connect(
    server: &Server,
    authority: &Authority,
    own: Option<&Authority>,
    protocols: &[&[u8]],
) -> io::Result<TlsStream<TcpStream>> {
    let mut roots = RootCertStore::empty();
    roots.add(authority.0.der().clone()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots);
    let mut config = match own {
        None => config.with_no_client_auth(),
        Some(own) => {
            let (certificate, key) = own.issue();
            let certificate = CertificateDer::from_pem_slice(certificate.as_bytes()).unwrap();
            let key = PrivateKeyDer::from_pem_slice(key.as_bytes()).unwrap();
            config
                .with_client_auth_cert(vec![certificate], key)
                .unwrap()
        }
    };
    config.alpn_protocols = protocols.iter().map(|name| name.to_vec()).collect();
    let stream = TcpStream::connect(server.address()).await?;
    let name = ServerName::try_from("localhost").unwrap();
    TlsConnector::from(Arc::new(config))
        .connect(name, stream)
        .await
}

async fn get(stream: TlsStream<TcpStream>, path: &str) -> Option<Response> {
    let mut raw = Raw::over(stream);
    raw.send(format!("GET {path} HTTP/1.1\r\nHost: a\r\n\r\n"))
        .await;
    raw.response().await
}

#[tokio::test(flavor = "multi_thread")]
async fn both_protocols_are_spoken_over_tls() {
    let (directory, authority) = (tempfile::tempdir().unwrap(), Authority::new());
    authority.write_to(directory.path());
    let server = serve(directory.path(), "");
    assert!(server.base.starts_with("https://"), "{}", server.base);
    let stream = connect(&server, &authority, None, &[b"http/1.1"])
        .await
        .unwrap();
    let response = get(stream, "/liveness").await.unwrap();
    assert_eq!(response.status, 200);
    assert_eq!(
        response.header("strict-transport-security"),
        Some("max-age=31536000")
    );
    let stream = connect(&server, &authority, None, &[]).await.unwrap();
    let response = get(stream, "//liveness").await.unwrap();
    assert_eq!(response.header("location"), Some("https://a/liveness"));
    let stream = connect(&server, &authority, None, &[b"h2", b"http/1.1"])
        .await
        .unwrap();
    assert_eq!(stream.get_ref().1.alpn_protocol(), Some(&b"h2"[..]));
    let (mut client, connection) = h2::client::handshake(stream).await.unwrap();
    tokio::spawn(connection);
    let (response, _) = client
        .send_request(super::limits::liveness(), true)
        .unwrap();
    assert_eq!(response.await.unwrap().status(), 200);
    // Who speaks plainly is not answered, nor who trusts somebody else.
    let mut raw = Raw::connect(server.address()).await;
    raw.send("GET /liveness HTTP/1.1\r\nHost: a\r\n\r\n").await;
    assert!(!raw.rest().await.starts_with(b"HTTP"));
    assert!(
        connect(&server, &Authority::new(), None, &[])
            .await
            .is_err()
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_handshake_ends_at_header_ms() {
    let (directory, authority) = (tempfile::tempdir().unwrap(), Authority::new());
    authority.write_to(directory.path());
    let server = serve(
        directory.path(),
        "[limits]\nheader_ms = 300\nidle_ms = 3600000\n",
    );
    for hello in [&b""[..], &[0x16, 3, 1, 2, 0, 1, 0]] {
        let mut raw = Raw::connect(server.address()).await;
        raw.send(hello).await;
        assert!(raw.rest().await.is_empty());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn certificates_are_read_again_and_bad_ones_are_not_taken() {
    let (directory, first, second) = (
        tempfile::tempdir().unwrap(),
        Authority::new(),
        Authority::new(),
    );
    first.write_to(directory.path());
    let server = serve(directory.path(), "");
    let hang_up = || kill(Pid::from_raw(server.id() as i32), Signal::SIGHUP).unwrap();
    std::fs::write(directory.path().join("server.crt"), "nonsense").unwrap();
    hang_up();
    until_logged(&server, "the certificate stays as it was").await;
    connect(&server, &first, None, &[]).await.unwrap();
    second.write_to(directory.path());
    hang_up();
    until_logged(&server, "the certificate was read again").await;
    connect(&server, &second, None, &[]).await.unwrap();
    assert!(connect(&server, &first, None, &[]).await.is_err());
}

#[tokio::test(flavor = "multi_thread")]
async fn clients_need_a_certificate_where_there_is_an_authority_for_them() {
    let (directory, authority) = (tempfile::tempdir().unwrap(), Authority::new());
    let (ours, theirs) = (Authority::new(), Authority::new());
    authority.write_to(directory.path());
    std::fs::write(directory.path().join("clients.crt"), ours.0.pem()).unwrap();
    let server = serve(directory.path(), "client_ca_file = \"clients.crt\"\n");
    let ask = async |own| match connect(&server, &authority, own, &[]).await {
        Ok(stream) => get(stream, "/liveness")
            .await
            .map(|response| response.status),
        Err(_) => None,
    };
    assert_eq!(ask(Some(&ours)).await, Some(200));
    assert_eq!(ask(Some(&theirs)).await, None);
    assert_eq!(ask(None).await, None);
}
