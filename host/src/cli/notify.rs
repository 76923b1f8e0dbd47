//! Tells the service manager that started this process how far it is, where it asked for that by
//! `NOTIFY_SOCKET` as systemd does with `Type=notify`.

use sd_notify::NotifyState;

/// All connectors are loaded, and the server listens.
pub(super) fn ready() {
    tell(NotifyState::Ready);
}

/// The order to stop came.
pub(super) fn stopping() {
    tell(NotifyState::Stopping);
}

fn tell(state: NotifyState<'_>) {
    if let Err(error) = sd_notify::notify(&[state]) {
        tracing::warn!(%error, "the service manager cannot be told");
    }
}
