//! Every bound, with its defaults and its reason.
//!
//! [`Limits`] bound the host; the `[limits]` table of the configuration file has the same names.
//! [`ConnectorLimits`] bound what one connector may take, by profile and `[connectors.NAME.limits]`.
//! Reaching one of those is reported as the connector's fault, by name.

use serde::Serialize;

/// What the reference tells of a limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limit {
    /// Its name, as the configuration has it. The ending is its unit: `_bytes`, `_ms`, or none for a number.
    pub name: &'static str,
    /// What it bounds, and why where it does.
    pub meaning: &'static str,
    /// Its default; of a connector's limit that of `native` and that of `script`.
    pub defaults: &'static [u64],
}

macro_rules! limits {
    ($($(#[doc = $doc:literal])+ $name:ident: $type:ty = $default:expr;)+) => {
        /// Bounds on calls and connections.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub struct Limits {
            $($(#[doc = $doc])+ pub $name: $type,)+
        }

        impl Default for Limits {
            fn default() -> Self {
                Limits { $($name: $default,)+ }
            }
        }

        impl Limits {
            /// Their names, as the configuration has them.
            pub const NAMES: &[&str] = &[$(stringify!($name),)+];

            /// What each of them is, in the same order.
            pub const REFERENCE: &[Limit] = &[$(Limit {
                name: stringify!($name),
                meaning: concat!($($doc),+).trim_ascii(),
                defaults: &[{ const DEFAULT: $type = $default; DEFAULT as u64 }],
            },)+];

            /// Takes each limit that `given` has, which gets its name and the most that it can be.
            pub(crate) fn take(&mut self, mut given: impl FnMut(&'static str, u64) -> Option<u64>) {
                $(set(&mut self.$name, given(stringify!($name), <$type>::MAX as u64));)+
            }
        }
    };
}

macro_rules! connector_limits {
    ($($(#[doc = $doc:literal])+ $name:ident: $type:ty = $native:expr, $script:expr;)+) => {
        /// Bounds on what one connector may take.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
        pub struct ConnectorLimits {
            $($(#[doc = $doc])+ pub $name: $type,)+
        }

        impl ConnectorLimits {
            /// Their names, as the configuration and faults have them.
            pub const NAMES: &[&str] = &[$(stringify!($name),)+];

            /// What each of them is, in the same order.
            pub const REFERENCE: &[Limit] = &[$(Limit {
                name: stringify!($name),
                meaning: concat!($($doc),+).trim_ascii(),
                defaults: &[
                    { const NATIVE: $type = $native; NATIVE as u64 },
                    { const SCRIPT: $type = $script; SCRIPT as u64 },
                ],
            },)+];

            /// The defaults of `profile`.
            #[must_use]
            pub const fn of(profile: Profile) -> ConnectorLimits {
                match profile {
                    Profile::Native => ConnectorLimits { $($name: $native,)+ },
                    Profile::Script => ConnectorLimits { $($name: $script,)+ },
                }
            }

            /// Takes each limit that `given` has, which gets its name and the most that it can be.
            pub(crate) fn take(&mut self, mut given: impl FnMut(&'static str, u64) -> Option<u64>) {
                $(set(&mut self.$name, given(stringify!($name), <$type>::MAX as u64));)+
            }
        }
    };
}

/// Sets a limit, where one is given that it can hold.
fn set<T: TryFrom<u64>>(limit: &mut T, given: Option<u64>) {
    if let Some(Ok(given)) = given.map(T::try_from) {
        *limit = given;
    }
}

/// What kind of component a connector is, for the defaults of its limits.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Profile {
    /// Compiled to WebAssembly, from Rust or C for example.
    #[default]
    Native,
    /// An interpreter and a script, from Python or JavaScript for example.
    Script,
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
    /// Time to connect to one host in milliseconds, from resolving its name to the end of the login. A
    /// connection string can ask for less.
    connect_ms: u64 = 10_000;
    /// Longest connection string in bytes. Those that people write have a few hundred.
    connection_string_bytes: usize = 8 * KIB;
    /// Settings of one connection string: libpq has some forty keywords.
    connection_pairs: usize = 64;
    /// Hosts of one connection string. Each may take `connect_ms`.
    connection_hosts: usize = 8;
    /// Addresses of one name. All are checked, and dialled in turn.
    lookup_addresses: usize = 16;
    /// Names that are looked up at the same time; others wait. Each takes a thread, as long as a name
    /// server does not answer.
    lookups: usize = 64;
    /// Connections to one database as one user. One that is being closed counts until the server has ended it.
    pool_connections: usize = 16;
    /// Calls that wait for a connection to one database as one user; more are turned away. Fewer than
    /// `concurrent_calls`, so that a database that stands still leaves room for the others.
    pool_waiting: usize = 256;
    /// Time in milliseconds that a connection is kept without use. Firewalls forget idle connections,
    /// often after five minutes.
    pool_idle_ms: u64 = 240_000;
    /// Largest message of a server in bytes, a row for example: as much as a call may bring in. It is held
    /// whole, up to three times.
    message_bytes: usize = 64 * MIB;
    /// Connects to one database that fail in a row before others are held back.
    breaker_failures: u32 = 5;
    /// Time in milliseconds that connects are held back then; after it one is tried.
    breaker_ms: u64 = 1_000;
    /// Time in milliseconds for a request to cancel, and as much again for the server to end the
    /// connection. After that the connection is torn down.
    cancel_ms: u64 = 5_000;
    /// Time in milliseconds beyond the deadline for finding out what became of a transaction whose
    /// confirmation was lost: engines still wait then.
    lookup_ms: u64 = 4_000;
    /// Connection strings that connections are kept for.
    pools: usize = 64;
    /// Prepared statements kept for each connection.
    prepared_statements: usize = 256;
    /// Time in milliseconds that a prepared statement is used. The types of its parameters are inferred
    /// once, and somebody else may change the table.
    prepared_ms: u64 = 60_000;
    /// Largest reply in bytes that is kept for a repeated call, where an `idempotency_table` is given. Beyond
    /// it the call fails: replies that are kept are held in memory and in the database.
    kept_reply_bytes: usize = MIB;
    /// Calls that are worked on at the same time; more are turned away.
    concurrent_calls: usize = 512;
    /// Time in milliseconds between the order to stop, after which `/readiness` says no, and the moment when
    /// nothing is accepted any more. None unless a load balancer asks: it needs two or three of its questions.
    unready_ms: u64 = 0;
    /// Time in milliseconds that calls may go on when nothing is accepted any more after the order to stop.
    drain_ms: u64 = 30_000;
    /// Connections from clients that are open at the same time, on each listener; more are answered 503.
    /// Four times the calls: most of those that engines keep are idle.
    connections: usize = 2_048;
    /// Requests that one HTTP/2 connection may have under way; HTTP/1 has one at a time. A client that
    /// takes all of them leaves the others most of `concurrent_calls`.
    connection_streams: u32 = 100;
    /// Time in milliseconds for the TLS handshake, and for each head of a request from its first byte on.
    /// Heads have a few hundred bytes, so only who means to be slow takes longer.
    header_ms: u64 = 10_000;
    /// Largest head of a request in bytes, request line included: keys and tokens of proxies fit. It is
    /// also how much of a body is read at once.
    head_bytes: usize = 64 * KIB;
    /// Most header fields of a request: clients and proxies send about twenty.
    head_fields: usize = 100;
    /// Time in milliseconds that a connection without a request is kept: longer than the pools of most
    /// clients keep theirs, so they rarely meet one that is closing.
    idle_ms: u64 = 75_000;
    /// Time in milliseconds for the body of a request: `body_bytes` at 2 MiB/s.
    body_ms: u64 = 30_000;
    /// Bytes of all bodies that are held at the same time; requests beyond them are turned away. A few
    /// calls of `body_bytes` each, or many usual ones.
    bodies_bytes: usize = 256 * MIB;
    /// Time in milliseconds in which a client takes nothing of what is sent to it, until the connection
    /// is closed and the call is cancelled. Shorter than `deadline_ms`, as a call holds a connection to
    /// the database meanwhile.
    send_ms: u64 = 30_000;
    /// Plans that are kept to be used again.
    plan_cache_entries: usize = 4_096;
    /// What the plans that are kept may take, in bytes.
    plan_cache_bytes: usize = 16 * MIB;
    /// Versions of each connector that stay compiled behind the live one, for a rollback.
    kept_versions: usize = 2;
    /// What the directory with compiled components may take, in bytes. Those of Rust take up to
    /// 1.5 MiB each, so more than a thousand fit.
    compile_cache_bytes: u64 = 2 << 30;
    /// Room for instances that plan at the same time, of all connectors together; one connector has a
    /// quarter of it, and more calls wait. An instance takes 2 of it, one of a script 16. Planning takes tens of
    /// microseconds, so a few for each processor are enough; each takes address space.
    instances: u32 = 256;
    /// Largest `memory_bytes` that a connector may be given: address space is set aside for it.
    instance_memory_bytes: usize = 128 * MIB;
    /// Largest `table_elements` that a connector may be given: memory is set aside for them.
    instance_table_elements: usize = 20_000;
    /// Spans that wait to be sent to a collector, those on their way included; more are dropped. Each
    /// takes about 1 KiB.
    trace_spans: usize = 4_096;
    /// Spans of one call beside its own; further statements have none. A plan may have a thousand.
    call_spans: usize = 128;
    /// Time in milliseconds for sending the spans that wait when the server stops.
    trace_flush_ms: u64 = 2_000;
    /// Commands that metrics tell apart, and as many databases; those beyond count as `other`. Each command
    /// takes some 70 lines of the text and 10 KiB of memory. Those of connectors that are gone make room.
    metric_labels: usize = 1_000;
    /// Stack of one instance in bytes: deep recursion ends here. It lies on the thread that plans.
    stack_bytes: usize = 512 * KIB;
}

connector_limits! {
    /// Size of the component file in bytes: it is held in memory, and small files can take the compiler
    /// long enough. Interpreters are large.
    component_bytes: usize = 4 * MIB, 32 * MIB;
    /// Time for compiling the component in milliseconds, where a child process compiles. Those of
    /// scripts take up to 15 s on two processors; others a fraction of a second.
    compile_ms: u64 = 20_000, 120_000;
    /// Memory for compiling the component in bytes, where a child process compiles: all that it may
    /// write to, threads included. Small components take up to 200 MiB of that, scripts up to 600.
    compile_memory_bytes: usize = 512 * MIB, 2_048 * MIB;
    /// Time in milliseconds for planning the examples of all commands before a version goes live.
    probe_ms: u64 = 10_000, 60_000;
    /// Fuel for one planning call, about one unit for each instruction. The largest inputs take some
    /// hundred million.
    plan_fuel: u64 = 2_000_000_000, 10_000_000_000;
    /// Time for one planning call in milliseconds, where fuel alone does not tell.
    plan_ms: u64 = 2_000, 5_000;
    /// Memory of one instance in bytes, all linear memories together. The largest inputs take tens of
    /// MiB; interpreters begin with 13.
    memory_bytes: usize = 64 * MIB, 128 * MIB;
    /// Elements of all tables of one instance. Interpreters have up to 7,700.
    table_elements: usize = 2_000, 20_000;
    /// Core instances of one component. Python's have up to 38.
    core_instances: usize = 8, 64;
    /// Linear memories of one component. Those of scripts have up to 3.
    memories: usize = 2, 4;
    /// Tables of one component. Those of scripts have up to 3.
    tables: usize = 4, 8;
    /// What a connector may say of itself, in bytes.
    manifest_bytes: usize = MIB, MIB;
    /// Sealed input that a connector receives, in bytes.
    input_bytes: usize = 16 * MIB, 16 * MIB;
    /// Data that one planning call may hand to the host, in bytes: long inputs give long plans.
    plan_bytes: usize = 32 * MIB, 32 * MIB;
    /// What a connector may write to standard output and standard error in one call, in bytes, where it
    /// may import WASI. It goes to the log at debug level.
    log_bytes: usize = 64 * KIB, 64 * KIB;
    /// Statements of one plan.
    plan_statements: usize = 1_000, 1_000;
    /// Arguments of all statements of one plan together. One statement can have 65,535.
    plan_arguments: usize = 100_000, 100_000;
    /// Statements of one plan that run for each row of a batch: each can send all rows of the call.
    plan_batches: usize = 16, 16;
    /// Text of one statement in bytes.
    statement_bytes: usize = MIB, MIB;
    /// Rounds of one call: plans that ask to be resumed.
    rounds: usize = 8, 8;
    /// State that one plan hands to the next, in bytes.
    state_bytes: usize = 64 * KIB, 64 * KIB;
    /// Outcomes of one round that the connector receives, in bytes.
    outcome_bytes: usize = MIB, MIB;
}

impl Default for ConnectorLimits {
    fn default() -> Self {
        ConnectorLimits::of(Profile::default())
    }
}

const KIB: usize = 1 << 10;
const MIB: usize = 1 << 20;

/// Most arguments of one statement: the protocol counts them in 16 bits.
pub const MAX_ARGUMENTS: usize = 65_535;

/// Deepest nesting of a value in a call. Reading it takes stack for each level, and this is the bound of
/// the reader, so it holds wherever JSON is read; documents rarely have ten levels.
pub const MAX_JSON_DEPTH: usize = 127;

/// Most values of a parameter that are sealed one by one: each takes a hundred bytes beside its own. A
/// plan has `plan_arguments` for them, and long arrays are sealed whole.
pub const MAX_SEALED_VALUES: usize = 1_000_000;
