//! A running `airlock serve`.

use crate::secrets;
use serde_json::Value;
use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

/// Where servers keep compiled components, so that only the first one compiles and the user's own stay
/// as they are.
const CACHES: &str = concat!(env!("OUT_DIR"), "/cache");

/// A running server; it is ended when this is dropped.
pub struct Server {
    /// Where it listens, such as `http://127.0.0.1:40123`.
    pub base: String,
    /// A client that keeps its connections.
    pub http: reqwest::Client,
    log: Arc<Mutex<String>>,
    /// Ends with the log.
    logging: Option<JoinHandle<()>>,
    process: Child,
}

impl Server {
    /// Starts `binary serve` on a free port with further arguments and variables.
    pub fn start(binary: &str, arguments: &[&str], variables: &[(&str, &str)]) -> Server {
        let mut process = Command::new(binary)
            .args(["serve", "--listen", "127.0.0.1:0"])
            .args(arguments)
            .env_remove("CONNECTOR_PROXY_API_KEY")
            .env_remove("CONNECTOR_PROXY_CORS_ORIGINS")
            .env("XDG_CACHE_HOME", CACHES)
            .envs(variables.iter().copied())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(process.stderr.take().unwrap())
            .lines()
            .map_while(Result::ok);
        let mut seen = String::new();
        let base = loop {
            let line = lines
                .next()
                .unwrap_or_else(|| panic!("the server did not start: {seen}"));
            seen.push_str(&line);
            seen.push('\n');
            if let Some((_, address)) = line.split_once("listening on ") {
                let end = address
                    .find(|c: char| c == '"' || c.is_whitespace())
                    .unwrap_or(address.len());
                break address[..end].to_owned();
            }
        };
        for (_, value) in variables.iter().filter(|(name, _)| is_secret(name)) {
            secrets::plant(value);
        }
        let log = Arc::new(Mutex::new(seen));
        let sink = log.clone();
        let logging = std::thread::spawn(move || {
            lines.for_each(|line| sink.lock().unwrap().push_str(&(line + "\n")))
        });
        Server {
            base,
            http: reqwest::Client::builder()
                .redirect(reqwest::redirect::Policy::none())
                .build()
                .unwrap(),
            log,
            logging: Some(logging),
            process,
        }
    }

    /// Everything it logged so far.
    pub fn log(&self) -> String {
        self.log.lock().unwrap().clone()
    }

    /// Process id, for signals.
    pub fn id(&self) -> u32 {
        self.process.id()
    }

    /// Waits for it to end by itself; true when it ended well.
    pub fn wait(mut self) -> bool {
        self.process.wait().unwrap().success()
    }

    /// Waits for it to end by itself; gives its exit code.
    pub fn exit_code(mut self) -> Option<i32> {
        self.process.wait().unwrap().code()
    }

    /// Where it listens, as host and port.
    pub fn address(&self) -> &str {
        self.base.split_once("://").unwrap().1
    }

    /// Runs a command; returns the status and the envelope.
    pub async fn call(&self, command: &str, parameters: &Value) -> (u16, Value) {
        let url = format!("{}/v1/do/{command}", self.base);
        let response = self.http.post(url).json(parameters).send().await.unwrap();
        let status = response.status().as_u16();
        let text = response.text().await.unwrap();
        secrets::search("a reply", &text);
        (status, serde_json::from_str(&text).unwrap())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
        if let Some(logging) = self.logging.take() {
            let _ = logging.join();
        }
        // A test that fails has said enough.
        if !std::thread::panicking() {
            secrets::search("the log", &self.log());
        }
    }
}

/// Whether a variable of this name holds a secret.
fn is_secret(name: &str) -> bool {
    ["KEY", "TOKEN", "PASSWORD"]
        .iter()
        .any(|word| name.ends_with(word))
}
