//! Plans that were made before.
//!
//! A connector without imports gives the same plan for the same sealed call, so the plan can be used
//! again. The key is the digest of the component, the command and the sealed input: kinds stand in the
//! place of values there, so no value is ever part of a key, and arguments are pointers, so none is
//! part of a plan.

use crate::check::CheckedPlan;
use crate::connector::Digest;
use crate::fault::Fault;
use crate::limits::Limits;
use crate::policy::Policy;
use quick_cache::sync::Cache;
use quick_cache::{Equivalent, Weighter};
use serde::Serialize;
use std::future::Future;
use std::hash::{Hash, Hasher};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Plans by what they were made from, bounded in number and size. The least used go first.
pub struct PlanCache {
    plans: Cache<Key, Arc<CheckedPlan>, Weight>,
    hits: AtomicU64,
    misses: AtomicU64,
}

/// What the cache did and holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct PlanCacheStats {
    /// Calls whose plan was there, or was being made for another call.
    pub hits: u64,
    /// Calls whose plan had to be made.
    pub misses: u64,
    /// Plans that are held.
    pub entries: usize,
    /// What they take, in bytes.
    pub bytes: u64,
}

/// What a plan is made from.
#[derive(Clone, Copy)]
pub struct PlanKey<'a> {
    /// The component.
    pub digest: Digest,
    /// What it was held to when the plan was checked.
    pub policy: &'a Arc<Policy>,
    /// Name of the command.
    pub command: &'a str,
    /// The call as the connector sees it.
    pub sealed: &'a str,
}

impl PlanCache {
    /// Holds no plan yet.
    #[must_use]
    pub fn new(limits: &Limits) -> PlanCache {
        let entries = limits.plan_cache_entries.max(1);
        let bytes = limits.plan_cache_bytes as u64;
        let weight = Weight {
            least: bytes / entries as u64,
        };
        PlanCache {
            plans: Cache::with_weighter(entries, bytes, weight),
            hits: AtomicU64::new(0),
            misses: AtomicU64::new(0),
        }
    }

    /// The plan for `key`, from the cache or from `make`. Of several calls that miss the same plan at
    /// the same time, one makes it and the others wait.
    ///
    /// # Errors
    /// Those of `make`; they are not kept.
    pub async fn get_or_make(
        &self,
        key: PlanKey<'_>,
        make: impl Future<Output = Result<Arc<CheckedPlan>, Fault>>,
    ) -> Result<Arc<CheckedPlan>, Fault> {
        if let Some(plan) = self.get(key) {
            return Ok(plan);
        }
        match self.plans.get_value_or_guard_async(&Key::from(key)).await {
            Ok(plan) => {
                self.hits.fetch_add(1, Ordering::Relaxed);
                Ok(plan)
            }
            Err(guard) => {
                self.misses.fetch_add(1, Ordering::Relaxed);
                let plan = make.await?;
                // Should the entry have been taken away meanwhile, the plan serves this call alone.
                let _ = guard.insert(plan.clone());
                Ok(plan)
            }
        }
    }

    /// The plan for `key`, where it is there.
    #[must_use]
    pub fn get(&self, key: PlanKey<'_>) -> Option<Arc<CheckedPlan>> {
        let plan = self.plans.get(&key)?;
        self.hits.fetch_add(1, Ordering::Relaxed);
        Some(plan)
    }

    /// What it did so far and holds now.
    #[must_use]
    pub fn stats(&self) -> PlanCacheStats {
        PlanCacheStats {
            hits: self.hits.load(Ordering::Relaxed),
            misses: self.misses.load(Ordering::Relaxed),
            entries: self.plans.len(),
            bytes: self.plans.weight(),
        }
    }
}

#[derive(Clone, PartialEq, Eq)]
struct Key {
    digest: Digest,
    policy: Arc<Policy>,
    command: Box<str>,
    sealed: Box<str>,
}

impl From<PlanKey<'_>> for Key {
    fn from(key: PlanKey<'_>) -> Self {
        Key {
            digest: key.digest,
            policy: key.policy.clone(),
            command: key.command.into(),
            sealed: key.sealed.into(),
        }
    }
}

impl Key {
    fn borrowed(&self) -> PlanKey<'_> {
        PlanKey {
            digest: self.digest,
            policy: &self.policy,
            command: &self.command,
            sealed: &self.sealed,
        }
    }
}

impl Hash for PlanKey<'_> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.digest.hash(state);
        self.command.hash(state);
        self.sealed.hash(state);
    }
}

impl Hash for Key {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.borrowed().hash(state);
    }
}

impl Equivalent<Key> for PlanKey<'_> {
    fn equivalent(&self, key: &Key) -> bool {
        self.digest == key.digest
            && *self.policy == key.policy
            && *self.command == *key.command
            && *self.sealed == *key.sealed
    }
}

/// Entries weigh their bytes, and at least so much that their number is bounded, too.
#[derive(Clone)]
struct Weight {
    least: u64,
}

impl Weighter<Key, Arc<CheckedPlan>> for Weight {
    fn weight(&self, key: &Key, plan: &Arc<CheckedPlan>) -> u64 {
        let bytes = size_of::<Key>() + key.command.len() + key.sealed.len() + plan.bytes();
        (bytes as u64).max(self.least).max(1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::Source;
    use crate::plan::{Access, Command, Plan, Reply};
    use std::sync::LazyLock;

    fn plan() -> Arc<CheckedPlan> {
        let command = Command {
            name: "C".into(),
            summary: String::new(),
            access: Access::Read,
            raw: false,
            parameters: vec![],
            errors: vec![],
            example: "{}".into(),
        };
        let plan = Plan {
            statements: vec![],
            reply: Reply::Json("1".into()),
        };
        let source = Source {
            connector: "c",
            command: &command,
            trusted: true,
        };
        Arc::new(CheckedPlan::check(plan, &source, &POLICY).unwrap())
    }

    static POLICY: LazyLock<Arc<Policy>> = LazyLock::new(Arc::default);

    fn key(sealed: &str) -> PlanKey<'_> {
        PlanKey {
            digest: Digest::of(b"x"),
            policy: &POLICY,
            command: "C",
            sealed,
        }
    }

    #[tokio::test]
    async fn equal_misses_are_planned_once() {
        let cache = PlanCache::new(&Limits::default());
        let slow = async {
            tokio::task::yield_now().await;
            Ok(plan())
        };
        let never = async { panic!("planned twice") };
        let (first, second) = tokio::join!(
            cache.get_or_make(key("{}"), slow),
            cache.get_or_make(key("{}"), never)
        );
        assert!(Arc::ptr_eq(&first.unwrap(), &second.unwrap()));
        let stats = cache.stats();
        assert_eq!((stats.hits, stats.misses, stats.entries), (1, 1, 1));
    }

    #[tokio::test]
    async fn failures_are_not_kept() {
        let cache = PlanCache::new(&Limits::default());
        let failing = async { Err(Fault::connector("no")) };
        assert!(cache.get_or_make(key("{}"), failing).await.is_err());
        let made = cache.get_or_make(key("{}"), async { Ok(plan()) }).await;
        assert!(made.is_ok());
    }

    #[tokio::test]
    async fn number_and_size_are_bounded() {
        let limits = Limits {
            plan_cache_entries: 8,
            plan_cache_bytes: 1 << 16,
            ..Limits::default()
        };
        let cache = PlanCache::new(&limits);
        for at in 0..100 {
            let text = at.to_string();
            let made = cache.get_or_make(key(&text), async { Ok(plan()) }).await;
            assert!(made.is_ok());
        }
        let stats = cache.stats();
        assert!(stats.entries <= 8 && stats.bytes <= 1 << 16, "{stats:?}");
        let huge = "x".repeat(1 << 17);
        let made = cache.get_or_make(key(&huge), async { Ok(plan()) }).await;
        assert!(made.is_ok() && cache.get(key(&huge)).is_none());
    }
}
