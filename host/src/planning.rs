//! Which connector plans when, and on which thread.
//!
//! Each planning call needs an instance, and there is room for so many. Calls wait for room, first come,
//! first served, and those of one connector for a share of it: a connector whose plans take long holds
//! up its own calls, and nobody else's.
//!
//! Nearly every plan is made within microseconds, on a thread that is there. One that takes longer must
//! not take the processor from those: it is given up and made again on a thread of its own, whose
//! priority goes down the longer it takes. A thread can lower its priority but not raise it, so that
//! thread ends with the plan. Nothing is lost but the moment until then: a connector keeps nothing from
//! one instance to the next, so the second attempt gives what the first one would have given.

use crate::connector::Patience;
use crate::fault::Fault;
use crate::limits::ConnectorLimits;
use crate::panics::PANICKED;
use crate::plan::Plan;
use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};
use tokio::task::spawn_blocking;
use tracing::Span;

/// One connector has at most this part of the room.
const SHARE: u32 = 4;

/// Room for planning calls, counted in instances of the smallest kind.
#[derive(Debug)]
pub(crate) struct Planning {
    room: Arc<Semaphore>,
    instances: u32,
    /// Calls that plan or wait for room.
    under_way: AtomicUsize,
    /// What is left of the share of each connector, by name.
    shares: Mutex<HashMap<String, Arc<Semaphore>>>,
}

/// Room that is taken. It is free again when the call has ended, not when nobody waits for it any more.
struct Room {
    _share: OwnedSemaphorePermit,
    _all: OwnedSemaphorePermit,
}

impl Planning {
    /// Room for so many instances.
    pub(crate) fn new(instances: u32) -> Planning {
        let instances = instances.max(1);
        Planning {
            room: Arc::new(Semaphore::new(instances as usize)),
            instances,
            under_way: AtomicUsize::new(0),
            shares: Mutex::default(),
        }
    }

    /// Calls that plan or wait for room.
    pub(crate) fn under_way(&self) -> usize {
        self.under_way.load(Ordering::Acquire)
    }

    /// Asks the connector `name` for a plan, off the async threads, once there is room. `question` gives
    /// none where it takes longer than the patience that it is asked with.
    ///
    /// # Errors
    /// Those of `question`.
    pub(crate) async fn plan<Q>(
        &self,
        name: &str,
        limits: &ConnectorLimits,
        question: Q,
    ) -> Result<Plan, Fault>
    where
        Q: Fn(Patience) -> Option<Result<Plan, Fault>> + Send + 'static,
    {
        let _under_way = UnderWay::count(&self.under_way);
        let room = self.room(name, limits).await?;
        let span = Span::current();
        let ask = move || span.in_scope(|| (question(Patience::Brief), question, room));
        let brief = spawn_blocking(ask).await;
        let (question, room) = match brief {
            Ok((Some(answer), _, _)) => return answer,
            Ok((None, question, room)) => (question, room),
            // What it said stays out of the log.
            Err(_) => return Err(Fault::internal(PANICKED)),
        };
        let span = Span::current();
        let (sender, answer) = oneshot::channel();
        thread::Builder::new()
            .name("airlock-plan".into())
            .spawn(move || {
                let answer = span.in_scope(|| question(Patience::GivingWay));
                drop(room);
                sender.send(answer)
            })
            .map_err(Fault::internal)?;
        match answer.await {
            Ok(Some(answer)) => answer,
            Ok(None) => Err(Fault::internal("a plan was given up twice")),
            Err(_) => Err(Fault::internal(PANICKED)),
        }
    }

    async fn room(&self, name: &str, limits: &ConnectorLimits) -> Result<Room, Fault> {
        let most = (self.instances / SHARE).max(1);
        let wanted = instances(limits).min(most);
        let share = {
            let mut shares = self.shares.lock().unwrap_or_else(PoisonError::into_inner);
            match shares.get(name) {
                Some(share) => share.clone(),
                None => {
                    let share = Arc::new(Semaphore::new(most as usize));
                    shares.insert(name.to_owned(), share.clone());
                    share
                }
            }
        };
        let share = share.acquire_many_owned(wanted).await;
        let all = self.room.clone().acquire_many_owned(wanted).await;
        Ok(Room {
            _share: share.map_err(Fault::internal)?,
            _all: all.map_err(Fault::internal)?,
        })
    }
}

/// A call that counts until this is dropped.
struct UnderWay<'c>(&'c AtomicUsize);

impl UnderWay<'_> {
    fn count(count: &AtomicUsize) -> UnderWay<'_> {
        count.fetch_add(1, Ordering::AcqRel);
        UnderWay(count)
    }
}

impl Drop for UnderWay<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::AcqRel);
    }
}

/// How much room the instance of a connector can take at most: what is set aside for one of the smallest
/// kind is a memory, two tables and four core instances.
fn instances(limits: &ConnectorLimits) -> u32 {
    let parts = [
        limits.memories,
        limits.tables.div_ceil(2),
        limits.core_instances.div_ceil(4),
    ];
    let most = parts.into_iter().max().unwrap_or(1).max(1);
    u32::try_from(most).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::AtomicBool;

    async fn asked(answers_at: Patience) -> (Result<Plan, Fault>, Vec<(Patience, bool)>) {
        let asked = std::sync::Arc::new(std::sync::Mutex::new(Vec::new()));
        let seen = asked.clone();
        let planning = Planning::new(1);
        let limits = ConnectorLimits::default();
        let answer = planning.plan("c", &limits, move |patience| {
            let own = thread::current().name() == Some("airlock-plan");
            seen.lock().unwrap().push((patience, own));
            (patience == answers_at).then(|| Err(Fault::connector("an answer")))
        });
        let answer = answer.await;
        let asked = asked.lock().unwrap().clone();
        (answer, asked)
    }

    #[tokio::test]
    async fn a_usual_plan_is_asked_for_once() {
        let (answer, asked) = asked(Patience::Brief).await;
        assert_eq!(answer.unwrap_err().message, "an answer");
        assert_eq!(asked, [(Patience::Brief, false)]);
    }

    #[tokio::test]
    async fn a_panic_ends_its_plan_and_says_nothing() {
        for panics_at in [Patience::Brief, Patience::GivingWay] {
            let question = move |patience: Patience| {
                assert!(patience != panics_at, "a value of the call");
                None
            };
            let (planning, limits) = (Planning::new(8), ConnectorLimits::default());
            let fault = planning.plan("c", &limits, question).await.unwrap_err();
            assert_eq!(fault.kind, crate::fault::Kind::Internal);
            let cause = std::error::Error::source(&fault).unwrap().to_string();
            assert!(
                !format!("{fault} {cause}").contains("value"),
                "{fault} {cause}"
            );
        }
    }

    #[tokio::test]
    async fn a_long_plan_goes_on_aside() {
        let (answer, asked) = asked(Patience::GivingWay).await;
        assert_eq!(answer.unwrap_err().message, "an answer");
        assert_eq!(
            asked,
            [(Patience::Brief, false), (Patience::GivingWay, true)]
        );
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn one_connector_leaves_room_for_others() {
        let planning = Arc::new(Planning::new(8));
        let go_on = Arc::new(AtomicBool::new(false));
        let mut slow = tokio::task::JoinSet::new();
        for _ in 0..100 {
            let (planning, go_on) = (planning.clone(), go_on.clone());
            slow.spawn(async move {
                let question = move |_| {
                    while !go_on.load(Ordering::SeqCst) {
                        thread::yield_now();
                    }
                    Some(Err(Fault::connector("late")))
                };
                let limits = ConnectorLimits::default();
                planning.plan("slow", &limits, question).await
            });
        }
        // Its share is taken, and its other calls wait for that.
        while planning.under_way() < 100 || planning.room.available_permits() > 6 {
            tokio::task::yield_now().await;
        }
        for _ in 0..100 {
            let limits = ConnectorLimits::default();
            let question = |_| Some(Err(Fault::connector("at once")));
            let answer = planning.plan("quick", &limits, question).await;
            assert_eq!(answer.unwrap_err().message, "at once");
        }
        assert_eq!(planning.under_way(), 100);
        go_on.store(true, Ordering::SeqCst);
        assert_eq!(slow.join_all().await.len(), 100);
        assert_eq!(planning.room.available_permits(), 8);
    }

    #[test]
    fn a_script_takes_more_room() {
        use crate::limits::Profile;
        assert_eq!(instances(&ConnectorLimits::of(Profile::Native)), 2);
        assert_eq!(instances(&ConnectorLimits::of(Profile::Script)), 16);
    }
}
