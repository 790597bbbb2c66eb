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

    /// The streams whose overdue jobs are to be skipped: those of guards that shed and have no room.
    pub fn shedding(&mut self, overdue: &[u64], now_ns: u64) -> (Vec<usize>, Braked) {
        let (mut streams, mut braked) = (Vec::new(), Braked::default());
        for (guard, armed) in self.armed.iter_mut().enumerate() {
            let GuardKind::Rate { limit_jobs, .. } = armed.guard.kind else { continue };
            if armed.guard.action != Some(Action::Shed) {
                continue;
            }
            let own = armed.guard.stream;
            let scope = (0..overdue.len()).filter(|stream| own.is_none_or(|own| own == *stream));
            let waiting: u64 = scope.clone().map(|stream| overdue[stream]).sum();
            let Watch::Rate(window) = &mut armed.watch else { continue };
            let in_window = window.sum(now_ns);
            if waiting > 0 && in_window >= limit_jobs {
                streams.extend(scope);
                armed.begin(guard, (in_window + waiting) as f64, now_ns, &mut braked);
            } else {
                armed.rest(guard, now_ns, &mut braked);
            }
        }
        (streams, braked)
    }
}

impl Armed {
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
