//! The public face of the generated bindings and of what is built on them.

pub use crate::bindings::airlock::connector::types::{
    Access, Argument, Arguments, Batch, Call, Command, ErrorDoc, Failure, FailureStage, Manifest,
    Outcome, Parameter, ParameterKind, Plan, Reply, RowShape, Statement,
};
pub use crate::catalogue::ErrorCode;
pub use crate::connector::Connector;
pub use crate::handlers::{Commands, Handler, Resume};
pub use crate::sealed::{Sealed, UnknownKind};
pub use crate::sql::Sql;
pub use schemars;
pub use serde_json;
