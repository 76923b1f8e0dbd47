//! The `postgres_v2` connector: create, fill, query, update and drop tables, and run SQL.
//!
//! One module for each command: its parameters as Rust types, from which the JSON Schema in the
//! manifest is made, and a pure function from a call to a plan. `grammar` is what callers may
//! write where names and expressions go; `condition` is the `where` list; `placeholder` turns
//! `%s` into parameters; `errors` are the codes that commands answer. Nothing here knows a value: plans
//! refer to values by pointer.
#![forbid(unsafe_code)]

mod condition;
mod create_table;
mod delete_values;
mod do_sql;
mod drop_table;
mod errors;
mod grammar;
mod insert_values;
mod placeholder;
mod python;
mod rows;
mod select_values;
mod update_values;

use airlock_connector::{Commands, Handler, Parameter, ParameterKind};
use serde::Deserialize;

/// The connector.
#[derive(Debug)]
pub struct Postgres;

impl Commands for Postgres {
    const NAME: &'static str = "postgres_v2";
    const VERSION: &'static str = env!("CARGO_PKG_VERSION");
    const SUMMARY: &'static str = "Tables and SQL in PostgreSQL.";
    const HANDLERS: &'static [Handler] = &[
        create_table::HANDLER,
        delete_values::HANDLER,
        do_sql::HANDLER,
        drop_table::HANDLER,
        insert_values::HANDLER,
        select_values::HANDLER,
        update_values::HANDLER,
    ];
}

airlock_connector::export!(Postgres);

/// Parameters of a command on one table.
#[derive(Deserialize)]
struct OnTable<S> {
    table_name: String,
    schema: S,
}

/// What a command on one table takes.
fn on_table(schema: Parameter) -> Vec<Parameter> {
    let table = Parameter::required(
        "table_name",
        ParameterKind::Text,
        "Name of the table, such as users or public.users.",
    );
    vec![
        Parameter::connection(),
        table.with_schema::<String>(),
        schema,
    ]
}

fn schema_parameter<T: airlock_connector::schemars::JsonSchema>(
    summary: &str,
    sealed: &[&str],
) -> Parameter {
    Parameter::required("schema", ParameterKind::Any, summary)
        .with_schema::<T>()
        .sealing(sealed)
}
