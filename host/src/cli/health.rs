//! `airlock health`: whether a server is ready or alive, for images and units that hold no other client.

use super::{Ending, HealthArguments, Result, input::Usage};
use std::io::{self, Write as _};
use std::sync::Arc;
use std::time::Duration;
use ureq::tls::TlsConfig;

/// More of an answer is not read: those that are meant have a hundred bytes.
const ANSWER_BYTES: u64 = 4 << 10;

/// Asks, and ends as the answer is.
pub(super) fn run(arguments: &HealthArguments) -> Result<Ending> {
    let path = match arguments.live {
        true => "/liveness",
        false => "/readiness",
    };
    let patience = Duration::from_millis(arguments.timeout_ms);
    let url = arguments.url.trim_end_matches('/');
    let (status, text) = get(url, path, patience)?;
    let mut out = io::stdout().lock();
    writeln!(out, "{}", text.trim_end())?;
    Ok(match status {
        200 => Ending::Done,
        _ => Ending::Failed,
    })
}

/// Asks a server for a path; gives the status and the body. Certificates are not checked: nothing is sent
/// that others must not see, and a server is rarely called by the name that it is asked at from beside it.
pub(super) fn get(base: &str, path: &str, patience: Duration) -> Result<(u16, String)> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let tls = TlsConfig::builder()
        .disable_verification(true)
        .unversioned_rustls_crypto_provider(provider)
        .build();
    let agent = ureq::Agent::config_builder()
        .timeout_global(Some(patience))
        .http_status_as_error(false)
        .max_redirects(0)
        .proxy(None)
        .tls_config(tls)
        .build()
        .new_agent();
    let request = ureq::http::Request::get(format!("{base}{path}"))
        .body(())
        .map_err(|error| {
            Usage(format!(
                "{base} is no address of a server, such as http://127.0.0.1:7004: {error}"
            ))
        })?;
    let mut response = agent.run(request).map_err(|error| match error {
        ureq::Error::BadUri(_) => Usage(format!(
            "{base} is no address of a server; write it as http://127.0.0.1:7004"
        ))
        .into(),
        error => {
            Box::<dyn std::error::Error>::from(format!("no answer from {base}{path}: {error}"))
        }
    })?;
    let status = response.status().as_u16();
    let body = response.body_mut().with_config().limit(ANSWER_BYTES);
    Ok((status, body.read_to_string()?))
}
