//! What a connector writes to standard output and standard error: captured, bounded, logged.

use super::{Caller, State, Stop, state};
use crate::fault;
use wasmtime::component::WasmList;

/// What a stream says may be written at once. More is taken, too, as long as there is room.
pub(super) const PERMIT_BYTES: u64 = 64 << 10;

/// Captures these bytes; nothing of them where they are too many.
pub(super) fn write(mut caller: Caller<'_>, bytes: &WasmList<u8>) -> wasmtime::Result<()> {
    room_for(state(&mut caller)?, bytes.len())?;
    let bytes = bytes.as_le_slice(&caller).to_vec();
    state(&mut caller)?.written.extend(bytes);
    Ok(())
}

/// Captures as many zeroes.
pub(super) fn write_zeroes(mut caller: Caller<'_>, count: u64) -> wasmtime::Result<()> {
    let state = state(&mut caller)?;
    let count = usize::try_from(count).unwrap_or(usize::MAX);
    room_for(state, count)?;
    state.written.resize(state.written.len() + count, 0);
    Ok(())
}

fn room_for(state: &State, count: usize) -> Result<(), Stop> {
    match count <= state.room() {
        true => Ok(()),
        false => Err(Stop::Limit("log_bytes")),
    }
}

/// Puts what was written while `command` was planned into the log: its beginning, with control
/// characters escaped.
pub(in crate::connector) fn log(state: &State, connector: &str, command: &str) {
    let written = state.written.as_slice();
    if !written.is_empty() {
        let bytes = written.len();
        tracing::debug!(connector, command, bytes, output = ?shown(written), "the connector wrote");
    }
}

fn shown(written: &[u8]) -> String {
    // Longer than what is shown of a text.
    const LOOKED_AT_BYTES: usize = 8 << 10;
    let beginning = written.get(..LOOKED_AT_BYTES).unwrap_or(written);
    fault::shortened(String::from_utf8_lossy(beginning).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_shown_is_short_and_escaped() {
        let written = [b"\x1b[2J\n\xff", [b'a'; 100_000].as_slice()].concat();
        let shown = format!("{:?}", shown(&written));
        assert!(shown.starts_with("\"\\u{1b}[2J\\n\u{fffd}aaa"), "{shown}");
        assert!(shown.len() < 5_000, "{}", shown.len());
    }
}
