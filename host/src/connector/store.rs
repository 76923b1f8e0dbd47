//! The bounds of one instance.

use super::engine::Sandbox;
use super::patience::Patience;
use super::wasi::{State, Stop};
use crate::fault::Fault;
use crate::limits::ConnectorLimits;
use wasmtime::{ResourceLimiter, Store, Trap};

/// Handles of resources that one instance may hold: a component's own, and those of WASI.
const MAX_HANDLES: usize = 1_000;

/// What the bound on them is called where limits are counted.
const HANDLES: &str = "handles";

/// Counts what one instance takes, all of its memories and tables together.
pub(super) struct Meter {
    limits: ConnectorLimits,
    memory_left: usize,
    table_left: usize,
    /// Name of the limit that was reached.
    pub(super) exceeded: Option<&'static str>,
    /// What it has of WASI, where it imports that.
    pub(super) wasi: Option<Box<State>>,
}

impl ResourceLimiter for Meter {
    fn memory_growing(
        &mut self,
        current: usize,
        desired: usize,
        _: Option<usize>,
    ) -> wasmtime::Result<bool> {
        Ok(take(&mut self.memory_left, current, desired) || self.exceed("memory_bytes"))
    }

    fn table_growing(
        &mut self,
        current: usize,
        desired: usize,
        _: Option<usize>,
    ) -> wasmtime::Result<bool> {
        Ok(take(&mut self.table_left, current, desired) || self.exceed("table_elements"))
    }

    fn instances(&self) -> usize {
        self.limits.core_instances
    }

    fn tables(&self) -> usize {
        self.limits.tables
    }

    fn memories(&self) -> usize {
        self.limits.memories
    }
}

impl Meter {
    /// Memory that the instance has, in bytes.
    pub(super) fn memory_bytes(&self) -> usize {
        self.limits.memory_bytes - self.memory_left
    }

    fn exceed(&mut self, limit: &'static str) -> bool {
        self.exceeded = Some(limit);
        false
    }
}

fn take(left: &mut usize, current: usize, desired: usize) -> bool {
    let more = desired.saturating_sub(current);
    let fits = more <= *left;
    if fits {
        *left -= more;
    }
    fits
}

/// A store for one call, with fuel, deadline and bounds set before anything is instantiated.
/// `lift_bytes` bounds what the instance may hand to the host; `wasi` says whether it imports WASI.
pub(super) fn new(
    sandbox: &Sandbox,
    limits: &ConnectorLimits,
    lift_bytes: usize,
    wasi: bool,
) -> Result<Store<Meter>, Fault> {
    let meter = Meter {
        limits: *limits,
        memory_left: limits.memory_bytes,
        table_left: limits.table_elements,
        exceeded: None,
        wasi: wasi.then(|| Box::new(State::new(limits))),
    };
    let mut store = Store::new(&sandbox.engine, meter);
    store.limiter(|meter| meter);
    store.set_fuel(limits.plan_fuel).map_err(Fault::internal)?;
    Patience::Full.set(&mut store, limits);
    store.set_hostcall_fuel(lift_bytes);
    store.set_max_component_handles(MAX_HANDLES);
    Ok(store)
}

/// Whether an instance was stopped because its time was over.
pub(super) fn is_out_of_time(error: &wasmtime::Error) -> bool {
    error.downcast_ref() == Some(&Trap::Interrupt)
}

/// Why an instance was stopped, with the limit by name. `lift` names the bound on what it may hand
/// over.
pub(super) fn stopped(store: &Store<Meter>, lift: &'static str, error: wasmtime::Error) -> Fault {
    let limit = match (error.downcast_ref::<Trap>(), error.downcast_ref::<Stop>()) {
        (Some(Trap::OutOfFuel), _) => Some("plan_fuel"),
        (Some(Trap::Interrupt), _) => Some("plan_ms"),
        (Some(Trap::StackOverflow), _) => Some("stack_bytes"),
        (_, Some(Stop::Limit(limit))) => Some(*limit),
        (_, Some(stop)) => {
            return Fault::connector(format!("the connector was stopped: {stop}")).because(error);
        }
        _ => store.data().exceeded.or_else(|| {
            // These have no type of their own. Only the root is the engine's: what stands around it
            // names functions as the component does.
            let text = error.root_cause().to_string();
            [
                ("allocated for hostcalls", lift),
                ("instance count too high", "core_instances"),
                ("memory count too high", "memories"),
                ("table count too high", "tables"),
                ("handle limit", HANDLES),
            ]
            .into_iter()
            .find(|(sign, _)| text.contains(sign))
            .map(|(_, limit)| limit)
        }),
    };
    match limit {
        Some(limit) => {
            let shown = match limit {
                HANDLES => "its handles",
                limit => limit,
            };
            Fault::connector(format!("the connector was stopped at the limit {shown}"))
                .at_limit(limit)
                .because(error)
        }
        None => Fault::connector("the connector failed while planning").because(error),
    }
}
