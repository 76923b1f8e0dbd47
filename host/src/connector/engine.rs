//! The one wasm engine of a process and its clock.

use crate::fault::Fault;
use crate::limits::Limits;
use std::time::Duration;
use wasmtime::{Config, Enabled, Engine, InstanceAllocationStrategy, PoolingAllocationConfig};

/// How often the epoch advances: the precision of the planning deadline.
const EPOCH: Duration = Duration::from_millis(10);

/// Stack of one instance in bytes, wasmtime's default.
const STACK_BYTES: usize = 512 << 10;

/// Instances that can plan at the same time. Planning takes tens of microseconds on a few threads;
/// the pool only has to cover those threads.
const POOL_INSTANCES: u32 = 256;

/// Core instances, memories and tables of one component. Components made from scripts have up to 38
/// instances.
const CORE_INSTANCES: u32 = 64;

/// Virtual memory set aside for each linear memory beyond its limit, so that bounds checks cost
/// nothing.
const RESERVATION_BYTES: u64 = 4 << 30;

/// Where components are compiled and run.
#[derive(Clone)]
pub struct Sandbox {
    pub(super) engine: Engine,
    pub(super) limits: Limits,
}

impl Sandbox {
    /// Makes a sandbox with these limits.
    ///
    /// # Errors
    /// When the machine cannot provide one, for example for lack of address space.
    pub fn new(limits: Limits) -> Result<Sandbox, Fault> {
        let engine = Engine::new(&config(&limits)).map_err(Fault::internal)?;
        tick(&engine).map_err(Fault::internal)?;
        Ok(Sandbox { engine, limits })
    }

    /// Epochs until the planning deadline.
    pub(super) fn plan_epochs(&self) -> u64 {
        let epoch = u64::try_from(EPOCH.as_millis()).unwrap_or(1);
        // One more: the current epoch may be about to end.
        self.limits.plan_ms.div_ceil(epoch) + 1
    }
}

fn config(limits: &Limits) -> Config {
    let mut pool = PoolingAllocationConfig::default();
    pool.total_component_instances(POOL_INSTANCES)
        .total_core_instances(POOL_INSTANCES * 4)
        .total_memories(POOL_INSTANCES)
        .total_tables(POOL_INSTANCES * 2)
        .max_core_instances_per_component(CORE_INSTANCES)
        .max_memory_size(limits.memory_bytes)
        .table_elements(limits.table_elements)
        .pagemap_scan(Enabled::Auto);
    let mut config = Config::new();
    config
        .allocation_strategy(InstanceAllocationStrategy::Pooling(pool))
        .memory_init_cow(true)
        .memory_reservation(RESERVATION_BYTES)
        .consume_fuel(true)
        .epoch_interruption(true)
        .max_wasm_stack(STACK_BYTES)
        .wasm_threads(false)
        .wasm_gc(false)
        .wasm_function_references(false)
        .wasm_exceptions(false)
        .wasm_memory64(false)
        .wasm_multi_memory(false)
        .wasm_relaxed_simd(false)
        .concurrency_support(false);
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
