//! One task that owns the order of everything: what falls due, what may be sent, what is sent, what
//! became of it. Everybody else sends it messages.
//!
//! ```text
//!          ┌── fall_due ── pacer, guards ──→ due counts
//!  step ───┼── send ────── backlog, guards → a batch ──→ sink ──┐
//!          └── ask, tell                                        │
//!  wait ←── replies ←───────────────────────────────────────────┘
//!       ←── wishes, readiness of the sink, depths, the clock
//! ```
//!
//! The sink never holds the schedule up: what is in flight is bounded, and beyond that what falls
//! due is only counted, by the [`Backlog`]. Answers are read between any two writes.

mod braking;
mod drain;
mod due;
mod expecting;
mod flights;
mod holding;
mod lanes;
mod lateness;
mod link;
mod look;
mod notes;
mod own;
mod probe;
mod record;
mod send;
mod steer;
mod tell;
mod waiting;
mod warming;

use super::backlog::Backlog;
use super::clock::{Clock, give_way};
use super::control::{Control, End, Order, Why, Wishes};
use super::events::{Event, Publisher, Record};
use super::expecting::Expecting;
use super::guards::{ASK_EVERY_NS, Guards};
use super::jobs::Jobs;
use super::late::Lates;
use super::options::{RunOptions, nanos};
use super::pacer::Pacer;
use super::report::{OutcomeName, ReloadEntry, Report};
use super::stream_clock::Pace;
use super::waits::Waits;
use super::warmup::Warmups;
use crate::plan::{Expectation, Guard, Late, Phrase, WallClock};
use crate::schedule::{Schedule, Source, Spliced};
use crate::sink::{BatchBuilder, Failure, ServerMemory, Sink};
use crate::stats::{Flight, Stats};
use flights::{Flights, Reply};
use futures_util::FutureExt;
use futures_util::stream::{FuturesUnordered, StreamExt};
use lanes::Lanes;
use look::Lookout;
use notes::Notes;
use own::{Load, Server};
use probe::{Probe, Reading};
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use steer::{Lists, Sending};
use tell::Teller;
use tokio::sync::{mpsc, watch};

pub(super) type Boxed<T> = Pin<Box<dyn Future<Output = T> + Send>>;

/// Nanoseconds in a second.
const SECOND_NS: u64 = 1_000_000_000;

/// How many replies in a row are read before others get a turn.
const TURNS: u32 = 16;

/// A plan made ready to run.
pub struct Task<J> {
    /// The script's file.
    pub file: String,
    /// The plan's digest.
    pub digest: String,
    /// The plan's seed.
    pub seed: u64,
    /// The names of the streams and their due jobs.
    pub streams: Vec<(Option<String>, Arc<dyn Schedule>)>,
    /// What becomes of their jobs that are overdue, by streams; those beyond its end are sent.
    pub late: Vec<Late>,
    /// What they send.
    pub jobs: J,
    /// What bounds them.
    pub guards: Vec<Guard>,
    /// What is judged at the end.
    pub expectations: Vec<Expectation>,
    /// When the jobs of each stream are due by its script: with these the run can be given another
    /// one, or another place in it. None for streams that are of no script.
    pub sources: Vec<Source>,
    /// Where the plan stands in the calendar.
    pub wall: WallClock,
    /// The phrases of each stream.
    pub places: Vec<Vec<Phrase>>,
    /// What of the streams only warms up.
    pub warmups: Warmups,
    /// What of them may end before its time.
    pub waits: Waits,
}

/// Why a run ends before its plan does.
#[derive(Clone, Debug)]
enum Ending {
    Guard,
    Missed,
    Wished(Why),
    Failed(Failure),
}

/// See the module.
pub(super) struct Dispatcher<J, S, C> {
    task: Task<J>,
    options: RunOptions,
    sink: Arc<S>,
    clock: Arc<C>,
    /// Kept so that wishes can always be waited for.
    _control: Control,
    wishes: watch::Receiver<Wishes>,
    orders: mpsc::UnboundedReceiver<Order>,
    paused_by_hand: bool,
    /// What each stream follows, if it is of a script.
    splices: Vec<Spliced>,
    /// So many times the plan's jobs fall due.
    scale: f64,
    /// What each stream sends.
    sending: Vec<Sending>,
    lists: Lists,
    /// What streams send that the newest plan does not have.
    old_jobs: Vec<(J, Lists)>,
    reloads: Vec<ReloadEntry>,
    /// How long after the end the queues were empty, in microseconds.
    drained_us: Option<f64>,

    pacer: Pacer,
    /// Everything before this instant has fallen due.
    fresh_ns: u64,
    backlog: Backlog,
    lates: Lates,
    /// Streams whose overdue jobs are given up as soon as they can't be sent at once.
    ending_streams: Vec<bool>,
    guards: Guards,
    stats: Stats,
    expecting: Expecting,

    builder: BatchBuilder<Flight>,
    /// Room for the shares of a batch.
    shares: Vec<u64>,
    flights: Flights,
    notes: Notes,
    replies: FuturesUnordered<Boxed<Reply>>,
    lanes: Lanes,
    probe: Probe,
    lookouts: Vec<Lookout>,
    load: Load,
    server: Server,
    next_ask_ns: u64,
    /// Some guard slows or sheds.
    braking: bool,
    /// Room for the paces of the streams.
    paces: Vec<Pace>,

    ending: Option<Ending>,
    /// A stream was stopped by a guard, the run was not.
    stream_stopped: bool,
    /// Nothing more is to be waited for.
    broken_off: bool,
    /// When what is in flight is no longer waited for.
    drain_until_ns: Option<u64>,
    turns: u32,
    teller: Teller,
    /// The run's time when this process took it up: 0 for its start.
    resumed_at_ns: u64,
    /// It was begun by another process.
    is_resumed: bool,
    /// The wall clock's distance from the run's.
    wall_offset_ns: i64,
    /// The target lost what it had acknowledged to the process before.
    has_forgotten: bool,
}

/// What ended a wait.
enum Happened {
    Reply(Reply),
    Ready(usize, Result<(), Failure>),
    Reading(Reading),
    Memory(Result<ServerMemory, Failure>),
    Order(Order),
    Other,
}

impl<J: Jobs, S: Sink, C: Clock + 'static> Dispatcher<J, S, C> {
    pub(super) fn new(
        task: Task<J>,
        sink: S,
        mut options: RunOptions,
        clock: C,
        control: Control,
        publisher: Publisher,
    ) -> Dispatcher<J, S, C> {
        let streams = task.streams.len();
        let schedules = task.streams.iter().map(|(_, schedule)| schedule.clone()).collect();
        let probe = Probe::new(&task.jobs, task.guards.iter().chain(&options.guards), |queues| {
            sink.lanes_of(queues)
        });
        let guards = task.guards.iter().chain(&options.guards).cloned().collect();
        let queues_of = |stream| super::jobs::queues_of(&task.jobs, stream);
        let guards = Guards::new(guards, probe.queues(), streams, queues_of);
        let lookouts =
            guards.files().into_iter().map(|(guard, path)| Lookout::new(guard, path)).collect();
        let braking = guards.has_brakes();
        let kinds = |stream: usize| {
            task.jobs.kinds(stream).iter().map(|kind| kind.name.clone()).collect::<Vec<_>>()
        };
        let planned = task.streams.iter().enumerate();
        let accounts = planned.map(|(stream, (_, jobs))| (jobs.len(), kinds(stream))).collect();
        let stats = Stats::new(accounts, probe.queues().len());
        let mut stats = stats;
        if task.warmups.is_any() {
            stats.judge_apart();
        }
        let in_order: Vec<usize> = (0..streams).collect();
        let expecting = Expecting::new(&task.expectations, &in_order);
        let queues = probe.queues().iter().map(|queue| queue.name.clone()).collect();
        publisher.history().begin(options.history, queues);
        let teller = Teller::new(publisher, task.jobs.queues().len(), options.history.every_ns);
        let resumption = options.resumption.take();
        let before = resumption.as_ref().map(|from| &from.base);
        let (next, settled) =
            before.map_or((1, Vec::new()), |base| (base.next_batch, base.settled_in.clone()));
        let refusing = before.map(|base| base.refusing.clone()).unwrap_or_default();
        let mut dispatcher = Dispatcher {
            pacer: Pacer::new(options.gap, schedules),
            fresh_ns: 0,
            backlog: Backlog::new(streams),
            lates: Lates::new(task.late.clone(), streams, nanos(options.gap)),
            ending_streams: vec![false; streams],
            guards,
            stats,
            expecting,
            builder: BatchBuilder::new(task.jobs.queues().to_vec(), options.command),
            shares: Vec::with_capacity(streams),
            flights: Flights::from(next.max(1)),
            notes: Notes::new(options.journal.take(), settled, refusing),
            replies: FuturesUnordered::new(),
            lanes: Lanes::new(sink.lanes_of(task.jobs.queues())),
            probe,
            lookouts,
            load: Load::default(),
            server: Server::default(),
            next_ask_ns: 0,
            braking,
            paces: Vec::new(),
            ending: None,
            stream_stopped: false,
            broken_off: false,
            drain_until_ns: None,
            turns: 0,
            teller,
            wishes: control.watch(),
            orders: control.take_orders(),
            splices: task.sources.iter().cloned().map(Spliced::new).collect(),
            scale: 1.0,
            sending: (0..streams).map(|stream| Sending::of(&task.jobs, stream)).collect(),
            lists: Lists::first(task.jobs.queues().len()),
            old_jobs: Vec::new(),
            reloads: Vec::new(),
            drained_us: None,
            _control: control,
            paused_by_hand: false,
            clock: Arc::new(clock),
            sink: Arc::new(sink),
            options,
            task,
            resumed_at_ns: 0,
            is_resumed: resumption.is_some(),
            has_forgotten: false,
            wall_offset_ns: 0,
        };
        dispatcher.map_lanes();
        if let Some(resumption) = &resumption {
            dispatcher.resumed_at_ns = resumption.at_ns;
            dispatcher.has_forgotten = resumption.forgot;
            let left = resumption.splices.iter().enumerate();
            for (stream, spliced) in left.filter_map(|(at, spliced)| Some((at, spliced.clone()?))) {
                dispatcher.splices[stream] = spliced;
            }
            dispatcher.go_on_from(resumption);
        }
        dispatcher
    }

    /// Runs the plan to its end, or to an earlier one.
    pub(super) async fn play(mut self) -> Report {
        self.open().await;
        loop {
            let now_ns = self.clock.now_ns();
            self.heed_wishes(now_ns);
            self.step(now_ns);
            if self.is_over() {
                break;
            }
            self.wait().await;
        }
        self.close().await
    }

    fn streams(&self) -> std::ops::Range<usize> {
        0..self.task.streams.len()
    }

    fn overdue(&self, stream: usize) -> u64 {
        self.backlog.overdue(stream, self.pacer.due(stream))
    }

    /// Does what is to be done at an instant.
    fn step(&mut self, now_ns: u64) {
        self.tell_lost(now_ns);
        let deadline = self.guards.next_deadline_ns();
        let next = [self.pacer.next_wake_ns(), deadline].into_iter().flatten().min();
        if next.is_some_and(|next| next <= now_ns) {
            self.pacer.wake(now_ns);
            self.fall_due(now_ns);
        }
        self.judge_late(now_ns);
        self.slow(now_ns);
        self.send(now_ns);
        self.shed(now_ns);
        self.end_streams(now_ns);
        if self.drain_until_ns.is_some_and(|until| until <= now_ns) {
            self.abandon_flights("no answer before the end of the run", now_ns);
        }
        if now_ns >= self.next_ask_ns {
            self.next_ask_ns = now_ns - now_ns % ASK_EVERY_NS + ASK_EVERY_NS;
            self.ask(now_ns);
            self.look_at_expectations(now_ns);
        }
        self.cut_slices(now_ns);
        self.tell_seconds(now_ns);
    }

    /// Whether everything is over and accounted for.
    fn is_over(&self) -> bool {
        self.flights.is_empty()
            && self.streams().all(|stream| self.pacer.is_over(stream) && self.overdue(stream) == 0)
    }

    /// Waits until there is something to do, and takes it in.
    async fn wait(&mut self) {
        let wake_ns = self.next_wake_ns(self.clock.now_ns());
        let happened = tokio::select! {
            biased;
            Some(reply) = self.replies.next(), if !self.replies.is_empty() => Happened::Reply(reply),
            _ = self.wishes.changed() => Happened::Other,
            Some(order) = self.orders.recv() => Happened::Order(order),
            (lane, ready) = self.lanes.ready(), if self.lanes.is_held() => Happened::Ready(lane, ready),
            memory = self.server.reading(), if self.server.is_out() => Happened::Memory(memory),
            reading = self.probe.reading(), if self.probe.is_out() => Happened::Reading(reading),
            () = self.clock.sleep_until(wake_ns) => {
                self.turns = 0;
                Happened::Other
            }
        };
        self.notice_stall(wake_ns);
        match happened {
            Happened::Reply(reply) => {
                self.settle(reply);
                while let Some(Some(reply)) = self.replies.next().now_or_never() {
                    self.settle(reply);
                }
                self.turns += 1;
            }
            Happened::Ready(lane, ready) => self.link_ready(lane, ready),
            Happened::Reading(reading) => self.depth_read(reading),
            Happened::Memory(reading) => self.memory_read(reading),
            Happened::Order(order) => self.obey(order),
            Happened::Other => {}
        }
        if self.turns >= TURNS {
            self.turns = 0;
            give_way().await;
        }
    }

    /// The next instant at which something is to be done without anything happening before.
    fn next_wake_ns(&mut self, now_ns: u64) -> u64 {
        if self.can_send(now_ns) {
            return now_ns;
        }
        let gap_ns = nanos(self.options.gap).max(1);
        let room = if self.is_throttled() { self.guards.next_room_ns(now_ns) } else { None };
        let spreading = self
            .streams()
            .any(|stream| self.lates.is_spreading(stream) && self.overdue(stream) > 0);
        let spread = (spreading && self.is_throttled()).then_some(now_ns + gap_ns);
        let held = self.lanes.next_retry_ns(now_ns);
        let wakes = [
            self.pacer.next_wake_ns(),
            self.guards.next_deadline_ns(),
            room.map(|room_ns| room_ns.max(now_ns + gap_ns)),
            spread,
            held,
            self.drain_until_ns,
            Some(self.next_ask_ns),
            Some(self.teller.next_second_ns()),
            Some(self.teller.next_slice_ns()),
        ];
        wakes.into_iter().flatten().min().unwrap_or(now_ns)
    }

    /// Does what somebody outside has wished.
    fn heed_wishes(&mut self, now_ns: u64) {
        let wishes = *self.wishes.borrow_and_update();
        if wishes.paused != self.paused_by_hand {
            self.paused_by_hand = wishes.paused;
            let (by, stream) = ("hand".to_owned(), None);
            self.set_pauses(now_ns);
            self.tell(if wishes.paused {
                Event::Paused { by, stream }
            } else {
                Event::Resumed { by, stream }
            });
        }
        match wishes.end {
            Some(End::Drain(why)) if self.ending.is_none() => {
                self.stop_run(Ending::Wished(why), now_ns);
            }
            Some(End::Now(why)) => {
                self.stop_run(Ending::Wished(why), now_ns);
                self.abandon_flights("the run was broken off", now_ns);
                self.broken_off = true;
            }
            _ => {}
        }
    }

    /// Ends the run: from the last tick on nothing falls due, nothing more is sent, and what is in
    /// flight is waited for within a bound. The first reason counts.
    fn stop_run(&mut self, ending: Ending, now_ns: u64) {
        self.ending.get_or_insert(ending);
        for stream in self.streams() {
            self.pacer.close(stream, now_ns);
            self.give_up(stream);
        }
    }

    fn start_draining(&mut self, now_ns: u64) {
        let until_ns = now_ns.saturating_add(nanos(self.options.drain));
        self.drain_until_ns.get_or_insert(until_ns);
    }

    /// Gives the run up because the target takes nothing.
    fn fail(&mut self, failure: Failure, now_ns: u64) {
        if self.ending.is_some() {
            return;
        }
        let overdue = self.streams().map(|stream| self.overdue(stream)).sum();
        if overdue > 0 {
            self.stats.error(&failure, overdue, now_ns);
        }
        self.stop_run(Ending::Failed(failure), now_ns);
    }

    fn give_up(&mut self, stream: usize) {
        self.note_stopped(stream);
        let left = self.backlog.give_up(stream, self.pacer.due(stream));
        self.stats.skipped(stream, left);
    }

    fn outcome(&self) -> OutcomeName {
        match &self.ending {
            Some(Ending::Guard) => OutcomeName::Guard,
            Some(Ending::Missed) => OutcomeName::Missed,
            Some(Ending::Wished(Why::ByHand)) => OutcomeName::Stopped,
            Some(Ending::Wished(Why::Interrupt)) => OutcomeName::Interrupted,
            Some(Ending::Failed(_)) => OutcomeName::Failed,
            None if self.stream_stopped => OutcomeName::Guard,
            None => OutcomeName::Done,
        }
    }

    fn tell(&self, event: Event) {
        let now_ns = self.clock.now_ns();
        let at = self.clock.start_unix_ns().saturating_add(now_ns);
        self.teller.tell(Record { at, t_s: now_ns as f64 / 1e9, event });
    }
}

#[cfg(test)]
mod tests;
