//! Shows that something long is under way: on a terminal only, on standard error, gone when it is done.

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::thread;
use std::time::Duration;

/// What takes less is not worth to be shown.
const PATIENCE: Duration = Duration::from_millis(300);

/// How often it moves.
const TICK: Duration = Duration::from_millis(120);

/// Something that goes on until this is dropped.
pub(super) struct Progress(ProgressBar);

impl Progress {
    /// Begins, with what it is about.
    pub(super) fn of(what: impl Into<String>) -> Progress {
        let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::hidden());
        bar.set_message(what.into());
        if let Ok(style) = ProgressStyle::with_template("{spinner} {msg} … {elapsed}") {
            bar.set_style(style);
        }
        if !ProgressDrawTarget::stderr().is_hidden() {
            let shown = bar.downgrade();
            thread::spawn(move || {
                thread::sleep(PATIENCE);
                if let Some(bar) = shown.upgrade() {
                    bar.set_draw_target(ProgressDrawTarget::stderr());
                    bar.enable_steady_tick(TICK);
                }
            });
        }
        Progress(bar)
    }

    /// What it is about now.
    pub(super) fn now(&self, what: impl Into<String>) {
        self.0.set_message(what.into());
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}
