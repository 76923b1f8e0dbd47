//! The one wasm engine of a process and its clock.

use super::compile::Compiler;
use crate::fault::Fault;
use crate::limits::{ConnectorLimits, Limits, Profile};
use std::time::Duration;
use wasmtime::{Config, Enabled, Engine, InstanceAllocationStrategy, PoolingAllocationConfig};

/// How often the epoch advances: the precision of the planning deadline.
const EPOCH: Duration = Duration::from_millis(10);

/// Virtual memory set aside for each linear memory beyond its limit, so that bounds checks cost
/// nothing.
const RESERVATION_BYTES: u64 = 4 << 30;

/// Dirty pages of a linear memory that are kept, written over with what an instance begins with, where
/// the kernel can tell which they are. Giving them back and taking new ones costs more. Native
/// connectors rarely dirty more; memory beyond it is given back, so 256 instances keep 64 MiB at most.
const MEMORY_KEPT_BYTES: usize = 256 << 10;

/// The same for a table: all elements of a script's.
const TABLE_KEPT_BYTES: usize = 64 << 10;

/// Where components are compiled and run.
#[derive(Clone)]
pub struct Sandbox {
    pub(super) engine: Engine,
    pub(super) compiler: Compiler,
}

impl Sandbox {
    /// Makes a sandbox with these limits, where `compiler` compiles components.
    ///
    /// # Errors
    /// When the machine cannot provide one, for example for lack of address space.
    pub fn new(limits: &Limits, compiler: Compiler) -> Result<Sandbox, Fault> {
        let engine = Engine::new(&running(limits)).map_err(Fault::internal)?;
        tick(&engine).map_err(Fault::internal)?;
        Ok(Sandbox { engine, compiler })
    }

    /// Core instances that there are at this moment, of all components together.
    #[must_use]
    pub fn instances(&self) -> u64 {
        let metrics = self.engine.pooling_allocator_metrics();
        metrics.map_or(0, |metrics| metrics.core_instances())
    }
}

/// Whether the kernel tells which pages of an instance were written to, which makes each call cheaper:
/// Linux does from 6.7 on.
#[must_use]
pub fn scans_pages() -> bool {
    PoolingAllocationConfig::is_pagemap_scan_available()
}

/// Epochs that pass within `plan_ms` milliseconds.
pub(super) fn epochs(plan_ms: u64) -> u64 {
    let epoch = u64::try_from(EPOCH.as_millis()).unwrap_or(1);
    // One more: the current epoch may be about to end.
    plan_ms.div_ceil(epoch) + 1
}

/// The settings for running components.
fn running(limits: &Limits) -> Config {
    // What one component has at most; each connector has limits of its own below these.
    let most = ConnectorLimits::of(Profile::Script);
    let count = |most: usize| u32::try_from(most).unwrap_or(u32::MAX);
    let mut pool = PoolingAllocationConfig::default();
    pool.total_component_instances(limits.instances)
        .total_core_instances(limits.instances.saturating_mul(4))
        .total_memories(limits.instances)
        .total_tables(limits.instances.saturating_mul(2))
        .max_core_instances_per_component(count(most.core_instances))
        .max_memories_per_component(count(most.memories))
        .max_memories_per_module(1)
        .max_tables_per_component(count(most.tables))
        .max_memory_size(limits.instance_memory_bytes)
        .table_elements(limits.instance_table_elements)
        .pagemap_scan(Enabled::Auto)
        .table_keep_resident(TABLE_KEPT_BYTES);
    // Without the scan, all of that would be written over after each call, dirty or not.
    if PoolingAllocationConfig::is_pagemap_scan_available() {
        pool.linear_memory_keep_resident(MEMORY_KEPT_BYTES);
    }
    let mut config = compiling();
    config
        .allocation_strategy(InstanceAllocationStrategy::Pooling(pool))
        .max_wasm_stack(limits.stack_bytes);
    config
}

/// The settings that machine code depends on.
pub(super) fn compiling() -> Config {
    let mut config = Config::new();
    config
        .memory_init_cow(true)
        .memory_reservation(RESERVATION_BYTES)
        .consume_fuel(true)
        .epoch_interruption(true)
        .wasm_threads(false)
        .wasm_gc(false)
        .wasm_function_references(false)
        .wasm_exceptions(false)
        .wasm_memory64(false)
        // What one component inside of another hands to the next is copied by a module that the engine
        // makes, from memory to memory. Components of JavaScript are nested. Modules of their own have
        // one memory each, as the pool says.
        .wasm_multi_memory(true)
        .wasm_relaxed_simd(false)
        .concurrency_support(false)
        // Both tell debuggers and profilers where in a component the machine code comes from, and would
        // be held in memory with it. Traps and their backtraces do not need them.
        .generate_address_map(false)
        .native_unwind_info(false);
    config
}

/// Advances the epoch for as long as the engine is alive.
fn tick(engine: &Engine) -> std::io::Result<()> {
    let engine = engine.weak();
    std::thread::Builder::new()
        .name("airlock-epoch".into())
        .spawn(move || {
            while let Some(engine) = engine.upgrade() {
                engine.increment_epoch();
                drop(engine);
                std::thread::sleep(EPOCH);
            }
        })?;
    Ok(())
}
