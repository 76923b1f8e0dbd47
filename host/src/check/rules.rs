//! Holds a statement to the policy of its connector.
//!
//! What a connector says of a statement counts against it, never for it: a statement needs the access
//! that it claims and the access that its text asks for.

use super::Source;
use crate::fault::Fault;
use crate::plan::{Access, Statement};
use crate::policy::{Policy, denied, list, needed_by};
use airlock_connector::statements::{Class, Kinds};

/// What the policy makes of a statement.
pub(super) struct Held {
    /// The access that the server holds it to.
    pub(super) access: Access,
    /// Whether the rows that it affects are to be counted.
    pub(super) counts: bool,
}

/// Holds a statement to `policy`.
///
/// # Errors
/// `PolicyDenied`.
pub(super) fn hold(
    statement: &Statement,
    class: Class,
    source: &Source<'_>,
    policy: &Policy,
) -> Result<Held, Fault> {
    let rules = &policy.statements;
    let unbounded = rules.access == Access::Define && rules.raw_sql.is_none();
    if unbounded && policy.session.role.is_none() && policy.caps.affected_rows.is_none() {
        return Ok(Held {
            access: statement.access,
            counts: false,
        });
    }
    let kinds = Kinds::of(&statement.sql);
    check_access(statement, &kinds, source, rules.access)?;
    if source.is_foreign() {
        check_kinds(class, &kinds, source, policy)?;
    }
    if let Some(most) = policy.caps.affected_rows
        && kinds.changes_uncounted_rows()
    {
        let needs = format!(
            "{} changes rows in WITH or EXPLAIN, where the server does not count them",
            source.command.name
        );
        return Err(source.denied(&format!("affected_rows = {most}"), &needs));
    }
    let counted = ["copy", "create", "execute"];
    Ok(Held {
        access: match source.command.raw {
            true => statement.access.min(rules.access),
            false => statement.access,
        },
        // CREATE TABLE, not AS a query, affects none.
        counts: policy.caps.affected_rows.is_some()
            && class != Class::Definition
            && (kinds.changes_rows() || counted.iter().any(|kind| kinds.has(kind))),
    })
}

fn check_access(
    statement: &Statement,
    kinds: &Kinds,
    source: &Source<'_>,
    widest: Access,
) -> Result<(), Fault> {
    // A raw command does not know what it is given, so it claims everything.
    let claimed = match source.command.raw {
        true => Access::Read,
        false => statement.access,
    };
    let asked_for = needed_by(kinds);
    let needed = claimed.max(asked_for);
    if needed <= widest {
        return Ok(());
    }
    let name = &source.command.name;
    let needs = match claimed < asked_for {
        true => format!(
            "{name} needs {needed}, as it holds a statement of {}",
            list(kinds.names())
        ),
        false => format!("{name} needs {needed}"),
    };
    Err(source.denied(&format!("access = \"{widest}\""), &needs))
}

/// Holds text that the host does not vouch for to the kinds that are allowed.
fn check_kinds(
    class: Class,
    kinds: &Kinds,
    source: &Source<'_>,
    policy: &Policy,
) -> Result<(), Fault> {
    let name = &source.command.name;
    let holds = |kind: &str| format!("{name} holds a statement of the kind \"{kind}\"");
    match (&policy.statements.raw_sql, &policy.session.role) {
        (Some(allowed), _) => match kinds.names().find(|kind| !allowed.contains(*kind)) {
            Some(kind) => {
                let rule = format!("raw_sql = {}", list(allowed.iter().map(String::as_str)));
                Err(source.denied(&rule, &holds(kind)))
            }
            None => Ok(()),
        },
        // RESET ROLE is one of those.
        (None, Some(role)) if class.is_utility() => {
            let kind = kinds.names().next().unwrap_or_default();
            let rule = format!("role = {:?}", role.as_str());
            let needs = format!("{}, which raw_sql does not list", holds(kind));
            Err(source.denied(&rule, &needs))
        }
        _ => Ok(()),
    }
}

impl Source<'_> {
    /// Whether the text of its statements can be anybody's: the caller's, or that of a connector whose
    /// word does not count.
    fn is_foreign(&self) -> bool {
        self.command.raw || !self.trusted
    }

    fn denied(&self, rule: &str, needs: &str) -> Fault {
        denied(self.connector, rule, needs)
    }
}
