//! The connection that jobs go over: one task writes commands and reads replies, knows at every
//! instant what has left and what has been answered, and makes a new connection when one breaks.

use super::connect::{Connector, Socket};
use super::wire;
use super::{Options, broken};
use crate::sink::{Command, Failure, Outcome, State};
use std::collections::VecDeque;
use std::future::Future;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt, WriteHalf};
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::Instant;

/// Room for replies that one read may fill.
const READ_SIZE: usize = 16 << 10;

/// First and longest pause between two tries to connect.
const PAUSES: (Duration, Duration) = (Duration::from_millis(50), Duration::from_secs(2));

/// The sending end. Dropping it lets the task finish what it has and end.
pub(super) struct Link {
    batches: mpsc::UnboundedSender<Batch>,
    state: watch::Receiver<State>,
    generation: Arc<AtomicU64>,
}

/// What one call sends.
struct Batch {
    bytes: Vec<u8>,
    /// Where each command ends in `bytes`.
    ends: Vec<usize>,
    answer: oneshot::Sender<Vec<Outcome>>,
    /// The connection it was handed over for; it goes over no other.
    generation: u64,
}

impl Link {
    /// Starts the task on a connection that has logged in.
    pub(super) fn start(connector: Arc<Connector>, socket: Socket, options: Options) -> Link {
        let (batches, receiver) = mpsc::unbounded_channel();
        let (state, watched) = watch::channel(State::Ready);
        let generation = Arc::new(AtomicU64::new(0));
        let keeper =
            Keeper { connector, options, batches: receiver, state, generation: generation.clone() };
        tokio::spawn(keeper.run(socket));
        Link { batches, state: watched, generation }
    }

    /// Hands commands over before it returns: the queue to the task is first in, first out, which
    /// makes the order on the wire the order of calls.
    pub(super) fn send(
        &self,
        commands: &[Command],
    ) -> impl Future<Output = Vec<Outcome>> + Send + 'static + use<> {
        let count = commands.len();
        let waiting = self.hand_over(commands);
        async move {
            match waiting {
                Ok(answer) => match answer.await {
                    Ok(outcomes) => outcomes,
                    // The runtime is going down and has taken the task with it.
                    Err(_) => vec![Outcome::Unknown(broken("the connection was closed")); count],
                },
                Err(failure) => vec![Outcome::NotSent(failure); count],
            }
        }
    }

    fn hand_over(&self, commands: &[Command]) -> Result<oneshot::Receiver<Vec<Outcome>>, Failure> {
        let generation = self.generation.load(Ordering::Acquire);
        match &*self.state.borrow() {
            State::Ready => {}
            State::Reconnecting { last: failure, .. } | State::Lost(failure) => {
                return Err(failure.clone());
            }
        }
        let mut bytes = Vec::new();
        let mut ends = Vec::with_capacity(commands.len());
        for command in commands {
            wire::encode(&command.args, &mut bytes);
            ends.push(bytes.len());
        }
        let (answer, receiver) = oneshot::channel();
        let batch = Batch { bytes, ends, answer, generation };
        if let Err(mpsc::error::SendError(batch)) = self.batches.send(batch) {
            batch.not_sent(&broken("the connection was closed"));
        }
        Ok(receiver)
    }

    pub(super) fn watch(&self) -> watch::Receiver<State> {
        self.state.clone()
    }
}

/// Resolves when the state is `Ready`, or with the failure of `Lost`.
pub(in crate::sink) async fn ready_or_lost(
    mut state: watch::Receiver<State>,
) -> Result<(), Failure> {
    let settled = state.wait_for(|state| !matches!(state, State::Reconnecting { .. })).await;
    match settled.as_deref() {
        Ok(State::Lost(failure)) => Err(failure.clone()),
        Ok(_) => Ok(()),
        Err(_) => Err(broken("the connection was closed")),
    }
}

impl Batch {
    fn not_sent(self, failure: &Failure) {
        let outcomes = vec![Outcome::NotSent(failure.clone()); self.ends.len()];
        // Nobody waits any more for what nobody needs to know.
        _ = self.answer.send(outcomes);
    }
}

/// Why a connection is over.
enum End {
    /// Nobody can send any more, and all is answered.
    Closed,
    Broken(Failure),
}

/// The task's own.
struct Keeper {
    connector: Arc<Connector>,
    options: Options,
    batches: mpsc::UnboundedReceiver<Batch>,
    state: watch::Sender<State>,
    generation: Arc<AtomicU64>,
}

impl Keeper {
    async fn run(mut self, mut socket: Socket) {
        loop {
            let mut traffic = Traffic::new(self.generation.load(Ordering::Acquire));
            let failure = match traffic.drive(socket, &mut self.batches).await {
                End::Closed => return,
                End::Broken(failure) => failure,
            };
            // First the state, then the outcomes: who learns of a break finds the sink broken.
            self.generation.fetch_add(1, Ordering::AcqRel);
            self.state.send_replace(State::Reconnecting { attempts: 0, last: failure.clone() });
            traffic.settle(&failure);
            socket = match self.reconnect(failure).await {
                Some(Ok(socket)) => socket,
                Some(Err(failure)) => return self.give_up(failure),
                None => return,
            };
            self.state.send_replace(State::Ready);
        }
    }

    /// Tries until a connection stands, the bound is reached, or nobody needs one any more.
    async fn reconnect(&mut self, mut last: Failure) -> Option<Result<Socket, Failure>> {
        let deadline = Instant::now() + self.options.reconnect_for;
        let mut attempts = 0;
        while attempts < self.options.reconnect_tries {
            let pause = pause(attempts);
            let left = deadline.saturating_duration_since(Instant::now());
            if pause > left {
                break;
            }
            self.refuse_until(tokio::time::sleep(pause), &last).await?;
            let connector = self.connector.clone();
            match self.refuse_until(Box::pin(connector.connect()), &last).await? {
                Ok(socket) => return Some(Ok(socket)),
                Err(error) => last = error.failure(),
            }
            attempts += 1;
            if last.lasting {
                break;
            }
            self.state.send_replace(State::Reconnecting { attempts, last: last.clone() });
        }
        let message = format!("gave up reconnecting after {attempts} tries: {}", last.message);
        Some(Err(Failure { kind: last.kind, message, lasting: true }))
    }

    /// Waits for `event`, and meanwhile hands back what was on its way here when the connection
    /// broke. `None` once nobody can send any more.
    async fn refuse_until<T>(
        &mut self,
        event: impl Future<Output = T>,
        last: &Failure,
    ) -> Option<T> {
        let mut event = std::pin::pin!(event);
        loop {
            tokio::select! {
                done = &mut event => return Some(done),
                batch = self.batches.recv() => batch?.not_sent(last),
            }
        }
    }

    fn give_up(mut self, failure: Failure) {
        self.state.send_replace(State::Lost(failure.clone()));
        self.batches.close();
        while let Ok(batch) = self.batches.try_recv() {
            batch.not_sent(&failure);
        }
    }
}

/// The pause before a try: doubling from the first to the longest, and drawn from its upper half so
/// that several clients of a server that comes back don't all knock at once.
fn pause(attempts: u32) -> Duration {
    let (first, longest) = PAUSES;
    let whole = first.saturating_mul(2_u32.saturating_pow(attempts)).min(longest);
    let draw = RandomState::new().build_hasher().finish();
    let part = 0.5 + 0.5 * (draw as f64 / u64::MAX as f64);
    whole.mul_f64(part)
}

/// What is on its way over one connection.
struct Traffic {
    generation: u64,
    /// Bytes not yet written, one buffer a batch, and how much of the first has been.
    outbox: VecDeque<Vec<u8>>,
    front_written: usize,
    /// Bytes written and taken in since the connection began.
    written: u64,
    taken_in: u64,
    inbox: Vec<u8>,
    flights: VecDeque<Flight>,
}

enum Pushed {
    Written(usize),
    Flushed,
}

/// Writes what it can of the next bytes, or flushes when there are none. Dropped before it is done,
/// it has written nothing.
async fn push(writer: &mut WriteHalf<Socket>, next: Option<&[u8]>) -> std::io::Result<Pushed> {
    match next {
        Some(next) => writer.write(next).await.map(Pushed::Written),
        None => writer.flush().await.map(|()| Pushed::Flushed),
    }
}

/// A batch that waits for replies.
struct Flight {
    /// Where its bytes start in the connection's.
    start: u64,
    ends: Vec<usize>,
    outcomes: Vec<Outcome>,
    answer: oneshot::Sender<Vec<Outcome>>,
}

impl Traffic {
    fn new(generation: u64) -> Traffic {
        Traffic {
            generation,
            outbox: VecDeque::new(),
            front_written: 0,
            written: 0,
            taken_in: 0,
            inbox: Vec::new(),
            flights: VecDeque::new(),
        }
    }

    /// Writes and reads side by side, so that a server that waits for its replies to be read before
    /// it reads on never waits for good.
    async fn drive(&mut self, socket: Socket, batches: &mut mpsc::UnboundedReceiver<Batch>) -> End {
        let (mut reader, mut writer) = tokio::io::split(socket);
        let mut open = true;
        let mut unflushed = false;
        loop {
            if !open && self.flights.is_empty() {
                return End::Closed;
            }
            self.inbox.reserve(READ_SIZE);
            let next = self.outbox.front().map(|bytes| &bytes[self.front_written..]);
            let busy = next.is_some() || unflushed;
            tokio::select! {
                biased;
                read = reader.read_buf(&mut self.inbox) => match read {
                    Ok(0) => return End::Broken(broken("the server closed the connection")),
                    Ok(_) => if let Err(failure) = self.take_replies() {
                        return End::Broken(failure);
                    },
                    Err(error) => return End::Broken(broken(&error.to_string())),
                },
                batch = batches.recv(), if open => match batch {
                    Some(batch) => self.take_in(batch),
                    None => open = false,
                },
                pushed = push(&mut writer, next), if busy => match pushed {
                    Ok(Pushed::Written(0)) => {
                        return End::Broken(broken("the connection takes no more bytes"));
                    }
                    Ok(Pushed::Written(count)) => {
                        self.has_written(count);
                        unflushed = true;
                    }
                    Ok(Pushed::Flushed) => unflushed = false,
                    Err(error) => return End::Broken(broken(&error.to_string())),
                },
            }
        }
    }

    fn take_in(&mut self, batch: Batch) {
        if batch.generation != self.generation {
            return batch.not_sent(&broken("the connection broke"));
        }
        if batch.ends.is_empty() {
            _ = batch.answer.send(Vec::new());
            return;
        }
        let outcomes = Vec::with_capacity(batch.ends.len());
        let (ends, answer) = (batch.ends, batch.answer);
        self.flights.push_back(Flight { start: self.taken_in, ends, outcomes, answer });
        self.taken_in += batch.bytes.len() as u64;
        self.outbox.push_back(batch.bytes);
    }

    fn has_written(&mut self, count: usize) {
        self.written += count as u64;
        self.front_written += count;
        if self.outbox.front().is_some_and(|bytes| self.front_written == bytes.len()) {
            self.outbox.pop_front();
            self.front_written = 0;
        }
    }

    /// Gives every reply that is whole to its command, oldest first.
    fn take_replies(&mut self) -> Result<(), Failure> {
        let mut rest = self.inbox.as_slice();
        let result = loop {
            let reply = match wire::reply(rest) {
                Ok(Some(reply)) => reply,
                Ok(None) => break Ok(()),
                Err(wire::NotRedis) => break Err(broken("the server sent no Redis reply")),
            };
            let Some(flight) = self.flights.front_mut() else {
                // The server says so before it hangs up, as when it has too many clients.
                break Err(match reply.error {
                    Some(error) => wire::failure(error),
                    None => broken("the server sent a reply to no command"),
                });
            };
            flight.outcomes.push(match reply.error {
                Some(error) => Outcome::Failed(wire::failure(error)),
                None => Outcome::Acked,
            });
            rest = &rest[reply.len..];
            if flight.outcomes.len() == flight.ends.len()
                && let Some(flight) = self.flights.pop_front()
            {
                _ = flight.answer.send(flight.outcomes);
            }
        };
        let consumed = self.inbox.len() - rest.len();
        self.inbox.drain(..consumed);
        result
    }

    /// Resolves what is left after a break. A command whose last byte was never written can't have
    /// run; one that was written whole may have.
    fn settle(&mut self, failure: &Failure) {
        for mut flight in self.flights.drain(..) {
            for end in &flight.ends[flight.outcomes.len()..] {
                let left = flight.start + *end as u64 <= self.written;
                let outcome = if left { Outcome::Unknown } else { Outcome::NotSent };
                flight.outcomes.push(outcome(failure.clone()));
            }
            _ = flight.answer.send(flight.outcomes);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn batch(generation: u64) -> (Batch, oneshot::Receiver<Vec<Outcome>>) {
        let (answer, receiver) = oneshot::channel();
        let bytes = b"PING\r\nPING\r\n".to_vec();
        (Batch { bytes, ends: vec![6, 12], answer, generation }, receiver)
    }

    #[tokio::test]
    async fn what_was_meant_for_an_older_connection_is_not_sent() {
        let mut traffic = Traffic::new(1);
        let (old, answer) = batch(0);
        traffic.take_in(old);
        assert!(matches!(answer.await.unwrap()[..], [Outcome::NotSent(_), Outcome::NotSent(_)]));
        let (new, _answer) = batch(1);
        traffic.take_in(new);
        assert_eq!((traffic.outbox.len(), traffic.flights.len()), (1, 1));
    }

    #[tokio::test]
    async fn a_command_is_unknown_from_its_last_byte_on() {
        for (written, first, second) in [
            (0, false, false),
            (5, false, false),
            (6, true, false),
            (11, true, false),
            (12, true, true),
        ] {
            let mut traffic = Traffic::new(0);
            let (batch, answer) = batch(0);
            traffic.take_in(batch);
            if written > 0 {
                traffic.has_written(written);
            }
            traffic.settle(&broken("cut"));
            let outcomes = answer.await.unwrap();
            let unknown = |outcome: &Outcome| matches!(outcome, Outcome::Unknown(_));
            let found: Vec<_> = outcomes.iter().map(unknown).collect();
            assert_eq!(found, [first, second], "{written}");
        }
    }

    #[test]
    fn pauses_grow_to_a_bound_and_differ() {
        for (attempts, whole_ms) in [(0, 50), (1, 100), (3, 400), (6, 2000), (u32::MAX, 2000)] {
            let whole = Duration::from_millis(whole_ms);
            for _ in 0..100 {
                let pause = pause(attempts);
                assert!(whole / 2 <= pause && pause <= whole, "{attempts}: {pause:?}");
            }
        }
        assert!((0..10).map(|_| pause(9)).collect::<std::collections::HashSet<_>>().len() > 1);
    }
}
