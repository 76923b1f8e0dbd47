//! The priority of threads: work that may wait gives way to work that somebody waits for.
//!
//! A thread can lower its priority but not raise it again, so it has to end with that work. Priorities
//! are those of Linux; elsewhere they belong to whole processes, and nothing is changed.

use crate::fault::Fault;
use std::thread;

/// The lowest priority, counted from the usual one.
pub(crate) const LOWEST: i32 = 19;

/// How far work goes down that nobody waits for: to a thirtieth of a processor that others want whole.
/// What takes the compiler a fraction of a second alone still ends within `compile_ms` then.
pub(crate) const ASIDE: i32 = 15;

/// Does some work on a thread of its own that gives way to others, with the processes that it starts.
///
/// # Errors
/// Those of `work`.
pub(crate) fn aside<T: Send>(work: impl FnOnce() -> Result<T, Fault> + Send) -> Result<T, Fault> {
    let lowered = || {
        lower(ASIDE);
        work()
    };
    let joined = thread::scope(|scope| {
        let thread = thread::Builder::new().name("airlock-aside".into());
        let thread = thread.spawn_scoped(scope, lowered);
        thread.map(|thread| thread.join()).map_err(Fault::internal)
    });
    joined?.unwrap_or_else(|_| Err(Fault::internal("a thread panicked")))
}

/// Lowers the priority of this thread by so many steps. Where the system refuses, it stays.
#[cfg(target_os = "linux")]
pub(crate) fn lower(steps: i32) {
    let _ = rustix::process::nice(steps);
}

/// Processor time that this thread took so far, in milliseconds.
#[cfg(target_os = "linux")]
pub(crate) fn taken_ms() -> i64 {
    use rustix::time::{ClockId, clock_gettime};
    let taken = clock_gettime(ClockId::ThreadCPUTime);
    taken.tv_sec * 1_000 + taken.tv_nsec / 1_000_000
}

#[cfg(not(target_os = "linux"))]
pub(crate) fn lower(_: i32) {}

#[cfg(not(target_os = "linux"))]
pub(crate) fn taken_ms() -> i64 {
    0
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;
    use rustix::process::getpriority_process;

    #[test]
    fn work_aside_lowers_its_own_thread_alone() {
        let before = getpriority_process(None).unwrap();
        let aside = aside(|| getpriority_process(None).map_err(Fault::internal)).unwrap();
        assert_eq!(aside, (before + ASIDE).min(LOWEST));
        assert_eq!(getpriority_process(None).unwrap(), before);
    }

    #[test]
    fn a_panic_aside_is_a_fault() {
        let work = || -> Result<(), Fault> { panic!("on purpose") };
        assert!(aside(work).is_err());
    }
}
