//! The log, on standard error.

use super::style::Style;
use airlock::panics;
use clap::ValueEnum;
use std::io;
use tracing_subscriber::EnvFilter;

/// What is logged unless `RUST_LOG` says otherwise.
const DEFAULT_FILTER: &str = "airlock=info,warn";

#[derive(Debug, Clone, Copy, Default, ValueEnum)]
pub(super) enum LogFormat {
    /// For people.
    #[default]
    Text,
    /// One JSON object a line.
    Json,
}

/// Starts the log, which tells of panics as well. Later calls change nothing.
pub(super) fn start(format: LogFormat) {
    panics::leave_out_messages();
    let filter =
        EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(DEFAULT_FILTER));
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(io::stderr);
    let _ = match format {
        LogFormat::Text => builder
            .with_ansi(Style::of(&io::stderr()).is_coloured())
            .try_init(),
        LogFormat::Json => builder.json().flatten_event(true).try_init(),
    };
}
