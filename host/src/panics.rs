//! What is told of a panic: where, and in which request, but not what it said.
//!
//! Messages of panics can hold values: `unwrap` shows the error that it met, slicing of text shows the
//! text. So they are left out of the log, and of what callers learn.

use std::panic;

/// The cause of a fault where a panic was caught. The line of the log before it says where it was.
pub(crate) const PANICKED: &str = "a panic";

/// Has all panics from now on logged by their place alone. Lines that are logged within a request name
/// it.
pub fn leave_out_messages() {
    panic::set_hook(Box::new(|panic| {
        let place = panic.location().map(ToString::to_string);
        tracing::error!(
            place,
            "a panic; its message is left out, as it can hold values"
        );
    }));
}
