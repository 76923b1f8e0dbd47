//! The `postgres_admin` connector: what is in a database, and what it is doing. It only reads.
//!
//! One module for each command: its parameters as a struct, from which the manifest and the JSON
//! Schema are made, and a pure function from these to a plan. `relation` is what several commands
//! know about relations and schemas, `errors` are the codes that only this connector answers.
//!
//! Names and patterns are data here, never SQL: callers give a name as the catalog stores it, without
//! quotes, and it reaches the server as an argument that nobody on the way has seen. Tables and
//! functions of the catalog are qualified, so no `search_path` puts others in their place.
#![forbid(unsafe_code)]

mod describe_database;
mod describe_table;
mod errors;
mod explain_statement;
mod list_columns;
mod list_constraints;
mod list_indexes;
mod list_schemas;
mod list_tables;
mod locks;
mod long_running_queries;
mod relation;
mod server_version;
mod table_sizes;

use airlock_connector::{Commands, Handler};

/// The connector.
#[derive(Debug)]
pub struct PostgresAdmin;

impl Commands for PostgresAdmin {
    const NAME: &'static str = "postgres_admin";
    const VERSION: &'static str = env!("CARGO_PKG_VERSION");
    const SUMMARY: &'static str = "What is in a PostgreSQL database, and what it is doing.";
    const HANDLERS: &'static [Handler] = &[
        describe_database::HANDLER,
        describe_table::HANDLER,
        explain_statement::HANDLER,
        list_columns::HANDLER,
        list_constraints::HANDLER,
        list_indexes::HANDLER,
        list_schemas::HANDLER,
        list_tables::HANDLER,
        locks::HANDLER,
        long_running_queries::HANDLER,
        table_sizes::HANDLER,
    ];
}

airlock_connector::export!(PostgresAdmin);
