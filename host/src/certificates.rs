//! Certificates that an operator names, read from PEM and checked.
//!
//! They are kept as bytes, so that what is equal can be told from what is not: connections made with
//! one are never used for another.

use crate::expiry;
use crate::secret::Secret;
use rustls::RootCertStore;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::CertifiedKey;
use std::sync::Arc;
use std::time::SystemTime;

/// The certificates of an operator for one database.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct Certificates {
    /// Whom the certificate of its server must come from; those of the host where there are none.
    pub roots: Option<Roots>,
    /// What the server knows the login by.
    pub client: Option<ClientCertificate>,
}

/// Authorities whose certificates are trusted.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Roots(Arc<[CertificateDer<'static>]>);

/// A certificate and its key. Prints without the key.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ClientCertificate {
    chain: Arc<[CertificateDer<'static>]>,
    key: Secret,
}

impl Roots {
    /// Reads certificates in PEM.
    ///
    /// # Errors
    /// When there is none, or one that cannot be used.
    pub fn from_pem(pem: &str) -> Result<Roots, String> {
        let roots = Roots(certificates(pem)?);
        roots.store().map_err(|error| error.to_string())?;
        Ok(roots)
    }

    /// When the last of them ends; none where that cannot be read.
    #[must_use]
    pub fn expires(&self) -> Option<SystemTime> {
        let ends = self.0.iter().map(|root| expiry::of(root).ok());
        ends.max().flatten()
    }

    pub(crate) fn store(&self) -> Result<RootCertStore, rustls::Error> {
        let mut store = RootCertStore::empty();
        for root in self.0.iter() {
            store.add(root.clone())?;
        }
        Ok(store)
    }
}

impl ClientCertificate {
    /// Reads a certificate, those that lead to its authority behind it, and its key, all in PEM.
    ///
    /// # Errors
    /// When one cannot be read, or the key is not that of the certificate.
    pub fn from_pem(chain: &str, key: &str) -> Result<ClientCertificate, String> {
        let client = ClientCertificate {
            chain: certificates(chain)?,
            key: Secret::new(key),
        };
        let key = client.key()?;
        let provider = rustls::crypto::ring::default_provider();
        CertifiedKey::from_der(client.chain(), key, &provider).map_err(|error| match error {
            rustls::Error::InconsistentKeys(_) => "the key is not that of the certificate".into(),
            other => other.to_string(),
        })?;
        Ok(client)
    }

    /// When the first of its chain ends; none where that cannot be read.
    #[must_use]
    pub fn expires(&self) -> Option<SystemTime> {
        expiry::first(self.chain.iter().map(|certificate| &**certificate))
    }

    pub(crate) fn chain(&self) -> Vec<CertificateDer<'static>> {
        self.chain.to_vec()
    }

    pub(crate) fn key(&self) -> Result<PrivateKeyDer<'static>, String> {
        let key = PrivateKeyDer::from_pem_slice(self.key.expose().as_bytes());
        key.map_err(|_| "the key is no private key in PEM without a passphrase".into())
    }
}

fn certificates(pem: &str) -> Result<Arc<[CertificateDer<'static>]>, String> {
    let read: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem.as_bytes()).collect();
    match read {
        Ok(read) if read.is_empty() => Err("there is no certificate in PEM".into()),
        Ok(read) => Ok(read.into()),
        Err(error) => Err(error.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_certificate_is_refused() {
        assert!(Roots::from_pem("").is_err());
        let garbage = "-----BEGIN CERTIFICATE-----\naGVsbG8=\n-----END CERTIFICATE-----\n";
        assert!(Roots::from_pem(garbage).is_err());
    }

    #[test]
    fn keys_belong_to_certificates_and_are_not_shown() {
        let one = rcgen::generate_simple_self_signed(["a".to_owned()]).unwrap();
        let other = rcgen::generate_simple_self_signed(["a".to_owned()]).unwrap();
        let (chain, key) = (one.cert.pem(), one.signing_key.serialize_pem());
        let client = ClientCertificate::from_pem(&chain, &key).unwrap();
        assert!(format!("{client:?}").contains("(redacted)"));
        let wrong = ClientCertificate::from_pem(&chain, &other.signing_key.serialize_pem());
        assert_eq!(wrong.unwrap_err(), "the key is not that of the certificate");
        assert!(ClientCertificate::from_pem(&chain, &chain).is_err());
    }
}
