//! One connection to the server: its settings, its prepared statements, its end.

use super::connect;
use super::connection_string::SslMode;
use super::prepare::Statements;
use super::tls::Tls;
use crate::limits::Limits;
use lru::LruCache;
use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::Poll;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tokio_postgres::{Client, Connection, NoTls};

/// How long a request to cancel may take, and how long the server may take to heed it.
const GRACE: Duration = Duration::from_secs(5);

/// Settings that the server does not report and that change how values are written.
const UNREPORTED: &str = "SELECT current_setting('extra_float_digits')::int > 0 AND current_setting('bytea_output') = 'hex'";

/// What the session's settings mean for values that are rendered here.
///
/// The driver task writes the first two whenever the server reports a change, before it forwards
/// anything that was sent after that report.
#[derive(Debug, Default)]
pub(super) struct Settings {
    /// TimeZone is UTC.
    pub(super) utc: AtomicBool,
    /// IntervalStyle is postgres.
    pub(super) postgres_intervals: AtomicBool,
    /// Floats are exact and bytea is hexadecimal.
    pub(super) plain_output: AtomicBool,
}

/// A connection that is logged in.
pub(super) struct Session {
    client: Client,
    /// Moves the messages.
    driver: JoinHandle<()>,
    settings: Arc<Settings>,
    /// Whether dates are written in ISO form without being asked to.
    iso_dates: bool,
    address: SocketAddr,
    /// Statements that are prepared on this connection.
    pub(super) statements: Statements,
    /// How TLS is made to this server, where it is.
    tls: Option<Tls>,
    /// The driver may keep statements of its own, which DISCARD ALL would take from it.
    pub(super) looked_up_types: bool,
    /// Statements whose text parameters must be declared, because the server infers nothing.
    text_statements: LruCache<String, ()>,
    /// A transaction could not be ended, so the connection must not be used again.
    pub(super) is_broken: bool,
}

impl Session {
    /// Starts to drive the connection and reads its settings.
    pub(super) async fn start<S, T>(
        client: Client,
        connection: Connection<S, T>,
        address: SocketAddr,
        tls: Option<Tls>,
        limits: &Limits,
    ) -> Result<Session, tokio_postgres::Error>
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
        T: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let settings = Arc::new(Settings::default());
        let iso_dates = connection
            .parameter("DateStyle")
            .is_none_or(|style| style.starts_with("ISO"));
        let driver = tokio::spawn(drive(connection, settings.clone()));
        let session = Session {
            client,
            driver,
            settings,
            iso_dates,
            address,
            tls,
            statements: Statements::new(limits.prepared_statements),
            looked_up_types: false,
            text_statements: LruCache::new(
                NonZeroUsize::new(limits.prepared_statements).unwrap_or(NonZeroUsize::MIN),
            ),
            is_broken: false,
        };
        session.settle().await?;
        Ok(session)
    }

    /// Sets what every session here has in common and reads what the server does not report.
    async fn settle(&self) -> Result<(), tokio_postgres::Error> {
        if !self.iso_dates {
            self.client.batch_execute("SET datestyle TO 'ISO'").await?;
        }
        let rows = self.client.simple_query(UNREPORTED).await?;
        let plain = rows.iter().any(|message| match message {
            tokio_postgres::SimpleQueryMessage::Row(row) => row.get(0) == Some("t"),
            _ => false,
        });
        self.settings.plain_output.store(plain, Ordering::Release);
        Ok(())
    }

    pub(super) fn client(&self) -> &Client {
        &self.client
    }

    pub(super) fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Whether the text parameters of `sql` must be declared.
    pub(super) fn wants_text(&mut self, sql: &str) -> bool {
        self.text_statements.get(sql).is_some()
    }

    /// Remembers that the text parameters of `sql` must be declared.
    pub(super) fn note_wants_text(&mut self, sql: &str) {
        self.text_statements.put(sql.to_owned(), ());
    }

    /// Forgets what is not reported: a statement may have changed it.
    pub(super) fn distrust_settings(&self) {
        self.settings.plain_output.store(false, Ordering::Release);
    }

    /// Brings a connection on which the caller's SQL ran back to how it was, if that can be known.
    pub(super) async fn reset(&mut self) -> bool {
        if self.looked_up_types {
            return false;
        }
        self.statements.clear();
        self.client.batch_execute("ROLLBACK").await.is_ok()
            && self.client.batch_execute("DISCARD ALL").await.is_ok()
            && self.settle().await.is_ok()
    }

    /// Asks the server to stop what it is doing for this connection and closes it: by itself when
    /// the server answers within a grace, else at once.
    pub(super) async fn cancel(self) {
        let Session {
            client,
            mut driver,
            address,
            tls,
            ..
        } = self;
        let token = client.cancel_token();
        let request = async {
            let stream = connect::dial(address).await.ok()?;
            let Some(tls) = tls else {
                return token.cancel_query_raw(stream, NoTls).await.ok();
            };
            let (stream, _) = connect::negotiate(stream, SslMode::Require).await.ok()?;
            token.cancel_query_raw(stream, tls.connect()?).await.ok()
        };
        if !matches!(timeout(GRACE, request).await, Ok(Some(()))) {
            tracing::warn!("a request to cancel did not go through");
        }
        drop(client);
        if timeout(GRACE, &mut driver).await.is_err() {
            driver.abort();
        }
    }
}

impl std::fmt::Debug for Session {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Session")
            .field("address", &self.address)
            .finish_non_exhaustive()
    }
}

/// Moves messages until the connection ends. Notices and notifications are dropped: they can hold
/// values.
async fn drive<S, T>(connection: Connection<S, T>, settings: Arc<Settings>)
where
    S: AsyncRead + AsyncWrite + Unpin,
    T: AsyncRead + AsyncWrite + Unpin,
{
    let mut connection = pin!(connection);
    std::future::poll_fn(|context| {
        loop {
            let polled = connection.poll_message(context);
            let is = |name, wanted: &[&str]| {
                connection
                    .parameter(name)
                    .is_some_and(|value| wanted.contains(&value))
            };
            settings.utc.store(
                is("TimeZone", &["UTC", "Etc/UTC", "GMT", "Universal", "Zulu"]),
                Ordering::Release,
            );
            settings
                .postgres_intervals
                .store(is("IntervalStyle", &["postgres"]), Ordering::Release);
            match polled {
                Poll::Ready(Some(Ok(_))) => {}
                Poll::Ready(Some(Err(_)) | None) => return Poll::Ready(()),
                Poll::Pending => return Poll::Pending,
            }
        }
    })
    .await;
}
