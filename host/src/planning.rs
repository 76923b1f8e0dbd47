//! On which thread a connector plans.
//!
//! Nearly every plan is made within microseconds, on a thread that is there. One that takes longer must
//! not take the processor from those: it is given up and made again on a thread of its own, whose
//! priority goes down the longer it takes. A thread can lower its priority but not raise it, so that
//! thread ends with the plan. Nothing is lost but the moment until then: a connector keeps nothing from
//! one instance to the next, so the second attempt gives what the first one would have given.

use crate::connector::Patience;
use crate::fault::Fault;
use crate::plan::Plan;
use std::thread;
use tokio::sync::oneshot;
use tokio::task::spawn_blocking;

/// Asks for a plan off the async threads. `question` gives none where it takes longer than the patience
/// that it is asked with.
///
/// # Errors
/// Those of `question`.
pub(crate) async fn plan<Q>(question: Q) -> Result<Plan, Fault>
where
    Q: Fn(Patience) -> Option<Result<Plan, Fault>> + Send + 'static,
{
    let brief = spawn_blocking(move || (question(Patience::Brief), question)).await;
    let question = match brief {
        Ok((Some(answer), _)) => return answer,
        Ok((None, question)) => question,
        Err(panicked) => return Err(Fault::internal(panicked)),
    };
    let (sender, answer) = oneshot::channel();
    thread::Builder::new()
        .name("airlock-plan".into())
        .spawn(move || sender.send(question(Patience::GivingWay)))
        .map_err(Fault::internal)?;
    match answer.await {
        Ok(Some(answer)) => answer,
        Ok(None) => Err(Fault::internal("a plan was given up twice")),
        Err(panicked) => Err(Fault::internal(panicked)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn asked(answers_at: Patience) -> (Result<Plan, Fault>, Vec<(Patience, bool)>) {
        let asked = std::sync::Arc::new(std::sync::Mutex::new(Vec::new()));
        let seen = asked.clone();
        let answer = plan(move |patience| {
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
    async fn a_long_plan_goes_on_aside() {
        let (answer, asked) = asked(Patience::GivingWay).await;
        assert_eq!(answer.unwrap_err().message, "an answer");
        assert_eq!(
            asked,
            [(Patience::Brief, false), (Patience::GivingWay, true)]
        );
    }
}
