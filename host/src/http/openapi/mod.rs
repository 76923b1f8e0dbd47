//! `GET /openapi.json`: what this server takes and answers, as an OpenAPI 3.1 document.
//!
//! It is made from the connectors that are live when somebody asks, so it follows swaps and policies, and
//! kept until they change. `command.rs` is the path of one command, `schema.rs` takes over what a connector says of a parameter,
//! `paths.rs` is the paths that are always there, and `responses.rs` what all of them refer to. Nothing in
//! here decides anything: it describes what the modules beside it do.

mod command;
mod paths;
mod responses;
mod schema;

use super::access;
use crate::connector::Connector;
use crate::databases::Databases;
use crate::runtime::Runtime;
use crate::versions::Live;
use bytes::Bytes;
use serde_json::{Map, Value, json};
use std::sync::{Arc, Mutex, PoisonError, Weak};

/// The version of the specification that the document keeps to.
const VERSION: &str = "3.1.1";

/// The dialect of all schemas in it.
const DIALECT: &str = "https://json-schema.org/draft/2020-12/schema";

/// Where it is.
pub(super) const PATH: &str = "/openapi.json";

/// Name of the security scheme.
const API_KEY: &str = "api_key";

const DESCRIPTION: &str = "Airlock runs the service tasks of workflow engines in PostgreSQL. It speaks the \
    connector-proxy protocol of SpiffWorkflow: the path of a command names connector and command, the body \
    holds the parameters, and the reply is an envelope whose `error.error_code` BPMN boundary events catch. \
    GET does what POST does, as it did in the Python proxy.";

/// The document as it was made last.
#[derive(Default)]
pub(super) struct Document(Mutex<Option<Made>>);

/// What it was made from, and its text. What is replaced since may go.
struct Made {
    live: Weak<Live>,
    databases: Weak<Databases>,
    text: Bytes,
}

impl Document {
    /// The text of what `runtime` serves now, and whether callers need a key.
    pub(super) fn text(&self, runtime: &Runtime, has_key: bool) -> Bytes {
        let (live, databases) = (runtime.versions().live(), runtime.databases());
        let mut made = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(made) = &*made
            && std::ptr::eq(made.live.as_ptr(), Arc::as_ptr(&live))
            && std::ptr::eq(made.databases.as_ptr(), Arc::as_ptr(&databases))
        {
            return made.text.clone();
        }
        let connectors: Vec<_> = live.values().cloned().collect();
        let text = Bytes::from(describe(&connectors, &databases, has_key).to_string());
        *made = Some(Made {
            live: Arc::downgrade(&live),
            databases: Arc::downgrade(&databases),
            text: text.clone(),
        });
        text
    }
}

fn describe(connectors: &[Arc<Connector>], databases: &Databases, has_key: bool) -> Value {
    let mut paths = paths::all(has_key);
    let mut schemas = responses::schemas();
    for connector in connectors {
        for spec in connector.commands() {
            let path = format!("/v1/do/{}/{}", connector.name(), spec.command.name);
            let item = command::item(connector, &spec.command, databases, has_key, &mut schemas);
            paths.insert(path, item);
        }
    }
    let mut components = Map::new();
    components.insert("schemas".into(), schemas.into());
    components.insert("parameters".into(), responses::parameters());
    components.insert("headers".into(), responses::headers());
    components.insert("responses".into(), responses::responses());
    if has_key {
        let scheme = json!({"type": "apiKey", "in": "header", "name": access::HEADER});
        components.insert("securitySchemes".into(), json!({ API_KEY: scheme }));
    }
    json!({
        "openapi": VERSION,
        "info": {
            "title": "Airlock",
            "version": env!("CARGO_PKG_VERSION"),
            "description": DESCRIPTION,
            "license": {"name": "Apache License 2.0", "identifier": "Apache-2.0"},
        },
        "jsonSchemaDialect": DIALECT,
        "servers": [{"url": "/"}],
        "tags": tags(connectors),
        "paths": paths,
        "components": components,
    })
}

/// One for each connector, which names the component that is live.
fn tags(connectors: &[Arc<Connector>]) -> Value {
    let proxy = json!({"name": paths::TAG, "description": "What engines and balancers ask."});
    let connectors = connectors.iter().map(|connector| {
        json!({
            "name": connector.name(),
            "description": connector.summary(),
            "x-airlock-connector": &**connector.planned_by(),
            "x-airlock-version": connector.version(),
        })
    });
    std::iter::once(proxy).chain(connectors).collect()
}

/// What an operation asks of its callers.
fn security(is_protected: bool) -> Value {
    match is_protected {
        true => json!([{ API_KEY: [] }]),
        false => json!([]),
    }
}
