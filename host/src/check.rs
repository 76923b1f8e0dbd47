//! Decides whether a plan may run.
//!
//! The check looks at the plan alone, never at values, so a checked plan can be used again for every
//! call of the same shape.

use crate::fault::Fault;
use crate::insert::PlainInsert;
use crate::limits::{ConnectorLimits, MAX_ARGUMENTS};
use crate::plan::{Access, Argument, Arguments, Command, Plan, Reply, Statement};
use airlock_connector::lex;
use airlock_connector::statements::Class;

/// A plan that may run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckedPlan {
    statements: Vec<CheckedStatement>,
    reply: Reply,
    resets: bool,
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
    access: Access,
}

impl CheckedPlan {
    /// Checks a plan of `command`. The connection is reset after the plan unless the command is not
    /// raw and its connector is `trusted` to say so: any statement can change the session.
    ///
    /// # Errors
    /// Where the plan breaks the contract; the connector is to blame.
    pub fn check(
        plan: Plan,
        command: &Command,
        trusted: bool,
        limits: &ConnectorLimits,
    ) -> Result<CheckedPlan, Fault> {
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
            .map(|statement| CheckedStatement::check(statement, command, limits));
        Ok(CheckedPlan {
            statements: statements.collect::<Result<_, _>>()?,
            reply: plan.reply,
            resets: command.raw || !trusted,
        })
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

    /// Whether every statement only reads.
    #[must_use]
    pub fn is_read_only(&self) -> bool {
        self.statements
            .iter()
            .all(|statement| statement.access == Access::Read)
    }

    /// Whether the plan runs inside a transaction block. A single statement that is atomic by itself
    /// does not need one, unless something may still go wrong with its result. `runs` tells how often
    /// a statement runs.
    pub fn needs_transaction(&self, runs: impl Fn(&CheckedStatement) -> usize) -> bool {
        match self.statements.as_slice() {
            [only] => {
                !only.class.runs_alone()
                    || only.max_affected.is_some()
                    || runs(only) > 1
                    || (matches!(self.reply, Reply::Rows(_)) && !self.is_read_only())
            }
            _ => true,
        }
    }
}

impl CheckedStatement {
    fn check(
        statement: Statement,
        command: &Command,
        limits: &ConnectorLimits,
    ) -> Result<CheckedStatement, Fault> {
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
            access: statement.access,
        })
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
mod tests {
    use super::*;
    use crate::plan::RowShape;

    fn plan(sql: &str, access: Access, reply: Reply) -> Plan {
        let statement = Statement {
            sql: sql.into(),
            arguments: Arguments::None,
            access,
            max_affected: None,
        };
        Plan {
            statements: vec![statement],
            reply,
        }
    }

    fn command(access: Access) -> Command {
        Command {
            name: "C".into(),
            summary: String::new(),
            access,
            raw: false,
            parameters: vec![],
            errors: vec![],
            example: "{}".into(),
        }
    }

    #[test]
    fn refuses_what_breaks_the_contract() {
        let check = |plan, access| {
            CheckedPlan::check(plan, &command(access), true, &ConnectorLimits::default())
        };
        for sql in [
            "",
            "-- x",
            "COMMIT",
            "/* x */ rollback",
            "BEGIN",
            "COPY t FROM STDIN",
            "COPY t TO STDOUT",
            "SELECT 'a\0b'",
        ] {
            assert!(
                check(plan(sql, Access::Read, Reply::Affected), Access::Define).is_err(),
                "{sql:?}"
            );
        }
        for sql in [
            "SET TRANSACTION READ WRITE",
            "RESET ALL",
            "DO $$BEGIN END$$",
            "CREATE TABLE t AS SELECT 1",
        ] {
            assert!(
                check(plan(sql, Access::Write, Reply::Affected), Access::Define).is_err(),
                "{sql}"
            );
        }
        assert!(
            check(
                plan("DELETE FROM t", Access::Write, Reply::Affected),
                Access::Read
            )
            .is_err()
        );
        assert!(
            check(
                plan("SELECT 1", Access::Read, Reply::Json("{".into())),
                Access::Read
            )
            .is_err()
        );
        assert!(
            check(
                Plan {
                    statements: vec![],
                    reply: Reply::Affected
                },
                Access::Read
            )
            .is_err()
        );
        assert!(
            check(
                plan(&"x".repeat(2 << 20), Access::Read, Reply::Affected),
                Access::Read
            )
            .is_err()
        );
    }

    #[test]
    fn single_writes_run_alone() {
        let needs = |sql: &str, access, reply| {
            CheckedPlan::check(
                plan(sql, access, reply),
                &command(Access::Define),
                true,
                &ConnectorLimits::default(),
            )
            .unwrap()
            .needs_transaction(|_| 1)
        };
        assert!(!needs("UPDATE t SET a = 1", Access::Write, Reply::Affected));
        assert!(needs(
            "UPDATE t SET a = 1 RETURNING a",
            Access::Write,
            Reply::Rows(RowShape::Arrays)
        ));
        assert!(!needs(
            "SELECT 1",
            Access::Read,
            Reply::Rows(RowShape::Arrays)
        ));
        assert!(!needs("DROP TABLE t", Access::Define, Reply::Affected));
        assert!(needs("VACUUM", Access::Define, Reply::Affected));
        assert!(needs("CALL p()", Access::Define, Reply::Affected));
    }
}
