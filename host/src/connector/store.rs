//! The bounds of one instance.

use super::engine::Sandbox;
use crate::fault::Fault;
use wasmtime::{ResourceLimiter, Store};

/// Core instances, memories and tables of one component together.
const MAX_ITEMS: usize = 64;

/// Counts what one instance takes, all of its memories and tables together.
pub(super) struct Meter {
    memory_left: usize,
    table_left: usize,
    /// Name of the limit that was reached.
    pub(super) exceeded: Option<&'static str>,
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
        MAX_ITEMS
    }

    fn tables(&self) -> usize {
        MAX_ITEMS
    }

    fn memories(&self) -> usize {
        MAX_ITEMS
    }
}

impl Meter {
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
pub(super) fn new(sandbox: &Sandbox) -> Result<Store<Meter>, Fault> {
    let limits = &sandbox.limits;
    let meter = Meter {
        memory_left: limits.memory_bytes,
        table_left: limits.table_elements,
        exceeded: None,
    };
    let mut store = Store::new(&sandbox.engine, meter);
    store.limiter(|meter| meter);
    store.set_fuel(limits.plan_fuel).map_err(Fault::internal)?;
    store.set_epoch_deadline(sandbox.plan_epochs());
    store.set_hostcall_fuel(limits.plan_bytes);
    Ok(store)
}
