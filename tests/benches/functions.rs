//! The function benchmark: from the body of a request to the plan that may run, step by step.
//!
//! ```sh
//! cargo bench --bench functions                 # everything; a few seconds once built
//! cargo bench --bench functions -- look_up      # one function
//! ```
//!
//! The calls are those of the connector's guide: users, all of them and one of them. Nothing here
//! touches a database. What a function makes is dropped within the time that is measured.
#![allow(clippy::unwrap_used)]

use airlock::call::Call;
use airlock::check::CheckedPlan;
use airlock::runtime::FoundCommand;
use airlock::{Limits, Parameters, Runtime};
use airlock_connector::Connector as _;
use airlock_postgres::Postgres;
use divan::{Bencher, black_box};
use futures_util::FutureExt as _;
use mimalloc::MiMalloc;
use std::sync::Arc;

const COMMAND: &str = "SelectValuesV2";

/// The calls, and what each has behind its columns.
const CALLS: [(&str, &str); 2] = [
    ("all", ""),
    ("one", r#", "where": [["email", "=", "john@example.com"]]"#),
];

/// Names of the calls.
const NAMES: [&str; 2] = [CALLS[0].0, CALLS[1].0];

/// That of the `airlock` command.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

fn main() {
    divan::main();
}

/// A call, and a runtime that has planned it before.
struct Warm {
    runtime: Runtime,
    found: FoundCommand,
    body: String,
    call: Arc<Call>,
}

impl Warm {
    fn up(name: &str) -> Warm {
        let (_, rest) = CALLS.into_iter().find(|call| call.0 == name).unwrap();
        let body = format!(
            r#"{{"database_connection_str": "dbname=postgres user=postgres password=postgres host=192.168.1.89 port=1111", "table_name": "users", "schema": {{"columns": ["id", "name", "email", "phone", "created_at"]{rest}}}}}"#
        );
        let runtime = Runtime::new(Limits::default()).unwrap();
        let found = runtime.command("postgres_v2", COMMAND).unwrap();
        let parameters = Parameters::parse(body.as_bytes()).unwrap();
        let call = found.call(parameters).unwrap();
        let tasks = tokio::runtime::Runtime::new().unwrap();
        tasks.block_on(runtime.cached_plan(&found, &call)).unwrap();
        Warm {
            runtime,
            found,
            body,
            call,
        }
    }

    fn read_and_seal(&self) -> Arc<Call> {
        let parameters = Parameters::parse(black_box(self.body.as_bytes())).unwrap();
        self.found.call(parameters).unwrap()
    }

    /// Panics where the plan is not there: then it is not ready at once.
    fn look_up(&self, call: &Arc<Call>) -> Arc<CheckedPlan> {
        let plan = self.runtime.cached_plan(&self.found, black_box(call));
        plan.now_or_never().unwrap().unwrap()
    }
}

/// The whole way of a call whose plan was made before: read, seal, hash, look up.
#[divan::bench(args = NAMES, sample_size = 100)]
fn hit(bencher: Bencher<'_, '_>, name: &str) {
    let warm = Warm::up(name);
    bencher.bench(|| drop(warm.look_up(&warm.read_and_seal())));
}

/// The first part of it: from JSON text to checked, sealed parameters.
#[divan::bench(args = NAMES, sample_size = 100)]
fn read_and_seal(bencher: Bencher<'_, '_>, name: &str) {
    let warm = Warm::up(name);
    bencher.bench(|| drop(warm.read_and_seal()));
}

/// The second part of it: hash and look up.
#[divan::bench(args = NAMES, sample_size = 100)]
fn look_up(bencher: Bencher<'_, '_>, name: &str) {
    let warm = Warm::up(name);
    bencher.bench(|| drop(warm.look_up(&warm.call)));
}

/// What a hit saves: planning in a fresh instance of the component.
#[divan::bench(args = NAMES, sample_size = 100)]
fn plan_in_fresh_instance(bencher: Bencher<'_, '_>, name: &str) {
    let warm = Warm::up(name);
    let connector = warm.runtime.connectors().remove(0);
    bencher.bench(|| drop(connector.plan(COMMAND, warm.call.sealed()).unwrap()));
}

/// The same planner as a part of this program, to tell what the sandbox costs.
#[divan::bench(args = NAMES, sample_size = 100)]
fn plan_natively(bencher: Bencher<'_, '_>, name: &str) {
    let (command, input) = (COMMAND.to_owned(), Warm::up(name).call.sealed().to_owned());
    let call = airlock_connector::Call { command, input };
    let calls = bencher.with_inputs(|| call.clone());
    calls.bench_values(|call| drop(Postgres::plan(call).unwrap()));
}
