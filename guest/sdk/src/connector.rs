//! What a connector implements and how it becomes a component.

use crate::{Call, Failure, Manifest, Outcome, Plan};

/// A connector. Implement it on a unit struct and hand that to [`export!`](crate::export); or implement
/// [`Commands`](crate::Commands), and it is implemented from a list of commands.
///
/// All functions must be pure: the host calls each of them in a fresh instance and caches plans.
pub trait Connector {
    /// Describes the connector and its commands.
    fn describe() -> Manifest;

    /// Plans one call.
    ///
    /// # Errors
    /// Answers why there is no plan; the caller sees it.
    fn plan(call: Call) -> Result<Plan, Failure>;

    /// Continues a call whose last plan replied [`Reply::Resume`](crate::Reply::Resume).
    ///
    /// # Errors
    /// Answers why there is no plan; the caller sees it.
    fn resume(call: Call, state: Vec<u8>, outcomes: Vec<Outcome>) -> Result<Plan, Failure> {
        let _ = (state, outcomes);
        Err(not_resumed(&call))
    }
}

/// Nothing that this connector planned asks to be resumed.
pub(crate) fn not_resumed(call: &Call) -> Failure {
    Failure::statement(
        "NotSupportedError",
        format!("{} does not continue after a plan", call.command),
    )
}

/// Makes the type that implements [`Connector`] the export of this component.
///
/// ```text
/// airlock_connector::export!(MyConnector);
/// ```
#[macro_export]
macro_rules! export {
    ($connector:ty) => {
        #[cfg(target_family = "wasm")]
        const _: () = {
            struct Component;

            impl $crate::bindings::Guest for Component {
                fn describe() -> $crate::Manifest {
                    <$connector as $crate::Connector>::describe()
                }
                fn plan(call: $crate::Call) -> Result<$crate::Plan, $crate::Failure> {
                    <$connector as $crate::Connector>::plan(call)
                }
                fn resume(
                    call: $crate::Call,
                    state: Vec<u8>,
                    outcomes: Vec<$crate::Outcome>,
                ) -> Result<$crate::Plan, $crate::Failure> {
                    <$connector as $crate::Connector>::resume(call, state, outcomes)
                }
            }

            $crate::bindings::export_component!(Component);
        };
    };
}
