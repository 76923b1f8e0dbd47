//! The paths of the protocol.

use super::cors::Cors;
use super::edge::Secure;
use super::key::Key;
use super::openapi::{self, Document};
use super::readiness::Readiness;
use super::receive::Bodies;
use super::turned_away::TurnedAway;
use super::{access, commands, envelope, perform};
use crate::config::Config;
use crate::runtime::Runtime;
use crate::traces::Traces;
use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::header::{ALLOW, CONTENT_TYPE, HOST, LOCATION};
use axum::http::uri::PathAndQuery;
use axum::http::{HeaderValue, Method, Response, StatusCode};
use axum::routing::{MethodRouter, any};
use futures_util::future::BoxFuture;
use serde_json::json;
use std::convert::Infallible;
use std::sync::Arc;
use std::task::{Context, Poll};
use tokio::sync::Semaphore;
use tower::{Service, ServiceExt as _};

/// What most paths take.
const READ: &str = "HEAD, GET, OPTIONS";

/// What people see who open the address in a browser.
const BANNER: &str = "This is Airlock, a connector proxy for SpiffWorkflow. Point your workflow engine to this url. \
                      See /v1/commands for the commands that there are.";

/// What every request shares.
pub struct App {
    pub(super) runtime: Arc<Runtime>,
    pub(super) api_key: Option<Key>,
    pub(super) cors_origins: Vec<String>,
    pub(super) calls: Arc<Semaphore>,
    pub(super) bodies: Arc<Bodies>,
    pub(super) turned_away: TurnedAway,
    pub(super) readiness: Arc<Readiness>,
    pub(super) document: Document,
    pub(super) traces: Option<Arc<Traces>>,
}

impl App {
    /// Serves `runtime` as `config` says.
    #[must_use]
    pub fn new(runtime: Arc<Runtime>, config: &Config) -> App {
        let limits = runtime.limits();
        let calls = limits.concurrent_calls.min(Semaphore::MAX_PERMITS);
        App {
            calls: Arc::new(Semaphore::new(calls)),
            bodies: Bodies::new(limits.bodies_bytes),
            turned_away: TurnedAway::default(),
            readiness: Arc::new(Readiness::of(config)),
            document: Document::default(),
            traces: None,
            runtime,
            api_key: config.api_key.as_ref().map(Key::new),
            cors_origins: config.cors_origins.clone(),
        }
    }

    /// Whether calls should come here.
    #[must_use]
    pub fn readiness(&self) -> Arc<Readiness> {
        self.readiness.clone()
    }

    /// The same, with traces of calls.
    #[must_use]
    pub fn traced(self, traces: Option<Arc<Traces>>) -> App {
        App { traces, ..self }
    }
}

/// The whole service: every request passes the border before it is routed.
#[derive(Clone)]
pub struct HttpService {
    app: Arc<App>,
    routes: Router,
}

impl HttpService {
    /// Serves what `app` shares.
    #[must_use]
    pub fn new(app: impl Into<Arc<App>>) -> HttpService {
        let app = app.into();
        HttpService {
            routes: routes(&app),
            app,
        }
    }
}

impl Service<Request> for HttpService {
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = BoxFuture<'static, Result<Response<Body>, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request) -> Self::Future {
        let service = self.clone();
        Box::pin(async move { Ok(service.answer(request).await) })
    }
}

fn routes(app: &Arc<App>) -> Router {
    Router::new()
        .route("/", read(|_| html(BANNER)))
        .route(
            "/liveness",
            read(|_| envelope::json(StatusCode::OK, r#"{"ok": true}"#)),
        )
        .route(
            "/v1/liveness",
            read(|_| envelope::json(StatusCode::OK, r#"{"ok": true}"#)),
        )
        .route("/readiness", read(ready))
        .route("/v1/readiness", read(ready))
        .route(
            "/v1/commands",
            read(|app| {
                envelope::json(
                    StatusCode::OK,
                    commands::list(&app.runtime.connectors()).to_string(),
                )
            }),
        )
        .route(
            openapi::PATH,
            read(|app| {
                let text = app.document.text(&app.runtime, app.api_key.is_some());
                envelope::json(StatusCode::OK, text)
            }),
        )
        .route("/v1/auths", read(|_| envelope::json(StatusCode::OK, "[]")))
        .route("/v1/auth/{connector}/{auth}", read(|_| no_auth()))
        .route("/v1/auth/{connector}/{auth}/callback", read(|_| no_auth()))
        .route("/v1/do/{connector}/{command}", any(perform::perform))
        .fallback(not_found)
        .with_state(app.clone())
}

/// A path that answers GET.
fn read(answer: fn(&App) -> Response<Body>) -> MethodRouter<Arc<App>> {
    any(
        move |State(app): State<Arc<App>>, method: Method| async move {
            match method {
                Method::GET | Method::HEAD => answer(&app),
                Method::OPTIONS => options(READ),
                _ => envelope::method_not_allowed(READ),
            }
        },
    )
}

/// The answer to OPTIONS.
pub(super) fn options(allow: &'static str) -> Response<Body> {
    let mut response = html("");
    response
        .headers_mut()
        .insert(ALLOW, HeaderValue::from_static(allow));
    response
}

fn html(text: &'static str) -> Response<Body> {
    let mut response = Response::new(Body::from(text));
    response.headers_mut().insert(
        CONTENT_TYPE,
        HeaderValue::from_static("text/html; charset=utf-8"),
    );
    response
}

fn ready(app: &App) -> Response<Body> {
    match app.readiness.ask(&app.runtime) {
        Ok(()) => envelope::json(StatusCode::OK, r#"{"ready": true}"#),
        Err(reason) => {
            let body = json!({"ready": false, "reason": reason});
            envelope::json(StatusCode::SERVICE_UNAVAILABLE, body.to_string())
        }
    }
}

fn no_auth() -> Response<Body> {
    envelope::refusal(
        StatusCode::BAD_REQUEST,
        "auth_not_found",
        "Auth not found: no connector here takes part in authentication",
    )
}

async fn not_found() -> Response<Body> {
    envelope::refusal(
        StatusCode::NOT_FOUND,
        "NotFound",
        "there is nothing at this path; see / for what there is",
    )
}

impl HttpService {
    async fn answer(self, request: Request) -> Response<Body> {
        let HttpService { app, routes } = self;
        let cors = Cors::of(&app.cors_origins, &request);
        let stopped =
            access::refusal(app.api_key.as_ref(), &request).or_else(|| merge_slashes(&request));
        // A handle on the URI: the request goes on with its own.
        let uri = request.uri().clone();
        let mut response = match (stopped, perform::names(uri.path())) {
            (Some(response), _) => response,
            (None, Some((connector, command))) => {
                perform::named(app.clone(), connector, command, request).await
            }
            (None, None) => match routes.oneshot(request).await {
                Ok(response) => response,
                Err(never) => match never {},
            },
        };
        if let Some(cors) = cors {
            cors.add(&mut response);
        }
        response
    }
}

/// Sends a path with doubled slashes to the one that is meant.
fn merge_slashes(request: &Request) -> Option<Response<Body>> {
    let path = request.uri().path();
    if !path.contains("//") {
        return None;
    }
    let mut merged = path.to_owned();
    while merged.contains("//") {
        merged = merged.replace("//", "/");
    }
    let query = request
        .uri()
        .path_and_query()
        .and_then(PathAndQuery::query)
        .map(|query| format!("?{query}"))
        .unwrap_or_default();
    let host = request
        .headers()
        .get(HOST)
        .and_then(|host| host.to_str().ok());
    let scheme = match request.extensions().get::<Secure>() {
        Some(Secure) => "https",
        None => "http",
    };
    let base = host
        .map(|host| format!("{scheme}://{host}"))
        .unwrap_or_default();
    let mut response = envelope::refusal(
        StatusCode::PERMANENT_REDIRECT,
        "PermanentRedirect",
        &format!("the path is {merged}"),
    );
    if let Ok(location) = HeaderValue::from_str(&format!("{base}{merged}{query}")) {
        response.headers_mut().insert(LOCATION, location);
    }
    Some(response)
}
