//! The connection that jobs go over: one task writes commands and reads replies, knows at every
//! instant what has left and what has been answered, and makes a new connection when one breaks.

use super::connect::Socket;
use super::cursor::Cursor;
use super::route::{Detour, Reached, Way};
use super::{Options, broken};
use crate::sink::{Command, Failure, Notice, Outcome, State};
use crate::target::Place;
use flight::Batch;
use inquiry::{Evidence, Identity, Question};
use standing::Standing;
use std::future::Future;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::Instant;
use traffic::{End, Traffic};

mod flight;
mod inquiry;
mod silence;
mod standing;
mod traffic;
pub(in crate::sink) mod trial;

/// First and longest pause between two tries to connect.
const PAUSES: (Duration, Duration) = (Duration::from_millis(1), Duration::from_secs(2));

/// What the target knows of a run that is gone on with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recollection {
    /// The senders' own numbers of the last batches that went in; none if the key is gone.
    pub marks: Option<std::collections::BTreeSet<u64>>,
    /// Nothing of the process before can still go in.
    pub fenced: bool,
}

/// The sending end. Dropping it lets the task finish what it has and end.
pub(super) struct Link {
    batches: mpsc::UnboundedSender<Batch>,
    state: watch::Receiver<State>,
    generation: Arc<AtomicU64>,
    notices: Arc<Mutex<Vec<Notice>>>,
    place: Arc<Mutex<Option<Place>>>,
    /// Batches carry their proof.
    proven: bool,
}

impl Link {
    /// Starts the task on a connection that has logged in. A run that is gone on with is first asked
    /// about what its killed process left.
    ///
    /// # Errors
    ///
    /// When the connection breaks before it is known, or the server is in a state that passes.
    pub(super) async fn start(
        way: Arc<Way>,
        reached: Reached,
        cursor: Option<Cursor>,
        resumes: bool,
        options: Options,
    ) -> Result<(Link, Option<Recollection>), Failure> {
        let Reached { mut socket, place } = reached;
        let mut standing = cursor.clone().map(Standing::new);
        let mut recollection = None;
        if let (true, Some(cursor)) = (resumes, &cursor) {
            let (asked, memory) = inquiry::recall(socket, cursor).await?;
            socket = asked;
            if let Some(ring) = &memory.ring {
                standing = Some(Standing::resumed(cursor.clone(), ring));
            }
            let marks = memory.ring.map(|ring| ring.marks().collect());
            recollection = Some(Recollection { marks, fenced: memory.fenced });
        }
        let (link, mut keeper) = Link::with(way, State::Ready, cursor.is_some(), options);
        if let Some(cursor) = &cursor {
            (socket, keeper.identity) = inquiry::meet(socket, cursor, &keeper.notices).await?;
        }
        let turns = keeper.way.turns();
        keeper.is_at(place.map(|place| Detour { place, asking: false }));
        tokio::spawn(keeper.run(Some(socket), Traffic::new(standing, turns)));
        Ok((link, recollection))
    }

    /// Starts the task without a connection: it makes one by itself.
    pub(super) fn start_later(way: Arc<Way>, cursor: Option<Cursor>, options: Options) -> Link {
        let unmade = broken("no connection yet");
        let state = State::Reconnecting { attempts: 0, last: unmade };
        let (link, keeper) = Link::with(way, state, cursor.is_some(), options);
        let traffic = Traffic::new(cursor.map(Standing::new), keeper.way.turns());
        tokio::spawn(keeper.run(None, traffic));
        link
    }

    fn with(way: Arc<Way>, state: State, proven: bool, options: Options) -> (Link, Keeper) {
        let (batches, receiver) = mpsc::unbounded_channel();
        let (state, watched) = watch::channel(state);
        let generation = Arc::new(AtomicU64::new(0));
        let notices = Arc::new(Mutex::new(Vec::new()));
        let place = Arc::new(Mutex::new(None));
        let keeper = Keeper {
            way,
            options,
            batches: receiver,
            state,
            generation: generation.clone(),
            notices: notices.clone(),
            place: place.clone(),
            identity: Identity::default(),
            in_doubt: false,
            here: None,
            turned: None,
        };
        (Link { batches, state: watched, generation, notices, place, proven }, keeper)
    }

    /// Hands commands over before it returns: the queue to the task is first in, first out, which
    /// makes the order on the wire the order of calls.
    pub(super) fn send(
        &self,
        commands: &[Command],
        mark: u64,
    ) -> impl Future<Output = Vec<Outcome>> + Send + 'static + use<> {
        let count = commands.len();
        let waiting = self.hand_over(commands, mark);
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

    fn hand_over(
        &self,
        commands: &[Command],
        mark: u64,
    ) -> Result<oneshot::Receiver<Vec<Outcome>>, Failure> {
        let generation = self.generation.load(Ordering::Acquire);
        match &*self.state.borrow() {
            State::Ready => {}
            State::Reconnecting { last: failure, .. } | State::Lost(failure) => {
                return Err(failure.clone());
            }
        }
        let (answer, receiver) = oneshot::channel();
        let batch = Batch::new(commands, self.proven, mark, generation, answer);
        if let Err(mpsc::error::SendError(batch)) = self.batches.send(batch) {
            batch.not_sent(&broken("the connection was closed"));
        }
        Ok(receiver)
    }

    pub(super) fn watch(&self) -> watch::Receiver<State> {
        self.state.clone()
    }

    /// What has happened since the last call.
    pub(super) fn notices(&self) -> Vec<Notice> {
        std::mem::take(&mut *lock(&self.notices))
    }

    /// The server that the connection leads to, or led to before it broke, if there may be several.
    pub(super) fn place(&self) -> Option<Place> {
        lock(&self.place).clone()
    }
}

fn lock<T>(shared: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
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
    way: Arc<Way>,
    options: Options,
    batches: mpsc::UnboundedReceiver<Batch>,
    state: watch::Sender<State>,
    generation: Arc<AtomicU64>,
    notices: Arc<Mutex<Vec<Notice>>>,
    place: Arc<Mutex<Option<Place>>>,
    /// The connection's, where batches carry their proof.
    identity: Identity,
    /// Somebody waits for what only the server can tell.
    in_doubt: bool,
    /// Where the connection leads, if there is more than one server.
    here: Option<Detour>,
    /// Since when nothing was let in for having come to the wrong server, and how many batches
    /// were before.
    turned: Option<(Instant, u64)>,
}

impl Keeper {
    async fn run(mut self, mut socket: Option<Socket>, mut traffic: Traffic) {
        loop {
            let (failure, turned) = match socket.take() {
                None => (broken("no connection yet"), false),
                Some(socket) => match self.drive(socket, &mut traffic).await {
                    End::Closed => return,
                    End::Broken(failure) => (failure, false),
                    End::Turned(failure) => (failure, true),
                },
            };
            // First the state, then the outcomes: who learns of a break finds the sink broken.
            self.generation.fetch_add(1, Ordering::AcqRel);
            self.state.send_replace(State::Reconnecting { attempts: 0, last: failure.clone() });
            traffic.break_off(&failure);
            self.way.tell(|| {
                let verb = if turned { "leads elsewhere" } else { "broke" };
                format!("the connection{} {verb}: {}", self.way.purpose(), failure.message)
            });
            if let Some(failure) = self.wanders(turned, &failure, traffic.taken()) {
                return self.give_up(failure);
            }
            self.in_doubt = traffic.is_in_doubt();
            let question = traffic.question(&self.identity);
            let detour = self.way.detour(&failure, self.here.as_ref());
            let mut question = question.map(|question| Ask { question, judges: true });
            // What it says of its memory counts once the slot is there for good.
            if let (Some(ask), Some(Detour { asking: true, .. })) = (&mut question, &detour) {
                ask.judges = false;
            }
            let regained = match self.reconnect(failure.clone(), question, detour).await {
                Some(Ok(regained)) => regained,
                Some(Err(failure)) => {
                    traffic.abandon(&failure);
                    return self.give_up(failure);
                }
                None => return,
            };
            socket = Some(regained.socket);
            self.is_at(regained.here);
            traffic.set_asking(self.here.as_ref().is_some_and(|here| here.asking));
            if let Some((identity, evidence)) = regained.told {
                self.identity = identity;
                let doubtful = traffic.doubtful();
                let forgotten = evidence.and_then(|evidence| traffic.settle(&evidence, &failure));
                if doubtful > 0 {
                    self.way.tell(|| {
                        let batches = crate::show::plural(doubtful as u64, "transaction");
                        format!("asked about {batches} without an answer{}", self.way.purpose())
                    });
                }
                lock(&self.notices).extend(forgotten.map(Notice::Forgot));
            }
            // First the outcomes, then the state: what must go again is known when it can.
            self.state.send_replace(State::Ready);
        }
    }

    /// Notes where the connection leads.
    fn is_at(&mut self, here: Option<Detour>) {
        *lock(&self.place) = here.as_ref().map(|here| here.place.clone());
        self.here = here;
    }

    /// Moves bytes until the connection is over: it broke, or another server has taken over from
    /// one that hangs.
    async fn drive(&mut self, socket: Socket, traffic: &mut Traffic) -> End {
        let way = self.way.clone();
        let place = self.here.as_ref().map(|here| here.place.clone());
        traffic
            .drive(socket, &mut self.batches, move || {
                let (way, place) = (way.clone(), place.clone());
                Some(Box::pin(
                    async move { way.is_superseded(place.as_ref()?).await.then_some(()) },
                ))
            })
            .await
    }

    /// Why to give up a target whose servers send each batch on to another, for as long as one
    /// would be tried that can't be reached.
    fn wanders(&mut self, turned: bool, failure: &Failure, taken: u64) -> Option<Failure> {
        if !turned {
            return None;
        }
        let now = Instant::now();
        let since = match self.turned {
            Some((since, before)) if before == taken => since,
            _ => now,
        };
        self.turned = Some((since, taken));
        (now - since > self.options.reconnect_for).then(|| Failure {
            kind: failure.kind.clone(),
            message: format!("gave up after {:?}: {}", now - since, failure.message),
            lasting: true,
        })
    }

    /// Tries until a connection stands and the question is answered, the bound is reached, or
    /// nobody needs one any more.
    async fn reconnect(
        &mut self,
        mut last: Failure,
        question: Option<Ask>,
        mut detour: Option<Detour>,
    ) -> Option<Result<Regained, Failure>> {
        let deadline = Instant::now() + self.options.reconnect_for;
        let mut attempts = 0;
        while attempts < self.options.reconnect_tries {
            let pause = pause(attempts);
            let left = deadline.saturating_duration_since(Instant::now());
            if pause > left {
                break;
            }
            self.refuse_until(tokio::time::sleep(pause), &last).await?;
            let here = detour.take();
            let regain = Box::pin(regain(self.way.clone(), question.clone(), here.clone()));
            match self.refuse_until(regain, &last).await? {
                Ok(regained) => return Some(Ok(regained)),
                Err(failure) => last = failure,
            }
            attempts += 1;
            self.way.tell(|| format!("try {attempts}{}: {}", self.way.purpose(), last.message));
            if last.lasting {
                break;
            }
            detour = self.way.detour(&last, here.as_ref());
            self.state.send_replace(State::Reconnecting { attempts, last: last.clone() });
        }
        let tries = if attempts == 1 { "try" } else { "tries" };
        let message = format!("gave up reconnecting after {attempts} {tries}: {}", last.message);
        Some(Err(Failure { kind: last.kind, message, lasting: true }))
    }

    /// Waits for `event`, and meanwhile hands back what was on its way here when the connection
    /// broke. `None` once nobody can send any more, and nobody waits for an outcome.
    async fn refuse_until<T>(
        &mut self,
        event: impl Future<Output = T>,
        last: &Failure,
    ) -> Option<T> {
        let mut event = std::pin::pin!(event);
        loop {
            tokio::select! {
                done = &mut event => return Some(done),
                batch = self.batches.recv() => match batch {
                    Some(batch) => batch.not_sent(last),
                    None if self.in_doubt => return Some(event.await),
                    None => return None,
                },
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

/// What is asked after a break, and whether the answer tells what became of batches.
#[derive(Clone)]
struct Ask {
    question: Question,
    judges: bool,
}

/// A new connection, and what it told of the old one if it was asked.
struct Regained {
    socket: Socket,
    here: Option<Detour>,
    told: Option<(Identity, Option<Evidence>)>,
}

/// Connects and asks.
async fn regain(
    way: Arc<Way>,
    ask: Option<Ask>,
    detour: Option<Detour>,
) -> Result<Regained, Failure> {
    let Reached { socket, place } =
        way.reach(detour.as_ref()).await.map_err(|error| error.failure())?;
    let asking = detour.is_some_and(|detour| detour.asking);
    let here = place.map(|place| Detour { place, asking });
    let Some(Ask { question, judges }) = ask else {
        return Ok(Regained { socket, here, told: None });
    };
    let inquiry = async {
        if judges {
            let (socket, identity, evidence) = inquiry::inquire(socket, &question, asking).await?;
            Ok((socket, identity, Some(evidence)))
        } else {
            let (socket, identity) = inquiry::greet(socket, &question.cursor).await?;
            Ok((socket, identity, None))
        }
    };
    match tokio::time::timeout(way.timeout(), inquiry).await {
        Ok(Ok((socket, identity, evidence))) => {
            Ok(Regained { socket, here, told: Some((identity, evidence)) })
        }
        Ok(Err(failure)) => Err(failure),
        Err(_) => Err(broken("the server does not tell what arrived")),
    }
}

/// The pause before a try to connect again, after so many: doubling from the first to the longest, and drawn from its upper half so
/// that several clients of a server that comes back don't all knock at once.
pub fn pause(attempts: u32) -> Duration {
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
        for (attempts, whole_ms) in [(0, 1), (1, 2), (3, 8), (11, 2000), (u32::MAX, 2000)] {
            let whole = Duration::from_millis(whole_ms);
            for _ in 0..100 {
                let pause = pause(attempts);
                assert!(whole / 2 <= pause && pause <= whole, "{attempts}: {pause:?}");
            }
        }
        assert!((0..10).map(|_| pause(9)).collect::<std::collections::HashSet<_>>().len() > 1);
    }
}
