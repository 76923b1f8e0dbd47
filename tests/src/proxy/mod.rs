//! A TCP proxy that knows the messages of PostgreSQL's protocol and breaks things where a script says.
//!
//! It owns both sockets of every connection. It never changes a message, and knows no TLS.

mod message;
mod relay;
mod script;
#[cfg(test)]
mod tests;

pub use message::{CANCEL, STARTUP};
pub use script::{At, Break, Flow, Place, Random, Rule, Script};

use relay::End;
use std::collections::VecDeque;
use std::net::Ipv4Addr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// How long something may take that has to happen.
const PATIENCE: Duration = Duration::from_secs(60);

/// What becomes of new connections.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Gate {
    /// They are passed on.
    Open,
    /// They are accepted and never answered.
    Silent,
    /// Nobody listens.
    Refusing,
}

/// A running proxy. All of its connections are reset when it is dropped.
pub struct Proxy {
    port: u16,
    shared: Arc<Shared>,
    listener: JoinHandle<()>,
}

/// What the proxy and its connections have in common.
struct Shared {
    server: u16,
    gate: watch::Sender<Gate>,
    /// The gate that is in place.
    holds: watch::Sender<Gate>,
    /// Raised to reset all connections.
    cut: watch::Sender<u64>,
    plan: Mutex<Plan>,
    /// Rules that took hold.
    fired: watch::Sender<usize>,
    accepted: AtomicUsize,
    open: watch::Sender<usize>,
}

/// The scripts of the connections to come.
#[derive(Default)]
struct Plan {
    next: VecDeque<Script>,
    each: Script,
    random: Option<Random>,
}

impl Plan {
    fn take(&mut self) -> Script {
        if let Some(script) = self.next.pop_front() {
            return script;
        }
        match &mut self.random {
            Some(random) => random.script(),
            None => self.each.clone(),
        }
    }
}

impl Proxy {
    /// Starts one in front of a server on a loopback port. It passes everything on until it is told
    /// otherwise.
    pub async fn start(server: u16) -> Proxy {
        let listener = listen(0).await;
        let port = listener.local_addr().unwrap().port();
        let shared = Arc::new(Shared {
            server,
            gate: watch::Sender::new(Gate::Open),
            holds: watch::Sender::new(Gate::Open),
            cut: watch::Sender::new(0),
            plan: Mutex::default(),
            fired: watch::Sender::new(0),
            accepted: AtomicUsize::new(0),
            open: watch::Sender::new(0),
        });
        let listener = tokio::spawn(accept(listener, port, shared.clone()));
        Proxy {
            port,
            shared,
            listener,
        }
    }

    /// The port that it listens on.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// A connection string for the server, with the proxy in between.
    #[must_use]
    pub fn dsn(&self, dsn: &str) -> String {
        let direct = format!("port={}", self.shared.server);
        assert!(
            dsn.contains(&direct),
            "not a connection string to this server"
        );
        dsn.replace(&direct, &format!("port={} sslmode=disable", self.port))
    }

    /// Gives the next connection that has none yet a script.
    pub fn next(&self, script: Script) {
        self.shared.plan.lock().unwrap().next.push_back(script);
    }

    /// Gives each connection from now on a script, where it has none of its own.
    pub fn each(&self, script: Script) {
        self.shared.plan.lock().unwrap().each = script;
    }

    /// Gives each connection from now on a script by chance; none ends that.
    pub fn random(&self, random: Option<Random>) {
        self.shared.plan.lock().unwrap().random = random;
    }

    /// Decides what becomes of new connections; done when it holds.
    pub async fn gate(&self, gate: Gate) {
        let mut holds = self.shared.holds.subscribe();
        self.shared.gate.send_replace(gate);
        let holds = holds.wait_for(|holds| *holds == gate);
        tokio::time::timeout(PATIENCE, holds)
            .await
            .unwrap()
            .unwrap();
    }

    /// Resets all connections that are open, those that stand still included.
    pub fn cut_all(&self) {
        self.shared.cut.send_modify(|times| *times += 1);
    }

    /// How many rules took hold so far.
    #[must_use]
    pub fn fired(&self) -> usize {
        *self.shared.fired.borrow()
    }

    /// Waits until so many rules took hold.
    pub async fn until_fired(&self, count: usize) {
        let mut fired = self.shared.fired.subscribe();
        let reached = fired.wait_for(|fired| *fired >= count);
        tokio::time::timeout(PATIENCE, reached)
            .await
            .unwrap_or_else(|_| panic!("{} of {count} rules took hold", self.fired()))
            .unwrap();
    }

    /// How many connections were accepted so far.
    #[must_use]
    pub fn accepted(&self) -> usize {
        self.shared.accepted.load(Ordering::SeqCst)
    }

    /// Waits until so many connections, and no more, are open.
    pub async fn until_open(&self, count: usize) {
        let mut open = self.shared.open.subscribe();
        tokio::time::timeout(PATIENCE, open.wait_for(|open| *open == count))
            .await
            .unwrap_or_else(|_| panic!("{} are open", *self.shared.open.borrow()))
            .unwrap();
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.listener.abort();
        self.cut_all();
    }
}

async fn listen(port: u16) -> TcpListener {
    TcpListener::bind((Ipv4Addr::LOCALHOST, port))
        .await
        .unwrap()
}

async fn accept(first: TcpListener, port: u16, shared: Arc<Shared>) {
    let mut listener = Some(first);
    let mut gate = shared.gate.subscribe();
    loop {
        let now = *gate.borrow_and_update();
        let open = match listener.take() {
            _ if now == Gate::Refusing => None,
            None => Some(listen(port).await),
            open => open,
        };
        shared.holds.send_replace(now);
        let Some(open) = open else {
            let _ = gate.changed().await;
            continue;
        };
        tokio::select! {
            Ok((host, _)) = open.accept() => {
                shared.accepted.fetch_add(1, Ordering::SeqCst);
                tokio::spawn(connection(host, now, shared.clone()));
            }
            _ = gate.changed() => {}
        }
        listener = Some(open);
    }
}

/// One connection, from its beginning to its end.
async fn connection(mut host: TcpStream, gate: Gate, shared: Arc<Shared>) {
    let mut cut = shared.cut.subscribe();
    if gate == Gate::Silent {
        let _ = cut.changed().await;
        return reset(&host);
    }
    let script = shared.plan.lock().unwrap().take();
    let Ok(mut server) = TcpStream::connect((Ipv4Addr::LOCALHOST, shared.server)).await else {
        return reset(&host);
    };
    let end = tokio::select! {
        end = relay::run(&mut host, &mut server, script, &shared) => end,
        _ = cut.changed() => End::Reset,
    };
    if end == End::Reset {
        reset(&host);
        reset(&server);
    }
}

/// Has a socket answer with RST when it is closed, and drop what was not sent.
fn reset(socket: &TcpStream) {
    let _ = socket.set_zero_linger();
}
