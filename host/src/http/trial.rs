//! Commands that an administrator tries out: planned first, then run as any call is.

use super::admin::Shared;
use super::receive::receive;
use super::routes::App;
use super::{envelope, perform};
use crate::call::Parameters;
use crate::fault::Fault;
use crate::metrics::TurnedAway;
use axum::body::Body;
use axum::extract::{Path, Request, State};
use axum::http::header::IF_MATCH;
use axum::http::{Response, StatusCode};
use serde_json::{Value, json};

/// Plans a command with the parameters in the body, and tells what the policy says to the plan. The
/// connection plays no part in it and can be left out.
pub(super) async fn plan(
    State(admin): Shared,
    Path((connector, command)): Path<(String, String)>,
    request: Request,
) -> Response<Body> {
    let app = admin.app();
    let Ok(_permit) = app.calls.try_acquire() else {
        app.runtime.metrics().turn_away(TurnedAway::Calls);
        return envelope::failure(&perform::too_many_calls());
    };
    let limits = app.runtime.limits();
    let (body, _held) = match receive(request.into_body(), &app.bodies, limits).await {
        Ok(received) => received,
        Err(response) => return response,
    };
    match preview(app, &connector, &command, &body).await {
        Ok(planned) => envelope::json(StatusCode::OK, planned.to_string()),
        Err(fault) => envelope::failure(&fault),
    }
}

async fn preview(app: &App, connector: &str, command: &str, body: &[u8]) -> Result<Value, Fault> {
    let found = app.runtime.command(connector, command)?;
    let parameters = found.with_connection(Parameters::parse(body)?, Some(String::new()));
    let (plan, verdict) = app.runtime.preview(&found, parameters).await?;
    Ok(json!({
        "planned_by": **found.planned_by(),
        "plan": plan,
        "verdict": verdict,
    }))
}

/// Runs a command with the parameters in the body, if the version that `If-Match` names is live: what
/// was looked at is what runs.
pub(super) async fn run(
    State(admin): Shared,
    Path((connector, command)): Path<(String, String)>,
    request: Request,
) -> Response<Body> {
    let app = admin.app();
    let found = match app.runtime.command(&connector, &command) {
        Ok(found) => found,
        Err(fault) => return envelope::failure(&fault),
    };
    let wanted = request.headers().get(IF_MATCH);
    let live = format!("\"{}\"", found.planned_by());
    if wanted.is_some_and(|wanted| wanted.as_bytes() != live.as_bytes()) {
        let message =
            "another version of the connector is live than the one that planned this; plan again";
        let refusal = envelope::refusal(StatusCode::PRECONDITION_FAILED, "PlanOutdated", message);
        return envelope::planned_by(refusal, found.planned_by());
    }
    perform::found_one(app.clone(), found, request).await
}
