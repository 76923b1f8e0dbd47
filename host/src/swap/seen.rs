//! What was seen of a file, and when it is worth taking.
//!
//! A file is taken when its writer has closed it or moved it into place. Nobody tells that of files
//! that another host wrote: those are taken when they have not changed for a while.

use super::file::Signature;
use std::time::{Duration, Instant};

/// How long a file must be the same where nobody said that it is complete.
pub(super) const SETTLED: Duration = Duration::from_secs(2);

/// What was seen of one file.
#[derive(Debug, Default)]
pub(super) struct Seen {
    signature: Option<Signature>,
    /// Since when it is as it is.
    since: Option<Instant>,
    taken: bool,
}

impl Seen {
    /// As a file whose present state was taken.
    pub(super) fn taken(signature: Option<Signature>) -> Seen {
        Seen {
            signature,
            since: None,
            taken: true,
        }
    }

    /// Looks again; true where the file shall be taken now. `complete` says that its writer is done.
    pub(super) fn look(
        &mut self,
        signature: Option<Signature>,
        complete: bool,
        now: Instant,
    ) -> bool {
        if self.signature != signature {
            *self = Seen {
                signature,
                since: Some(now),
                taken: false,
            };
        }
        let settled = self
            .since
            .is_some_and(|since| now.duration_since(since) >= SETTLED);
        // Two changes can be too close for their times to differ, so a writer's word counts by itself.
        let take = signature.is_some() && (complete || !self.taken && settled);
        self.taken |= take;
        take
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn complete_files_are_taken_at_once_and_others_when_they_settle() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("a");
        let now = Instant::now();
        let mut seen = Seen::default();
        assert!(!seen.look(None, true, now));
        fs::write(&path, "a").unwrap();
        let first = Signature::of(&path);
        assert!(!seen.look(first, false, now));
        assert!(seen.look(first, true, now));
        assert!(!seen.look(first, false, now + SETTLED));
        assert!(seen.look(first, true, now));
        fs::write(&path, "ab").unwrap();
        let second = Signature::of(&path);
        assert!(!seen.look(second, false, now));
        assert!(!seen.look(second, false, now + SETTLED / 2));
        assert!(seen.look(second, false, now + SETTLED));
        let mut taken = Seen::taken(second);
        assert!(!taken.look(second, false, now + SETTLED));
        assert!(!taken.look(None, true, now));
    }
}
