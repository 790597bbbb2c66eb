//! A Redis server as the target, or several that act as one: a master that sentinels know, or the
//! masters of a cluster ([`route`], [`lanes`]).
//!
//! Two connections: jobs go over one, whose bytes are loadc's own ([`link`], [`wire`]), so that each
//! command's fate is known to the last byte when the connection breaks; questions such as a queue's
//! depth go over another, driven by the redis crate ([`control`]), and never wait behind jobs.
//!
//! On the connection of the jobs nothing has a timeout: a server that stalls is waited for. When a
//! connection breaks, the server is asked over the next one which batches went in: each carries its
//! proof ([`cursor`]), and what is known to have stayed out comes back as [`Outcome::NotSent`].
//! Without proofs what was in flight is unknown.

mod connect;
mod control;
mod cursor;
mod depth;
mod dialogue;
mod health;
mod lanes;
pub(in crate::sink) mod link;
mod preflight;
mod route;
mod wire;

pub use connect::{ConnectError, ConnectErrorKind};
pub use cursor::Cursor;
pub use health::{Health, Latency, health};
pub use link::trial::{Tally, replies as try_replies};
pub use link::{Recollection, pause};
pub use preflight::Problem;

use crate::sink::formats::Seen;
use crate::sink::{Args, Command, Failure, Notice, Outcome, Queue, ServerMemory, Sink, State};
use crate::target::{Address, Target};
use control::Control;
use lanes::{Lane, Lanes, Slots};
use link::Link;
use route::Way;
use std::collections::HashMap;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;
#[cfg(test)]
use tokio::sync::watch;

/// Bounds on connecting and asking.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// How long one try to connect and log in may take.
    pub connect_timeout: Duration,
    /// How long the answer to a question such as a queue's depth may take.
    pub ask_timeout: Duration,
    /// How long to try for a new connection after one broke.
    pub reconnect_for: Duration,
    /// How many times to try.
    pub reconnect_tries: u32,
    /// Is told what happens to connections, a line at a time, by who wants to know it all.
    pub aside: Option<fn(&str)>,
}

impl Default for Options {
    fn default() -> Options {
        Options {
            connect_timeout: Duration::from_secs(5),
            ask_timeout: Duration::from_secs(3),
            reconnect_for: Duration::from_secs(30),
            reconnect_tries: u32::MAX,
            aside: None,
        }
    }
}

impl Options {
    /// Those for a target: where another server may have to take over, that is waited for.
    pub fn of(target: &Target) -> Options {
        let reconnect_for = match target.address() {
            Address::Cluster { .. } | Address::Sentinel { .. } => FAILOVER,
            _ => Options::default().reconnect_for,
        };
        Options { reconnect_for, ..Options::default() }
    }
}

/// How long a master may be missed: a cluster or sentinels as they come from the box take up to a
/// minute to agree that it is gone, and to put another in its place.
const FAILOVER: Duration = Duration::from_secs(120);

/// A Redis server that takes jobs, or several that act as one.
pub struct RedisSink {
    lanes: Lanes,
    target: Target,
    lookers: depth::Lookers,
}

/// How long the cursor's removal at the end may take: it would go by itself in time.
const REMOVAL: Duration = Duration::from_secs(1);

/// How long one of several servers may take to tell of its memory, before the others count alone.
const MEMORY: Duration = Duration::from_secs(1);

impl RedisSink {
    /// Connects and logs in, twice. What is sent carries no proof.
    ///
    /// # Errors
    ///
    /// Why there is no connection.
    pub async fn connect(target: &Target, options: Options) -> Result<RedisSink, ConnectError> {
        Ok(RedisSink::open(target, None, false, options).await?.0)
    }

    /// The same, and what is sent carries its proof in a key that nobody else writes to.
    ///
    /// # Errors
    ///
    /// Why there is no connection.
    pub async fn connect_with(
        target: &Target,
        cursor: Cursor,
        options: Options,
    ) -> Result<RedisSink, ConnectError> {
        Ok(RedisSink::open(target, Some(cursor), false, options).await?.0)
    }

    /// The same for a run whose process has ended: its connections are ended for good, and what the
    /// target knows of it is told; of a cluster by [`RedisSink::reach`]. What it sends is
    /// [`Sink::send_marked`].
    ///
    /// # Errors
    ///
    /// Why there is no connection.
    pub async fn resume_with(
        target: &Target,
        cursor: Cursor,
        options: Options,
    ) -> Result<(RedisSink, Vec<Recollection>), ConnectError> {
        let (sink, told) = RedisSink::open(target, Some(cursor), true, options).await?;
        Ok((sink, told.into_iter().collect()))
    }

    async fn open(
        target: &Target,
        cursor: Option<Cursor>,
        resumes: bool,
        options: Options,
    ) -> Result<(RedisSink, Option<Recollection>), ConnectError> {
        let way = Way::new(target, &options)?;
        let lookers = depth::Lookers::default();
        if let Address::Cluster { .. } = target.address() {
            // Any of its servers, so that what is wrong is known now.
            way.connect().await?;
            let run = cursor.map(|cursor| cursor.run().to_owned());
            let lanes = Lanes::BySlot(Box::new(Slots::new(way, run, options)));
            return Ok((RedisSink { lanes, target: target.clone(), lookers }, None));
        }
        let (lane, told) = open(Arc::new(way), cursor, resumes, options).await?;
        let lanes = Lanes::One(Arc::new(lane));
        Ok((RedisSink { lanes, target: target.clone(), lookers }, told))
    }

    /// Connects to the servers of a cluster that take the jobs of these queues, so that none has to
    /// wait for its connection later. Elsewhere there is nothing to do. Where the run is gone on
    /// with, what is known of it is told, lane by lane ([`RedisSink::lanes_of`]).
    ///
    /// # Errors
    ///
    /// Why there is no connection to one of them.
    pub async fn reach(
        &self,
        queues: &[Queue],
        resumes: bool,
        options: Options,
    ) -> Result<Vec<Recollection>, ConnectError> {
        let mut told = Vec::new();
        let Lanes::BySlot(slots) = &self.lanes else { return Ok(told) };
        self.lanes.numbers(queues);
        for queue in queues {
            let key = lanes::key_of(queue);
            if !slots.has(key.as_bytes()) {
                let (way, cursor) = slots.parts(key.as_bytes());
                let (lane, of_lane) = open(way, cursor, resumes, options).await?;
                slots.put(key.as_bytes(), lane);
                told.extend(of_lane);
            }
        }
        Ok(told)
    }

    /// The keys in which batches leave their numbers.
    pub fn cursors(&self) -> Vec<String> {
        let key = |lane: Arc<Lane>| lane.cursor.as_ref().map(|cursor| cursor.key().to_owned());
        self.lanes.all().into_iter().filter_map(key).collect()
    }

    /// The server.
    pub fn target(&self) -> &Target {
        &self.target
    }

    /// The state and its changes.
    #[cfg(test)]
    pub(in crate::sink) fn watch(&self) -> watch::Receiver<State> {
        self.lanes.all()[0].link.watch()
    }

    /// Jobs of queues whose keys lie in several hash slots of a cluster, given by a job of each.
    pub fn crossing<'a>(
        &self,
        jobs: impl IntoIterator<Item = (&'a Queue, &'a Args)>,
    ) -> Vec<Problem> {
        let mut homes: HashMap<&Queue, String> = HashMap::new();
        let mut problems = Vec::new();
        for (queue, args) in jobs {
            let first = self.lanes.first_key(args);
            let known = homes.entry(queue).or_insert_with(|| first.clone());
            let keys = self.lanes.crossing(args).or_else(|| self.lanes.apart(known, &first));
            if let Some(keys) = keys
                && !problems.iter().any(|problem: &Problem| problem.is_of(&queue.name))
            {
                problems.push(Problem::CrossSlot { queue: queue.name.clone(), keys });
            }
        }
        problems
    }

    /// What would keep jobs out of these queues, asked before the first one is sent.
    ///
    /// # Errors
    ///
    /// When the server can't be asked.
    pub async fn preflight(&self, queues: &[Queue]) -> Result<Vec<Problem>, Failure> {
        let mut by_lane: Vec<(Arc<Lane>, Vec<Queue>)> = Vec::new();
        for lane in self.lanes.all() {
            by_lane.push((lane, Vec::new()));
        }
        for queue in queues {
            let lane = self.lanes.of_queue(queue)?;
            match by_lane.iter_mut().find(|(known, _)| Arc::ptr_eq(known, &lane)) {
                Some((_, own)) => own.push(queue.clone()),
                None => by_lane.push((lane, vec![queue.clone()])),
            }
        }
        let mut problems: Vec<Problem> = Vec::new();
        for (lane, queues) in by_lane {
            let mut found = preflight::problems(&lane.control, &queues).await?;
            if let Some(cursor) = &lane.cursor {
                found.extend(preflight::of_cursor(&lane.control, cursor).await?);
            }
            // Lanes of one server share what is wrong with it.
            found.retain(|problem| !problems.contains(problem));
            problems.extend(found);
        }
        Ok(problems)
    }
}

impl RedisSink {
    /// Runs commands that make what jobs need, such as a stream's groups, each of which is there
    /// already or made now.
    ///
    /// # Errors
    ///
    /// The first refusal, or why the server can't be told.
    pub async fn prepare(&self, commands: &[Args]) -> Result<(), Failure> {
        for command in commands {
            let lane = self.lanes.of_commands(command)?;
            let question = control::pipeline(std::slice::from_ref(command));
            let replies = lane.control.ask(&question).await?;
            let refusals = replies.iter().filter_map(control::refusal);
            let mut lasting = refusals.filter(|failure| failure.kind != "BUSYGROUP");
            lasting.next().map_or(Ok(()), Err)?;
        }
        Ok(())
    }
}

/// Opens a lane: both connections, and the task that moves the jobs.
async fn open(
    way: Arc<Way>,
    cursor: Option<Cursor>,
    resumes: bool,
    options: Options,
) -> Result<(Lane, Option<Recollection>), ConnectError> {
    let reached = Box::pin(way.reach(None)).await?;
    let control = Control::new(way.clone(), options.ask_timeout);
    control.open().await?;
    let starting = Link::start(way.clone(), reached, cursor.clone(), resumes, options);
    let (link, told) = match tokio::time::timeout(options.connect_timeout, starting).await {
        Ok(link) => link.map_err(|failure| {
            let error = way.errors().turned_away(&failure);
            if failure.lasting { error } else { way.in_transition(error) }
        })?,
        Err(_) => return Err(way.in_transition(way.errors().late())),
    };
    Ok((Lane { link, control, cursor }, told))
}

impl Sink for RedisSink {
    fn send(
        &self,
        commands: Vec<Command>,
    ) -> impl Future<Output = Vec<Outcome>> + Send + 'static + use<> {
        self.lanes.send(&commands, 0)
    }

    fn send_ref(
        &self,
        commands: &[Command],
    ) -> impl Future<Output = Vec<Outcome>> + Send + 'static + use<> {
        self.lanes.send(commands, 0)
    }

    fn send_marked(
        &self,
        commands: &[Command],
        mark: u64,
    ) -> impl Future<Output = Vec<Outcome>> + Send + 'static + use<> {
        self.lanes.send(commands, mark)
    }

    fn state(&self) -> State {
        let state = |lane: Arc<Lane>| lane.link.watch().borrow().clone();
        let mut found = State::Ready;
        for state in self.lanes.all().into_iter().map(state) {
            match (&found, &state) {
                (State::Ready, _) | (State::Reconnecting { .. }, State::Lost(_)) => found = state,
                _ => {}
            }
        }
        found
    }

    fn wait_ready(&self) -> impl Future<Output = Result<(), Failure>> + Send + 'static + use<> {
        let lanes = self.lanes.all();
        async move {
            for lane in lanes {
                link::ready_or_lost(lane.link.watch()).await?;
            }
            Ok(())
        }
    }

    /// Those of one lane share a connection, and the key that shows what arrived.
    fn lanes_of(&self, queues: &[Queue]) -> Vec<usize> {
        self.lanes.numbers(queues)
    }

    fn lane_state(&self, lane: usize) -> State {
        let lane = self.lanes.numbered(lane);
        lane.map_or(State::Ready, |lane| lane.link.watch().borrow().clone())
    }

    fn lane_ready(
        &self,
        lane: usize,
    ) -> impl Future<Output = Result<(), Failure>> + Send + 'static + use<> {
        let state = self.lanes.numbered(lane).map(|lane| lane.link.watch());
        async move {
            match state {
                Some(state) => link::ready_or_lost(state).await,
                None => Ok(()),
            }
        }
    }

    fn lane_server(&self, lane: usize) -> Option<String> {
        self.lanes.numbered(lane)?.link.place().map(|place| place.to_string())
    }

    async fn depth(&self, queue: &Queue) -> Result<u64, Failure> {
        let lane = self.lanes.of_queue(queue)?;
        self.lookers.depth(&lane.control, queue).await
    }

    async fn look(&self, queue: &Queue) -> Result<Seen, Failure> {
        let lane = self.lanes.of_queue(queue)?;
        self.lookers.look(&lane.control, queue).await
    }

    /// That of the server which is fullest, of those that answer: one that is missed takes no jobs.
    async fn memory(&self) -> Result<ServerMemory, Failure> {
        let lanes = self.lanes.all();
        if let [lane] = lanes.as_slice() {
            return health::memory(&lane.control).await;
        }
        let silent = || broken("a server does not tell how much memory it uses");
        let asked = lanes.iter().map(|lane| async move {
            let asked = tokio::time::timeout(MEMORY, health::memory(&lane.control)).await;
            asked.unwrap_or_else(|_| Err(silent()))
        });
        let mut fullest: Option<ServerMemory> = None;
        let mut trouble = broken("no server has been reached yet");
        for told in futures_util::future::join_all(asked).await {
            match told {
                Ok(memory) if fullest.is_none_or(|fullest| memory.is_fuller_than(fullest)) => {
                    fullest = Some(memory);
                }
                Ok(_) => {}
                Err(failure) if failure.lasting => return Err(failure),
                Err(failure) => trouble = failure,
            }
        }
        fullest.ok_or(trouble)
    }

    fn notices(&self) -> Vec<Notice> {
        let mut notices: Vec<Notice> = Vec::new();
        for notice in self.lanes.all().iter().flat_map(|lane| lane.link.notices()) {
            // A warning goes for every server; a loss is each one's own.
            if !(matches!(notice, Notice::Warning(_)) && notices.contains(&notice)) {
                notices.push(notice);
            }
        }
        notices
    }

    /// Removes the cursor, if the server lets it within a second.
    async fn finish(&self) {
        let lanes = self.lanes.all();
        let removals = lanes.iter().map(|lane| async move {
            let Some(cursor) = &lane.cursor else { return };
            let mut removal = redis::pipe();
            removal.cmd("DEL").arg(cursor.key());
            _ = tokio::time::timeout(REMOVAL, lane.control.ask(&removal)).await;
        });
        futures_util::future::join_all(removals).await;
    }
}

/// A connection that broke, or can't be had.
fn broken(message: &str) -> Failure {
    Failure { kind: "io".to_owned(), message: message.to_owned(), lasting: false }
}

#[cfg(test)]
mod tests;
