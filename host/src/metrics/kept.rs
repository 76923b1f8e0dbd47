//! What labels tell apart, within a bound.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The label value of what is not told apart.
pub(super) const OTHER: &str = "other";

/// Handles by what their labels say, at most `most` of them. What comes beyond shares one. Room is made
/// by those that nobody holds any more: the commands of connectors that are gone, for example.
#[derive(Debug)]
pub(super) struct Kept<K, V> {
    most: usize,
    known: Mutex<BTreeMap<K, Arc<V>>>,
    other: Arc<V>,
}

impl<K: Ord + Clone, V> Kept<K, V> {
    /// Keeps none yet. `other` is for what comes beyond `most`.
    pub(super) fn new(most: usize, other: V) -> Kept<K, V> {
        Kept {
            most,
            known: Mutex::default(),
            other: Arc::new(other),
        }
    }

    /// The handle for `key`, which `make` makes where it is new. `forget` is told of those that make room.
    pub(super) fn get(
        &self,
        key: K,
        make: impl FnOnce() -> prometheus::Result<V>,
        forget: impl Fn(&K),
    ) -> Arc<V> {
        let mut known = self.lock();
        if let Some(handle) = known.get(&key) {
            return handle.clone();
        }
        if known.len() >= self.most {
            known.retain(|key, handle| {
                let held = Arc::strong_count(handle) > 1;
                if !held {
                    forget(key);
                }
                held
            });
        }
        if known.len() >= self.most {
            return self.other.clone();
        }
        match make() {
            Ok(handle) => known.entry(key).or_insert(Arc::new(handle)).clone(),
            Err(_) => self.other.clone(),
        }
    }

    /// The handle of what comes beyond the bound.
    pub(super) fn other(&self) -> &Arc<V> {
        &self.other
    }

    /// All of them in order, but for that one.
    pub(super) fn all(&self) -> Vec<(K, Arc<V>)> {
        let known = self.lock();
        let pairs = known.iter();
        pairs.map(|(k, v)| (k.clone(), v.clone())).collect()
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<K, Arc<V>>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::RefCell;

    #[test]
    fn what_is_held_stays_and_the_rest_makes_room() {
        let kept = Kept::new(2, "other");
        let forgotten = RefCell::new(Vec::new());
        let get = |key: &'static str| {
            let forget = |key: &&'static str| forgotten.borrow_mut().push(*key);
            kept.get(key, || Ok(key), forget)
        };
        let a = get("a");
        drop(get("b"));
        assert_eq!(*get("b"), "b");
        let c = get("c");
        assert_eq!((*a, *c), ("a", "c"));
        assert_eq!(*forgotten.borrow(), ["b"]);
        assert_eq!(*get("d"), "other");
        assert_eq!(*get("a"), "a");
        drop(c);
        assert_eq!(*get("d"), "d");
        assert_eq!(*forgotten.borrow(), ["b", "c"]);
        let keys: Vec<_> = kept.all().into_iter().map(|(key, _)| key).collect();
        assert_eq!(keys, ["a", "d"]);
    }
}
