//! Timers, kept apart from the runtime that calls run on.
//!
//! A runtime that has a timer waits for its sockets with a time limit, which the kernel sets up and
//! takes down each time: some microseconds for each call on a virtual machine. Deadlines of calls,
//! looks at connections of clients and at files are always set and hardly ever due, so they are kept on a
//! thread of their own.

use std::io;
use std::thread;
use std::time::{Duration, Instant};
use tokio::runtime::{Builder, Handle};
use tokio::sync::oneshot;
use tokio::time::{Sleep, interval, sleep_until};

/// Far below the deadlines of calls, and seldom enough to cost nothing: while a timer is due earlier, a
/// new deadline does not wake the thread.
const TICK: Duration = Duration::from_secs(1);

/// A thread that waits for deadlines. It ends when this is dropped.
#[derive(Debug)]
pub struct Clock {
    timers: Handle,
    _running: oneshot::Sender<()>,
}

impl Clock {
    /// Starts the thread.
    ///
    /// # Errors
    /// When the system gives none.
    pub fn start() -> io::Result<Clock> {
        let runtime = Builder::new_current_thread().enable_time().build()?;
        let timers = runtime.handle().clone();
        let (running, dropped) = oneshot::channel();
        thread::Builder::new()
            .name("airlock-clock".into())
            .spawn(move || {
                runtime.block_on(async {
                    tokio::select! {
                        _ = dropped => {}
                        () = tick() => {}
                    }
                });
            })?;
        Ok(Clock {
            timers,
            _running: running,
        })
    }

    /// Waits until `deadline`, in whatever task it is polled.
    pub(crate) fn sleep_until(&self, deadline: Instant) -> Sleep {
        let _timers = self.timers.enter();
        sleep_until(deadline.into())
    }
}

async fn tick() {
    let mut interval = interval(TICK);
    loop {
        interval.tick().await;
    }
}
