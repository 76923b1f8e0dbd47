//! Every bound, with its default and its reason.
//!
//! The `[limits]` table of the configuration file has the same names. A limit on something that a
//! connector does is reported as the connector's fault, by name.

use serde::Deserialize;

macro_rules! limits {
    ($($(#[doc = $doc:literal])+ $name:ident: $type:ty = $default:expr;)+) => {
        /// Bounds on calls, connectors and connections.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
        #[serde(default, deny_unknown_fields)]
        pub struct Limits {
            $($(#[doc = $doc])+ pub $name: $type,)+
        }

        impl Default for Limits {
            fn default() -> Self {
                Limits { $($name: $default,)+ }
            }
        }
    };
}

limits! {
    /// Largest body of a request in bytes: 100,000 rows of a few columns fit several times.
    body_bytes: usize = 64 * MIB;
    /// Largest body of a reply in bytes. Beyond it the call fails and is rolled back. Replies are
    /// streamed, so this bounds what callers are sent, not what is held here.
    reply_bytes: usize = 256 * MIB;
    /// Most rows of a reply. Beyond it the call fails and is rolled back.
    reply_rows: u64 = 10_000_000;
    /// Time for one call in milliseconds, from planning to the last row. Engines wait 45 s.
    deadline_ms: u64 = 40_000;
    /// Time to connect in milliseconds where the connection string says nothing.
    connect_ms: u64 = 10_000;
    /// Connections to one database as one user.
    pool_connections: usize = 16;
    /// Connection strings that connections are kept for.
    pools: usize = 64;
    /// Prepared statements kept for each connection.
    prepared_statements: usize = 256;
    /// Time in milliseconds that a prepared statement is used. The types of its parameters are inferred
    /// once, and somebody else may change the table.
    prepared_ms: u64 = 60_000;
    /// Calls that are worked on at the same time; more are turned away.
    concurrent_calls: usize = 512;
    /// Time in milliseconds that calls may go on after the order to stop.
    drain_ms: u64 = 30_000;
    /// Size of a component file in bytes: compiling takes time in proportion.
    component_bytes: usize = 32 * MIB;
    /// Fuel for one planning call, about one unit for each instruction.
    plan_fuel: u64 = 2_000_000_000;
    /// Time for one planning call in milliseconds, where fuel alone does not tell.
    plan_ms: u64 = 2_000;
    /// Memory of one instance in bytes, all linear memories together.
    memory_bytes: usize = 64 * MIB;
    /// Elements of all tables of one instance.
    table_elements: usize = 20_000;
    /// Sealed input that a connector receives, in bytes.
    input_bytes: usize = 16 * MIB;
    /// Data that one planning call may hand to the host, in bytes.
    plan_bytes: usize = 32 * MIB;
    /// Statements of one plan.
    plan_statements: usize = 1_000;
    /// Text of one statement in bytes.
    statement_bytes: usize = MIB;
    /// Plans that are kept to be used again.
    plan_cache_entries: usize = 4_096;
    /// What the plans that are kept may take, in bytes.
    plan_cache_bytes: usize = 16 * MIB;
    /// Rounds of one call: plans that ask to be resumed.
    rounds: usize = 8;
    /// State that one plan hands to the next, in bytes.
    state_bytes: usize = 64 * KIB;
    /// Outcomes of one round that the connector receives, in bytes.
    outcome_bytes: usize = MIB;
}

const KIB: usize = 1 << 10;
const MIB: usize = 1 << 20;

/// Most arguments of one statement: the protocol counts them in 16 bits.
pub const MAX_ARGUMENTS: usize = 65_535;
