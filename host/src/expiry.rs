//! When certificates end.
//!
//! It reads that one field and trusts nothing: whether a certificate may be used is for `rustls` to say.

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use std::path::Path;
use std::time::SystemTime;
use x509_cert::Certificate;
use x509_cert::der::Decode as _;

/// When a certificate in DER ends.
///
/// # Errors
/// When it is none, in words.
pub fn of(der: &[u8]) -> Result<SystemTime, String> {
    let read = Certificate::from_der(der).map_err(|error| error.to_string())?;
    let end = read.tbs_certificate.validity.not_after;
    Ok(SystemTime::UNIX_EPOCH + end.to_unix_duration())
}

/// When the first of some certificates in DER ends; none where one cannot be read, or there are none.
pub fn first<'c>(chain: impl IntoIterator<Item = &'c [u8]>) -> Option<SystemTime> {
    let ends: Option<Vec<SystemTime>> = chain.into_iter().map(|der| of(der).ok()).collect();
    ends?.into_iter().min()
}

/// When the first certificate of a file in PEM ends.
///
/// # Errors
/// When the file cannot be read or holds none, in words.
pub fn of_file(path: &Path) -> Result<SystemTime, String> {
    let read = CertificateDer::pem_file_iter(path).and_then(Iterator::collect);
    let chain: Vec<CertificateDer<'_>> = read.map_err(|error| error.to_string())?;
    first(chain.iter().map(|der| &**der)).ok_or_else(|| "there is no certificate in it".into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn the_first_end_counts() {
        let ending_in = |year| {
            let mut params = rcgen::CertificateParams::new(Vec::new()).unwrap();
            params.not_after = rcgen::date_time_ymd(year, 1, 1);
            let key = rcgen::KeyPair::generate().unwrap();
            params.self_signed(&key).unwrap().der().to_vec()
        };
        // One is written with two digits of the year, the other with four.
        let (near, far) = (ending_in(2001), ending_in(2999));
        let near_end = SystemTime::UNIX_EPOCH + Duration::from_secs(978_307_200);
        assert_eq!(of(&near), Ok(near_end));
        assert_eq!(first([&*far, &*near]), Some(near_end));
        assert!(of(&far).unwrap() > near_end);
        assert!(of(b"no certificate").is_err());
        assert_eq!(first([]), None);
    }
}
