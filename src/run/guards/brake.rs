//! `rate … then slow` and `then shed`: what becomes of jobs that a rate has no room for.
//!
//! Slowed, the clocks of the streams run at the pace at which the plan's rate is the bound:
//!
//! ```text
//! pace = min(1, (limit / window) / λ)       λ: the planned rate of all that the guard speaks of
//! ```
//!
//! Jobs that fall due all at once have no rate that could be slowed: they wait for room, and the
//! clocks stand still until few are left.

use super::{Armed, Guards, Watch};
use crate::plan::{Action, GuardKind};
use crate::run::pacer::Pacer;
use crate::run::stream_clock::Pace;

/// What a guard that slows or sheds is doing.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Brake {
    /// It has acted, and not been quiet for a while since.
    on: bool,
    /// When it last acted.
    last_ns: u64,
    /// Clocks stand still until what waits has been sent.
    holding: bool,
}

impl Brake {
    pub(super) fn is_on(self) -> bool {
        self.on
    }

    /// How long it must have been quiet to be over.
    fn quiet_ns(armed: &Armed) -> u64 {
        let GuardKind::Rate { window_ns, .. } = armed.guard.kind else { return 0 };
        window_ns.max(armed.guard.tuning.cooldown_ns)
    }
}

/// What changed about guards that slow or shed.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Braked {
    /// Those that have begun, and what was asked for, in jobs of a window.
    pub begun: Vec<(usize, f64)>,
    /// Those that are over.
    pub over: Vec<usize>,
}

/// Waiting jobs, as a share of the bound, that are no reason to stand still.
const FEW: u64 = 20;

impl Guards {
    /// Whether any guard slows or sheds.
    pub fn has_brakes(&self) -> bool {
        let brakes =
            |armed: &Armed| matches!(armed.guard.action, Some(Action::Slow | Action::Shed));
        self.armed.iter().any(brakes)
    }

    /// How fast the clock of each stream is to run, by the guards that slow. `overdue` counts the
    /// jobs of each that wait.
    pub fn paces(
        &mut self,
        pacer: &Pacer,
        overdue: &[u64],
        now_ns: u64,
        paces: &mut Vec<Pace>,
    ) -> Braked {
        let mut braked = Braked::default();
        paces.clear();
        paces.resize(pacer.streams(), Pace::WHOLE);
        for (guard, armed) in self.armed.iter_mut().enumerate() {
            let GuardKind::Rate { limit_jobs, window_ns } = armed.guard.kind else { continue };
            if armed.guard.action != Some(Action::Slow) {
                continue;
            }
            let scope = |stream: &usize| armed.guard.stream.is_none_or(|own| own == *stream);
            let streams = (0..pacer.streams()).filter(scope);
            let (planned, waiting) = streams.clone().fold((0.0, 0), |(rate, waiting), stream| {
                (rate + pacer.planned_rate(stream, now_ns), waiting + overdue[stream])
            });
            let Watch::Rate(window) = &mut armed.watch else { continue };
            let in_window = window.sum(now_ns);
            let few = (limit_jobs / FEW).max(2);
            let full = in_window >= limit_jobs;
            armed.brake.holding = waiting > few && (full || armed.brake.holding);
            let allowed = limit_jobs as f64 / (window_ns as f64 / 1e9);
            let share = if armed.brake.holding { 0.0 } else { allowed / planned };
            if share < 1.0 {
                let pace = Pace::of(share);
                streams.for_each(|stream| paces[stream] = paces[stream].min(pace));
                let asked = planned * window_ns as f64 / 1e9;
                let asked = asked.max((in_window + waiting) as f64);
                armed.begin(guard, asked, now_ns, &mut braked);
            } else {
                armed.rest(guard, now_ns, &mut braked);
            }
        }
        braked
    }

    /// How many of each stream's overdue jobs are to be skipped, by guards that shed and have no room:
    /// those that were due above the bound. It is the instants at which they were intended that tell,
    /// so that a plan within its bound loses nothing to a late send; what is only late waits for room.
    pub fn shedding(&mut self, pacer: &Pacer, overdue: &[u64], now_ns: u64) -> (Vec<u64>, Braked) {
        let (mut skip, mut braked) = (vec![0; overdue.len()], Braked::default());
        for (guard, armed) in self.armed.iter_mut().enumerate() {
            let GuardKind::Rate { limit_jobs, window_ns } = armed.guard.kind else { continue };
            if armed.guard.action != Some(Action::Shed) {
                continue;
            }
            let own = armed.guard.stream;
            let scope = (0..overdue.len()).filter(|stream| own.is_none_or(|own| own == *stream));
            // What an earlier guard skips waits no more.
            let left = |stream: usize| (stream, overdue[stream].saturating_sub(skip[stream]));
            let waiting: Vec<(usize, u64)> = scope.clone().map(left).collect();
            let all: u64 = waiting.iter().map(|(_, jobs)| jobs).sum();
            let due = |stream: usize| {
                let before = now_ns.checked_sub(window_ns);
                pacer.due(stream) - before.map_or(0, |t| pacer.count_by(stream, t))
            };
            let due: u64 = scope.map(due).sum();
            let Watch::Rate(window) = &mut armed.watch else { continue };
            let in_window = window.sum(now_ns);
            let asked = due.saturating_sub(armed.shed.sum(now_ns));
            let excess = asked.saturating_sub(limit_jobs).min(all);
            if excess == 0 || in_window < limit_jobs {
                armed.rest(guard, now_ns, &mut braked);
                continue;
            }
            let mut intended_ns = Vec::new();
            for ((stream, jobs), (_, left)) in shares(&waiting, excess).into_iter().zip(&waiting) {
                let first = (pacer.due(stream) + 1).saturating_sub(*left);
                intended_ns.extend((first..first + jobs).map(|job| pacer.intended_ns(stream, job)));
                skip[stream] += jobs;
            }
            armed.note_shed(intended_ns);
            armed.begin(guard, asked as f64, now_ns, &mut braked);
        }
        (skip, braked)
    }
}

/// So many of all that waits: of each stream by its part, and what is left over of the first that
/// have it.
fn shares(waiting: &[(usize, u64)], excess: u64) -> Vec<(usize, u64)> {
    let all: u64 = waiting.iter().map(|(_, jobs)| jobs).sum();
    let part = |jobs: u64| (u128::from(excess) * u128::from(jobs) / u128::from(all.max(1))) as u64;
    let mut taken: Vec<(usize, u64)> =
        waiting.iter().map(|(stream, jobs)| (*stream, part(*jobs))).collect();
    let mut left = excess.saturating_sub(taken.iter().map(|(_, jobs)| jobs).sum());
    for ((_, own), (_, jobs)) in taken.iter_mut().zip(waiting) {
        let more = left.min(jobs - *own);
        *own += more;
        left -= more;
    }
    taken
}

impl Armed {
    /// Notes what was shed, by the instants at which it was due.
    fn note_shed(&mut self, mut intended_ns: Vec<u64>) {
        intended_ns.sort_unstable();
        for at_ns in intended_ns {
            self.shed_ns = self.shed_ns.max(at_ns);
            self.shed.add(self.shed_ns, 1);
        }
    }

    fn begin(&mut self, guard: usize, asked: f64, now_ns: u64, braked: &mut Braked) {
        self.brake.last_ns = now_ns;
        self.acted = true;
        if !std::mem::replace(&mut self.brake.on, true) {
            braked.begun.push((guard, asked));
        }
    }

    fn rest(&mut self, guard: usize, now_ns: u64, braked: &mut Braked) {
        let quiet_ns = now_ns.saturating_sub(self.brake.last_ns);
        if self.brake.on && quiet_ns >= Brake::quiet_ns(self) {
            self.brake.on = false;
            braked.over.push(guard);
        }
    }
}
