//! What is known about one connection: its settings and its prepared statements.

use super::opening::{self, Opening, ReadOnlyDefault};
use super::pooler;
use super::prepare::Statements;
use super::server_run::ServerRun;
use super::settings::{self, Current, REPORTED, Settings};
use super::shown::Shown;
use super::wire::{Messages, Wire};
use super::xid;
use crate::limits::Limits;
use crate::policy::{Role, SessionRules};
use futures_util::future::{join3, join4};
use lru::LruCache;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::task::{Context, Poll};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_postgres::types::{ToSql, Type};
use tokio_postgres::{Client, Connection, SimpleQueryMessage};

/// What is known about a connection that is logged in. Its requests go on only while its messages
/// move, see [`Wire`].
pub(super) struct Session {
    client: Client,
    settings: Arc<Current>,
    read_only: ReadOnlyDefault,
    /// What goes in front of the next request.
    opening: Opening,
    /// Which request it shows to others.
    pub(super) shown: Shown,
    /// How to ask for the transaction that is open, and what is known of it.
    xid_question: xid::Question,
    xid: xid::Known,
    /// By which the server can be told from one that was started anew; none where it does not say.
    run: Option<ServerRun>,
    /// The role of the plan that runs.
    role: Option<Role>,
    /// Whether dates are written in ISO form without being asked to.
    iso_dates: bool,
    /// Statements that are prepared on this connection.
    pub(super) statements: Statements,
    /// How often definitions were changed over the connections of its pool, and how often that was
    /// when the statements were prepared.
    definitions: Arc<AtomicU64>,
    definitions_seen: u64,
    /// The driver may keep statements of its own, which DISCARD ALL would take from it.
    pub(super) looked_up_types: bool,
    /// Statements whose text parameters must be declared, because the server infers nothing.
    text_statements: LruCache<String, ()>,
    /// The server is behind a transaction pooler.
    is_pooled: bool,
    /// A transaction could not be ended, so the connection must not be used again.
    pub(super) is_broken: bool,
}

impl Session {
    /// The session of a client that is logged in, and what moves its messages.
    pub(super) fn new<S, T>(
        client: Client,
        connection: Connection<S, T>,
        is_pooled: bool,
        limits: &Limits,
    ) -> (Session, Wire)
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
        T: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let settings = Arc::new(Current::default());
        let iso_dates = connection
            .parameter("DateStyle")
            .is_none_or(|style| style.starts_with("ISO"));
        let reported = opening::reported(|name| connection.parameter(name));
        // What is not known is not changed either: a pooler's sessions belong to others as well.
        let read_only = ReadOnlyDefault::new(reported.filter(|_| !is_pooled));
        let wire = Wire::new(Driver {
            connection,
            settings: settings.clone(),
            read_only: (!is_pooled).then(|| read_only.reports()),
        });
        let session = Session {
            client,
            settings,
            read_only,
            opening: Opening::default(),
            shown: Shown::default(),
            xid_question: xid::Question::default(),
            xid: xid::Known::Off,
            run: None,
            role: None,
            iso_dates,
            statements: Statements::new(limits),
            definitions: Arc::default(),
            definitions_seen: 0,
            looked_up_types: false,
            text_statements: LruCache::new(
                NonZeroUsize::new(limits.prepared_statements).unwrap_or(NonZeroUsize::MIN),
            ),
            is_pooled,
            is_broken: false,
        };
        (session, wire)
    }

    /// Sets what every session here has in common and learns what the server does not report.
    pub(super) async fn settle(&mut self) -> Result<(), tokio_postgres::Error> {
        let asked = self.ask().await?;
        self.take(asked);
        Ok(())
    }

    async fn ask(&self) -> Result<Asked, tokio_postgres::Error> {
        if !self.iso_dates && !self.is_pooled {
            self.client.batch_execute("SET datestyle TO 'ISO'").await?;
        }
        let (unreported, run, xid_question) = join3(
            self.client.simple_query(settings::UNREPORTED),
            ServerRun::ask(&self.client),
            xid::Question::prepare(&self.client, self.is_pooled),
        )
        .await;
        Ok(Asked {
            unreported: unreported?,
            run,
            xid_question,
        })
    }

    fn take(&mut self, asked: Asked) {
        self.settings.answer(&asked.unreported);
        self.run = asked.run;
        self.xid_question = asked.xid_question;
    }

    pub(super) fn client(&self) -> &Client {
        &self.client
    }

    /// The settings in force, as far as the server's answers were read.
    pub(super) fn settings(&self) -> Arc<Settings> {
        self.settings.get()
    }

    /// Begins a plan of one statement that is atomic by itself; false where it needs a transaction
    /// block all the same. The session shows `request_id` to others, where there is one.
    pub(super) fn begin_alone(&mut self, reads: bool, request_id: Option<&str>) -> bool {
        // A statement is prepared and run in the same session of a pooler only inside a transaction.
        match self.read_only.alone(reads).filter(|_| !self.is_pooled) {
            Some(opening) => {
                self.opening = opening.showing(self.shown.alone(request_id));
                self.role = None;
                self.xid = xid::Known::Off;
                true
            }
            None => false,
        }
    }

    /// Begins a plan that runs in a transaction block, for which `rules` are set and which shows
    /// `request_id` to others, where there is one.
    pub(super) fn begin_transaction(
        &mut self,
        reads: bool,
        rules: &SessionRules,
        request_id: Option<&str>,
    ) {
        let name = self.shown.name(request_id);
        let opening = self.read_only.transaction(reads, rules, name.as_deref());
        self.opening = opening.showing(self.shown.transaction());
        self.role.clone_from(&rules.role);
        self.xid = self.xid_question.begin(!reads);
    }

    /// Asks for the transaction that is open behind other work, where that is wanted.
    pub(super) fn asking(&self) -> xid::Asking<'_> {
        self.xid_question.asking(&self.client, self.xid)
    }

    /// Takes in what became known of the transaction that is open.
    pub(super) fn note_xid(&mut self, xid: xid::Known) {
        self.xid = xid;
    }

    /// What is known of the transaction that is open.
    pub(super) fn xid(&self) -> xid::Known {
        self.xid
    }

    /// The run of the server that the session is part of.
    pub(super) fn run(&self) -> Option<&ServerRun> {
        self.run.as_ref()
    }

    /// The role that statements run as; none where it is that of the login.
    pub(super) fn role(&self) -> Option<&Role> {
        self.role.as_ref()
    }

    /// What goes in front of the next request; whoever takes it sends it.
    pub(super) fn take_opening(&mut self) -> Opening {
        let opening = std::mem::take(&mut self.opening);
        self.read_only.sent(&opening);
        if let Some(statement) = opening.shown() {
            self.shown.sent(statement);
        }
        opening
    }

    /// Drops what was to go in front, as there is no request; true where there was something.
    pub(super) fn drop_opening(&mut self) -> bool {
        !std::mem::take(&mut self.opening).is_empty()
    }

    /// Whether the text parameters of `sql` must be declared.
    pub(super) fn wants_text(&mut self, sql: &str) -> bool {
        !self.text_statements.is_empty() && self.text_statements.get(sql).is_some()
    }

    /// Remembers that the text parameters of `sql` must be declared.
    pub(super) fn note_wants_text(&mut self, sql: &str) {
        self.text_statements.put(sql.to_owned(), ());
    }

    /// Learns of changes to definitions by the sessions that share `definitions`.
    pub(super) fn share_definitions(&mut self, definitions: Arc<AtomicU64>) {
        self.definitions_seen = definitions.load(Ordering::Acquire);
        self.definitions = definitions;
    }

    /// Forgets the statements that were prepared before the last such change.
    pub(super) fn drop_stale_statements(&mut self) {
        let now = self.definitions.load(Ordering::Acquire);
        if self.definitions_seen != now {
            self.definitions_seen = now;
            self.statements.clear();
            self.client.clear_type_cache();
        }
    }

    /// Forgets what is not reported: a statement may have changed it.
    ///
    /// Statements go with it: what the server reports about settings may not be known here yet.
    pub(super) fn distrust_settings(&mut self) {
        self.statements.clear();
        self.settings.distrust();
    }

    /// Rolls the open transaction back; false where that cannot be done.
    pub(super) async fn roll_back(&mut self) -> bool {
        if !self.is_pooled {
            return self.client.batch_execute("ROLLBACK").await.is_ok();
        }
        self.statements.clear();
        self.is_broken |= self.looked_up_types;
        // One message, which runs in one session of the pooler.
        let clean = format!("ROLLBACK; {}", pooler::CLEAN);
        self.client.batch_execute(&clean).await.is_ok()
    }

    /// Leaves nothing in a session of a pooler that it serves others with behind the transaction. `dirty`
    /// says that SQL of the caller ran.
    pub(super) async fn leave(&mut self, dirty: bool) -> Result<(), tokio_postgres::Error> {
        if !self.is_pooled {
            return Ok(());
        }
        self.statements.clear();
        // The driver's own statements go with all others, but it does not know.
        self.is_broken |= self.looked_up_types;
        match dirty || self.looked_up_types {
            true => self.client.batch_execute(pooler::CLEAN).await,
            false => Ok(()),
        }
    }

    /// Brings a connection on which the caller's SQL ran back to how it was, if that can be known.
    pub(super) async fn reset(&mut self) -> bool {
        if self.is_pooled {
            return true;
        }
        if self.looked_up_types {
            return false;
        }
        self.statements.clear();
        self.read_only.reset();
        self.shown.reset();
        // DISCARD ALL leaves the numbers to come as they are, which the caller may have chosen.
        let seed = f64::from(getrandom::u32().unwrap_or_default()) / f64::from(u32::MAX);
        let seed: [(&(dyn ToSql + Sync), Type); 1] = [(&seed, Type::FLOAT8)];
        // DISCARD ALL is refused in a message with other statements.
        let (ended, discarded, seeded, asked) = join4(
            self.client.batch_execute("ROLLBACK"),
            self.client.batch_execute("DISCARD ALL"),
            self.client
                .query_typed("SELECT pg_catalog.setseed($1)", &seed),
            self.ask(),
        )
        .await;
        match (ended, discarded, seeded, asked) {
            (Ok(()), Ok(()), Ok(_), Ok(asked)) => {
                self.take(asked);
                true
            }
            _ => false,
        }
    }
}

/// What a session has to ask the server for.
struct Asked {
    unreported: Vec<SimpleQueryMessage>,
    run: Option<ServerRun>,
    xid_question: xid::Question,
}

/// Moves the messages of a connection. Notices and notifications are dropped: they can hold values.
struct Driver<S, T> {
    connection: Connection<S, T>,
    settings: Arc<Current>,
    /// None where the default is left as it is.
    read_only: Option<Arc<AtomicBool>>,
}

impl<S, T> Messages for Driver<S, T>
where
    S: AsyncRead + AsyncWrite + Unpin + Send,
    T: AsyncRead + AsyncWrite + Unpin + Send,
{
    fn poll_move(&mut self, context: &mut Context<'_>) -> Poll<()> {
        loop {
            match self.connection.poll_message(context) {
                Poll::Ready(Some(Ok(_))) => {}
                Poll::Ready(Some(Err(_)) | None) => return Poll::Ready(()),
                Poll::Pending => return Poll::Pending,
            }
        }
    }

    fn note_reports(&self) {
        let connection = &self.connection;
        self.settings
            .report(REPORTED.map(|name| connection.parameter(name)));
        let reported = opening::reported(|name| connection.parameter(name));
        if let (Some(read_only), Some(reported)) = (&self.read_only, reported) {
            read_only.store(reported, Ordering::Release);
        }
    }
}
