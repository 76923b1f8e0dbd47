//! The messages of one connection, moved by whoever uses it.
//!
//! The driver splits a connection in two: a client that makes requests, and a future that moves their
//! messages. Here both are polled in the task of the call, so a call never waits for another task to be
//! scheduled, and nothing is read from the server that nobody takes.

use futures_util::task::AtomicWaker;
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;
use tokio::runtime::Handle;
use tokio::time::timeout;

/// How long the server may take to end a connection that is simply dropped.
const GRACE: Duration = Duration::from_secs(5);

/// How often both sides may wake each other before other tasks get a turn.
const TURNS: u32 = 32;

/// What moves the messages of one connection.
pub(super) trait Messages: Send {
    /// Moves what can be moved; ready when the connection has ended.
    fn poll_move(&mut self, context: &mut Context<'_>) -> Poll<()>;

    /// Takes in what the server reported beside its answers.
    fn note_reports(&self);
}

/// The side of a connection that moves its messages. When it is dropped, the connection is closed as
/// the protocol asks for.
pub(super) struct Wire {
    /// None when the connection has ended.
    messages: Option<Box<dyn Messages>>,
    signals: Arc<Signals>,
    /// Woken when messages can move.
    wire: Waker,
    /// Woken when a request can go on.
    request: Waker,
}

/// What can go on.
#[derive(Default)]
struct Signals {
    wire: AtomicBool,
    request: AtomicBool,
    /// Both are being polled by the task, which will look at the signals by itself.
    polling: AtomicBool,
    task: AtomicWaker,
}

impl Signals {
    fn wake(&self) {
        if !self.polling.load(Ordering::SeqCst) {
            self.task.wake();
        }
    }
}

struct WakeWire(Arc<Signals>);

impl Wake for WakeWire {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.0.wire.store(true, Ordering::SeqCst);
        self.0.wake();
    }
}

struct WakeRequest(Arc<Signals>);

impl Wake for WakeRequest {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.0.request.store(true, Ordering::SeqCst);
        self.0.wake();
    }
}

impl Wire {
    /// The wire whose messages are moved by `messages`.
    pub(super) fn new(messages: impl Messages + 'static) -> Wire {
        let signals = Arc::new(Signals::default());
        // The first time they move without having been woken.
        signals.wire.store(true, Ordering::SeqCst);
        Wire {
            messages: Some(Box::new(messages)),
            wire: Arc::new(WakeWire(signals.clone())).into(),
            request: Arc::new(WakeRequest(signals.clone())).into(),
            signals,
        }
    }

    /// Waits for `request`, which asks something of the client, while messages move.
    pub(super) async fn during<T>(&mut self, mut request: Pin<&mut impl Future<Output = T>>) -> T {
        self.signals.request.store(true, Ordering::SeqCst);
        let answer = poll_fn(|context| self.poll_both(request.as_mut(), context)).await;
        // Nobody waits for the connection any more.
        self.signals.task.take();
        answer
    }

    fn poll_both<T>(
        &mut self,
        mut request: Pin<&mut impl Future<Output = T>>,
        context: &mut Context<'_>,
    ) -> Poll<T> {
        let signals = self.signals.clone();
        signals.task.register(context.waker());
        for _ in 0..TURNS {
            signals.polling.store(true, Ordering::SeqCst);
            if signals.request.swap(false, Ordering::SeqCst) {
                let mut context = Context::from_waker(&self.request);
                if let Poll::Ready(answer) = request.as_mut().poll(&mut context) {
                    signals.polling.store(false, Ordering::SeqCst);
                    return Poll::Ready(answer);
                }
            }
            if signals.wire.swap(false, Ordering::SeqCst) {
                self.poll_messages();
            }
            signals.polling.store(false, Ordering::SeqCst);
            // From here on whoever sets a signal wakes the task; these were set before.
            let again =
                signals.request.load(Ordering::SeqCst) || signals.wire.load(Ordering::SeqCst);
            if !again {
                return Poll::Pending;
            }
        }
        context.waker().wake_by_ref();
        Poll::Pending
    }

    fn poll_messages(&mut self) {
        let Some(messages) = &mut self.messages else {
            return;
        };
        let ended = messages.poll_move(&mut Context::from_waker(&self.wire));
        // Whoever has an answer now reads it with the settings that were reported before it.
        if self.signals.request.load(Ordering::SeqCst) {
            messages.note_reports();
        }
        if ended.is_ready() {
            self.messages = None;
        }
    }

    /// Takes in what has come while nobody used the connection, its end for example.
    pub(super) fn catch_up(&mut self) {
        if self.signals.wire.swap(false, Ordering::SeqCst) {
            self.poll_messages();
        }
    }

    /// Moves messages until the connection has ended, for at most `grace`; true when it has. The client
    /// must be gone.
    pub(super) async fn has_finished(&mut self, grace: Duration) -> bool {
        if let Some(messages) = &mut self.messages {
            let ended = poll_fn(|context| messages.poll_move(context));
            if timeout(grace, ended).await.is_err() {
                return false;
            }
            self.messages = None;
        }
        true
    }

    /// Moves messages until the connection has ended; the client must be gone. It is torn down where
    /// that takes longer than `grace`.
    pub(super) async fn finish(mut self, grace: Duration) {
        self.has_finished(grace).await;
        // Torn down where that is not so.
        self.messages = None;
    }
}

impl Drop for Wire {
    fn drop(&mut self) {
        if let Some(messages) = self.messages.take()
            && let Ok(runtime) = Handle::try_current()
        {
            runtime.spawn(finish(messages));
        }
    }
}

async fn finish(mut messages: Box<dyn Messages>) {
    // Torn down when this is dropped.
    let _ = timeout(GRACE, poll_fn(|context| messages.poll_move(context))).await;
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::pin::pin;
    use std::sync::Mutex;
    use tokio::sync::Notify;
    use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

    /// A server that gives each question back, after a turn of its own.
    struct Echo {
        questions: UnboundedReceiver<u32>,
        answers: UnboundedSender<u32>,
        reports: Arc<Mutex<u32>>,
    }

    impl Messages for Echo {
        fn poll_move(&mut self, context: &mut Context<'_>) -> Poll<()> {
            loop {
                match self.questions.poll_recv(context) {
                    Poll::Ready(Some(question)) => drop(self.answers.send(question)),
                    Poll::Ready(None) => return Poll::Ready(()),
                    Poll::Pending => return Poll::Pending,
                }
            }
        }

        fn note_reports(&self) {
            *self.reports.lock().unwrap() += 1;
        }
    }

    struct Client {
        questions: UnboundedSender<u32>,
        answers: UnboundedReceiver<u32>,
        reports: Arc<Mutex<u32>>,
    }

    fn echo() -> (Client, Wire) {
        let (questions, asked) = unbounded_channel();
        let (answered, answers) = unbounded_channel();
        let reports = Arc::new(Mutex::new(0));
        let wire = Wire::new(Echo {
            questions: asked,
            answers: answered,
            reports: reports.clone(),
        });
        let client = Client {
            questions,
            answers,
            reports,
        };
        (client, wire)
    }

    #[tokio::test]
    async fn messages_move_in_the_task_of_the_request() {
        let (mut client, mut wire) = echo();
        // Far more turns than one poll may take.
        for question in 0..10 * TURNS {
            let ask = async {
                client.questions.send(question).unwrap();
                client.answers.recv().await
            };
            assert_eq!(wire.during(pin!(ask)).await, Some(question));
        }
        assert!(*client.reports.lock().unwrap() >= 10 * TURNS);
    }

    #[tokio::test]
    async fn a_request_that_waits_for_others_is_woken() {
        let (_client, mut wire) = echo();
        let notify = Arc::new(Notify::new());
        let waiting = notify.clone();
        let other = tokio::spawn(async move { notify.notify_one() });
        wire.during(pin!(waiting.notified())).await;
        other.await.unwrap();
    }

    #[tokio::test]
    async fn a_request_that_never_rests_lets_others_run() {
        let (_client, mut wire) = echo();
        let other = tokio::spawn(async {});
        let restless = poll_fn(|context| {
            context.waker().wake_by_ref();
            match other.is_finished() {
                true => Poll::Ready(()),
                false => Poll::Pending,
            }
        });
        wire.during(pin!(restless)).await;
    }

    #[tokio::test]
    async fn an_end_that_came_meanwhile_is_seen() {
        let (client, mut wire) = echo();
        wire.catch_up();
        assert!(wire.messages.is_some());
        drop(client);
        wire.catch_up();
        assert!(wire.messages.is_none());
    }
}
