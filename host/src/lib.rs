//! x
#![forbid(unsafe_code)]
pub mod call;
pub mod check;
pub mod connector;
pub mod fault;
pub mod limits;
pub mod plan;
pub mod seal;
pub mod secret;
pub mod sqlstate;
