//! From due jobs to the sink, and from its outcomes to the account.

use super::Dispatcher;
use super::flights::{Reply, Sent};
use super::lanes::OfStream;
use crate::run::clock::Clock;
use crate::run::jobs::{DueJob, Jobs};
use crate::sink::{Command, Failure, Ledger, Outcome, Sink};
use crate::stats::{Flight, Settled};
use std::sync::Arc;

impl<J: Jobs, S: Sink, C: Clock + 'static> Dispatcher<J, S, C> {
    /// Jobs that may be added to what is in flight.
    pub(super) fn flight_room(&self) -> u64 {
        let jobs = self.options.max_in_flight_jobs.max(1).saturating_sub(self.flights.jobs());
        let full = self.flights.bytes() >= self.options.max_in_flight_bytes;
        if full && !self.flights.is_empty() { 0 } else { jobs }
    }

    /// Jobs of a stream that may be sent now, rates of the sum and room in all apart.
    fn sendable(&mut self, stream: usize, now_ns: u64) -> u64 {
        let overdue = self.reachable(stream);
        if overdue == 0 || self.pacer.is_paused(stream) {
            return 0;
        }
        let rooms = self.lanes.of_stream(stream).iter().map(|lane| self.lanes.room(*lane));
        let of_lanes = rooms.fold(0, u64::saturating_add);
        let due = self.due_in_reach(stream);
        let room = self.lates.room(stream, due, now_ns).min(of_lanes);
        overdue.min(room).min(self.guards.room(Some(stream), now_ns))
    }

    /// Jobs of a stream that have fallen due, less those that a missed server holds up.
    pub(super) fn due_in_reach(&self, stream: usize) -> u64 {
        let held = match self.lanes.of_stream(stream) {
            [] | [_] => 0,
            _ => self.held(stream, |lane| self.lanes.room(lane) > 0),
        };
        self.pacer.due(stream).saturating_sub(held)
    }

    /// Whether any job can be sent right now.
    pub(super) fn can_send(&mut self, now_ns: u64) -> bool {
        self.look_at_rooms(now_ns);
        self.lanes.has_room()
            && self.streams().any(|stream| self.sendable(stream, now_ns) > 0)
            && self.guards.room(None, now_ns) > 0
    }

    /// Whether a job waits that only a rate may be holding.
    pub(super) fn is_throttled(&self) -> bool {
        self.flight_room() > 0
            && self.streams().any(|stream| {
                let waits = match self.lanes.count() {
                    1 => self.overdue(stream),
                    _ => self.reachable(stream),
                };
                waits > 0 && !self.pacer.is_paused(stream)
            })
    }

    /// Sends one batch of what is due, if anything can be sent.
    pub(super) fn send(&mut self, now_ns: u64) {
        if !self.can_send(now_ns) {
            return;
        }
        let room = self.flight_room().min(self.options.batch_jobs.max(1));
        let room = room.min(self.guards.room(None, now_ns));
        let mut shares = std::mem::take(&mut self.shares);
        shares.clear();
        for stream in self.streams() {
            shares.push(self.sendable(stream, now_ns));
        }
        self.backlog.share(&mut shares, room);
        self.fill(&shares);
        self.shares = shares;
        self.note_passed();
        if !self.builder.is_empty() {
            self.hand_over();
        }
    }

    /// Writes jobs into the builder until the shares or the bytes of a batch are used up.
    fn fill(&mut self, shares: &[u64]) {
        let left = self.options.max_in_flight_bytes.saturating_sub(self.flights.bytes());
        let most = self.options.batch_bytes.min(left) as usize;
        let start = self.options.payload_start_unix_ns.unwrap_or(self.clock.start_unix_ns());
        let now_unix_ns = self.clock.start_unix_ns().saturating_add(self.clock.now_ns());
        let mut bytes = 0;
        for (stream, share) in shares.iter().enumerate() {
            for _ in 0..*share {
                let Some((index, lane)) = self.take(stream) else { break };
                self.lanes.fill(lane);
                self.notes.fill(stream, index);
                let number = self.pacer.schedule(stream).number_of(index);
                let (planned_ns, intended_ns) = self.pacer.times_of(stream, index);
                let own = &self.sending[stream];
                let (jobs, lists) = match own.old {
                    None => (&self.task.jobs, &self.lists),
                    Some(old) => (&self.old_jobs[old].0, &self.old_jobs[old].1),
                };
                let choice = jobs.choose(own.stream, number);
                let due_unix_ns = start.saturating_add(planned_ns);
                let due = DueJob { stream: own.stream, number, due_unix_ns, now_unix_ns };
                // A plan has far fewer than 2³² streams and jobs.
                let (stream_no, job) = (stream as u32, own.kinds[choice.job]);
                let place = lists.builder[choice.queue];
                let parts = match self.expecting.tells_jobs_apart() {
                    true => {
                        let plan_ns = planned_ns.saturating_add(self.options.from_ns);
                        let spliced = self.splices.get(stream);
                        let script_ns = spliced.map_or(plan_ns, |own| own.script_ns(plan_ns));
                        let name = &jobs.queues()[choice.queue].name;
                        self.expecting.parts_of(stream, script_ns, (place, name))
                    }
                    false => 0,
                };
                let is_warmup = self.is_warmup(stream, index, number, planned_ns);
                let flight =
                    Flight { index, intended_ns, stream: stream_no, job, parts, is_warmup };
                self.builder.add(place, flight, |unit| {
                    let before = unit.byte_len();
                    jobs.write(due, choice, unit);
                    bytes += unit.byte_len() - before;
                });
                if bytes >= most {
                    return;
                }
            }
        }
    }

    /// The next job of a stream to be sent, and its lane.
    fn take(&mut self, stream: usize) -> Option<(u64, usize)> {
        let Dispatcher { task, lists, old_jobs, sending, pacer, lanes, backlog, notes, .. } = self;
        let due = pacer.due(stream);
        let own = &sending[stream];
        let lanes = OfStream::new(task, lists, old_jobs, own, pacer, lanes, stream);
        backlog.take(stream, due, &lanes, |index| notes.pass(stream, index))
    }

    /// Hands the builder's batch to the sink, lane by lane.
    fn hand_over(&mut self) {
        let batch = self.flights.next();
        self.note_sending(batch);
        self.flights.begin();
        if self.lanes.count() == 1 {
            let (commands, ledger) = self.builder.finish();
            return self.hand_over_to(batch, 0, commands, ledger);
        }
        let lanes = &self.lanes;
        for (lane, commands, ledger) in self.builder.finish_by(|place| lanes.of_queue(place)) {
            self.hand_over_to(batch, lane, commands, ledger);
        }
    }

    fn hand_over_to(
        &mut self,
        batch: u64,
        lane: usize,
        commands: Vec<Command>,
        ledger: Ledger<Flight>,
    ) {
        let sent_ns = self.clock.now_ns();
        self.stats.handed_over(ledger.metas());
        self.expecting.handed_over(ledger.metas());
        for group in ledger.metas().chunk_by(|a, b| a.stream == b.stream) {
            self.guards.sent(group[0].stream as usize, sent_ns, group.len() as u64);
            self.lates.sent(group[0].stream as usize, group.len() as u64);
        }
        let command_bytes = commands.iter().map(|command| command.args.byte_len() as u64).collect();
        let answer = self.sink.send_marked(&commands, batch);
        self.builder.recycle(commands);
        self.flights.add(batch, lane, Sent { ledger, command_bytes, sent_ns });
        let clock = Arc::clone(&self.clock);
        self.replies.push(Box::pin(async move {
            let outcomes = answer.await;
            Reply { batch, lane, outcomes, at_ns: clock.now_ns() }
        }));
    }

    /// Takes the outcome of a batch in.
    pub(super) fn settle(&mut self, reply: Reply) {
        let Reply { batch, lane, mut outcomes, at_ns } = reply;
        let Some(sent) = self.flights.remove(batch, lane) else { return };
        let silent = Failure {
            kind: "io".to_owned(),
            message: "no outcome for a command".to_owned(),
            lasting: false,
        };
        outcomes.resize(sent.command_bytes.len(), Outcome::Unknown(silent));
        let (mut trouble, mut refused) = (None, false);
        for ((outcome, flights), bytes) in sent.ledger.settle(&outcomes).zip(&sent.command_bytes) {
            let command = Settled { bytes: *bytes, sent_ns: sent.sent_ns, at_ns };
            self.stats.settled(flights, outcome, command);
            self.expecting.settled(flights, outcome, command);
            self.lanes.refusals.answered(outcome, flights.len() as u64, at_ns);
            self.lanes.link_mut(lane).answered(outcome);
            match outcome {
                Outcome::NotSent(failure) if failure.is_discarded() => {}
                Outcome::NotSent(failure) | Outcome::Unknown(failure) => trouble = Some(failure),
                Outcome::Failed(_) => refused = true,
                Outcome::Acked => {}
            }
            self.note_outcome((batch, lane), flights, outcome);
            self.note_answers(lane, flights, outcome, sent.sent_ns, at_ns);
        }
        if refused {
            self.note_refusals();
        }
        self.note_answered(batch, lane);
        if let Some(failure) = trouble {
            self.connection_trouble(lane, failure, at_ns);
        }
        self.judge_refusals(at_ns, false);
        if self.guards.asks_errors() {
            let hits = self.guards.judge_errors(at_ns);
            self.act(hits, at_ns);
        }
    }

    /// Tells guards and backlog what became of the jobs of a command.
    fn note_answers(
        &mut self,
        lane: usize,
        flights: &[Flight],
        outcome: &Outcome,
        sent_ns: u64,
        at_ns: u64,
    ) {
        for group in flights.chunk_by(|a, b| a.stream == b.stream) {
            let (stream, jobs) = (group[0].stream as usize, group.len() as u64);
            match outcome {
                Outcome::Acked => self.guards.answered(stream, at_ns, jobs, 0),
                Outcome::Failed(_) | Outcome::Unknown(_) => {
                    self.guards.answered(stream, at_ns, jobs, jobs);
                }
                Outcome::NotSent(_) => {
                    self.guards.came_back(stream, sent_ns, jobs);
                    self.lates.came_back(stream, jobs);
                    let lost = group
                        .iter()
                        .filter(|flight| !self.backlog.give_back(stream, flight.index, lane))
                        .count();
                    self.stats.skipped(stream, lost as u64);
                }
            }
        }
    }

    /// Stops waiting for what is in flight: its jobs are unknown.
    pub(super) fn abandon_flights(&mut self, why: &str, now_ns: u64) {
        if !self.flights.is_empty() {
            self.notes.leave_in_doubt();
        }
        for (batch, lane) in self.flights.parts() {
            let failure =
                Failure { kind: "unanswered".to_owned(), message: why.to_owned(), lasting: false };
            let Some(sent) = self.flights.remove(batch, lane) else { continue };
            let outcomes = vec![Outcome::Unknown(failure); sent.command_bytes.len()];
            for ((outcome, flights), bytes) in
                sent.ledger.settle(&outcomes).zip(&sent.command_bytes)
            {
                let command = Settled { bytes: *bytes, sent_ns: sent.sent_ns, at_ns: now_ns };
                self.stats.settled(flights, outcome, command);
                self.expecting.settled(flights, outcome, command);
            }
        }
        self.replies.clear();
    }
}
