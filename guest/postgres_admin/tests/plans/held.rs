//! Plans a call, and holds what comes to what the manifest says of the command.

use airlock_connector::statements::Class;
use airlock_connector::{
    Access, Argument, Arguments, Call, Connector as _, Failure, Outcome, Plan, Reply, lex,
};
use airlock_postgres_admin::PostgresAdmin;
use serde_json::Value;

pub(crate) fn call(command: &str, input: &str) -> Call {
    Call {
        command: command.into(),
        input: input.into(),
    }
}

/// Whatever fails does so with a code that the manifest lists for the command, and what is planned keeps to
/// what it says of itself.
pub(crate) fn held(
    command: &str,
    input: &str,
    result: Result<Plan, Failure>,
) -> Result<Plan, Failure> {
    let described = PostgresAdmin::describe();
    let described = described.commands.iter().find(|c| c.name == command);
    match &result {
        Err(failure) => {
            let mut codes = described.unwrap().errors.iter().map(|error| &error.code);
            assert!(
                codes.any(|code| *code == failure.code),
                "{command}: {failure:?}"
            );
        }
        Ok(plan) => {
            let input: Value = serde_json::from_str(input).unwrap();
            for statement in &plan.statements {
                assert_eq!(statement.access, Access::Read, "{command}");
                let words = lex::words(&statement.sql);
                assert!(matches!(Class::of(&words), Class::Rows | Class::Describe));
                for pointer in pointers(&statement.arguments) {
                    assert!(input.pointer(&pointer).is_some(), "{command}: {pointer}");
                }
            }
        }
    }
    result
}

pub(crate) fn plan(command: &str, input: &str) -> Result<Plan, Failure> {
    held(command, input, PostgresAdmin::plan(call(command, input)))
}

pub(crate) fn resume(command: &str, input: &str, rows: &str) -> Result<Plan, Failure> {
    let Reply::Resume(state) = plan(command, input).unwrap().reply else {
        panic!("{command} asks nothing");
    };
    let outcome = Outcome {
        columns: vec![],
        rows: rows.into(),
        affected: 0,
    };
    let result = PostgresAdmin::resume(call(command, input), state, vec![outcome]);
    held(command, input, result)
}

pub(crate) fn pointers(arguments: &Arguments) -> Vec<String> {
    shown(arguments)
        .into_iter()
        .filter(|argument| argument.starts_with('/'))
        .collect()
}

/// Pointers, and literals as they are.
pub(crate) fn shown(arguments: &Arguments) -> Vec<String> {
    match arguments {
        Arguments::None => vec![],
        Arguments::Once(arguments) => arguments
            .iter()
            .map(|argument| match argument {
                Argument::Input(text) | Argument::Literal(text) => text.clone(),
            })
            .collect(),
        Arguments::Each(_) => panic!("nothing here is a batch"),
    }
}

/// The only statement: what stands behind its last FROM of the outermost query, and the arguments.
pub(crate) fn statement(plan: &Plan) -> (&str, Vec<String>) {
    let [statement] = plan.statements.as_slice() else {
        panic!("{plan:?}");
    };
    (&statement.sql, shown(&statement.arguments))
}
