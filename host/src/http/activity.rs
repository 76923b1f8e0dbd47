//! What one connection is doing, and how long it may go on with that.
//!
//! Requests and the socket note what happens; one timer of the connection asks every now and then what
//! is due. So neither a request nor a byte costs a timer of its own.

use crate::limits::Limits;
use hyper::Version;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// In the place of a moment: it is not so.
const NEVER: u64 = u64::MAX;

/// Time in milliseconds for a connection without a request to end by itself once the server stops.
const PARTING_MS: u64 = 1_000;

/// Longest time in milliseconds until it is looked at again, whatever the limits are.
const ROUND_MS: u64 = 60_000;

/// What a connection is doing. Moments are in milliseconds since it was opened.
pub(super) struct Activity {
    opened: Instant,
    requests: AtomicUsize,
    /// Since when there is no request.
    idle: AtomicU64,
    /// Since when a head is on its way.
    head: AtomicU64,
    /// Since when the client takes nothing.
    stuck: AtomicU64,
    /// Requests do not follow one another: what comes in between them is no head.
    multiplexed: AtomicBool,
    /// A request was answered before its body was read.
    unread: AtomicBool,
    /// For each of several requests: since when the client takes nothing of its response.
    responses: Mutex<Vec<Place>>,
}

/// Where a connection keeps what it knows of one of several responses.
#[derive(Clone, Copy)]
enum Place {
    Free,
    Since(u64),
}

/// What has to be done with a connection.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Due {
    /// Nothing before this time has passed.
    Nothing(Duration),
    /// It has no request and shall end.
    Retire,
    /// It shall be closed, for this reason.
    Close(&'static str),
}

impl Due {
    /// After what time it has to be looked at again.
    pub(super) fn within(&self) -> Duration {
        match self {
            Due::Nothing(time) => *time,
            Due::Retire | Due::Close(_) => Duration::ZERO,
        }
    }
}

impl Activity {
    /// A connection that was just opened, and whose first head is awaited.
    pub(super) fn new() -> Arc<Activity> {
        Arc::new(Activity {
            opened: Instant::now(),
            requests: AtomicUsize::new(0),
            idle: AtomicU64::new(0),
            head: AtomicU64::new(0),
            stuck: AtomicU64::new(NEVER),
            multiplexed: AtomicBool::new(false),
            unread: AtomicBool::new(false),
            responses: Mutex::default(),
        })
    }

    fn responses(&self) -> MutexGuard<'_, Vec<Place>> {
        self.responses
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    fn now(&self) -> u64 {
        self.opened.elapsed().as_millis() as u64
    }

    /// A head is complete. The request goes on until what this returns is dropped.
    pub(super) fn begin(self: &Arc<Self>, version: Version) -> UnderWay {
        self.requests.fetch_add(1, Ordering::Relaxed);
        self.head.store(NEVER, Ordering::Relaxed);
        self.unread.store(false, Ordering::Relaxed);
        let connection = self.clone();
        if version != Version::HTTP_2 {
            return UnderWay {
                connection,
                place: None,
            };
        }
        self.multiplexed.store(true, Ordering::Relaxed);
        let mut responses = self.responses();
        let free = responses
            .iter()
            .position(|place| matches!(place, Place::Free));
        let place = Some(free.unwrap_or(responses.len()));
        match free.and_then(|free| responses.get_mut(free)) {
            Some(place) => *place = Place::Since(NEVER),
            None => responses.push(Place::Since(NEVER)),
        }
        UnderWay { connection, place }
    }

    /// Bytes came in.
    pub(super) fn received(&self) {
        if self.requests.load(Ordering::Relaxed) == 0 && self.head.load(Ordering::Relaxed) == NEVER
        {
            self.head.store(self.now(), Ordering::Relaxed);
        }
    }

    /// Bytes wait to go out, and the client does or does not take them.
    pub(super) fn sent(&self, taken: bool) {
        match (taken, self.stuck.load(Ordering::Relaxed)) {
            (true, NEVER) => {}
            (true, _) => self.stuck.store(NEVER, Ordering::Relaxed),
            (false, NEVER) => self.stuck.store(self.now(), Ordering::Relaxed),
            (false, _) => {}
        }
    }

    /// A request was answered before its body was read, and the client may still be sending it.
    pub(super) fn leave_unread(&self) {
        self.unread.store(true, Ordering::Relaxed);
    }

    /// Whether the client may still be sending what nobody reads.
    pub(super) fn is_unread(&self) -> bool {
        self.unread.load(Ordering::Relaxed)
    }

    /// What has to be done now, where the server is `stopping` or not.
    pub(super) fn due(&self, limits: &Limits, stopping: bool) -> Due {
        self.due_at(self.now(), limits, stopping)
    }

    fn due_at(&self, now: u64, limits: &Limits, stopping: bool) -> Due {
        let since = |moment: &AtomicU64| moment.load(Ordering::Relaxed);
        let idle_ms = match stopping {
            true => limits.idle_ms.min(PARTING_MS),
            false => limits.idle_ms,
        };
        let responses = self
            .responses()
            .iter()
            .fold(NEVER, |first, place| match place {
                Place::Free => first,
                Place::Since(moment) => first.min(*moment),
            });
        let stuck = since(&self.stuck)
            .min(responses)
            .saturating_add(limits.send_ms);
        let head = match self.multiplexed.load(Ordering::Relaxed) {
            true => NEVER,
            false => since(&self.head).saturating_add(limits.header_ms),
        };
        let idle = match self.requests.load(Ordering::Relaxed) {
            0 => since(&self.idle).saturating_add(idle_ms),
            _ => NEVER,
        };
        if stuck <= now {
            return Due::Close("the client takes nothing for send_ms");
        }
        if head <= now {
            return Due::Close("a head took longer than header_ms");
        }
        if idle <= now {
            return Due::Retire;
        }
        // What begins meanwhile is not due before the shortest of the three.
        let shortest = limits.send_ms.min(limits.header_ms).min(idle_ms);
        let next = stuck.min(head).min(idle).saturating_sub(now);
        Due::Nothing(Duration::from_millis(next.min(shortest).clamp(1, ROUND_MS)))
    }
}

/// A request that is under way on a connection.
pub(super) struct UnderWay {
    connection: Arc<Activity>,
    /// Its place among several.
    place: Option<usize>,
}

impl UnderWay {
    /// A part of the response was handed over. HTTP/2 asks for the next one only when the client takes
    /// more, and that shows nowhere else: the socket can be busy with other responses meanwhile.
    pub(super) fn handed_over(&self) {
        if self.place.is_some() {
            self.note(Place::Since(self.connection.now()));
        }
    }

    /// The next part is asked for.
    pub(super) fn asked(&self) {
        self.note(Place::Since(NEVER));
    }

    fn note(&self, what: Place) {
        if let Some(at) = self.place
            && let Some(place) = self.connection.responses().get_mut(at)
        {
            *place = what;
        }
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        self.note(Place::Free);
        let connection = &self.connection;
        connection.idle.store(connection.now(), Ordering::Relaxed);
        connection.requests.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: fn() -> Limits = || Limits {
        header_ms: 10,
        idle_ms: 100,
        send_ms: 40,
        ..Limits::default()
    };

    #[test]
    fn the_first_head_is_awaited_at_once() {
        let connection = Activity::new();
        let due = |now| connection.due_at(now, &LIMITS(), false);
        assert_eq!(due(4), Due::Nothing(Duration::from_millis(6)));
        assert!(matches!(due(10), Due::Close(_)));
    }

    #[test]
    fn requests_take_their_time_and_connections_without_one_end() {
        let connection = Activity::new();
        let under_way = connection.begin(Version::HTTP_11);
        let due = |now, stopping| connection.due_at(now, &LIMITS(), stopping);
        assert_eq!(
            due(1_000_000, true),
            Due::Nothing(Duration::from_millis(10))
        );
        drop(under_way);
        let ended = connection.idle.load(Ordering::Relaxed);
        assert_eq!(
            due(ended + 99, false),
            Due::Nothing(Duration::from_millis(1))
        );
        assert_eq!(due(ended + 100, false), Due::Retire);
    }

    #[test]
    fn what_is_not_taken_is_noticed() {
        let connection = Activity::new();
        let _under_way = connection.begin(Version::HTTP_2);
        connection.sent(false);
        let since = connection.stuck.load(Ordering::Relaxed);
        let due = |now| connection.due_at(now, &LIMITS(), false);
        assert!(matches!(due(since + 39), Due::Nothing(_)));
        assert!(matches!(due(since + 40), Due::Close(_)));
        connection.sent(true);
        assert!(matches!(due(since + 40), Due::Nothing(_)));
    }

    #[test]
    fn a_response_that_is_not_taken_is_noticed_among_others() {
        let connection = Activity::new();
        let requests: Vec<_> = (0..3).map(|_| connection.begin(Version::HTTP_2)).collect();
        let due = |now| connection.due_at(now, &LIMITS(), false);
        requests[1].handed_over();
        let since = connection.now();
        assert!(matches!(due(since + 40), Due::Close(_)));
        requests[1].asked();
        assert!(matches!(due(since + 40), Due::Nothing(_)));
        requests[2].handed_over();
        drop(requests);
        let _next = connection.begin(Version::HTTP_2);
        assert!(matches!(due(since + 80), Due::Nothing(_)));
        assert_eq!(connection.responses().len(), 3);
    }
}
