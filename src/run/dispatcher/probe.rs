//! Questions to the outside: how full the queues are.

use super::{Boxed, Dispatcher, SECOND_NS};
use crate::job::Format;
use crate::plan::{Guard, GuardKind};
use crate::run::clock::Clock;
use crate::run::events::Event;
use crate::run::guards::{GuardEntry, Hit};
use crate::run::jobs::Jobs;
use crate::sink::{Failure, Queue, Seen, Sink, State};
use crate::stats::workers::Workers;
use futures_util::stream::{FuturesUnordered, StreamExt};
use std::sync::Arc;

/// What a queue said.
pub(super) struct Reading {
    queue: usize,
    seen: Result<Seen, Failure>,
    lane: usize,
    /// Which question of the lane it answers.
    question: u64,
}

/// Asks the queues for their depths, one at a time in each lane, in rounds.
pub(super) struct Probe {
    queues: Vec<Queue>,
    out: FuturesUnordered<Boxed<Reading>>,
    rounds: Vec<Round>,
    unread: Vec<Unread>,
    /// The last depth of each queue, and when it was asked for.
    last: Vec<Option<(u64, u64)>>,
    /// How many jobs of each stream had their outcome when that question was asked.
    settled_then: Vec<Vec<u64>>,
    /// What the workers of each queue did.
    workers: Vec<Workers>,
    /// Which queues are asked for more than their depth.
    watched: Vec<bool>,
}

/// The questions of a lane.
#[derive(Clone, Debug, Default)]
struct Round {
    /// Its queues.
    queues: Vec<usize>,
    /// The one that was asked last, by its place among these.
    asking: usize,
    is_out: bool,
    /// Which question was asked last: an answer to an older one comes too late.
    question: u64,
    asked_ns: u64,
    /// How many jobs of each stream had their outcome then.
    settled: Vec<u64>,
    next_ns: u64,
}

/// What is known of a queue whose depth can't be read.
#[derive(Clone, Copy, Default)]
struct Unread {
    /// It has been said: once, until it can be read again.
    said: bool,
    /// Since when, if nothing but the depth is missing. While the connection is lost nothing is
    /// sent either, and a guard is kept.
    since_ns: Option<u64>,
}

/// After this long a question is given up, and a guard on a depth that can't be read stops.
const PATIENCE_NS: u64 = 5 * SECOND_NS;

/// Everything that is to be seen of a queue, or its depth alone.
async fn look<S: Sink>(sink: &S, queue: &Queue, watched: bool) -> Result<Seen, Failure> {
    if watched { sink.look(queue).await } else { sink.depth(queue).await.map(Seen::of_depth) }
}

impl Probe {
    /// Over the queues that jobs go to, and those that guards name besides.
    pub(super) fn new<'a>(
        jobs: &impl Jobs,
        guards: impl Iterator<Item = &'a Guard>,
        lanes_of: impl Fn(&[Queue]) -> Vec<usize>,
    ) -> Probe {
        let mut queues = jobs.queues().to_vec();
        for guard in guards {
            if let GuardKind::Depth { queue: Some(name), .. } = &guard.kind
                && queues.iter().all(|queue| queue.name != *name)
            {
                queues.push(Queue { name: name.clone(), format: Format::List });
            }
        }
        let unread = vec![Unread::default(); queues.len()];
        let last = vec![None; queues.len()];
        let settled_then = vec![Vec::new(); queues.len()];
        let workers = vec![Workers::default(); queues.len()];
        let watched = (0..queues.len()).map(|queue| jobs.is_watched(queue)).collect();
        let (out, rounds) = (FuturesUnordered::new(), Vec::new());
        let mut probe = Probe { queues, out, rounds, unread, last, settled_then, workers, watched };
        let lanes = lanes_of(&probe.queues);
        lanes.into_iter().enumerate().for_each(|(queue, lane)| probe.ask_in(queue, lane));
        probe
    }

    /// Notes the lane of a queue.
    fn ask_in(&mut self, queue: usize, lane: usize) {
        if self.rounds.len() <= lane {
            self.rounds.resize(lane + 1, Round::default());
        }
        self.rounds[lane].queues.push(queue);
    }

    fn lane_of(&self, queue: usize) -> usize {
        self.rounds.iter().position(|round| round.queues.contains(&queue)).unwrap_or(0)
    }

    /// Begins the next rounds now.
    fn hurry(&mut self, now_ns: u64) {
        self.rounds.iter_mut().for_each(|round| round.next_ns = now_ns);
    }

    /// The place of a queue, taken in if it is new; and whether it is.
    pub(super) fn place(&mut self, queue: &Queue, watched: bool, lane: usize) -> (usize, bool) {
        if let Some(place) = self.queues.iter().position(|known| known == queue) {
            return (place, false);
        }
        self.queues.push(queue.clone());
        self.unread.push(Unread::default());
        self.last.push(None);
        self.settled_then.push(Vec::new());
        self.workers.push(Workers::default());
        self.watched.push(watched);
        self.ask_in(self.queues.len() - 1, lane);
        (self.queues.len() - 1, true)
    }

    /// The last depth of a queue, with the instant at which it was asked for.
    pub(super) fn last(&self, queue: usize) -> Option<(u64, u64)> {
        self.last[queue]
    }

    /// How many jobs of a stream had their outcome when a queue was asked for its last depth.
    pub(super) fn settled_then(&self, queue: usize, stream: usize) -> u64 {
        self.settled_then[queue].get(stream).copied().unwrap_or(0)
    }

    pub(super) fn queues(&self) -> &[Queue] {
        &self.queues
    }

    /// What the workers of a queue did.
    pub(super) fn workers(&self, queue: usize) -> &Workers {
        &self.workers[queue]
    }

    pub(super) fn is_watched(&self, queue: usize) -> bool {
        self.watched[queue]
    }

    pub(super) fn is_out(&self) -> bool {
        !self.out.is_empty()
    }

    /// Resolves with the answer to a question that is out; never without one.
    pub(super) async fn reading(&mut self) -> Reading {
        match self.out.next().await {
            Some(reading) => reading,
            None => std::future::pending().await,
        }
    }
}

impl<J: Jobs, S: Sink, C: Clock + 'static> Dispatcher<J, S, C> {
    /// Asks whatever is to be asked for by now.
    pub(super) fn ask(&mut self, now_ns: u64) {
        if self.guards.asks_files() {
            self.look(now_ns);
        }
        self.ask_own_and_server(now_ns);
        let waited = self.task.waits.is_waiting();
        self.judge_waits(now_ns);
        if !waited && self.task.waits.is_waiting() {
            self.probe.hurry(now_ns);
        }
        self.warn(now_ns);
        if self.guards.asks_errors() {
            let hits = self.guards.judge_errors(now_ns);
            self.act(hits, now_ns);
        }
        let often = self.guards.asks_depths()
            || self.guards.asks_workers()
            || self.expecting.asks_depths()
            || self.task.waits.is_waiting();
        for lane in 0..self.probe.rounds.len() {
            self.ask_lane(lane, often, now_ns);
        }
    }

    /// Begins a round of a lane's queues if it is time, and gives up a question that is out for too
    /// long.
    fn ask_lane(&mut self, lane: usize, often: bool, now_ns: u64) {
        let round = &mut self.probe.rounds[lane];
        if round.is_out && now_ns.saturating_sub(round.asked_ns) > PATIENCE_NS {
            round.is_out = false;
            let queue = round.queues[round.asking];
            self.probe_failed(queue, "no answer", now_ns);
        }
        let round = &mut self.probe.rounds[lane];
        if !round.is_out && now_ns >= round.next_ns && !round.queues.is_empty() {
            let every_ns = if often { 0 } else { SECOND_NS };
            round.next_ns = now_ns.saturating_add(every_ns);
            self.ask_depth(lane, 0, now_ns);
        }
    }

    fn ask_depth(&mut self, lane: usize, place: usize, now_ns: u64) {
        let round = &mut self.probe.rounds[lane];
        round.asking = place;
        round.asked_ns = now_ns;
        round.is_out = true;
        round.question += 1;
        let streams = self.stats.streams().iter();
        round.settled = streams.map(|stream| stream.counts.acked + stream.counts.unknown).collect();
        let (queue, question) = (round.queues[place], round.question);
        let (sink, asked) = (Arc::clone(&self.sink), self.probe.queues[queue].clone());
        let watched = self.probe.watched[queue];
        self.probe.out.push(Box::pin(async move {
            let seen = look(sink.as_ref(), &asked, watched).await;
            Reading { queue, seen, lane, question }
        }));
    }

    /// Takes an answer in and asks the next queue of the round.
    pub(super) fn depth_read(&mut self, reading: Reading) {
        let now_ns = self.clock.now_ns();
        let round = &mut self.probe.rounds[reading.lane];
        if reading.question != round.question || !round.is_out {
            return;
        }
        round.is_out = false;
        let (asked_ns, next) = (round.asked_ns, round.asking + 1);
        let has_next = next < round.queues.len();
        match reading.seen {
            Ok(seen) => {
                let depth = seen.depth();
                self.note_workers(reading.queue, seen);
                self.probe.unread[reading.queue] = Unread::default();
                self.probe.last[reading.queue] = Some((asked_ns, depth));
                let settled = &self.probe.rounds[reading.lane].settled;
                self.probe.settled_then[reading.queue].clone_from(settled);
                if self.is_warming(reading.queue, now_ns) {
                    self.stats.depth_mut(reading.queue).seen_unjudged(depth);
                } else {
                    self.stats.depth_mut(reading.queue).seen(depth);
                }
                let hits = self.guards.judge_depth(reading.queue, depth, now_ns);
                self.act(hits, now_ns);
                self.note_depth(reading.queue, depth);
                self.judge_waits(now_ns);
            }
            Err(failure) => self.probe_failed(reading.queue, &failure.message, now_ns),
        }
        if has_next {
            self.ask_depth(reading.lane, next, now_ns);
        }
    }

    fn note_workers(&mut self, queue: usize, seen: Seen) {
        let now_ns = self.clock.now_ns();
        let now_unix_ns = self.clock.start_unix_ns().saturating_add(now_ns);
        let judged = !self.is_warming(queue, self.clock.now_ns());
        self.probe.workers[queue].seen_while(seen, now_unix_ns / 1_000_000, judged);
        if !self.guards.asks_workers() {
            return;
        }
        let queues = |stream: Option<usize>| match stream {
            Some(stream) => crate::run::jobs::queues_of(&self.task.jobs, stream),
            None => (0..self.probe.queues.len()).collect(),
        };
        let age_s = |stream| {
            let ages = queues(stream).into_iter().filter_map(|at| self.probe.workers[at].age_s());
            ages.reduce(f64::max)
        };
        let counts = |stream| {
            let (mut failed, mut begun) = (0, 0);
            for at in queues(stream) {
                let workers = &self.probe.workers[at];
                failed += workers.failed()?;
                begun += workers.begun(self.acked_by(at)?)?;
            }
            Some((begun, failed))
        };
        let streams = std::iter::once(None).chain(self.streams().map(Some));
        let told: Vec<_> = streams.map(|stream| (stream, age_s(stream), counts(stream))).collect();
        let of = |stream| told.iter().find(|(own, ..)| *own == stream);
        let hits =
            self.guards.judge_workers(|stream| of(stream)?.1, |stream| of(stream)?.2, now_ns);
        self.act(hits, now_ns);
    }

    /// A depth could not be read: says so once, and stops what guards on it speak of if that goes
    /// on.
    fn probe_failed(&mut self, queue: usize, why: &str, now_ns: u64) {
        let message = self.say_unread(queue, why);
        let lane = self.probe.lane_of(queue);
        let is_ready = matches!(self.sink.lane_state(lane), State::Ready);
        let asked_ns = self.probe.rounds[lane].asked_ns;
        // Of several servers one may be missed before its connections break: it takes no jobs either.
        let unanswered_ns = self.flights.oldest_ns_in(lane).filter(|_| self.lanes.count() > 1);
        let is_silent = unanswered_ns.is_some_and(|sent_ns| sent_ns <= asked_ns);
        let connected = is_ready && !self.lanes.is_lost(lane) && !is_silent;
        let unread = &mut self.probe.unread[queue];
        unread.since_ns = connected.then(|| unread.since_ns.unwrap_or(asked_ns));
        if unread.since_ns.is_none_or(|since_ns| now_ns.saturating_sub(since_ns) < PATIENCE_NS) {
            return;
        }
        for Hit { guard, value, effect } in self.guards.blind_on(queue) {
            let entry = self.guards.entry(guard, value, now_ns);
            let (action, cause) = ("stop".to_owned(), Some(message.clone()));
            self.note_hit(guard, GuardEntry { action, cause, ..entry });
            self.stop_by_guard(effect, now_ns);
        }
    }

    /// Warns of a depth that can't be read, once; returns the warning.
    fn say_unread(&mut self, queue: usize, why: &str) -> String {
        let name = &self.probe.queues[queue].name;
        let message = format!("depth of queue {name:?} unknown: {why}");
        if !std::mem::replace(&mut self.probe.unread[queue].said, true) {
            self.tell(Event::Warning { message: message.clone() });
        }
        message
    }

    /// Reads all depths before or after the run, as far as they can be read. Returns what a guard
    /// can't be kept for: a failure that lasts, of a queue that it watches.
    pub(super) async fn read_depths(
        &mut self,
        note: impl Fn(&mut Self, usize, u64),
    ) -> Option<Failure> {
        self.probe.out.clear();
        self.probe.rounds.iter_mut().for_each(|round| round.is_out = false);
        let (mut blind, mut silent) = (None, Vec::new());
        for queue in 0..self.probe.queues.len() {
            let lane = self.probe.lane_of(queue);
            let server = self.sink.lane_server(lane);
            let is_of = |(own, at): &(usize, Option<String>)| {
                *own == lane || (server.is_some() && *at == server)
            };
            if silent.iter().any(is_of) {
                continue;
            }
            let watched = self.probe.watched[queue];
            let looked = look(self.sink.as_ref(), &self.probe.queues[queue], watched).await;
            let failure = match looked {
                Ok(seen) => {
                    self.note_depth(queue, seen.depth());
                    note(self, queue, seen.depth());
                    self.note_workers(queue, seen);
                    continue;
                }
                Err(failure) => failure,
            };
            let message = self.say_unread(queue, &failure.message);
            if !failure.lasting {
                // The others of its server would not be told either, or only after as long a wait.
                silent.push((lane, server));
                continue;
            }
            if let Some(guard) = self.guards.watching(queue) {
                let text = &self.guards.guard(guard).text;
                let message = format!("`{text}` can't be kept: {message}");
                blind.get_or_insert(Failure { message, ..failure });
            }
        }
        blind
    }
}
