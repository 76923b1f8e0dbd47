//! A server on loopback that answers as its script says.

use super::conversation::Conversation;
use super::script::Script;
use super::stream::{Stream, Told};
use std::sync::{Arc, Mutex};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio::time::timeout;

/// A running server. It ends when this is dropped.
pub(super) struct Server {
    port: u16,
    mode: &'static str,
    told: Arc<Mutex<Told>>,
    task: JoinHandle<()>,
}

impl Server {
    pub(super) async fn start(script: Script) -> Server {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let told = Arc::new(Mutex::new(Told::default()));
        let mode = if script.tls.is_some() {
            "prefer"
        } else {
            "disable"
        };
        let telling = told.clone();
        let task = tokio::spawn(async move {
            let script = Arc::new(script);
            while let Ok((stream, _)) = listener.accept().await {
                // Small messages must not wait for each other.
                stream.set_nodelay(true).unwrap();
                let stream = Stream::new(stream, script.clone(), telling.clone());
                let conversation = Conversation::new(stream, script.clone());
                // The host sees how it ended.
                tokio::spawn(async move { drop(timeout(super::GUARD, conversation.hold()).await) });
            }
        });
        Server {
            port,
            mode,
            told,
            task,
        }
    }

    pub(super) fn connection_string(&self) -> String {
        let Server { port, mode, .. } = self;
        format!("host=127.0.0.1 port={port} user=u password=p dbname=d sslmode={mode}")
    }

    pub(super) fn told(&self) -> Told {
        *self.told.lock().unwrap()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}
