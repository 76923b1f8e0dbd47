//! The admin surface: what goes on, swap, rollback. It has a listener and a token of its own.

use super::envelope;
use super::figures;
use super::key::Key;
use crate::connector::Connector;
use crate::fault::{Fault, Kind};
use crate::panics;
use crate::secret::Secret;
use crate::status::{ConnectorStatus, Status};
use crate::swap::{Deployment, Why};
use axum::Router;
use axum::body::Body;
use axum::extract::{Path, Request, State};
use axum::http::header::{AUTHORIZATION, WWW_AUTHENTICATE};
use axum::http::{HeaderValue, Response, StatusCode};
use axum::middleware::{self, Next};
use axum::routing::{get, post};
use serde::Serialize;
use serde_json::json;
use std::error::Error as _;
use std::sync::Arc;
use tracing::Span;

/// In front of the token in the header.
const SCHEME: &str = "Bearer ";

struct Admin {
    deployment: Arc<Deployment>,
    token: Key,
}

type Shared = State<Arc<Admin>>;

/// What a service that administers `deployment` answers to those who have `token`.
pub fn admin(deployment: Arc<Deployment>, token: &Secret) -> Router {
    let token = Key::new(token);
    let admin = Arc::new(Admin { deployment, token });
    Router::new()
        .route("/v1/status", get(status))
        .route("/v1/figures", get(figures))
        .route(figures::METRICS, get(metrics))
        .route("/v1/connectors/{name}", get(connector))
        .route("/v1/connectors/{name}/swap", post(swap))
        .route("/v1/connectors/{name}/rollback", post(roll_back))
        .fallback(not_found)
        // Before routing, so that a stranger learns nothing.
        .layer(middleware::from_fn_with_state(admin.clone(), let_in))
        .with_state(admin)
}

async fn let_in(State(admin): Shared, request: Request, next: Next) -> Response<Body> {
    let given = request
        .headers()
        .get(AUTHORIZATION)
        .and_then(|value| value.as_bytes().strip_prefix(SCHEME.as_bytes()));
    if given.is_some_and(|given| admin.token.is(given.trim_ascii()))
        || (figures::reads_metrics(&request) && admin.shows_metrics())
    {
        return next.run(request).await;
    }
    let mut response = error(
        StatusCode::UNAUTHORIZED,
        "unauthorized",
        "send the token of the admin surface as Authorization: Bearer TOKEN",
    );
    response
        .headers_mut()
        .insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
    response
}

impl Admin {
    /// Whether the configuration in force opens the metrics to those without the token.
    fn shows_metrics(&self) -> bool {
        let config = self.deployment.config();
        let admin = config.admin.as_ref();
        admin.is_some_and(|admin| admin.metrics_without_token)
    }
}

async fn metrics(State(admin): Shared) -> Response<Body> {
    let metrics = figures::metrics(admin.deployment.runtime().clone()).await;
    metrics.unwrap_or_else(|fault| unread(&fault))
}

async fn figures(State(admin): Shared) -> Response<Body> {
    match figures::figures(admin.deployment.runtime().clone()).await {
        Ok(figures) => answer(&figures),
        Err(fault) => unread(&fault),
    }
}

fn unread(fault: &Fault) -> Response<Body> {
    let cause = fault.source().map(ToString::to_string);
    tracing::error!(cause, "metrics cannot be told");
    error(StatusCode::INTERNAL_SERVER_ERROR, "internal", "see the log")
}

async fn status(State(admin): Shared) -> Response<Body> {
    answer(&Status::of(admin.deployment.runtime()))
}

async fn connector(State(admin): Shared, Path(name): Path<String>) -> Response<Body> {
    let versions = admin.deployment.runtime().versions();
    match versions.histories().remove(&name) {
        Some(history) => answer(&ConnectorStatus::new(name, history)),
        None => error(
            StatusCode::NOT_FOUND,
            "not_found",
            "there is no such connector; see /v1/status for those there are",
        ),
    }
}

async fn swap(admin: Shared, Path(name): Path<String>) -> Response<Body> {
    change(admin, move |deployment| {
        deployment.deploy(&name, Why::Asked)
    })
    .await
}

async fn roll_back(admin: Shared, Path(name): Path<String>) -> Response<Body> {
    change(admin, move |deployment| deployment.roll_back(&name)).await
}

/// Makes a change on a thread where it may take its time, and names what is live then.
async fn change(
    State(admin): Shared,
    make: impl FnOnce(&Deployment) -> Result<Arc<Connector>, Fault> + Send + 'static,
) -> Response<Body> {
    let span = Span::current();
    let make = move || span.in_scope(|| make(&admin.deployment));
    let made = tokio::task::spawn_blocking(make).await;
    match made.unwrap_or_else(|_| Err(Fault::internal(panics::PANICKED))) {
        Ok(live) => answer(&json!({
            "name": live.name(),
            "digest": live.digest(),
            "version": live.version(),
        })),
        Err(fault) => {
            let status = match fault.kind {
                Kind::UnknownCommand => StatusCode::NOT_FOUND,
                Kind::Internal => StatusCode::INTERNAL_SERVER_ERROR,
                _ => StatusCode::UNPROCESSABLE_ENTITY,
            };
            error(status, &fault.code, &fault.message)
        }
    }
}

async fn not_found() -> Response<Body> {
    let message = "there is nothing at this path; see /v1/status";
    error(StatusCode::NOT_FOUND, "not_found", message)
}

fn answer(what: &impl Serialize) -> Response<Body> {
    match serde_json::to_vec(what) {
        Ok(text) => envelope::json(StatusCode::OK, text),
        Err(failed) => {
            tracing::error!(%failed, "an answer of the admin surface cannot be written");
            error(StatusCode::INTERNAL_SERVER_ERROR, "internal", "see the log")
        }
    }
}

fn error(status: StatusCode, code: &str, message: &str) -> Response<Body> {
    let body = json!({"error": {"code": code, "message": message}});
    envelope::json(status, body.to_string())
}
