//! The `postgres_v2` connector: create, fill, query, update and drop tables, and run SQL.
//!
//! One module for each command: its parameters as Rust types, from which the JSON Schema in the
//! manifest is made, and a pure function from a call to a plan. `grammar` is what callers may
//! write where names and expressions go; `condition` is the `where` list; `placeholder` turns
//! `%s` into parameters. Nothing here knows a value: plans refer to values by pointer.
#![forbid(unsafe_code)]

mod condition;
mod create_table;
mod delete_values;
mod do_sql;
mod drop_table;
mod grammar;
mod insert_values;
mod placeholder;
mod python;
mod rows;
mod select_values;
mod update_values;

use airlock_connector::{
    Access, Call, Command, Connector, ErrorDoc, Failure, Manifest, Parameter, ParameterKind, Plan,
};
use serde::Deserialize;

/// The connector.
#[derive(Debug)]
pub struct Postgres;

impl Connector for Postgres {
    fn describe() -> Manifest {
        Manifest {
            name: "postgres_v2".into(),
            version: env!("CARGO_PKG_VERSION").into(),
            summary: "Tables and SQL in PostgreSQL.".into(),
            commands: vec![
                create_table::command(),
                delete_values::command(),
                do_sql::command(),
                drop_table::command(),
                insert_values::command(),
                select_values::command(),
                update_values::command(),
            ],
        }
    }

    fn plan(call: Call) -> Result<Plan, Failure> {
        match call.command.as_str() {
            "CreateTableV2" => create_table::plan(&call),
            "DeleteValuesV2" => delete_values::plan(&call),
            "DoSQL" => do_sql::plan(&call),
            "DropTableV2" => drop_table::plan(&call),
            "InsertValuesV2" => insert_values::plan(&call),
            "SelectValuesV2" => select_values::plan(&call),
            "UpdateValuesV2" => update_values::plan(&call),
            other => Err(Failure::parameters(
                "command_not_found",
                format!("there is no command {other}"),
            )),
        }
    }
}

airlock_connector::export!(Postgres);

/// Parameters of a command on one table.
#[derive(Deserialize)]
struct OnTable<S> {
    table_name: String,
    schema: S,
}

/// A command on one table, described in the words that all of them share.
fn table_command(
    name: &str,
    summary: &str,
    access: Access,
    schema: Option<Parameter>,
    example: &str,
) -> Command {
    let table = Parameter::required(
        "table_name",
        ParameterKind::Text,
        "Name of the table, such as users or public.users.",
    );
    let mut parameters = vec![connection(), table.with_schema::<String>()];
    parameters.extend(schema);
    Command {
        name: name.into(),
        summary: summary.into(),
        access,
        raw: false,
        parameters,
        errors: errors(),
        example: example.into(),
    }
}

fn connection() -> Parameter {
    Parameter::required(
        "database_connection_str",
        ParameterKind::Connection,
        "Connection string, such as dbname=shop user=app password=secret host=db port=5432.",
    )
}

fn schema_parameter<T: airlock_connector::schemars::JsonSchema>(
    summary: &str,
    sealed: &[&str],
) -> Parameter {
    Parameter::required("schema", ParameterKind::Any, summary)
        .with_schema::<T>()
        .sealing(sealed)
}

fn errors() -> Vec<ErrorDoc> {
    [
        ("KeyError", "A key is missing from schema. Add it."),
        ("TypeError", "A value has the wrong type, such as text where a list belongs."),
        ("ValueError", "A list has the wrong length, or a word is not among the choices."),
        ("SyntaxError", "A name, expression or type is not in the grammar of the command. Use DoSQL for other SQL."),
    ]
    .map(|(code, summary)| ErrorDoc { code: code.into(), summary: summary.into() })
    .into()
}
