//! The connection that jobs go over: one task writes commands and reads replies, knows at every
//! instant what has left and what has been answered, and makes a new connection when one breaks.

use super::connect::{Connector, Socket};
use super::wire;
use super::{Options, broken};
use crate::sink::{Command, Failure, Outcome, State};
use std::future::Future;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::Instant;
use traffic::{Batch, End, Traffic};

mod traffic;

/// First and longest pause between two tries to connect.
const PAUSES: (Duration, Duration) = (Duration::from_millis(50), Duration::from_secs(2));

/// The sending end. Dropping it lets the task finish what it has and end.
pub(super) struct Link {
    batches: mpsc::UnboundedSender<Batch>,
    state: watch::Receiver<State>,
    generation: Arc<AtomicU64>,
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
        let tries = if attempts == 1 { "try" } else { "tries" };
        let message = format!("gave up reconnecting after {attempts} {tries}: {}", last.message);
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

#[cfg(test)]
mod tests {
    use super::*;

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
