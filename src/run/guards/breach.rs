//! Guards on what falls due, found to the instant.

use super::{Armed, Effect, Guards};
use crate::plan::{Action, GuardKind};
use crate::run::pacer::Pacer;

/// A guard that what falls due runs into.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Breach {
    /// Which.
    pub guard: usize,
    /// The instant of the run.
    pub at_ns: u64,
    /// How many jobs of what it speaks of may have fallen due by then, from the start.
    pub limit: u64,
    /// What was measured.
    pub value: f64,
    /// What is to be done.
    pub effect: Effect,
}

impl Guards {
    /// The first breach up to an instant to which the pacer has not advanced yet, since where this
    /// was last asked. The guard has then had its say.
    pub fn first_breach(&mut self, pacer: &Pacer, to_ns: u64) -> Option<Breach> {
        let from_ns = self.checked_ns;
        let open = self.armed.iter().enumerate().filter(|(_, armed)| !armed.spent);
        let first = open
            .filter_map(|(guard, armed)| armed.breach(guard, pacer, from_ns, to_ns))
            .min_by_key(|breach| breach.at_ns);
        self.checked_ns = first.map_or(to_ns, |breach| breach.at_ns);
        if let Some(breach) = first {
            self.armed[breach.guard].spent = true;
        }
        first
    }

    /// A guard on time whose instant has passed while some stream it speaks of has jobs overdue.
    pub fn overstayed(&mut self, now_ns: u64, overdue: &[bool]) -> Option<Breach> {
        for (guard, armed) in self.armed.iter_mut().enumerate() {
            if let GuardKind::Time(limit_ns) = armed.guard.kind
                && !armed.spent
                && now_ns > limit_ns
                && (0..overdue.len()).any(|stream| overdue[stream] && armed.speaks_of(stream))
            {
                armed.spent = true;
                let value = now_ns as f64 / 1e9;
                let effect = armed.stop_effect(true);
                return Some(Breach { guard, at_ns: now_ns, limit: u64::MAX, value, effect });
            }
        }
        None
    }

    /// The next instant of a guard on time.
    pub fn next_deadline_ns(&self) -> Option<u64> {
        let deadline = |armed: &Armed| match armed.guard.kind {
            GuardKind::Time(limit_ns) if !armed.spent && limit_ns > self.checked_ns => {
                Some(limit_ns)
            }
            _ => None,
        };
        self.armed.iter().filter_map(deadline).min()
    }
}

impl Armed {
    fn breach(&self, guard: usize, pacer: &Pacer, from_ns: u64, to_ns: u64) -> Option<Breach> {
        let (at_ns, limit, value) = match self.guard.kind {
            GuardKind::Jobs(limit) => self.jobs_breach(pacer, from_ns, to_ns, limit)?,
            GuardKind::Time(limit_ns) => self.time_breach(pacer, from_ns, to_ns, limit_ns)?,
            GuardKind::Rate { limit_jobs, window_ns }
                if self.guard.action == Some(Action::Stop) =>
            {
                self.rate_breach(pacer, from_ns, to_ns, limit_jobs, window_ns)?
            }
            _ => return None,
        };
        let planned = !matches!(self.guard.kind, GuardKind::Rate { .. });
        Some(Breach { guard, at_ns, limit, value, effect: self.stop_effect(planned) })
    }

    fn streams<'a>(&'a self, pacer: &Pacer) -> impl Iterator<Item = usize> + 'a {
        (0..pacer.streams()).filter(|stream| self.speaks_of(*stream))
    }

    fn count_by(&self, pacer: &Pacer, run_ns: u64) -> u64 {
        self.streams(pacer).map(|stream| pacer.count_by(stream, run_ns)).sum()
    }

    /// A claim is broken by the job after the last allowed one; `then stop` acts at the last
    /// allowed one, if any would come after it.
    fn jobs_breach(
        &self,
        pacer: &Pacer,
        from_ns: u64,
        to_ns: u64,
        limit: u64,
    ) -> Option<(u64, u64, f64)> {
        let threshold = if self.guard.action.is_some() {
            let planned = self.streams(pacer).map(|stream| pacer.planned(stream));
            if planned.fold(0, u64::saturating_add) <= limit {
                return None;
            }
            limit
        } else {
            limit.saturating_add(1)
        };
        if self.count_by(pacer, to_ns) < threshold {
            return None;
        }
        let at_ns = first_instant(from_ns, to_ns, |t| self.count_by(pacer, t) >= threshold);
        Some((at_ns, limit, threshold as f64))
    }

    fn time_breach(
        &self,
        pacer: &Pacer,
        from_ns: u64,
        to_ns: u64,
        limit_ns: u64,
    ) -> Option<(u64, u64, f64)> {
        let over = |stream| pacer.is_over_by(stream, limit_ns);
        if to_ns < limit_ns || self.streams(pacer).all(over) {
            return None;
        }
        let at_ns = limit_ns.max(from_ns);
        Some((at_ns, u64::MAX, at_ns as f64 / 1e9))
    }

    /// The first planned job that makes some window (t − w, t] hold more than the limit. Catching
    /// up does not count: all instants here are intended ones.
    fn rate_breach(
        &self,
        pacer: &Pacer,
        from_ns: u64,
        to_ns: u64,
        limit: u64,
        window_ns: u64,
    ) -> Option<(u64, u64, f64)> {
        let by = |t: Option<u64>| t.map_or(0, |t| self.count_by(pacer, t));
        if self.count_by(pacer, to_ns) - by(from_ns.checked_sub(window_ns)) <= limit {
            return None;
        }
        let mut first = None;
        for stream in self.streams(pacer) {
            for index in pacer.due(stream) + 1..=pacer.count_by(stream, to_ns) {
                let t = pacer.intended_ns(stream, index);
                if first.is_some_and(|(found, _, _)| found <= t) {
                    break;
                }
                let before = by(t.checked_sub(window_ns));
                let inside = self.count_by(pacer, t) - before;
                if inside > limit {
                    first = Some((t, before + limit, inside as f64));
                    break;
                }
            }
        }
        first
    }
}

/// The first instant in [from, to] for which a condition holds that holds at `to` and, once it
/// holds, goes on holding.
fn first_instant(from_ns: u64, to_ns: u64, holds: impl Fn(u64) -> bool) -> u64 {
    let (mut low, mut high) = (from_ns.min(to_ns), to_ns);
    while low < high {
        let middle = low + (high - low) / 2;
        if holds(middle) {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    high
}
