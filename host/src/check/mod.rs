//! Decides whether a plan may run.
//!
//! The check looks at the plan alone, never at values, so a checked plan can be used again for every
//! call of the same shape under the same policy.

mod rules;

use crate::fault::Fault;
use crate::input::Input;
use crate::insert::PlainInsert;
use crate::limits::{ConnectorLimits, MAX_ARGUMENTS};
use crate::plan::{Access, Argument, Arguments, Command, Plan, Reply, Statement};
use crate::policy::Policy;
use airlock_connector::lex;
use airlock_connector::statements::Class;
use std::sync::Arc;

/// Whose plan it is.
#[derive(Debug, Clone, Copy)]
pub struct Source<'a> {
    /// Name of the connector.
    pub connector: &'a str,
    /// The command, as the connector describes it.
    pub command: &'a Command,
    /// Whether the connector's word counts on what its SQL text is.
    pub trusted: bool,
}

/// A plan that may run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckedPlan {
    statements: Vec<CheckedStatement>,
    reply: Reply,
    resets: bool,
    policy: Arc<Policy>,
}

/// A statement that may run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckedStatement {
    /// Text of exactly one statement.
    pub sql: String,
    /// What fills its parameters.
    pub arguments: Arguments,
    /// What kind of statement it is.
    pub class: Class,
    /// The statement taken apart, where it is a plain INSERT that runs for each row of a batch.
    pub insert: Option<PlainInsert>,
    /// Refuse when it affects more rows than this.
    pub max_affected: Option<u64>,
    /// Whether the rows that it affects count against those that the call may affect.
    pub counts: bool,
    access: Access,
}

impl CheckedPlan {
    /// Checks a plan and holds it to `policy`. The connection is reset after the plan unless the
    /// command is not raw and its connector is trusted to say so: any statement can change the session.
    ///
    /// # Errors
    /// Where the plan breaks the contract, the connector is to blame; `PolicyDenied` where the policy
    /// does not allow it.
    pub fn check(
        plan: Plan,
        source: &Source<'_>,
        policy: &Arc<Policy>,
    ) -> Result<CheckedPlan, Fault> {
        let limits = &policy.limits;
        check_counts(&plan, limits)?;
        match &plan.reply {
            Reply::Rows(_) | Reply::Affected if plan.statements.is_empty() => {
                return Err(Fault::connector(
                    "the plan replies with an outcome but has no statement",
                ));
            }
            Reply::Json(text) => {
                serde_json::from_str::<serde::de::IgnoredAny>(text).map_err(|error| {
                    Fault::connector("the plan's reply is not JSON").because(error)
                })?;
            }
            Reply::Resume(state) if state.len() > limits.state_bytes => {
                return Err(beyond("state_bytes", limits.state_bytes));
            }
            _ => {}
        }
        let statements = plan
            .statements
            .into_iter()
            .map(|statement| CheckedStatement::check(statement, source, policy));
        let statements = statements.collect::<Result<_, _>>()?;
        check_reply(&plan.reply, policy)?;
        Ok(CheckedPlan {
            statements,
            reply: plan.reply,
            resets: source.command.raw || !source.trusted,
            policy: policy.clone(),
        })
    }

    /// What it is held to while it runs.
    #[must_use]
    pub fn policy(&self) -> &Policy {
        &self.policy
    }

    /// The statements, in order.
    #[must_use]
    pub fn statements(&self) -> &[CheckedStatement] {
        &self.statements
    }

    /// How to shape the reply.
    #[must_use]
    pub fn reply(&self) -> &Reply {
        &self.reply
    }

    /// Whether the connection must be reset afterwards, because the statements can change the
    /// session: they hold SQL text of the caller or of a connector that is not trusted.
    #[must_use]
    pub fn resets_session(&self) -> bool {
        self.resets
    }

    /// About what the plan takes in memory, in bytes.
    #[must_use]
    pub fn bytes(&self) -> usize {
        let statements = self.statements.iter().map(|statement| {
            let arguments = match &statement.arguments {
                Arguments::None => 0,
                Arguments::Once(arguments) => arguments
                    .iter()
                    .map(|argument| {
                        let (Argument::Input(text) | Argument::Literal(text)) = argument;
                        size_of::<Argument>() + text.len()
                    })
                    .sum(),
                Arguments::Each(batch) => batch.rows.len(),
            };
            // A plain INSERT holds its own words once more.
            let copies = if statement.insert.is_some() { 3 } else { 1 };
            size_of::<CheckedStatement>() + statement.sql.len() * copies + arguments
        });
        let reply = match &self.reply {
            Reply::Json(text) => text.len(),
            Reply::Resume(state) => state.len(),
            Reply::Rows(_) | Reply::Affected => 0,
        };
        size_of::<CheckedPlan>() + reply + statements.sum::<usize>()
    }

    /// The widest access of its statements.
    #[must_use]
    pub fn access(&self) -> Access {
        let accesses = self.statements.iter().map(|statement| statement.access);
        accesses.max().unwrap_or(Access::Read)
    }

    /// Whether every statement only reads.
    #[must_use]
    pub fn is_read_only(&self) -> bool {
        self.access() == Access::Read
    }

    /// Whether a statement may change definitions.
    #[must_use]
    pub fn defines(&self) -> bool {
        let mut statements = self.statements.iter();
        statements.any(|statement| statement.class.is_utility())
    }

    /// Whether the plan runs inside a transaction block. A single statement that is atomic by itself
    /// does not need one, unless something may still go wrong with its result, or it changes something
    /// and shall be looked up where its confirmation is lost. `runs` tells how often a statement runs.
    pub fn needs_transaction(&self, runs: impl Fn(&CheckedStatement) -> usize) -> bool {
        match self.statements.as_slice() {
            [only] => {
                !self.policy.session.is_empty()
                    || (!self.policy.unconfirmed_writes && !self.is_read_only())
                    || only.counts
                    || !only.class.runs_alone()
                    || only.max_affected.is_some()
                    || runs(only) > 1
                    || (matches!(self.reply, Reply::Rows(_)) && !self.is_read_only())
            }
            _ => true,
        }
    }
}

impl CheckedStatement {
    /// How often it runs with this input: never, once, or more often.
    #[must_use]
    pub fn runs(&self, input: &Input) -> usize {
        match &self.arguments {
            Arguments::None | Arguments::Once(_) => 1,
            Arguments::Each(batch) => input.count(&batch.rows, 2),
        }
    }

    fn check(
        statement: Statement,
        source: &Source<'_>,
        policy: &Policy,
    ) -> Result<CheckedStatement, Fault> {
        let (command, limits) = (source.command, &policy.limits);
        if statement.sql.len() > limits.statement_bytes {
            return Err(beyond("statement_bytes", limits.statement_bytes));
        }
        if statement.sql.contains('\0') {
            return Err(Fault::connector("a statement holds a NUL character"));
        }
        if statement.access > command.access {
            return Err(Fault::connector(format!(
                "a statement claims {:?} access but {} is declared with {:?}",
                statement.access, command.name, command.access
            )));
        }
        let class = Class::of(&lex::words(&statement.sql));
        let refused = match class {
            // Settings, for example, could make a READ ONLY transaction writable.
            _ if class.is_utility() && statement.access < Access::Define => {
                Some("is neither a query nor a change of rows, so it needs define access")
            }
            Class::Empty => Some("is empty"),
            Class::TransactionControl => Some("begins or ends a transaction"),
            Class::CopyFromClient | Class::CopyToClient => Some("is a COPY from or to the client"),
            _ => None,
        };
        if let Some(reason) = refused {
            return Err(Fault::connector(format!(
                "a statement of the plan {reason}"
            )));
        }
        check_arguments(&statement.arguments)?;
        let held = rules::hold(&statement, class, source, policy)?;
        let insert = match &statement.arguments {
            Arguments::Each(batch) => PlainInsert::recognise(&statement.sql)
                .filter(|insert| insert.width == batch.width as usize),
            _ => None,
        };
        Ok(CheckedStatement {
            insert,
            sql: statement.sql,
            arguments: statement.arguments,
            class,
            max_affected: statement.max_affected,
            counts: held.counts,
            access: held.access,
        })
    }
}

/// A reply that is part of the plan has a size already.
fn check_reply(reply: &Reply, policy: &Policy) -> Result<(), Fault> {
    match (reply, policy.caps.reply_bytes) {
        (Reply::Json(text), Some(most)) if text.len() > most => {
            let message = format!("the reply has more than {most} bytes, the limit reply_bytes");
            Err(Fault::statement("ProgramLimitExceeded", message))
        }
        _ => Ok(()),
    }
}

fn check_counts(plan: &Plan, limits: &ConnectorLimits) -> Result<(), Fault> {
    let (mut arguments, mut batches) = (0, 0);
    for statement in &plan.statements {
        match &statement.arguments {
            Arguments::None => {}
            Arguments::Once(once) => arguments += once.len(),
            Arguments::Each(_) => batches += 1,
        }
    }
    for (name, count, limit) in [
        (
            "plan_statements",
            plan.statements.len(),
            limits.plan_statements,
        ),
        ("plan_arguments", arguments, limits.plan_arguments),
        ("plan_batches", batches, limits.plan_batches),
    ] {
        if count > limit {
            return Err(beyond(name, limit));
        }
    }
    Ok(())
}

fn check_arguments(arguments: &Arguments) -> Result<(), Fault> {
    let count = match arguments {
        Arguments::None => 0,
        Arguments::Once(arguments) => arguments.len(),
        Arguments::Each(batch) => batch.width as usize,
    };
    if count > MAX_ARGUMENTS {
        return Err(Fault::connector(format!(
            "a statement has {count} arguments; the protocol allows {MAX_ARGUMENTS}"
        )));
    }
    if let Arguments::Once(arguments) = arguments {
        for argument in arguments {
            if let Argument::Literal(text) = argument {
                serde_json::from_str::<serde::de::IgnoredAny>(text).map_err(|error| {
                    Fault::connector("a literal argument is not JSON").because(error)
                })?;
            }
        }
    }
    Ok(())
}

fn beyond(limit: &str, value: usize) -> Fault {
    Fault::connector(format!("the plan goes beyond the limit {limit} = {value}"))
}

#[cfg(test)]
mod tests;
