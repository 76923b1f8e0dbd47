//! Write connectors for Airlock.
//!
//! A connector is a pure planner: it turns one [`Call`] into a [`Plan`], SQL text plus pointers to
//! the values that fill it. The host checks the plan and runs it. A connector holds no connection, no
//! credential and no clock; a value that decides something it receives, and values that it only passes
//! through arrive [sealed](#2-parameters-seen-or-sealed).
//!
//! The steps below are those by which `guest/postgres_admin` is written, a connector that tells what is
//! in a database and what it is doing. Read it beside them: it has one file for each command.
//!
//! # 1. A command
//! A [`Handler`] is a command: what callers read about it, and the function that plans it. [`Commands`]
//! makes a connector of a list of handlers, and [`export!`] a component of the connector. The manifest,
//! by which the host knows the connector, is made from the same list, so nothing is described that is
//! not planned.
//!
//! ```
//! use airlock_connector::params::{self, Parameters as _};
//! use airlock_connector::{
//!     Access, Arguments, Call, Commands, Connector as _, Handler, Plan, Sql, parameters,
//! };
//!
//! parameters! {
//!     /// Nothing.
//!     struct Input {}
//! }
//!
//! const LIST_SCHEMAS: Handler = Handler {
//!     name: "ListSchemas",
//!     summary: "Lists schemas by name: schema.",
//!     access: Access::Read,                      // the widest of any statement; the server holds it to that
//!     raw: false,                                // no SQL text of callers
//!     parameters: params::on_database::<Input>,  // database_connection_str, and those of Input
//!     errors: &[params::ERRORS],
//!     example: "{}",                             // planned before a version goes live
//!     plan: |call| {
//!         Input::read(call)?;
//!         let sql = Sql::new(r#"SELECT nspname AS "schema" FROM pg_catalog.pg_namespace ORDER BY 1"#);
//!         Ok(Plan::read(sql))
//!     },
//!     resume: None,
//! };
//!
//! struct PostgresAdmin;
//!
//! impl Commands for PostgresAdmin {
//!     const NAME: &'static str = "postgres_admin";
//!     const VERSION: &'static str = "1.0.0";
//!     const SUMMARY: &'static str = "What is in a PostgreSQL database.";
//!     const HANDLERS: &'static [Handler] = &[LIST_SCHEMAS];
//! }
//!
//! airlock_connector::export!(PostgresAdmin);
//!
//! let manifest = PostgresAdmin::describe();
//! assert_eq!(manifest.commands[0].parameters[0].name, "database_connection_str");
//!
//! let call = Call { command: "ListSchemas".into(), input: "{}".into() };
//! let plan = PostgresAdmin::plan(call).unwrap();
//! assert_eq!(plan.statements[0].arguments, Arguments::None);
//! ```
//!
//! The rows of [`Plan::read`] are the reply, one object for each, with the names of the columns as keys.
//! Plans that change something, or reply otherwise, are put together from [`Statement`] and [`Reply`].
//!
//! # 2. Parameters, seen or sealed
//! [`parameters!`] declares what a command takes, once: the kind that engines show, whether a call must
//! give it, the JSON Schema, which values are sealed and how they are read all come from the types.
//! [`choices!`] declares the words that a parameter can have.
//!
//! Ask of each parameter: does its value decide what the plan *is*? If so, take it as what it is, a
//! `bool`, an [`Integer`](params::Integer) within a range, a choice, a [`List`](params::List). If it only
//! goes to the database, take it as [`Passed`](params::Passed): the host replaces it by the name of its
//! kind, and the connector refers to it by pointer. What nobody sees, nobody can leak or paste into SQL,
//! and calls that differ in it share one plan, which the host keeps.
//!
//! ```
//! use airlock_connector::params::{Integer, List, Parameters as _, Passed};
//! use airlock_connector::{Argument, Arguments, Call, Plan, Sql, choices, parameters};
//!
//! choices! {
//!     enum Kind {
//!         /// An ordinary table.
//!         Table = "table",
//!         /// A view.
//!         View = "view",
//!     }
//! }
//!
//! parameters! {
//!     struct Input {
//!         /// Only tables of the schema of this name.
//!         schema: Option<Passed<String>>,
//!         /// Only tables of these kinds.
//!         kinds: Option<List<Kind, 1, 2>>,
//!         /// Most rows.
//!         limit: Integer<1, 1000> = Integer::of::<100>(),
//!     }
//! }
//!
//! fn plan(input: Input) -> Plan {
//!     let sql = Sql::new(r#"SELECT c.relname AS "table" FROM pg_catalog.pg_class c"#)
//!         .text(" JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE true")
//!         .given(input.schema, |sql, schema| {
//!             sql.text(" AND n.nspname = ").argument(schema).text("::text")
//!         })
//!         .given(input.kinds, |sql, kinds| {
//!             let condition = |sql: Sql, kind: &Kind| sql.text(match kind {
//!                 Kind::Table => "c.relkind = 'r'",
//!                 Kind::View => "c.relkind = 'v'",
//!             });
//!             sql.text(" AND (").list(kinds.iter(), " OR ", condition).text(")")
//!         });
//!     Plan::read(sql.text(" LIMIT ").argument(input.limit))
//! }
//!
//! // A caller gives {"schema": "x'; DROP TABLE users; --", "kinds": ["view"]}. This is what arrives:
//! let call = Call { command: "ListTables".into(), input: r#"{"schema": "string", "kinds": ["view"]}"#.into() };
//! let plan = plan(Input::read(&call).unwrap());
//! let statement = &plan.statements[0];
//! assert!(statement.sql.ends_with("AND n.nspname = $1::text AND (c.relkind = 'v') LIMIT $2"));
//! assert_eq!(
//!     statement.arguments,
//!     Arguments::Once(vec![Argument::Input("/schema".into()), Argument::Literal("100".into())])
//! );
//!
//! // What does not fit is refused before anything is planned, and the message says what would fit.
//! let call = Call { command: "ListTables".into(), input: r#"{"kinds": ["index"]}"#.into() };
//! let failure = Input::read(&call).unwrap_err();
//! assert_eq!((failure.code.as_str(), failure.pointer.as_deref()), ("ValueError", Some("/kinds/0")));
//! assert_eq!(failure.message, r#"one of "table", "view" was expected"#);
//! ```
//!
//! For objects in objects, as `guest/postgres` takes them, [`params::parse`] reads what serde reads.
//!
//! # 3. Statements
//! [`Sql`] is a statement under construction. Text has to be known when the connector is compiled; what a
//! call brings goes in as an argument, which becomes `$1`, as an [`Ident`] or a [`QualifiedName`], which is
//! quoted, or as a quoted literal. Prefer arguments: where a name is data, such as one to look up in the
//! catalog, it needs no quoting at all.
//!
//! [`Sql::caller_text`] is for SQL that callers write. A command that uses it is `raw`, and the host resets
//! the session behind it. [`statements::only`] cuts text by PostgreSQL's own rules, so a command can insist
//! on one statement, and [`Class`](statements::Class) tells what kind of one it is:
//!
//! ```
//! use airlock_connector::statements::{self, Class};
//! use airlock_connector::{ErrorCode, Failure, Plan, Sql};
//!
//! const STATEMENT_REFUSED: ErrorCode =
//!     ErrorCode::statement("StatementRefused", "statement is not exactly one query or change of rows.");
//!
//! fn explain(text: &str) -> Result<Plan, Failure> {
//!     let refused = |message: String| STATEMENT_REFUSED.failure(message).at("/statement");
//!     let statement = statements::only(text).map_err(|count| refused(format!("there are {count} statements")))?;
//!     match Class::of(&statement.words) {
//!         Class::Rows => Ok(Plan::read(Sql::new("EXPLAIN ").caller_text(statement.text))),
//!         _ => Err(refused("only queries and changes of rows have plans".into())),
//!     }
//! }
//!
//! assert_eq!(explain("SELECT ';' -- ; \n;").unwrap().statements[0].sql, "EXPLAIN SELECT ';'");
//! for refused in ["", "SELECT 1; DROP TABLE t", "COMMIT", "ANALYZE SELECT 1"] {
//!     assert_eq!(explain(refused).unwrap_err().code, "StatementRefused");
//! }
//! ```
//!
//! # 4. Errors
//! An [`ErrorCode`] is declared once, with what it means and what to do about it. A command lists those that
//! it can answer in `errors`, and answers with [`ErrorCode::failure`], as above. Workflows catch codes, so they
//! stay; messages may change. [`Failure::at`] points to what is wrong in the call. A message must not hold what
//! is sealed; the connector does not know it anyway.
//!
//! # 5. Several rounds
//! Where a plan depends on what the database says, the first plan asks ([`Plan::ask`]), and `resume` continues
//! with the answer. No instance waits meanwhile: `resume` gets the call again, the state that the plan carried,
//! and an [`Outcome`] for each statement.
//!
//! ```
//! use airlock_connector::outcome::UNEXPECTED_OUTCOME;
//! use airlock_connector::params::{self, Parameters as _};
//! use airlock_connector::{
//!     Access, Call, Commands, Connector as _, Failure, Handler, Outcome, Plan, Reply, Sql, parameters,
//! };
//!
//! parameters! {
//!     struct Input {}
//! }
//!
//! const LOCKS: Handler = Handler {
//!     name: "Locks",
//!     summary: "Lists who waits for a lock: pid and, from version 14 on, since.",
//!     access: Access::Read,
//!     raw: false,
//!     parameters: params::on_database::<Input>,
//!     errors: &[params::ERRORS, &[UNEXPECTED_OUTCOME]],
//!     example: "{}",
//!     plan: |call| {
//!         Input::read(call)?;
//!         Ok(Plan::ask(Sql::new("SELECT current_setting('server_version_num')::int4"), ""))
//!     },
//!     resume: Some(resume),
//! };
//!
//! fn resume(_: &Call, _: &[u8], outcomes: &[Outcome]) -> Result<Plan, Failure> {
//!     let rows: Vec<(u32,)> = Outcome::only(outcomes)?;
//!     let knows_since = rows.first().is_some_and(|(version,)| *version >= 140_000);
//!     let sql = Sql::new("SELECT pid").when(knows_since, ", waitstart AS since");
//!     Ok(Plan::read(sql.text(" FROM pg_catalog.pg_locks WHERE NOT granted")))
//! }
//!
//! struct Admin;
//!
//! impl Commands for Admin {
//!     const NAME: &'static str = "admin";
//!     const VERSION: &'static str = "1.0.0";
//!     const SUMMARY: &'static str = "Who waits.";
//!     const HANDLERS: &'static [Handler] = &[LOCKS];
//! }
//!
//! let call = Call { command: "Locks".into(), input: "{}".into() };
//! let Reply::Resume(state) = Admin::plan(call.clone()).unwrap().reply else { panic!() };
//! let answer = |rows: &str| vec![Outcome { columns: vec![], rows: rows.into(), affected: 1 }];
//! let plan = Admin::resume(call.clone(), state.clone(), answer("[[130022]]")).unwrap();
//! assert_eq!(plan.statements[0].sql, "SELECT pid FROM pg_catalog.pg_locks WHERE NOT granted");
//! let plan = Admin::resume(call.clone(), state.clone(), answer("[[150018]]")).unwrap();
//! assert!(plan.statements[0].sql.contains("waitstart"));
//! // An answer that makes no sense is an error like any other.
//! let failure = Admin::resume(call, state, answer(r#"[["?"]]"#)).unwrap_err();
//! assert_eq!(failure.code, "UnexpectedOutcome");
//! ```
//!
//! Each round is a transaction of its own, so something can change in between. A round that only reads runs
//! READ ONLY.
//!
//! # 6. Tests, and a component
//! Plans are values: compare them natively, without a database, as `guest/postgres_admin/tests/plans.rs` does.
//! A call in a test has sealed values as the names of their kinds: `null`, `boolean`, `int4`, `int8`,
//! `numeric`, `string`, `array` or `object`. Then make a component and try it:
//!
//! ```sh
//! cargo run -p airlock-component-build -- airlock-postgres-admin connectors/postgres_admin.wasm
//! airlock inspect connectors/postgres_admin.wasm
//! airlock serve --connectors connectors
//! ```
//!
//! A crate of a connector is a `cdylib` for `wasm32-unknown-unknown`, and takes this one with the feature
//! `component`.
//!
//! # Modules
//! [`lex`] and [`statements`] know PostgreSQL's lexical rules; the host uses them too. [`Ident`] and
//! [`QualifiedName`] are names, [`Sql`] is a statement under construction, [`params`] reads input,
//! [`handlers`] finds the way of a call, [`outcome`] reads answers.
#![deny(unsafe_code)]

pub mod ident;
pub mod lex;
pub mod statements;

#[cfg(feature = "component")]
mod catalogue;
#[cfg(feature = "component")]
mod component;

#[cfg(feature = "component")]
#[doc(hidden)]
#[allow(unsafe_code)]
pub mod bindings;
#[cfg(feature = "component")]
mod connector;
#[cfg(feature = "component")]
mod failure;
#[cfg(feature = "component")]
pub mod handlers;
#[cfg(feature = "component")]
pub mod manifest;
#[cfg(feature = "component")]
pub mod outcome;
#[cfg(feature = "component")]
pub mod params;
#[cfg(feature = "component")]
mod plan;
#[cfg(feature = "component")]
mod sealed;
#[cfg(feature = "component")]
mod sql;

#[cfg(feature = "component")]
pub use component::*;
pub use ident::{Ident, InvalidIdent, QualifiedName};
