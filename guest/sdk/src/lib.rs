//! Write connectors for Airlock.
//!
//! A connector is a pure planner: it turns one [`Call`] into a [`Plan`], SQL text plus pointers to
//! the values that fill it. The host runs the plan. A connector that needs a value to decide
//! something receives it; values that it only passes through arrive [`Sealed`].
//!
//! ```
//! use airlock_connector::{
//!     Access, Call, Command, Connector, Failure, Manifest, Parameter, ParameterKind, Plan, Reply,
//!     RowShape, Sql, Statement, params,
//! };
//!
//! struct Hello;
//!
//! #[derive(serde::Deserialize, airlock_connector::schemars::JsonSchema)]
//! struct Input {
//!     shout: bool,
//! }
//!
//! impl Connector for Hello {
//!     fn describe() -> Manifest {
//!         let shout = Parameter::required("shout", ParameterKind::Boolean, "Whether to shout.");
//!         Manifest {
//!             name: "hello".into(),
//!             version: "1.0.0".into(),
//!             summary: "Greets.".into(),
//!             commands: vec![Command {
//!                 name: "Greet".into(),
//!                 summary: "Greets once.".into(),
//!                 access: Access::Read,
//!                 raw: false,
//!                 parameters: vec![shout],
//!                 errors: vec![],
//!                 example: r#"{"shout": true}"#.into(),
//!             }],
//!         }
//!     }
//!
//!     fn plan(call: Call) -> Result<Plan, Failure> {
//!         let input: Input = params::parse(&call)?;
//!         let sql = Sql::new("SELECT ").literal(if input.shout { "HELLO" } else { "hello" });
//!         Ok(Plan {
//!             statements: vec![Statement::once(sql, Access::Read)],
//!             reply: Reply::Rows(RowShape::Arrays),
//!         })
//!     }
//! }
//!
//! airlock_connector::export!(Hello);
//!
//! let call = Call { command: "Greet".into(), input: Hello::describe().commands[0].example.clone() };
//! assert_eq!(Hello::plan(call).unwrap().statements[0].sql, "SELECT 'HELLO'");
//! ```
//!
//! # Modules
//! [`lex`] and [`statements`] know PostgreSQL's lexical rules; the host uses them too. [`Ident`] and
//! [`QualifiedName`] are names, [`Sql`] is a statement under construction, [`params`] reads input.
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
