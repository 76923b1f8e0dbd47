//! The admin surface: what goes on, swap, rollback, commands tried out. It has a listener and a token of
//! its own.

use super::key::Key;
use super::routes::App;
use super::{console, envelope, figures, trial};
use crate::connector::{Connector, Digest};
use crate::description::Description;
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

/// What every request of an administrator shares.
pub(super) struct Admin {
    deployment: Arc<Deployment>,
    app: Arc<App>,
    token: Key,
}

pub(super) type Shared = State<Arc<Admin>>;

impl Admin {
    /// What calls of an administrator share with all others.
    pub(super) fn app(&self) -> &Arc<App> {
        &self.app
    }
}

/// What a service that administers `deployment`, whose calls `app` serves, answers to those who have
/// `token`; and the console, which asks them for it.
pub fn admin(deployment: Arc<Deployment>, app: Arc<App>, token: &Secret) -> Router {
    let token = Key::new(token);
    let admin = Arc::new(Admin {
        deployment,
        app,
        token,
    });
    Router::new()
        .route("/v1/status", get(status))
        .route("/v1/figures", get(figures))
        .route(figures::METRICS, get(metrics))
        .route("/v1/connectors/{name}", get(connector))
        .route("/v1/connectors/{name}/swap", post(swap))
        .route("/v1/connectors/{name}/rollback", post(roll_back))
        .route("/v1/connectors/{name}/description", get(description))
        .route("/v1/connectors/{name}/compare/{before}", get(compare))
        .route(
            "/v1/connectors/{name}/commands/{command}/plan",
            post(trial::plan),
        )
        .route(
            "/v1/connectors/{name}/commands/{command}/run",
            post(trial::run),
        )
        .fallback(not_found)
        // Before routing, so that a stranger learns nothing.
        .layer(middleware::from_fn_with_state(admin.clone(), let_in))
        .merge(console::routes())
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
        None => no_connector(),
    }
}

async fn description(State(admin): Shared, Path(name): Path<String>) -> Response<Body> {
    let live = admin
        .deployment
        .runtime()
        .versions()
        .live()
        .get(&name)
        .cloned();
    match live {
        Some(connector) => answer(&Description::of(&connector, &admin.deployment.config())),
        None => no_connector(),
    }
}

fn no_connector() -> Response<Body> {
    let message = "there is no such connector; see /v1/status for those there are";
    error(StatusCode::NOT_FOUND, "not_found", message)
}

async fn compare(
    State(admin): Shared,
    Path((name, before)): Path<(String, String)>,
) -> Response<Body> {
    let Some(before) = Digest::parse(&before) else {
        let message = "name the version by its digest, such as sha256: and 64 hexadecimal digits";
        return error(StatusCode::NOT_FOUND, "not_found", message);
    };
    match aside(admin, move |deployment| deployment.compare(&name, before)).await {
        Ok(comparison) => answer(&comparison),
        Err(fault) => failure(&fault),
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
    match aside(admin, make).await {
        Ok(live) => answer(&json!({
            "name": live.name(),
            "digest": live.digest(),
            "version": live.version(),
        })),
        Err(fault) => failure(&fault),
    }
}

/// Does what may take its time.
async fn aside<T: Send + 'static>(
    admin: Arc<Admin>,
    work: impl FnOnce(&Deployment) -> Result<T, Fault> + Send + 'static,
) -> Result<T, Fault> {
    let span = Span::current();
    let work = move || span.in_scope(|| work(&admin.deployment));
    let done = tokio::task::spawn_blocking(work).await;
    done.unwrap_or_else(|_| Err(Fault::internal(panics::PANICKED)))
}

fn failure(fault: &Fault) -> Response<Body> {
    let status = match fault.kind {
        Kind::UnknownCommand => StatusCode::NOT_FOUND,
        Kind::Internal => StatusCode::INTERNAL_SERVER_ERROR,
        _ => StatusCode::UNPROCESSABLE_ENTITY,
    };
    error(status, &fault.code, &fault.message)
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
