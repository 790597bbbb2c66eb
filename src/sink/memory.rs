//! An in-memory sink for tests of whatever sends: it records what it is given, and answers, stalls,
//! breaks and comes back as the test tells it.

use super::{Command, Failure, Outcome, Queue, Sink, State};
use std::collections::HashMap;
use std::future::Future;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::watch;

/// How one call of `send` is answered.
#[derive(Clone, Debug)]
pub(crate) struct Step {
    /// How long after the call, in tokio's time.
    pub delay: Duration,
    /// One outcome per command; the last one holds for all further commands.
    pub outcomes: Vec<Outcome>,
}

impl Step {
    /// Everything acknowledged at once.
    pub(crate) fn acked() -> Step {
        Step { delay: Duration::ZERO, outcomes: vec![Outcome::Acked] }
    }

    /// This outcome for every command.
    pub(crate) fn all(outcome: Outcome) -> Step {
        Step { outcomes: vec![outcome], ..Step::acked() }
    }

    /// The same, later.
    pub(crate) fn after(self, delay: Duration) -> Step {
        Step { delay, ..self }
    }
}

type Script = Box<dyn FnMut(u64, &[Command]) -> Step + Send>;

/// The sink. Clones are the same sink.
#[derive(Clone)]
pub(crate) struct MemorySink {
    inner: Arc<Inner>,
}

struct Inner {
    kept: Mutex<Kept>,
    state: watch::Sender<State>,
    stalled: watch::Sender<bool>,
}

struct Kept {
    script: Script,
    calls: Vec<Vec<Command>>,
    depths: HashMap<String, Result<u64, Failure>>,
}

impl MemorySink {
    /// Acknowledges everything at once.
    pub(crate) fn new() -> MemorySink {
        MemorySink::scripted(|_, _| Step::acked())
    }

    /// Answers call `n` (from 0) as the script says.
    pub(crate) fn scripted(
        script: impl FnMut(u64, &[Command]) -> Step + Send + 'static,
    ) -> MemorySink {
        let kept = Kept { script: Box::new(script), calls: Vec::new(), depths: HashMap::default() };
        MemorySink {
            inner: Arc::new(Inner {
                kept: Mutex::new(kept),
                state: watch::Sender::new(State::Ready),
                stalled: watch::Sender::new(false),
            }),
        }
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.inner.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What every call was given, those refused while disconnected left out.
    pub(crate) fn calls(&self) -> Vec<Vec<Command>> {
        self.kept().calls.clone()
    }

    /// The jobs of all calls together.
    pub(crate) fn jobs(&self) -> u64 {
        let kept = self.kept();
        kept.calls.iter().flatten().map(|command| u64::from(command.jobs)).sum()
    }

    /// What `depth` answers for a queue from now on; 0 before.
    pub(crate) fn set_depth(&self, queue: &str, depth: Result<u64, Failure>) {
        self.kept().depths.insert(queue.to_owned(), depth);
    }

    /// Holds all answers back, those on their way included, until [`MemorySink::resume`].
    pub(crate) fn stall(&self) {
        self.inner.stalled.send_replace(true);
    }

    /// Lets answers go again.
    pub(crate) fn resume(&self) {
        self.inner.stalled.send_replace(false);
    }

    /// Breaks the connection: from now on nothing is sent. Answers on their way still come.
    pub(crate) fn disconnect(&self, last: Failure) {
        self.inner.state.send_replace(State::Reconnecting { attempts: 0, last });
    }

    /// Repairs it.
    pub(crate) fn reconnect(&self) {
        self.inner.state.send_replace(State::Ready);
    }

    /// Gives it up.
    pub(crate) fn give_up(&self, failure: Failure) {
        self.inner.state.send_replace(State::Lost(failure));
    }
}

impl Sink for MemorySink {
    fn send(
        &self,
        commands: Vec<Command>,
    ) -> impl Future<Output = Vec<Outcome>> + Send + 'static + use<> {
        let count = commands.len();
        let step = match self.state() {
            State::Ready => {
                let mut kept = self.kept();
                let number = kept.calls.len() as u64;
                let step = (kept.script)(number, &commands);
                kept.calls.push(commands);
                step
            }
            State::Reconnecting { last: failure, .. } | State::Lost(failure) => {
                Step::all(Outcome::NotSent(failure))
            }
        };
        let mut stalled = self.inner.stalled.subscribe();
        async move {
            tokio::time::sleep(step.delay).await;
            _ = stalled.wait_for(|stalled| !stalled).await;
            let last = step.outcomes.last().cloned().unwrap_or(Outcome::Acked);
            let mut outcomes = step.outcomes;
            outcomes.resize(count, last);
            outcomes
        }
    }

    fn state(&self) -> State {
        self.inner.state.borrow().clone()
    }

    fn wait_ready(&self) -> impl Future<Output = Result<(), Failure>> + Send + 'static + use<> {
        super::redis::link::ready_or_lost(self.inner.state.subscribe())
    }

    async fn depth(&self, queue: &Queue) -> Result<u64, Failure> {
        self.kept().depths.get(&queue.name).cloned().unwrap_or(Ok(0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::job::Format;
    use crate::sink::{BatchBuilder, Limits};

    fn push(jobs: u32) -> Vec<Command> {
        let queue = Queue { name: "q".to_owned(), format: Format::List };
        let mut builder = BatchBuilder::new(vec![queue], Limits { jobs: 1, bytes: 1 });
        (0..jobs).for_each(|job| builder.add(0, job, |unit| unit.push_to("q", b"job")));
        builder.finish().0
    }

    fn failure(kind: &str) -> Failure {
        Failure { kind: kind.to_owned(), message: kind.to_owned(), lasting: false }
    }

    #[tokio::test(start_paused = true)]
    async fn answers_as_scripted() {
        let oom = Outcome::Failed(failure("OOM"));
        let scripted = oom.clone();
        let sink = MemorySink::scripted(move |call, _| match call {
            0 => Step::acked(),
            1 => Step::all(scripted.clone()).after(Duration::from_secs(5)),
            _ => Step { delay: Duration::ZERO, outcomes: vec![scripted.clone(), Outcome::Acked] },
        });
        assert_eq!(sink.send(push(2)).await, [Outcome::Acked, Outcome::Acked]);
        let start = tokio::time::Instant::now();
        assert_eq!(sink.send(push(1)).await, std::slice::from_ref(&oom));
        assert_eq!(start.elapsed(), Duration::from_secs(5));
        assert_eq!(sink.send(push(3)).await, [oom, Outcome::Acked, Outcome::Acked]);
        assert_eq!((sink.calls().len(), sink.jobs()), (3, 6));
    }

    #[tokio::test(start_paused = true)]
    async fn stalls_breaks_and_comes_back() {
        let sink = MemorySink::new();
        sink.stall();
        let mut waiting = Box::pin(sink.send(push(1)));
        let waited = tokio::time::timeout(Duration::from_secs(60), &mut waiting).await;
        assert!(waited.is_err());
        sink.resume();
        assert_eq!(waiting.await, [Outcome::Acked]);

        sink.disconnect(failure("io"));
        assert_eq!(sink.send(push(1)).await, [Outcome::NotSent(failure("io"))]);
        let ready = tokio::spawn(sink.wait_ready());
        sink.reconnect();
        assert_eq!(ready.await.unwrap(), Ok(()));
        assert_eq!(sink.state(), State::Ready);

        sink.give_up(failure("refused"));
        assert_eq!(sink.wait_ready().await, Err(failure("refused")));
        assert_eq!(sink.send(push(1)).await, [Outcome::NotSent(failure("refused"))]);
        assert_eq!(sink.jobs(), 1);
    }

    #[tokio::test]
    async fn depths_are_as_set() {
        let sink = MemorySink::new();
        let queue = Queue { name: "q".to_owned(), format: Format::List };
        assert_eq!(sink.depth(&queue).await, Ok(0));
        sink.set_depth("q", Ok(7));
        assert_eq!(sink.depth(&queue).await, Ok(7));
    }
}
