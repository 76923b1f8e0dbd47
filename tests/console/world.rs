//! Servers of the binary under test, and requests to their admin surfaces.

use airlock_tests::world::{TOKEN, World, admin_base, answering};
use airlock_tests::{Database, secrets};
use reqwest::{Method, RequestBuilder, Response};
use serde_json::Value;

const BINARY: &str = env!("CARGO_BIN_EXE_airlock");

/// A server whose calls may use the database `orders` by its name.
pub(crate) struct Console {
    pub(crate) world: World,
    pub(crate) orders: Database,
}

impl Console {
    /// Starts a server with more of a configuration and these components.
    pub(crate) async fn start(config: &str, components: &[(&str, &[u8])]) -> Console {
        let orders = Database::fresh().await;
        let config =
            format!("[databases.orders]\nconnection_string_env = \"ORDERS_DSN\"\n{config}");
        let variables = [("ORDERS_DSN", orders.dsn.as_str())];
        let world = World::start(BINARY, &config, components, &variables).await;
        Console { world, orders }
    }

    /// Where the admin surface is.
    pub(crate) fn base(&self) -> String {
        admin_base(&self.world.server)
    }

    /// A request without a token.
    pub(crate) fn stranger(&self, method: Method, path: &str) -> RequestBuilder {
        let url = format!("{}{path}", self.base());
        self.world.server.http.request(method, url)
    }

    /// A request with the token.
    pub(crate) fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.stranger(method, path).bearer_auth(TOKEN)
    }

    /// Posts a call with the token; gives the status and the JSON of the answer.
    pub(crate) async fn post(&self, path: &str, call: &Value) -> (u16, Value) {
        let request = self.request(Method::POST, path).json(call);
        answered(request.send().await.unwrap()).await
    }
}

/// The connector `a` in another version, which reads `text`.
pub(crate) fn version(version: &str, text: &str) -> Vec<u8> {
    let mut guest = answering("a", text);
    guest.manifest.version = version.into();
    guest.component()
}

/// The status and the JSON of a response.
pub(crate) async fn answered(response: Response) -> (u16, Value) {
    let status = response.status().as_u16();
    let text = response.text().await.unwrap();
    secrets::search("an answer to the administrator", &text);
    (status, serde_json::from_str(&text).unwrap())
}
