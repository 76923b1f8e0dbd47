//! A collector that takes OTLP over HTTP and reads it, by the types of OpenTelemetry.

use airlock_tests::secrets;
use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::routing::post;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::{KeyValue, any_value};
use opentelemetry_proto::tonic::trace::v1::Span;
use prost::Message as _;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use tokio::net::TcpListener;

/// What a collector took.
#[derive(Clone, Default)]
pub(crate) struct Collector {
    pub(crate) endpoint: String,
    taken: Arc<Mutex<Taken>>,
}

#[derive(Default)]
struct Taken {
    spans: Vec<Span>,
    resources: Vec<KeyValue>,
}

impl Collector {
    /// Listens, and takes what comes. One that is `stuck` never answers.
    pub(crate) async fn start(stuck: bool) -> Collector {
        let socket = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let collector = Collector {
            endpoint: format!("http://{}", socket.local_addr().unwrap()),
            taken: Arc::default(),
        };
        let take =
            async move |State(taken): State<Arc<Mutex<Taken>>>, headers: HeaderMap, body: Bytes| {
                if stuck {
                    std::future::pending::<()>().await;
                }
                assert_eq!(headers["content-type"], "application/x-protobuf");
                taken.lock().unwrap().take(&body);
            };
        let router = Router::new().route("/v1/traces", post(take));
        let router = router.with_state(collector.taken.clone());
        tokio::spawn(async { axum_serve(socket, router).await });
        collector
    }

    /// The spans that came, by the name of the span of their call and then by their own.
    pub(crate) fn spans(&self) -> Vec<Span> {
        self.taken.lock().unwrap().spans.clone()
    }

    /// What the spans are about.
    pub(crate) fn resource(&self) -> BTreeMap<String, String> {
        attributes(&self.taken.lock().unwrap().resources)
    }
}

impl Taken {
    fn take(&mut self, body: &[u8]) {
        // Texts stand in protobuf as they are.
        secrets::search("spans", &String::from_utf8_lossy(body));
        let request = ExportTraceServiceRequest::decode(body).unwrap();
        for of_resource in request.resource_spans {
            self.resources
                .extend(of_resource.resource.unwrap().attributes);
            for of_scope in of_resource.scope_spans {
                self.spans.extend(of_scope.spans);
            }
        }
    }
}

async fn axum_serve(socket: TcpListener, router: Router) {
    use hyper_util::rt::{TokioExecutor, TokioIo};
    use hyper_util::server::conn::auto::Builder;
    use hyper_util::service::TowerToHyperService;
    loop {
        let (stream, _) = socket.accept().await.unwrap();
        let service = TowerToHyperService::new(router.clone());
        tokio::spawn(async move {
            let connections = Builder::new(TokioExecutor::new());
            let _ = connections
                .serve_connection(TokioIo::new(stream), service)
                .await;
        });
    }
}

/// Attributes as texts.
pub(crate) fn attributes(attributes: &[KeyValue]) -> BTreeMap<String, String> {
    let text = |pair: &KeyValue| match pair.value.as_ref()?.value.as_ref()? {
        any_value::Value::StringValue(text) => Some(text.clone()),
        any_value::Value::IntValue(number) => Some(number.to_string()),
        other => Some(format!("{other:?}")),
    };
    let pairs = attributes.iter();
    pairs
        .filter_map(|pair| Some((pair.key.clone(), text(pair)?)))
        .collect()
}
