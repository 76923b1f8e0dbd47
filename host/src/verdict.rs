//! What the policy says to a plan, for those who ask before it runs.

use crate::check::CheckedPlan;
use crate::fault::Fault;
use crate::input::Input;
use crate::limits::Limits;
use crate::plan::Access;
use serde::Serialize;
use std::sync::Arc;

/// Whether a plan may run, and within which bounds. It serialises to the JSON that `airlock plan`
/// prints.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// It may.
    Allowed(Bounds),
    /// It may not.
    Refused(Refusal),
}

/// What a plan is held to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Bounds {
    /// The widest access of its statements.
    pub access: Access,
    /// The transaction that it runs in.
    pub transaction: Transaction,
    /// The role that it runs as; none where it is that of the login.
    pub role: Option<String>,
    /// Time for one statement in milliseconds; none where the server's own setting counts.
    pub statement_timeout_ms: Option<u32>,
    /// Time for one lock in milliseconds; none where the server's own setting counts.
    pub lock_timeout_ms: Option<u32>,
    /// Most rows of the reply.
    pub reply_rows: u64,
    /// Largest body of the reply in bytes.
    pub reply_bytes: usize,
    /// Most rows that it may affect; none where that is not bounded.
    pub affected_rows: Option<u64>,
}

/// How a plan becomes one transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub enum Transaction {
    /// There is no statement.
    #[serde(rename = "none")]
    None,
    /// A single statement that only reads, by itself.
    #[serde(rename = "single statement, read only")]
    SingleRead,
    /// A single statement by itself.
    #[serde(rename = "single statement")]
    Single,
    /// A transaction block that only reads.
    #[serde(rename = "block, read only")]
    BlockRead,
    /// A transaction block.
    #[serde(rename = "block")]
    Block,
}

/// Why a plan may not run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Refusal {
    /// The `error_code` that a call gets.
    pub error_code: String,
    /// The rule that decided, and what the call would need.
    pub message: String,
}

impl Verdict {
    /// The verdict on the plan of a call with this input, within the host's `limits`.
    #[must_use]
    pub fn of(
        checked: &Result<Arc<CheckedPlan>, Fault>,
        input: &Input,
        limits: &Limits,
    ) -> Verdict {
        let plan = match checked {
            Ok(plan) => plan,
            Err(fault) => {
                return Verdict::Refused(Refusal {
                    error_code: fault.code.to_string(),
                    message: fault.message.clone(),
                });
            }
        };
        let (session, caps) = (&plan.policy().session, &plan.policy().caps);
        let block = plan.needs_transaction(|statement| statement.runs(input));
        Verdict::Allowed(Bounds {
            access: plan.access(),
            transaction: match (block, plan.is_read_only()) {
                _ if plan.statements().is_empty() => Transaction::None,
                (true, true) => Transaction::BlockRead,
                (true, false) => Transaction::Block,
                (false, true) => Transaction::SingleRead,
                (false, false) => Transaction::Single,
            },
            role: session.role.as_ref().map(|role| role.as_str().to_owned()),
            statement_timeout_ms: session.statement_timeout_ms,
            lock_timeout_ms: session.lock_timeout_ms,
            reply_rows: caps.reply_rows(limits),
            reply_bytes: caps.reply_bytes(limits),
            affected_rows: caps.affected_rows,
        })
    }

    /// Whether the plan may run.
    #[must_use]
    pub fn is_allowed(&self) -> bool {
        matches!(self, Verdict::Allowed(_))
    }
}
