//! Asks a connector for plans, each time in a fresh instance within its limits.

use super::Connector;
use crate::connector::bindings::Connector as Instance;
use crate::connector::bindings::airlock::connector::types as wit;
use crate::connector::patience::Patience;
use crate::connector::store::{self, Meter};
use crate::connector::wasi;
use crate::fault::Fault;
use crate::plan::{Plan, StatementOutcome};
use wasmtime::Store;

impl Connector {
    /// Plans one call from its sealed input, in a fresh instance.
    ///
    /// # Errors
    /// What the connector answers, or its fault where it traps or goes beyond a limit.
    pub fn plan(&self, command: &str, sealed: &str) -> Result<Plan, Fault> {
        let answer = self.plan_within(Patience::Full, command, sealed);
        answer.unwrap_or_else(|| Err(Fault::internal("a plan was given up")))
    }

    /// As [`Connector::plan`]; none where it takes longer than `patience`.
    pub(crate) fn plan_within(
        &self,
        patience: Patience,
        command: &str,
        sealed: &str,
    ) -> Option<Result<Plan, Fault>> {
        self.ask(patience, command, sealed, |instance, store, call| {
            instance.call_plan(store, call)
        })
    }

    /// Continues a call with the outcomes of its last plan, in a fresh instance; none where it takes
    /// longer than `patience`.
    pub(crate) fn resume_within(
        &self,
        patience: Patience,
        command: &str,
        sealed: &str,
        state: &[u8],
        outcomes: &[StatementOutcome],
    ) -> Option<Result<Plan, Fault>> {
        let outcomes: Vec<wit::Outcome> = outcomes.iter().map(Into::into).collect();
        self.ask(patience, command, sealed, |instance, store, call| {
            instance.call_resume(store, call, state, &outcomes)
        })
    }

    fn ask(
        &self,
        patience: Patience,
        command: &str,
        sealed: &str,
        call_in: impl FnOnce(
            &Instance,
            &mut Store<Meter>,
            &wit::Call,
        ) -> wasmtime::Result<Result<wit::Plan, wit::Failure>>,
    ) -> Option<Result<Plan, Fault>> {
        let limits = &self.policy.limits;
        let limit = limits.input_bytes;
        if sealed.len() > limit {
            let message = format!(
                "the call without its values has {} bytes; the limit input_bytes is {limit}",
                sealed.len()
            );
            return Some(Err(Fault::parameters("ProgramLimitExceeded", message)));
        }
        let call = wit::Call {
            command: command.into(),
            input: sealed.into(),
        };
        let store = store::new(&self.sandbox, limits, limits.plan_bytes, !self.is_pure());
        let mut store = match store {
            Ok(store) => store,
            Err(fault) => return Some(Err(fault)),
        };
        patience.set(&mut store, limits);
        let answer = self
            .instantiate
            .instantiate(&mut store)
            .and_then(|instance| call_in(&instance, &mut store, &call));
        if let Err(error) = &answer
            && patience.is_shorter_than(limits)
            && store::is_out_of_time(error)
        {
            return None;
        }
        let fuel_left = store.get_fuel().unwrap_or(limits.plan_fuel);
        let fuel = limits.plan_fuel - fuel_left;
        self.usage.took(fuel, store.data().memory_bytes() as u64);
        let place = self.position(command);
        if let Some(metrics) = place.and_then(|place| self.command_metrics(place)) {
            metrics.add_fuel(fuel);
        }
        if let Some(state) = &store.data().wasi {
            wasi::log(state, &self.name, command);
        }
        Some(match answer {
            Ok(Ok(plan)) => Ok(plan.into()),
            Ok(Err(failure)) => Err(failure.into()),
            Err(error) => Err(store::stopped(&store, "plan_bytes", error)),
        })
    }
}
