//! Where streams end: what a guard with `then stop` cuts off. Their jobs are drawn on the way, since a
//! bound on their number ends what was drawn, and is no part of it.

use super::lower::is_endless;
use super::{Checker, proof};
use crate::exact::{nanos_to_seconds, seconds_to_nanos};
use crate::plan::{Action, Guard, GuardKind, Stream};
use crate::problem::{Code, Problem};
use crate::schedule::{self, Arrivals, Block, DueTimes, Points, Sections, Until};
use crate::show;
use crate::source::Span;
use crate::timeline::curve::Curve;
use std::sync::Arc;

/// A stream on its way into the plan.
pub(super) struct Growing {
    /// As it is by now.
    pub stream: Stream,
    /// What its arrivals are drawn by.
    pub key: u64,
    /// Its blocks with arrivals of their own.
    pub blocks: Vec<Block>,
    /// Its `speed` blocks.
    pub speeds: Vec<(u32, f64)>,
    /// What has been drawn, over the curve as it was then.
    pub points: Option<Arc<dyn Points>>,
    /// Where the plan ends what is still under way in its flows, if it does.
    pub until: Option<Until>,
}

impl Growing {
    fn set_due(&mut self) {
        let timeline = Arc::clone(&self.stream.timeline);
        let due = schedule::due(timeline, self.points.clone());
        let due = schedule::batched(due, self.stream.batch);
        self.stream.due = schedule::first(due, self.stream.held_to);
    }

    /// Lets it end at an instant of the plan, if it does not before.
    pub(super) fn end_at(&mut self, end_ns: u64, checker: &mut Checker<'_>) -> Option<()> {
        self.end_things(Until::after(end_ns));
        let left_ns = end_ns.saturating_sub(self.stream.after_ns);
        if self.longer_than(left_ns) {
            let length = nanos_to_seconds(left_ns);
            let body = Box::new(self.stream.curve.clone());
            self.stream.curve = Curve::Cut { length, body };
            self.stream.timeline = Arc::new(checker.timeline(&self.stream.curve)?);
            self.set_due();
        }
        Some(())
    }

    /// Lets its flows end there, if they do not before.
    pub(super) fn end_things(&mut self, until: Until) {
        let sooner = self.until.filter(|own| (own.at_ns, own.last) <= (until.at_ns, until.last));
        self.until = sooner.or(Some(until));
    }

    /// Leaves it no more than so many of its own jobs.
    pub(super) fn hold_to(&mut self, jobs: u64) {
        if self.stream.due.jobs().is_none_or(|all| all <= jobs) {
            return;
        }
        if self.points.is_some() || self.stream.batch > 1 {
            // Those that are left keep their times.
            self.stream.held_to = Some(jobs);
        } else {
            let timeline = self.stream.timeline.as_ref().clone();
            self.stream.timeline = Arc::new(timeline.ending_with(jobs));
        }
        self.set_due();
    }

    fn ends_at(&self, end_ns: u64) -> bool {
        let length = self.stream.timeline.length_ns();
        length.is_some_and(|length| self.stream.after_ns.saturating_add(length) == end_ns)
    }

    fn longer_than(&self, left_ns: u64) -> bool {
        self.stream.timeline.length_ns().is_none_or(|length| length > left_ns)
    }
}

impl Checker<'_> {
    /// Ends streams where a guard with an action on jobs or time says so: that is the plan's end.
    pub(super) fn end_streams(
        &mut self,
        mut growing: Vec<Growing>,
        guards: &[Guard],
        notes: &mut Vec<String>,
    ) -> Option<Vec<Stream>> {
        let mut stops =
            guards.iter().filter(|guard| guard.action == Some(Action::Stop)).collect::<Vec<_>>();
        // What ends one stream comes before what ends their sum, which holds fewer jobs then; and a
        // time before a number of jobs, which may not be reached in it.
        stops.sort_by_key(|guard| {
            (guard.stream.is_none(), matches!(guard.kind, GuardKind::Jobs(_)))
        });
        let mut ends: Vec<(&Guard, u64)> = Vec::new();
        for guard in stops {
            let Some(end_ns) = self.stop_of(guard, &mut growing)? else { continue };
            let mut acts = false;
            for (index, one) in growing.iter_mut().enumerate() {
                if guard.stream.is_none_or(|only| only == index) {
                    acts |= one.longer_than(end_ns.saturating_sub(one.stream.after_ns));
                    one.end_at(end_ns, self)?;
                }
            }
            if acts {
                ends.push((guard, end_ns));
            }
            if let GuardKind::Jobs(limit) = guard.kind {
                let chosen = |index: usize| guard.stream.is_none_or(|only| only == index);
                end_with_jobs(&mut growing, chosen, end_ns, limit);
            }
        }
        for one in &growing {
            self.within_known_hours(&one.stream);
        }
        if growing.iter().any(|one| is_endless(&one.stream.curve)) {
            growing.iter().for_each(|one| self.never_ends(&one.stream));
            return None;
        }
        for one in &mut growing {
            self.draw(one, 0)?;
            self.expect_steps(&mut one.stream, &one.speeds, one.until)?;
        }
        let by_steps = self.end_with_steps(guards, &mut growing)?;
        // Another may have ended it earlier.
        for (guard, end_ns) in ends {
            if growing.iter().any(|one| one.ends_at(end_ns)) {
                let when = show::duration(end_ns);
                notes.push(format!("`{}` ends the plan {when} after the start", guard.text));
            }
        }
        for (guard, end_ns) in by_steps {
            let (when, text) = (show::duration(end_ns), &guard.text);
            notes.push(format!(
                "`{text}` ends the plan {when} after the start, the steps of its flows counted"
            ));
        }
        Some(growing.into_iter().map(|one| one.stream).collect())
    }

    /// When a guard stops the plan; `None` inside if it never does.
    fn stop_of(&mut self, guard: &Guard, growing: &mut [Growing]) -> Option<Option<u64>> {
        Some(match guard.kind {
            // Time is that of the run, which may enter the plan later than its start.
            GuardKind::Time(limit_ns) => {
                Some(limit_ns.saturating_add(seconds_to_nanos(&self.from)?))
            }
            GuardKind::Jobs(limit) => {
                let chosen = |index: usize| guard.stream.is_none_or(|only| only == index);
                let mut of = Vec::new();
                for (_, one) in growing.iter_mut().enumerate().filter(|(at, _)| chosen(*at)) {
                    self.draw(one, limit)?;
                    of.push((&*one.stream.due, one.stream.after_ns));
                }
                jobs_end(&of, limit)
            }
            _ => None,
        })
    }

    /// Draws the jobs of a stream, unless they are or need not be; of one without end as far as it
    /// takes for so many, and more than chance could leave over.
    fn draw(&mut self, one: &mut Growing, limit: u64) -> Option<()> {
        let arrivals = one.stream.arrivals;
        let is_even = arrivals == Arrivals::Even && one.blocks.is_empty();
        if is_even || one.points.is_some() {
            return Some(());
        }
        let mut timeline = Arc::clone(&one.stream.timeline);
        if timeline.total().is_none() {
            let cv = one.stream.cv().max(1.0);
            let spare = 10.0 * cv * (limit as f64).sqrt() + 100.0 * cv * cv;
            let end_ns = timeline.time_of(limit.saturating_add(spare as u64));
            // What never comes to so many jobs has none after some time.
            let end_ns = end_ns.min(super::units::MAX_NANOS);
            let (length, body) = (nanos_to_seconds(end_ns), Box::new(one.stream.curve.clone()));
            timeline = Arc::new(self.timeline(&Curve::Cut { length, body })?);
        }
        one.points = if one.blocks.is_empty() {
            schedule::points(arrivals, &timeline, one.key)
        } else {
            match Sections::new((arrivals, one.key), &one.blocks, &timeline) {
                Some(sections) => Some(Arc::new(sections)),
                None => {
                    self.too_many_sections();
                    return None;
                }
            }
        };
        one.set_due();
        Some(())
    }

    fn too_many_sections(&mut self) {
        self.report(
            Problem::error(
                Code::TooIntricate,
                Span::default(),
                "blocks with arrivals of their own come round more than 100,000 times",
            )
            .help("put `arrivals` around the repetition in place of within it"),
        );
    }

    /// Reports a stream that has no end.
    fn never_ends(&mut self, stream: &Stream) {
        if !is_endless(&stream.curve) {
            return;
        }
        let name = stream.name.as_ref().map_or_else(String::new, |name| format!("load `{name}`: "));
        self.report(
            Problem::error(
                Code::NeverEnds,
                self.endless_span(&stream.curve),
                format!("{name}this never ends"),
            )
            .label("goes on forever")
            .help("end it by a guard, `guard { time <= 1h then stop }` or `guard { jobs <= 1M then stop }`, or run it with `--for 10m`"),
        );
    }

    /// The innermost phrase that has no end.
    fn endless_span(&self, curve: &Curve) -> Span {
        let mut found = Span::default();
        let mut here = curve;
        loop {
            here = match here {
                Curve::Mark { id, body } => {
                    found = proof::fault_span(&self.marks, Some(*id));
                    body
                }
                Curve::Scale { body, .. }
                | Curve::Cap { body, .. }
                | Curve::Floor { body, .. }
                | Curve::Hours { body, .. }
                | Curve::Jitter { body, .. }
                | Curve::Arrivals { body, .. }
                | Curve::Speed { body, .. } => body,
                Curve::Sequence(parts) | Curve::Together(parts) => {
                    match parts.iter().find(|part| is_endless(part)) {
                        Some(part) => part,
                        None => return found,
                    }
                }
                _ => return found,
            };
        }
    }
}

/// Of what is due at the very instant at which a bound on jobs ends some streams, leaves no more than
/// the bound: as in the run, the first streams come first.
fn end_with_jobs(growing: &mut [Growing], chosen: impl Fn(usize) -> bool, end_ns: u64, limit: u64) {
    let before = |stream: &Stream| {
        let last = end_ns.checked_sub(stream.after_ns)?.checked_sub(1)?;
        Some(stream.due.jobs_by(last))
    };
    let of = growing.iter().enumerate().filter(|(index, _)| chosen(*index));
    let sum: u64 = of.filter_map(|(_, one)| before(&one.stream)).sum();
    let mut room = limit.saturating_sub(sum);
    for (index, one) in growing.iter_mut().enumerate() {
        if !chosen(index) {
            continue;
        }
        if end_ns < one.stream.after_ns {
            one.hold_to(0);
            continue;
        }
        let before = before(&one.stream).unwrap_or(0);
        let due = one.stream.due.jobs_by(end_ns - one.stream.after_ns).saturating_sub(before);
        let taken = due.min(room);
        room -= taken;
        if taken < due {
            one.hold_to(before + taken);
        }
    }
}

/// When the last job that a bound allows is due; `None` if it is never reached.
fn jobs_end(of: &[(&dyn DueTimes, u64)], limit: u64) -> Option<u64> {
    schedule::first_beyond_jobs(of, limit)?;
    match limit.checked_sub(1) {
        None => Some(0),
        Some(before) => schedule::first_beyond_jobs(of, before).map(|beyond| beyond.t_ns),
    }
}
