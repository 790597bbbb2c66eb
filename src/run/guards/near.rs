//! How near the guards are to their bounds, and when that is worth a warning.

use super::{Guards, Watch};
use crate::run::pacer::Pacer;

/// A guard that warned does so again only when what it measures has been below this share of the level.
const LOW_AGAIN: f64 = 0.95;
/// And no sooner than this after the last time, in nanoseconds.
const QUIET_NS: u64 = 10_000_000_000;

impl Guards {
    /// What a guard measures now; `None` for a file, and where nothing is known.
    fn measure(&mut self, guard: usize, pacer: &Pacer, now_ns: u64) -> Option<f64> {
        let armed = &mut self.armed[guard];
        let due = |own: Option<usize>| {
            let streams =
                (0..pacer.streams()).filter(|stream| own.is_none_or(|own| own == *stream));
            streams.map(|stream| pacer.due(stream)).sum::<u64>() as f64
        };
        match &mut armed.watch {
            Watch::Rate(window) => Some(window.sum(now_ns) as f64),
            Watch::Jobs => Some(due(armed.guard.stream)),
            Watch::Time => Some(now_ns as f64 / 1e9),
            Watch::Depth(queues) => queues.iter().map(|(_, depth)| *depth as f64).reduce(f64::max),
            Watch::Errors(window) => window.is_telling(now_ns).then(|| window.share(now_ns)),
            Watch::Failed(window) => window.share(now_ns),
            Watch::Measured(value) => *value,
            Watch::File(_) => None,
        }
    }

    /// The guards that have come near their bound since the last call, and what they measured.
    pub fn warnings(&mut self, pacer: &Pacer, now_ns: u64) -> Vec<(usize, f64)> {
        let mut found = Vec::new();
        for guard in 0..self.armed.len() {
            let Some(level) = self.armed[guard].guard.tuning.warn else { continue };
            let Some(value) = self.measure(guard, pacer, now_ns) else { continue };
            let armed = &mut self.armed[guard];
            armed.warned &= value >= level * LOW_AGAIN;
            let quiet_ns = QUIET_NS.max(armed.guard.tuning.cooldown_ns);
            let soon = armed.warned_ns.is_some_and(|last| now_ns.saturating_sub(last) < quiet_ns);
            if value >= level && !armed.warned && !soon && !armed.spent && !armed.pausing {
                armed.warned = true;
                armed.warned_ns = Some(now_ns);
                found.push((guard, value));
            }
        }
        found
    }

    /// By how much a depth is above the bounds of guards that were hit and watch it.
    pub fn depth_over(&self, queue: usize, depth: u64) -> Vec<(usize, u64)> {
        let over = |(guard, armed): (usize, &super::Armed)| {
            let Watch::Depth(queues) = &armed.watch else { return None };
            let limit = armed.guard.kind.limit() as u64;
            let watched = queues.iter().any(|(known, _)| *known == queue);
            let above = depth.checked_sub(limit).filter(|above| *above > 0)?;
            (watched && (armed.spent || armed.pausing)).then_some((guard, above))
        };
        self.armed.iter().enumerate().filter_map(over).collect()
    }
}
