//! Stand-ins for the rooms on either side, for the tests of this one.

use super::clock::{Clock, RehearsalClock};
use super::jobs::{Choice, DueJob, Jobs, Kind};
use crate::job::{CompileError, Format};
use crate::plan::Plan;
use crate::schedule::Schedule;
use crate::sink::{Command, Failure, Outcome, Queue, ServerMemory, Sink, State, Unit};
use std::collections::BTreeMap;
use std::future::Future;
use std::sync::{Arc, Mutex};

/// Jobs due at instants that a test writes down.
#[derive(Clone, Debug)]
pub(crate) struct Listed {
    times_ns: Vec<u64>,
    end_ns: u64,
}

impl Listed {
    /// In any order; the stream ends at its last job.
    pub(crate) fn at(mut times_ns: Vec<u64>) -> Listed {
        times_ns.sort_unstable();
        let end_ns = times_ns.last().copied().unwrap_or(0);
        Listed { times_ns, end_ns }
    }

    /// `count` jobs, the k-th in the middle of the k-th interval, as a constant rate has them.
    pub(crate) fn every(interval_ns: u64, count: u64) -> Listed {
        let times_ns = (0..count).map(|k| k * interval_ns + interval_ns / 2).collect();
        Listed { times_ns, end_ns: interval_ns * count }
    }

    /// A rate rising from 0 to `peak_per_s`: Λ(t) = peak·t²/2T, so T(k) = √(2T(k − ½)/peak).
    pub(crate) fn rising(peak_per_s: f64, seconds: f64) -> Listed {
        let count = (peak_per_s * seconds / 2.0) as u64;
        let time = |k: u64| (2.0 * seconds * (k as f64 - 0.5) / peak_per_s).sqrt() * 1e9;
        Listed {
            times_ns: (1..=count).map(|k| time(k) as u64).collect(),
            end_ns: (seconds * 1e9) as u64,
        }
    }

    pub(crate) fn ending_at(self, end_ns: u64) -> Listed {
        Listed { end_ns, ..self }
    }

    pub(crate) fn shared(self) -> Arc<dyn Schedule> {
        Arc::new(self)
    }
}

impl Schedule for Listed {
    fn len(&self) -> u64 {
        self.times_ns.len() as u64
    }

    fn due_by(&self, t_ns: u64) -> u64 {
        self.times_ns.partition_point(|time| *time <= t_ns) as u64
    }

    fn time_of(&self, index: u64) -> u64 {
        self.times_ns[index as usize - 1]
    }

    fn number_of(&self, index: u64) -> u64 {
        index
    }

    fn rate(&self, t_ns: u64) -> f64 {
        // Of the second around it, or at an end of the one next to it. As in a curve, jobs at one
        // instant make no rate.
        let second_ns = 1_000_000_000.min(self.end_ns.max(1));
        let from_ns = t_ns.saturating_sub(second_ns / 2).min(self.end_ns.saturating_sub(second_ns));
        let (from, to) = (self.due_by(from_ns), self.due_by(from_ns + second_ns));
        let around = &self.times_ns[from as usize..to as usize];
        around.chunk_by(|a, b| a == b).count() as f64 / (second_ns as f64 / 1e9)
    }

    fn end_ns(&self) -> u64 {
        self.end_ns
    }
}

/// Jobs whose payload is `stream:number`, of one kind per queue in turn.
#[derive(Clone, Debug)]
pub(crate) struct FakeJobs {
    queues: Vec<Queue>,
    kinds: Vec<Vec<Kind>>,
}

impl FakeJobs {
    /// For each stream the queues it goes to, by name.
    pub(crate) fn to(streams: &[&[&str]]) -> FakeJobs {
        let mut queues: Vec<Queue> = Vec::new();
        let mut kinds = Vec::new();
        for names in streams {
            let mut own = Vec::new();
            for name in *names {
                let known = queues.iter().position(|queue| queue.name == *name);
                let place = known.unwrap_or_else(|| {
                    queues.push(Queue { name: (*name).to_owned(), format: Format::List });
                    queues.len() - 1
                });
                own.push(Kind { name: format!("to {name}"), queues: vec![place] });
            }
            kinds.push(own);
        }
        FakeJobs { queues, kinds }
    }
}

impl Jobs for FakeJobs {
    fn queues(&self) -> &[Queue] {
        &self.queues
    }

    fn kinds(&self, stream: usize) -> &[Kind] {
        &self.kinds[stream]
    }

    fn choose(&self, stream: usize, number: u64) -> Choice {
        let job = number as usize % self.kinds[stream].len();
        Choice { job, queue: self.kinds[stream][job].queues[0] }
    }

    fn write(&self, due: DueJob, choice: Choice, unit: &mut Unit) {
        let push = unit.shared(0, |args| {
            args.push(b"LPUSH");
            args.push(self.queues[choice.queue].name.as_bytes());
        });
        push.push(format!("{}:{}", due.stream, due.number).as_bytes());
    }

    /// The same, whatever the plan.
    fn of_plan(&self, _: &Plan, _: &str) -> Result<FakeJobs, CompileError> {
        Ok(self.clone())
    }
}

/// What the fake sink does with one command.
#[derive(Clone, Debug)]
pub(crate) enum Fate {
    Acked,
    Failed(&'static str, bool),
    Unknown,
    NotSent,
}

/// When and how a batch is answered.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    /// Nanoseconds after the sending; `None` is never.
    pub(crate) after_ns: Option<u64>,
    /// What becomes of its commands; the last holds for the rest.
    pub(crate) fates: Vec<Fate>,
}

impl Answer {
    pub(crate) fn all(fate: Fate, after_ns: u64) -> Answer {
        Answer { after_ns: Some(after_ns), fates: vec![fate] }
    }

    pub(crate) fn never() -> Answer {
        Answer { after_ns: None, fates: vec![Fate::Acked] }
    }
}

/// What the fake sink saw.
#[derive(Clone, Debug, Default)]
pub(crate) struct Seen {
    /// Accepted payloads with the instants of their sending, in order.
    pub(crate) accepted: Vec<(u64, String)>,
    /// Jobs of each call that was not refused unsent, with its instant.
    pub(crate) sends: Vec<(u64, u64)>,
    /// How many of them by their queues.
    taken: BTreeMap<String, u64>,
    /// The most jobs it had at once and had not answered.
    pub(crate) most_in_flight: u64,
    in_flight: u64,
    calls: u64,
}

impl Seen {
    /// Jobs sent in any window of this length: the most there were.
    pub(crate) fn busiest(&self, window_ns: u64) -> u64 {
        let (mut most, mut sum, mut first) = (0, 0, 0);
        for (at, jobs) in &self.sends {
            sum += jobs;
            while self.sends[first].0 + window_ns <= *at {
                sum -= self.sends[first].1;
                first += 1;
            }
            most = most.max(sum);
        }
        most
    }

    pub(crate) fn numbers(&self, stream: usize) -> Vec<u64> {
        let prefix = format!("{stream}:");
        let own = self.accepted.iter().filter_map(|(_, payload)| payload.strip_prefix(&prefix));
        own.map(|number| number.parse().unwrap()).collect()
    }
}

type Script = dyn FnMut(u64, u64) -> Answer + Send;
type Memory = dyn Fn(u64) -> Result<ServerMemory, Failure> + Send + Sync;
type Depth = dyn Fn(u64, &str) -> Result<u64, Failure> + Send + Sync;

/// A sink that does what a test's script says for each call: of (its number, the instant).
#[derive(Clone)]
pub(crate) struct FakeSink {
    pub(crate) clock: RehearsalClock,
    script: Arc<Mutex<Box<Script>>>,
    seen: Arc<Mutex<Seen>>,
    /// Until when it is reconnecting (`u64::MAX`: for good).
    pub(crate) down_until_ns: Arc<Mutex<u64>>,
    depth: Arc<Depth>,
    memory: Arc<Memory>,
    /// Each queue has a lane of its own.
    has_lanes: bool,
    /// A queue whose depth is never told.
    silent_depth: Option<&'static str>,
    lanes: Arc<Mutex<Vec<FakeLane>>>,
}

/// A lane of the fake sink.
#[derive(Clone, Debug, Default)]
pub(crate) struct FakeLane {
    pub(crate) queue: String,
    /// Until when it is reconnecting.
    pub(crate) down_until_ns: u64,
    /// Until when it takes commands and does not answer.
    pub(crate) silent_until_ns: u64,
}

pub(crate) fn failure(kind: &str, lasting: bool) -> Failure {
    Failure { kind: kind.to_owned(), message: format!("{kind} it is"), lasting }
}

impl FakeSink {
    pub(crate) fn new(
        clock: RehearsalClock,
        script: impl FnMut(u64, u64) -> Answer + Send + 'static,
    ) -> FakeSink {
        FakeSink {
            clock,
            script: Arc::new(Mutex::new(Box::new(script))),
            seen: Arc::default(),
            down_until_ns: Arc::default(),
            depth: Arc::new(|_, _| Ok(0)),
            memory: Arc::new(|_| Ok(ServerMemory { used_bytes: 0, allowed_bytes: None })),
            has_lanes: false,
            silent_depth: None,
            lanes: Arc::default(),
        }
    }

    /// With a lane for each queue, in the order of the queues.
    pub(crate) fn with_lanes(self) -> FakeSink {
        FakeSink { has_lanes: true, ..self }
    }

    /// With a queue whose depth is asked for in vain once the run is under way.
    pub(crate) fn with_silent_depth(self, queue: &'static str) -> FakeSink {
        FakeSink { silent_depth: Some(queue), ..self }
    }

    /// Changes the lane of a queue.
    pub(crate) fn lane(&self, queue: &str, change: impl FnOnce(&mut FakeLane)) {
        let lane = self.lane_named(queue);
        change(&mut self.lanes.lock().unwrap()[lane]);
    }

    fn lane_named(&self, queue: &str) -> usize {
        let mut lanes = self.lanes.lock().unwrap();
        if !self.has_lanes && !lanes.is_empty() {
            return 0;
        }
        lanes.iter().position(|lane| lane.queue == queue).unwrap_or_else(|| {
            lanes.push(FakeLane { queue: queue.to_owned(), ..FakeLane::default() });
            lanes.len() - 1
        })
    }

    /// The lane that commands are of, which must be one.
    fn lane_of(&self, commands: &[Command]) -> FakeLane {
        let name = |command: &Command| {
            String::from_utf8(command.args.iter().nth(1).unwrap().to_vec()).unwrap()
        };
        let mut lanes: Vec<usize> =
            commands.iter().map(|command| self.lane_named(&name(command))).collect();
        lanes.dedup();
        assert!(lanes.len() <= 1, "commands of several lanes");
        let lane = lanes.first().map(|lane| self.lanes.lock().unwrap()[*lane].clone());
        lane.unwrap_or_default()
    }

    /// With memory used as a function of the instant says.
    pub(crate) fn with_memory(
        self,
        memory: impl Fn(u64) -> Result<ServerMemory, Failure> + Send + Sync + 'static,
    ) -> FakeSink {
        FakeSink { memory: Arc::new(memory), ..self }
    }

    /// With queues as deep as a function of the instant and the name says.
    pub(crate) fn with_depth(
        self,
        depth: impl Fn(u64, &str) -> Result<u64, Failure> + Send + Sync + 'static,
    ) -> FakeSink {
        FakeSink { depth: Arc::new(depth), ..self }
    }

    /// How many jobs it has accepted for a queue.
    pub(crate) fn taken_by(&self, queue: &str) -> u64 {
        self.seen.lock().unwrap().taken.get(queue).copied().unwrap_or(0)
    }

    pub(crate) fn seen(&self) -> Seen {
        self.seen.lock().unwrap().clone()
    }

    fn outcomes(fates: &[Fate], commands: usize) -> Vec<Outcome> {
        let outcome = |at: usize| match fates.get(at).or(fates.last()) {
            None | Some(Fate::Acked) => Outcome::Acked,
            Some(Fate::Failed(kind, lasting)) => Outcome::Failed(failure(kind, *lasting)),
            Some(Fate::Unknown) => Outcome::Unknown(failure("io", false)),
            Some(Fate::NotSent) => Outcome::NotSent(failure("io", false)),
        };
        (0..commands).map(outcome).collect()
    }
}

impl Sink for FakeSink {
    fn send(
        &self,
        commands: Vec<Command>,
    ) -> impl Future<Output = Vec<Outcome>> + Send + 'static + use<> {
        let now_ns = self.clock.now_ns();
        let jobs: u64 = commands.iter().map(|command| u64::from(command.jobs)).sum();
        let lane = self.lane_of(&commands);
        let mut seen = self.seen.lock().unwrap();
        let mut answer = if matches!(self.state(), State::Ready) && lane.down_until_ns <= now_ns {
            (self.script.lock().unwrap())(seen.calls, now_ns)
        } else {
            Answer::all(Fate::NotSent, 0)
        };
        let silent_ns = lane.silent_until_ns.saturating_sub(now_ns);
        answer.after_ns = answer.after_ns.map(|after_ns| after_ns.max(silent_ns));
        seen.calls += 1;
        let outcomes = FakeSink::outcomes(&answer.fates, commands.len());
        seen.in_flight += jobs;
        seen.most_in_flight = seen.most_in_flight.max(seen.in_flight);
        let sent = commands.iter().zip(&outcomes);
        let sent = sent.filter(|(_, outcome)| !matches!(outcome, Outcome::NotSent(_)));
        let arrived = sent.clone().map(|(command, _)| u64::from(command.jobs)).sum();
        seen.sends.push((now_ns, arrived));
        for (command, _) in sent.filter(|(_, outcome)| **outcome == Outcome::Acked) {
            // LPUSH queue job job …
            let queue = command.args.iter().nth(1).unwrap_or_default();
            let queue = String::from_utf8(queue.to_vec()).unwrap();
            *seen.taken.entry(queue).or_default() += u64::from(command.jobs);
            for payload in command.args.iter().skip(2) {
                seen.accepted.push((now_ns, String::from_utf8(payload.to_vec()).unwrap()));
            }
        }
        drop(seen);
        let (clock, log) = (self.clock.clone(), Arc::clone(&self.seen));
        async move {
            match answer.after_ns {
                Some(after_ns) => clock.sleep_until(now_ns + after_ns).await,
                None => std::future::pending().await,
            }
            log.lock().unwrap().in_flight -= jobs;
            outcomes
        }
    }

    fn state(&self) -> State {
        match *self.down_until_ns.lock().unwrap() {
            u64::MAX => State::Lost(failure("gone", true)),
            until if self.clock.now_ns() < until => {
                State::Reconnecting { attempts: 1, last: failure("io", false) }
            }
            _ => State::Ready,
        }
    }

    fn wait_ready(&self) -> impl Future<Output = Result<(), Failure>> + Send + 'static + use<> {
        let (clock, until) = (self.clock.clone(), Arc::clone(&self.down_until_ns));
        async move {
            let until_ns = *until.lock().unwrap();
            if until_ns == u64::MAX {
                return Err(failure("gone", true));
            }
            clock.sleep_until(until_ns).await;
            Ok(())
        }
    }

    fn lanes_of(&self, queues: &[Queue]) -> Vec<usize> {
        queues.iter().map(|queue| self.lane_named(&queue.name)).collect()
    }

    fn lane_state(&self, lane: usize) -> State {
        if self.lanes.lock().unwrap()[lane].down_until_ns > self.clock.now_ns() {
            return State::Reconnecting { attempts: 1, last: failure("io", false) };
        }
        self.state()
    }

    fn lane_ready(
        &self,
        lane: usize,
    ) -> impl Future<Output = Result<(), Failure>> + Send + 'static + use<> {
        let (clock, until_ns) =
            (self.clock.clone(), self.lanes.lock().unwrap()[lane].down_until_ns);
        let ready = self.wait_ready();
        async move {
            clock.sleep_until(until_ns).await;
            ready.await
        }
    }

    async fn depth(&self, queue: &Queue) -> Result<u64, Failure> {
        if self.silent_depth.is_some_and(|silent| silent == queue.name) && self.clock.now_ns() > 0 {
            self.clock.sleep_until(self.clock.now_ns() + 4_000_000_000).await;
            return Err(failure("timeout", false));
        }
        (self.depth)(self.clock.now_ns(), &queue.name)
    }

    async fn memory(&self) -> Result<ServerMemory, Failure> {
        (self.memory)(self.clock.now_ns())
    }
}
