//! `airlock status` and `airlock swap`: speak to the admin surface of a running server.

use super::progress::Progress;
use super::visible::line;
use super::{AdminArguments, Ending, Result, input::Usage};
use airlock::Secret;
use airlock::admin::{Admin, DEFAULT_LISTEN, Token};
use airlock::config::Config;
use serde_json::Value;
use std::io::{self, Write as _};
use std::time::Duration;

/// Compiling a candidate can take this long, and more.
const PATIENCE: Duration = Duration::from_secs(300);

/// Prints what goes on.
pub(super) fn status(as_json: bool, arguments: &AdminArguments) -> Result<Ending> {
    let status = ask(arguments, "GET", "/v1/status")?;
    let mut out = io::stdout().lock();
    if as_json {
        writeln!(out, "{}", serde_json::to_string_pretty(&status)?)?;
        return Ok(Ending::Done);
    }
    let connectors = status.get("connectors").and_then(Value::as_array);
    for connector in connectors.into_iter().flatten() {
        print(&mut out, connector)?;
    }
    Ok(Ending::Done)
}

/// Has the file of a connector taken again, or the version before put back.
pub(super) fn swap(name: &str, roll_back: bool, arguments: &AdminArguments) -> Result<Ending> {
    let change = if roll_back { "rollback" } else { "swap" };
    let live = ask(
        arguments,
        "POST",
        &format!("/v1/connectors/{name}/{change}"),
    )?;
    let text = |key: &str| line(live.get(key).and_then(Value::as_str).unwrap_or_default());
    writeln!(
        io::stdout(),
        "{} {} ({}) is live",
        text("name"),
        text("version"),
        text("digest")
    )?;
    Ok(Ending::Done)
}

/// Asks the admin surface.
///
/// # Errors
/// Where it cannot be reached, or refuses; the message gives its reason.
pub(super) fn ask(arguments: &AdminArguments, method: &str, path: &str) -> Result<Value> {
    let (base, token) = place(arguments)?;
    let agent = ureq::Agent::config_builder()
        .timeout_global(Some(PATIENCE))
        .http_status_as_error(false)
        .build()
        .new_agent();
    let request = ureq::http::Request::builder()
        .method(method)
        .uri(format!("{base}{path}"))
        .header("Authorization", format!("Bearer {}", token.expose()))
        .body(())
        .map_err(|error| Usage(format!("{base} is no address of an admin surface: {error}")))?;
    let progress = Progress::of("waiting for the server");
    let mut response = agent.run(request).map_err(|error| {
        format!(
            "cannot reach the admin surface at {base}: {error}; see that the server runs with a token, and name its --admin address or its --config"
        )
    })?;
    drop(progress);
    let text = response.body_mut().read_to_string()?;
    let answer: Value = serde_json::from_str(&text)
        .map_err(|_| format!("what answers at {base} is not the admin surface of airlock"))?;
    match answer.pointer("/error/message").and_then(Value::as_str) {
        Some(message) => Err(message.into()),
        None => Ok(answer),
    }
}

/// Where the admin surface is and its token.
fn place(arguments: &AdminArguments) -> Result<(String, Secret)> {
    let configured = Config::load(arguments.config.as_deref())?.admin;
    let listen = configured
        .as_ref()
        .map_or(DEFAULT_LISTEN, |admin| admin.listen);
    let base = match &arguments.admin {
        Some(base) => base.trim_end_matches('/').to_owned(),
        None => format!("http://{listen}"),
    };
    let token = match (&arguments.token_file, configured) {
        (Some(file), _) => Token::File(file.clone()),
        (None, Some(Admin { token, .. })) => token,
        (None, None) => {
            let message =
                "set AIRLOCK_ADMIN_TOKEN, or name the --token-file or --config of the server";
            return Err(Usage(message.into()).into());
        }
    };
    Ok((base, token.read()?))
}

fn print(out: &mut impl io::Write, connector: &Value) -> io::Result<()> {
    let text = |pointer: &str| match connector.pointer(pointer) {
        None | Some(Value::Null) => String::new(),
        Some(Value::String(text)) => line(text).to_string(),
        Some(other) => other.to_string(),
    };
    writeln!(out, "{}", text("/name"))?;
    match connector.get("live") {
        None | Some(Value::Null) => writeln!(out, "  not live")?,
        Some(_) => {
            writeln!(
                out,
                "  live      {} {} since {}",
                text("/live/version"),
                text("/live/digest"),
                text("/live/since")
            )?;
            writeln!(
                out,
                "  calls     {}; faults: caller {}, connector {}, database {}, host {}",
                text("/live/usage/calls"),
                text("/live/usage/faults/caller"),
                text("/live/usage/faults/connector"),
                text("/live/usage/faults/database"),
                text("/live/usage/faults/host")
            )?;
            writeln!(
                out,
                "  plans     {} from the cache, {} made; fuel p50 {}, p99 {}; memory p50 {} bytes, p99 {} bytes",
                text("/live/usage/plan_hits"),
                text("/live/usage/plan_misses"),
                text("/live/usage/fuel/p50"),
                text("/live/usage/fuel/p99"),
                text("/live/usage/memory_bytes/p50"),
                text("/live/usage/memory_bytes/p99")
            )?;
        }
    }
    for version in connector
        .get("previous")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
    {
        let text = |key: &str| {
            let value = version.get(key).and_then(Value::as_str);
            line(value.unwrap_or_default())
        };
        writeln!(
            out,
            "  warm      {} {} from {}",
            text("version"),
            text("digest"),
            text("since")
        )?;
    }
    if connector
        .get("rejected")
        .is_some_and(|rejected| !rejected.is_null())
    {
        writeln!(
            out,
            "  rejected  {} at {}: {}",
            text("/rejected/digest"),
            text("/rejected/at"),
            text("/rejected/reason")
        )?;
    }
    if connector
        .get("withdrawn")
        .is_some_and(|withdrawn| !withdrawn.is_null())
    {
        writeln!(out, "  withdrawn {}", text("/withdrawn"))?;
    }
    Ok(())
}
