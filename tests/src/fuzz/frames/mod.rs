//! What a server answers: a stream that is odd never breaks the host, and one that breaks off, or never
//! confirms, is never a success.
//!
//! A server on loopback, which only knows what the host asks, answers one call. The input says what
//! rows it has and where its stream of messages goes wrong.

mod conversation;
mod messages;
mod script;
mod server;
mod stream;

use airlock::fault::Fault;
use airlock::{Limits, Parameters, Runtime};
use script::Script;
use serde_json::{Value, json};
use server::Server;
use std::panic;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{LazyLock, Once};
use std::thread;
use std::time::Duration;
use stream::Told;
use tokio::runtime;

/// Far more than a call takes that nobody stops.
const GUARD: Duration = Duration::from_secs(60);

/// Deadline of calls whose server falls silent, in milliseconds.
const SHORT_MS: u64 = 100;

/// Name of the threads that run the host and the server.
const THREADS: &str = "fuzz-frames";

/// Most bytes of a reply. Replies are larger than what goes out at once, and than this.
const REPLY_BYTES: usize = 256 << 10;

static TOKIO: LazyLock<runtime::Runtime> = LazyLock::new(|| {
    let mut builder = runtime::Builder::new_multi_thread();
    builder.thread_name(THREADS);
    builder.worker_threads(2).enable_all().build().unwrap()
});

static PATIENT: LazyLock<Runtime> = LazyLock::new(|| host(GUARD.as_millis() as u64));
static HASTY: LazyLock<Runtime> = LazyLock::new(|| host(SHORT_MS));

/// Panics in tasks beside that of the call since the process began.
static PANICS: AtomicUsize = AtomicUsize::new(0);

fn host(deadline_ms: u64) -> Runtime {
    let limits = Limits {
        deadline_ms,
        reply_bytes: REPLY_BYTES,
        pools: 4,
        ..Limits::default()
    };
    Runtime::new(limits).unwrap()
}

/// Takes the input as what a server says.
pub fn check(input: &[u8]) {
    static COUNT: Once = Once::new();
    COUNT.call_once(|| {
        let before = panic::take_hook();
        panic::set_hook(Box::new(move |panic| {
            let own = thread::current().name() == Some(THREADS);
            PANICS.fetch_add(usize::from(own), Ordering::SeqCst);
            before(panic);
        }));
    });
    let Ok(script) = Script::read(input) else {
        return;
    };
    let panics = PANICS.load(Ordering::SeqCst);
    let run = async { tokio::time::timeout(GUARD, run(&script)).await };
    let ended = TOKIO.block_on(run);
    let (reply, told) = ended.unwrap_or_else(|_| panic!("the call hangs: {script:?}"));
    assert_eq!(panics, PANICS.load(Ordering::SeqCst), "{script:?}");
    match reply {
        Ok(body) => {
            serde_json::from_slice::<Value>(&body).unwrap();
            assert!(told.confirmed || told.odd, "nobody confirmed: {script:?}");
            assert!(body.len() <= REPLY_BYTES, "{script:?}");
        }
        Err(fault) => assert!(
            !script.is_sound(),
            "{fault:?} from a sound server: {script:?}"
        ),
    }
}

/// Runs the call against the server.
async fn run(script: &Script) -> (Result<Vec<u8>, Fault>, Told) {
    let server = Server::start(script.clone()).await;
    let host = if script.falls_silent() {
        &HASTY
    } else {
        &PATIENT
    };
    let (command, mut call) = script.call();
    call["database_connection_str"] = json!(server.connection_string());
    let call = call.to_string();
    let reply = async {
        let command = host.command("postgres_v2", command)?;
        let parameters = Parameters::parse(call.as_bytes())?;
        host.run(&command, parameters).await?.body.collect().await
    };
    let reply = reply.await;
    (reply, server.told())
}
