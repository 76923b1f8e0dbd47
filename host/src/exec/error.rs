//! What the driver reports, as faults.

use crate::fault::{Fault, Kind, ServerReport};
use crate::sqlstate;
use tokio_postgres::error::{DbError, ErrorPosition, Severity, SqlState};

/// libpq's words for a connection that broke.
pub(super) const CLOSED: &str = "server closed the connection unexpectedly\n\tThis probably means the server terminated abnormally\n\tbefore or while processing the request.\n";

/// libpq's words for a server that cannot do what `channel_binding=require` asks for.
const CHANNEL_BINDING: &str = "channel binding is required, but server did not offer an authentication method that supports channel binding";

/// How the driver begins to tell of a handshake that failed.
pub(super) const HANDSHAKE: &str = "error performing TLS handshake";

/// A statement that failed.
///
/// The driver's error is never kept: its `Debug` form holds row values.
pub(super) fn statement(error: &tokio_postgres::Error) -> Fault {
    match error.as_db_error() {
        Some(report) if is_fatal(report) => Fault::new(Kind::Database, "OperationalError", CLOSED),
        Some(report) => database(report),
        None if error.is_closed() => Fault::new(Kind::Database, "OperationalError", CLOSED),
        None => Fault::new(
            Kind::Database,
            "OperationalError",
            format!("the connection to the server broke: {error}"),
        ),
    }
}

/// Whether the connection has ended with the error, so that no answer came.
pub(super) fn is_lost(error: &tokio_postgres::Error) -> bool {
    error.as_db_error().is_none_or(is_fatal)
}

/// The server is ready for the next statement without having said that the last one is done.
pub(super) fn incomplete() -> Fault {
    let message = "the server did not say that the statement is complete";
    Fault::new(Kind::Database, "OperationalError", message)
}

fn database(report: &DbError) -> Fault {
    let sqlstate = report.code().code();
    let own = |text: Option<&str>| text.map(str::to_owned);
    let mut fault = Fault::new(
        Kind::Database,
        sqlstate::error_code(sqlstate),
        report.message(),
    );
    fault.server = Some(Box::new(ServerReport {
        sqlstate: sqlstate.into(),
        hint: own(report.hint()),
        constraint: own(report.constraint()),
        column: own(report.column()),
        table: own(report.table()),
        position: report.position().map(|position| match position {
            ErrorPosition::Original(at) => *at,
            ErrorPosition::Internal { position, .. } => *position,
        }),
    }));
    fault
}

fn is_fatal(report: &DbError) -> bool {
    matches!(
        report.parsed_severity(),
        Some(Severity::Fatal | Severity::Panic)
    )
}

/// The parameter, counted from 0, whose text the server could not read.
pub(super) fn offending_parameter(error: &tokio_postgres::Error) -> Option<usize> {
    let context = error.as_db_error()?.where_()?;
    let (_, number) = context.split_once("parameter $")?;
    let digits: String = number.chars().take_while(char::is_ascii_digit).collect();
    digits.parse::<usize>().ok()?.checked_sub(1)
}

/// The parameter of `sql`, counted from 0, at which an error points, such as one of the wrong type.
pub(super) fn parameter_pointed_at(error: &tokio_postgres::Error, sql: &str) -> Option<usize> {
    let Some(ErrorPosition::Original(position)) = error.as_db_error()?.position() else {
        return None;
    };
    // Positions count characters from 1.
    let before = usize::try_from(*position).ok()?.checked_sub(1)?;
    let mut pointed_at = sql.chars().skip(before);
    let is_parameter = pointed_at.next() == Some('$');
    let number: String = pointed_at.take_while(char::is_ascii_digit).collect();
    let number: usize = number.parse().ok().filter(|_| is_parameter)?;
    number.checked_sub(1)
}

/// Whether the server refused a cached statement because definitions changed under it.
pub(super) fn is_stale_statement(error: &tokio_postgres::Error) -> bool {
    error.as_db_error().is_some_and(|report| {
        report.routine() == Some("RevalidateCachedQuery") || report.code().code() == "26000"
    })
}

/// Whether the server found a value, or the statement, at odds with a type or a definition.
pub(super) fn is_about_types(error: &tokio_postgres::Error) -> bool {
    let class = error.code().and_then(|code| code.code().get(..2));
    matches!(class, Some("22" | "42"))
}

/// Whether the server could not infer the type of a parameter.
pub(super) fn is_indeterminate_type(error: &tokio_postgres::Error) -> bool {
    error.code() == Some(&SqlState::INDETERMINATE_DATATYPE)
}

/// Why a connection could not be made, in libpq's words, without the place.
pub(super) fn connection(error: &tokio_postgres::Error) -> String {
    match error.as_db_error() {
        Some(report) => format!("{}:  {}", report.severity(), report.message()),
        None if error.is_closed() => CLOSED.trim_end().to_owned(),
        None => {
            let text = describe(error);
            if text.contains("password missing") {
                "fe_sendauth: no password supplied".into()
            } else if text.contains("server did not use channel binding") {
                CHANNEL_BINDING.into()
            } else if text.contains("unexpected end of file") || text.contains("early eof") {
                CLOSED.trim_end().to_owned()
            } else {
                text
            }
        }
    }
}

fn describe(error: &tokio_postgres::Error) -> String {
    let mut text = error.to_string();
    let mut source = std::error::Error::source(error);
    while let Some(cause) = source {
        text = format!("{text}: {cause}");
        source = cause.source();
    }
    text
}
