//! What must reach the server before the first statement of a plan, sent along with it.
//!
//! A plan that reads is held to that by the server. A single statement runs without a transaction
//! block then: the session's own default says that transactions only read. It is set only where it
//! differs, so a connection that only reads costs one round trip for each call, and so does one that
//! only writes.

use crate::policy::SessionRules;
use futures_util::future::{join, join3};
use std::borrow::Cow;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use tokio_postgres::{Client, Error};

/// Name of the setting; servers report it from version 14 on.
const SETTING: &str = "default_transaction_read_only";

/// Whether the transactions of a session only read unless they say otherwise.
#[derive(Debug)]
pub(super) struct ReadOnlyDefault {
    now: bool,
    /// What the server reported last: a function of the database can change the default, too.
    reported: Arc<AtomicBool>,
    /// As it was when the session began, by the role's or the database's settings; none where the
    /// server does not say.
    own: Option<bool>,
}

/// Reads the setting from what the server reports.
pub(super) fn reported<'a>(parameter: impl Fn(&str) -> Option<&'a str>) -> Option<bool> {
    parameter(SETTING).map(|value| value == "on")
}

impl ReadOnlyDefault {
    /// As reported when the session began.
    pub(super) fn new(own: Option<bool>) -> ReadOnlyDefault {
        let now = own.unwrap_or(false);
        ReadOnlyDefault {
            now,
            reported: Arc::new(AtomicBool::new(now)),
            own,
        }
    }

    /// Where to put what the server reports later.
    pub(super) fn reports(&self) -> Arc<AtomicBool> {
        self.reported.clone()
    }

    /// The session was reset.
    pub(super) fn reset(&mut self) {
        self.now = self.own.unwrap_or(false);
    }

    /// What was decided is sent.
    pub(super) fn sent(&mut self, opening: &Opening) {
        self.now = opening.read_only.unwrap_or(self.now);
    }

    /// What must precede a plan of one statement that needs no transaction block; none where it needs
    /// one, because it shall only read and the default is not known.
    pub(super) fn alone(&self, reads: bool) -> Option<Opening> {
        match self.own {
            None if reads => None,
            own => Some(self.change_to(reads || own.unwrap_or(false))),
        }
    }

    /// What must precede a plan that runs in a transaction block, for which `rules` are set and in which
    /// the session has this name.
    pub(super) fn transaction(
        &self,
        reads: bool,
        rules: &SessionRules,
        name: Option<&str>,
    ) -> Opening {
        if reads {
            return Opening {
                begin: Some(begin("BEGIN READ ONLY", rules, name)),
                ..Opening::default()
            };
        }
        // The default counts for transactions that the caller's SQL begins by itself, too.
        Opening {
            begin: Some(begin("BEGIN", rules, name)),
            ..self.change_to(self.own.unwrap_or(false))
        }
    }

    fn change_to(&self, wanted: bool) -> Opening {
        // A report may come late; setting the default once more does no harm then.
        let differs = wanted != self.now || wanted != self.reported.load(Ordering::Acquire);
        Opening {
            read_only: differs.then_some(wanted),
            ..Opening::default()
        }
    }
}

/// BEGIN, and what holds until the transaction ends, as one message.
fn begin(begin: &'static str, rules: &SessionRules, name: Option<&str>) -> Cow<'static, str> {
    let mut sql = Cow::Borrowed(begin);
    if let Some(name) = name {
        // Of its making there is nothing in it that ends a literal, see `shown.rs`.
        let sql = sql.to_mut();
        sql.push_str("; SET LOCAL application_name TO '");
        sql.push_str(name);
        sql.push('\'');
    }
    let timeouts = [
        ("statement_timeout", rules.statement_timeout_ms),
        ("lock_timeout", rules.lock_timeout_ms),
    ];
    for (name, timeout_ms) in timeouts {
        if let Some(timeout_ms) = timeout_ms {
            sql.to_mut().push_str("; SET LOCAL ");
            sql.to_mut().push_str(&format!("{name} TO {timeout_ms}"));
        }
    }
    if let Some(role) = &rules.role {
        sql.to_mut().push_str("; SET LOCAL ROLE ");
        sql.to_mut().push_str(&role.to_string());
    }
    sql
}

/// Statements of the host's own that go in front of the first request of a plan.
#[derive(Debug, Default)]
pub(super) struct Opening {
    /// The new default, where it changes.
    read_only: Option<bool>,
    /// What the session is called from here on, as a statement.
    shown: Option<String>,
    begin: Option<Cow<'static, str>>,
}

impl Opening {
    /// Whether there is nothing to send.
    pub(super) fn is_empty(&self) -> bool {
        self.read_only.is_none() && self.begin.is_none() && self.shown.is_none()
    }

    /// The same, with a statement that gives the session a name.
    pub(super) fn showing(self, shown: Option<String>) -> Opening {
        Opening { shown, ..self }
    }

    /// The statement that gives the session a name.
    pub(super) fn shown(&self) -> Option<&str> {
        self.shown.as_deref()
    }

    /// Sends these statements and the request in one go.
    pub(super) async fn before<T>(
        self,
        client: &Client,
        request: Pin<&mut impl Future<Output = Result<T, Error>>>,
    ) -> Result<T, Error> {
        if self.is_empty() {
            return request.await;
        }
        let set = self.read_only.map(|read_only| match read_only {
            true => "SET default_transaction_read_only TO on",
            false => "SET default_transaction_read_only TO off",
        });
        // Each is sent when it is first polled, so they go out in this order.
        let opening = join3(
            run(client, set),
            run(client, self.shown.as_deref()),
            run(client, self.begin.as_deref()),
        );
        let ((set, shown, begun), answer) = join(opening, request).await;
        set.and(shown).and(begun).and(answer)
    }
}

async fn run(client: &Client, sql: Option<&str>) -> Result<(), Error> {
    match sql {
        Some(sql) => client.batch_execute(sql).await,
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::Role;

    #[test]
    fn what_a_transaction_begins_with() {
        assert_eq!(begin("BEGIN", &SessionRules::default(), None), "BEGIN");
        let rules = SessionRules {
            role: Some(Role::new("a \"b\"; DROP TABLE t").unwrap()),
            statement_timeout_ms: Some(5),
            lock_timeout_ms: Some(6),
        };
        assert_eq!(
            begin("BEGIN READ ONLY", &rules, Some("airlock a")),
            "BEGIN READ ONLY; SET LOCAL application_name TO 'airlock a'; SET LOCAL statement_timeout TO 5; SET LOCAL lock_timeout TO 6; \
             SET LOCAL ROLE \"a \"\"b\"\"; DROP TABLE t\""
        );
    }
}
