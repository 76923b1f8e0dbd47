//! Whether a file may be a connector, before it is compiled.

use crate::connector::digest::Digest;
use crate::fault::Fault;
use crate::policy::Policy;

/// Whether the policy lets in this file.
pub(super) fn check(digest: Digest, bytes: usize, policy: &Policy) -> Result<(), Fault> {
    let limit = policy.limits.component_bytes;
    if bytes > limit {
        return Err(Fault::connector(format!(
            "the file has {bytes} bytes; the limit component_bytes is {limit}"
        )));
    }
    match policy.sha256.filter(|pinned| *pinned != digest) {
        Some(pinned) => Err(Fault::connector(format!(
            "the component is {digest}; its policy wants {pinned}"
        ))),
        None => Ok(()),
    }
}

/// Tells the common mistakes apart before the compiler does.
pub(super) fn recognise(bytes: &[u8]) -> Result<(), Fault> {
    match bytes.first_chunk::<8>() {
        Some(b"\0asm\x0d\0\x01\0") => Ok(()),
        Some([0, b'a', b's', b'm', 1, 0, 0, 0]) => Err(Fault::connector(
            "the file is a core WebAssembly module, not a component; encode it as a component first",
        )),
        Some([0, b'a', b's', b'm', ..]) => Err(Fault::connector(
            "the file is WebAssembly of an unknown version",
        )),
        _ => Err(Fault::connector("the file is not WebAssembly")),
    }
}
