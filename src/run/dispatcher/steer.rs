//! Orders from outside: how the run is, other rates, another place in the plan, another plan.
//!
//! Each stream keeps its number, its account and its clock; only what it follows from the seam on is
//! another ([`crate::schedule::Spliced`]). What has fallen due by then stays due, and is sent.

use super::Dispatcher;
use super::lanes::OfStream;
use crate::job::Format;
use crate::plan::{Guard, GuardKind, Late, Phrase, Plan};
use crate::run::clock::Clock;
use crate::run::control::{Change, Order};
use crate::run::events::{Event, instant_text};
use crate::run::guards::Guards;
use crate::run::jobs::{Jobs, queues_of};
use crate::run::report::ReloadEntry;
use crate::run::status::{LastError, PlaceNow, Status};
use crate::run::stream_clock::Pace;
use crate::run::{waits, warmup};
use crate::schedule::{Entry, Schedule, Source, Spliced};
use crate::sink::{Queue, Sink};
use crate::stats::{JobCounts, Stats};
use std::sync::Arc;

/// The largest factor of the plan's rates.
const MAX_SCALE: f64 = 1_000.0;

/// What a stream sends.
pub(super) struct Sending {
    /// Of which jobs: those of the plan, or older ones.
    pub(super) old: Option<usize>,
    /// The stream's place among theirs.
    pub(super) stream: usize,
    /// For each of its kinds its place in the account.
    pub(super) kinds: Vec<u32>,
}

impl Sending {
    pub(super) fn of(jobs: &impl Jobs, stream: usize) -> Sending {
        // A plan has far fewer than 2³² kinds of jobs.
        let kinds = (0..jobs.kinds(stream).len() as u32).collect();
        Sending { old: None, stream, kinds }
    }
}

/// Where the queues of some jobs are: among those that are written, and those that are asked.
pub(super) struct Lists {
    pub(super) builder: Vec<usize>,
    probe: Vec<usize>,
}

impl Lists {
    pub(super) fn first(queues: usize) -> Lists {
        Lists { builder: (0..queues).collect(), probe: (0..queues).collect() }
    }
}

impl<J: Jobs, S: Sink, C: Clock + 'static> Dispatcher<J, S, C> {
    /// Does what was ordered, and answers. Whoever asked may be gone by then.
    pub(super) fn obey(&mut self, order: Order) {
        let now_ns = self.clock.now_ns();
        match order {
            Order::Status(answer) => {
                let _ = answer.send(Ok(Box::new(self.status(now_ns))));
            }
            Order::Scale(factor, answer) => {
                let _ = answer.send(self.set_scale(factor, now_ns));
            }
            Order::Seek(script_ns, answer) => {
                let _ = answer.send(self.seek(script_ns, now_ns));
            }
            Order::SeekClock(clock_s, answer) => {
                let place = self.task.wall.plan_ns(clock_s);
                let done = match place {
                    Some(script_ns) => self.seek(script_ns, now_ns),
                    None => Err("no clock shows that time in this plan".to_owned()),
                };
                let _ = answer.send(done);
            }
            Order::Reload(change, answer) => {
                let done = self.reload(*change, now_ns);
                if let Err(message) = &done {
                    self.tell(Event::ReloadRejected { message: message.clone() });
                }
                let _ = answer.send(done);
            }
            Order::Reject(message, answer) => {
                self.tell(Event::ReloadRejected { message });
                let _ = answer.send(Ok(()));
            }
        }
    }

    fn steerable(&self) -> Result<(), String> {
        if self.ending.is_some() {
            return Err("the run is ending".to_owned());
        }
        if self.splices.len() != self.task.streams.len() {
            return Err("this run does not follow a script".to_owned());
        }
        self.no_flows(self.splices.iter().map(Spliced::source))
    }

    /// The steps of a flow follow from when its things began, and would be lost at a seam.
    fn no_flows<'s>(&self, mut sources: impl Iterator<Item = &'s Source>) -> Result<(), String> {
        match sources.any(|source| source.has_flows) {
            true => {
                Err("a load with a `flow` can't be scaled, moved in its plan or given another \
                         script while it runs: this version has no seam for things under way"
                    .to_owned())
            }
            false => Ok(()),
        }
    }

    /// The time of the plan at which a stream is, pauses left out.
    pub(super) fn plan_ns(&self, stream: usize, now_ns: u64) -> u64 {
        self.pacer.stream_ns(stream, now_ns).saturating_add(self.options.from_ns)
    }

    fn set_scale(&mut self, factor: f64, now_ns: u64) -> Result<(), String> {
        self.steerable()?;
        if !(factor > 0.0 && factor <= MAX_SCALE) {
            return Err(format!(
                "a scale lies above x0 and up to x{MAX_SCALE}; to stand still, pause"
            ));
        }
        self.only_even(self.splices.iter().map(Spliced::source), factor)?;
        self.fall_due(now_ns);
        self.scale = factor;
        for stream in self.streams() {
            let source = self.splices[stream].source().clone();
            self.splice(stream, source, Entry::Elapsed, now_ns);
        }
        self.note_seams(&self.streams().collect::<Vec<_>>(), None, now_ns);
        let planned = self.stats.counts().planned;
        self.tell(Event::Scaled { factor, planned });
        Ok(())
    }

    /// Drawn arrivals can't be multiplied: there would be too few of them.
    fn only_even<'s>(
        &self,
        mut sources: impl Iterator<Item = &'s Source>,
        factor: f64,
    ) -> Result<(), String> {
        if factor != 1.0 && sources.any(|source| !source.due.is_even()) {
            return Err("arrivals that are drawn can't be scaled, only even ones".to_owned());
        }
        Ok(())
    }

    /// Which jobs are a shard's follows from the size of its batches.
    fn same_batches(&self, plan: &Plan) -> Result<(), String> {
        if self.options.shard == crate::schedule::Shard::WHOLE {
            return Ok(());
        }
        let changed = plan.streams.iter().any(|stream| {
            let lane = self.task.streams.iter().position(|(name, _)| *name == stream.name);
            lane.is_some_and(|lane| self.splices[lane].source().batch != stream.batch)
        });
        if changed {
            return Err("the size of batches can't change while a shard of a plan runs".to_owned());
        }
        Ok(())
    }

    fn seek(&mut self, script_ns: u64, now_ns: u64) -> Result<(), String> {
        self.steerable()?;
        let ends = self.splices.iter().map(|spliced| {
            let source = spliced.source();
            source.due.length_ns().map_or(u64::MAX, |length| length.saturating_add(source.after_ns))
        });
        let end_ns = ends.max().unwrap_or(0);
        if script_ns >= end_ns {
            let end = crate::show::duration(end_ns);
            return Err(format!("the plan ends {end} after its start"));
        }
        self.fall_due(now_ns);
        for stream in self.streams() {
            let source = self.splices[stream].source().clone();
            self.splice(stream, source, Entry::At(script_ns), now_ns);
            self.task.waits.move_to(stream, script_ns, None);
        }
        self.note_seams(&self.streams().collect::<Vec<_>>(), Some(script_ns), now_ns);
        let planned = self.stats.counts().planned;
        self.tell(Event::Sought { plan_s: script_ns as f64 / 1e9, planned });
        Ok(())
    }

    /// Lets a stream follow other jobs from now on. What is due by now has been counted.
    pub(super) fn splice(&mut self, stream: usize, source: Source, entry: Entry, now_ns: u64) {
        if self.pacer.is_closed(stream) {
            return;
        }
        let seam_ns = self.plan_ns(stream, now_ns);
        let next = self.splices[stream].then(seam_ns, source, entry, self.scale);
        self.follow(stream, next, now_ns);
    }

    fn placed(&self, spliced: &Spliced) -> Arc<dyn Schedule> {
        crate::run::placed(spliced, &self.options)
    }

    fn follow(&mut self, stream: usize, spliced: Spliced, now_ns: u64) {
        let schedule = self.placed(&spliced);
        let due = self.pacer.due(stream);
        self.task.warmups.splice(stream, due, None);
        self.task.waits.splice(stream);
        self.stats.set_planned(stream, schedule.len());
        self.task.streams[stream].1 = Arc::clone(&schedule);
        self.pacer.set_schedule(stream, now_ns, schedule);
        self.splices[stream] = spliced;
    }

    /// Splices another plan in. What was wrong with it is said before anything is changed.
    fn reload(&mut self, change: Change, now_ns: u64) -> Result<(), String> {
        self.steerable()?;
        let Change { plan, entry, notifier } = change;
        let sources: Vec<Source> = plan.streams.iter().map(crate::run::source).collect();
        self.no_flows(sources.iter())?;
        self.only_even(sources.iter(), self.scale)?;
        self.same_batches(&plan)?;
        let jobs = self
            .task
            .jobs
            .of_plan(&plan, &self.options.run_id)
            .map_err(|error| error.to_string())?;
        self.fall_due(now_ns);
        let (planned_before, due) = (self.stats.counts().planned, self.stats.counts().due);
        let left: Vec<Vec<u64>> = self.streams().map(|stream| self.take_left(stream)).collect();
        let lanes = self.lanes_of(&plan, &sources, entry, now_ns);
        self.send_other(jobs, &lanes);
        self.map_lanes();
        for (stream, left) in left.into_iter().enumerate() {
            for index in left {
                let lane = self.lanes_of_stream(stream).of(index);
                self.backlog.give_back(stream, index, lane);
            }
        }
        self.guard_otherwise(&plan, &lanes, now_ns);
        self.task.expectations.clone_from(&plan.expectations);
        self.expecting.replace(&plan.expectations, &lanes);
        self.task.seed = plan.seed;
        self.task.wall = plan.wall.clone();
        for (own, lane) in lanes.iter().enumerate() {
            self.task.places[*lane].clone_from(&plan.streams[own].phrases);
            self.lates.set(*lane, plan.streams[own].late);
            let stretches = warmup::of_stream(&plan.streams[own]);
            self.task.warmups.splice(*lane, self.pacer.due(*lane), Some(stretches));
            let waits = waits::of_stream(&plan.streams[own]);
            self.task.waits.move_to(*lane, self.script_ns(*lane, now_ns), Some(waits));
        }
        if self.task.warmups.is_any() {
            self.stats.judge_apart();
        }
        self.options.notifier = notifier;
        let digest_before = std::mem::replace(&mut self.task.digest, plan.digest.clone());
        self.note_reload(&lanes, now_ns);
        let splice = if entry == Entry::Restart { "restart" } else { "elapsed" };
        let reload = ReloadEntry {
            at_s: now_ns as f64 / 1e9,
            splice,
            digest_before,
            digest_after: plan.digest.clone(),
            due,
            planned_before,
            planned_after: self.stats.counts().planned,
        };
        self.reloads.push(reload.clone());
        self.tell(Event::Reloaded { reload });
        Ok(())
    }

    fn take_left(&mut self, stream: usize) -> Vec<u64> {
        let Dispatcher { task, lists, old_jobs, sending, pacer, lanes, backlog, .. } = self;
        let own = &sending[stream];
        let lanes = OfStream::new(task, lists, old_jobs, own, pacer, lanes, stream);
        backlog.take_left(stream, |index| lanes.of(index))
    }

    /// The stream of the run for each one of a plan, by its name. New ones join, those that the plan
    /// does not have end here.
    fn lanes_of(
        &mut self,
        plan: &Plan,
        sources: &[Source],
        entry: Entry,
        now_ns: u64,
    ) -> Vec<usize> {
        let known = self.task.streams.len();
        let mut lanes = Vec::new();
        for (stream, source) in plan.streams.iter().zip(sources) {
            let same = (0..known).find(|lane| self.task.streams[*lane].0 == stream.name);
            let lane = match same {
                Some(lane) => {
                    self.splice(lane, source.clone(), entry, now_ns);
                    lane
                }
                None => self.join(stream.name.clone(), source, entry, now_ns),
            };
            lanes.push(lane);
        }
        for lane in (0..known).filter(|lane| !lanes.contains(lane)) {
            self.pacer.close(lane, now_ns);
            self.stats.set_planned(lane, self.pacer.due(lane));
        }
        lanes
    }

    /// Takes in a stream that the run did not have.
    fn join(&mut self, name: Option<String>, source: &Source, entry: Entry, now_ns: u64) -> usize {
        let seam_ns = now_ns.saturating_add(self.options.from_ns);
        let script_ns = match (entry, self.splices.first()) {
            (Entry::Elapsed, Some(first)) => first.script_ns(self.plan_ns(0, now_ns)),
            _ => 0,
        };
        let joining = Spliced::joining(source.clone(), seam_ns, script_ns, entry);
        let joining = match self.scale {
            1.0 => joining,
            scale => joining.then(seam_ns, source.clone(), entry, scale),
        };
        let schedule = self.placed(&joining);
        self.stats.add_stream(schedule.len());
        self.pacer.add_stream(now_ns, Arc::clone(&schedule));
        self.backlog.add_stream();
        self.lates.set(self.task.streams.len(), Late::Send);
        self.ending_streams.push(false);
        self.task.streams.push((name, schedule));
        self.task.places.push(Vec::new());
        self.splices.push(joining);
        self.sending.push(Sending { old: None, stream: 0, kinds: Vec::new() });
        self.task.streams.len() - 1
    }

    /// Sends the jobs of another plan from now on; streams that it does not have send what they had.
    fn send_other(&mut self, jobs: J, lanes: &[usize]) {
        let lists = self.take_in(&jobs);
        let old = (
            std::mem::replace(&mut self.task.jobs, jobs),
            std::mem::replace(&mut self.lists, lists),
        );
        let left = |(lane, own): (usize, &Sending)| own.old.is_none() && !lanes.contains(&lane);
        if self.sending.iter().enumerate().any(left) {
            for (_, own) in
                self.sending.iter_mut().enumerate().filter(|(lane, own)| left((*lane, own)))
            {
                own.old = Some(self.old_jobs.len());
            }
            self.old_jobs.push(old);
        }
        for (own, lane) in lanes.iter().enumerate() {
            let kinds = self.task.jobs.kinds(own);
            let place = |stats: &mut Stats, name: &str| stats.kind(*lane, name) as u32;
            let kinds = kinds.iter().map(|kind| place(&mut self.stats, &kind.name)).collect();
            self.sending[*lane] = Sending { old: None, stream: own, kinds };
        }
        for queue in self.lists.probe.clone() {
            let known = queue < self.teller.written_queues();
            if !known && !self.teller.also_written.contains(&queue) {
                self.teller.also_written.push(queue);
            }
        }
    }

    /// The places of queues, those taken in that are new.
    fn take_in(&mut self, jobs: &J) -> Lists {
        let mut lists = Lists { builder: Vec::new(), probe: Vec::new() };
        for (own, queue) in jobs.queues().iter().enumerate() {
            let known = (0..).map_while(|at| Some((at, self.builder.queue(at)?)));
            let known = known.into_iter().find(|(_, known)| *known == queue).map(|(at, _)| at);
            let place = known.unwrap_or_else(|| {
                self.lanes.add_queue(self.lane_of_queue(queue));
                self.builder.add_queue(queue.clone())
            });
            lists.builder.push(place);
            lists.probe.push(self.ask_also(queue, jobs.is_watched(own)));
        }
        lists
    }

    fn ask_also(&mut self, queue: &Queue, watched: bool) -> usize {
        let lane = self.lane_of_queue(queue);
        let (place, is_new) = self.probe.place(queue, watched, lane);
        if is_new {
            self.stats.add_queue();
        }
        place
    }

    /// The queues that a stream writes to, by their places among those that are asked.
    pub(super) fn lane_queues(&self, stream: usize) -> Vec<usize> {
        let own = &self.sending[stream];
        let (jobs, lists) = match own.old {
            None => (&self.task.jobs, &self.lists),
            Some(old) => (&self.old_jobs[old].0, &self.old_jobs[old].1),
        };
        queues_of(jobs, own.stream).into_iter().map(|queue| lists.probe[queue]).collect()
    }

    /// The queues of each kind of job that a stream sends, and that kind's account.
    pub(super) fn kinds_and_counts(
        &self,
        stream: usize,
    ) -> impl Iterator<Item = (Vec<usize>, &JobCounts)> {
        let own = &self.sending[stream];
        let (jobs, lists) = match own.old {
            None => (&self.task.jobs, &self.lists),
            Some(old) => (&self.old_jobs[old].0, &self.old_jobs[old].1),
        };
        let counts = &self.stats.streams()[stream].by_job;
        jobs.kinds(own.stream).iter().zip(&own.kinds).filter_map(move |(kind, place)| {
            let queues = kind.queues.iter().map(|queue| lists.probe[*queue]).collect();
            Some((queues, counts.get(*place as usize)?))
        })
    }

    /// Bounds the run by the guards of another plan.
    fn guard_otherwise(&mut self, plan: &Plan, lanes: &[usize], now_ns: u64) {
        let own = plan.guards.iter().map(|guard| Guard {
            stream: guard.stream.and_then(|stream| lanes.get(stream).copied()),
            ..guard.clone()
        });
        let guards: Vec<Guard> = own.chain(self.options.guards.iter().cloned()).collect();
        for guard in &guards {
            if let GuardKind::Depth { queue: Some(name), .. } = &guard.kind
                && self.probe.queues().iter().all(|queue| queue.name != *name)
            {
                self.ask_also(&Queue { name: name.clone(), format: Format::List }, false);
            }
        }
        let lanes = self.task.streams.len();
        let armed =
            Guards::new(guards.clone(), self.probe.queues(), lanes, |lane| self.lane_queues(lane));
        let places = self.guards.replace(armed);
        self.teller.move_hits(&places);
        self.task.guards = guards;
        self.look_for_others();
        self.braking = self.guards.has_brakes();
        if !self.braking {
            self.streams().for_each(|stream| self.pacer.set_pace(stream, now_ns, Pace::WHOLE));
        }
        self.set_pauses(now_ns);
    }

    /// How the run is.
    fn status(&mut self, now_ns: u64) -> Status {
        let open = |run: &Self| run.streams().any(|stream| !run.pacer.is_over(stream));
        let state = match (self.ending.is_some() || !open(self), self.is_paused()) {
            (true, _) => "ending",
            (_, true) => "paused",
            _ => "running",
        };
        let errors = self.stats.errors().entries();
        let last = errors.iter().max_by(|a, b| a.at_s.total_cmp(&b.at_s));
        let last_error =
            last.map(|last| LastError { kind: last.kind.clone(), message: last.last.clone() });
        let errors = errors.iter().map(|entry| entry.count).sum();
        let mut now = self.teller.publisher.shown();
        (now.jobs, now.elapsed_s) = (self.stats.counts(), now_ns as f64 / 1e9);
        now.in_flight = now.jobs.in_flight();
        now.overdue = now.jobs.overdue();
        now.target_per_s = self.streams().map(|stream| self.pacer.rate(stream, now_ns)).sum();
        now.paused = self.is_paused();
        Status {
            run_id: self.options.run_id.clone(),
            file: self.task.file.clone(),
            digest: self.task.digest.clone(),
            target: self.options.target.clone(),
            pid: std::process::id(),
            state,
            started_at: instant_text(self.clock.start_unix_ns()),
            scale: self.scale,
            reloads: self.reloads.len(),
            places: self.streams().filter_map(|stream| self.place_now(stream, now_ns)).collect(),
            last_error,
            errors,
            now,
        }
    }

    fn place_now(&self, stream: usize, now_ns: u64) -> Option<PlaceNow> {
        let spliced = self.splices.get(stream)?;
        let script_ns = spliced.script_ns(self.plan_ns(stream, now_ns));
        let after_ns = spliced.source().after_ns;
        let over = self.pacer.is_over(stream);
        let local = script_ns.checked_sub(after_ns).filter(|_| !over);
        let phrase = local.and_then(|local| phrase_at(&self.task.places[stream], local));
        Some(PlaceNow {
            load: self.task.streams[stream].0.clone(),
            plan_s: script_ns as f64 / 1e9,
            phrase: phrase.map(|phrase| phrase.text.clone()),
            label: phrase.and_then(|phrase| phrase.label.clone()),
            line: phrase.map(|phrase| phrase.line),
            phrase_end_s: phrase.map(|phrase| phrase.end_ns.saturating_add(after_ns) as f64 / 1e9),
        })
    }
}

/// The innermost phrase in which a time of its stream lies; in a repetition only the first pass has
/// places.
fn phrase_at(phrases: &[Phrase], local_ns: u64) -> Option<&Phrase> {
    let here = |phrase: &&Phrase| (phrase.start_ns..phrase.end_ns).contains(&local_ns);
    let phrase = phrases.iter().find(here)?;
    phrase_at(&phrase.phrases, local_ns).or(Some(phrase))
}
