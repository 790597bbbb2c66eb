//! Jobs that are overdue, and stalls of loadc itself.

use super::Dispatcher;
use crate::run::clock::Clock;
use crate::run::events::Event;
use crate::run::jobs::Jobs;
use crate::run::report::StallEntry;
use crate::sink::{Failure, Sink};

/// A wake-up that comes this much late is a stall: the process was stopped, the machine slept, or
/// was too busy to run it.
const STALL_NS: u64 = 500_000_000;

/// The wall clock's distance from the run's that is told of when it changes by more.
const STEP_NS: i64 = 500_000_000;

impl<J: Jobs, S: Sink, C: Clock + 'static> Dispatcher<J, S, C> {
    /// Gives up what is too late, and spreads what a stall left.
    pub(super) fn judge_late(&mut self, now_ns: u64) {
        for stream in self.streams() {
            let skip_after_ns = self.lates.skip_after_ns(stream);
            if (skip_after_ns.is_none() && !self.lates.spreads(stream))
                || self.pacer.is_paused(stream)
            {
                continue;
            }
            let overdue = self.overdue(stream);
            let late_ns = match overdue {
                0 => 0,
                _ => now_ns
                    .saturating_sub(self.pacer.times_of(stream, self.backlog.oldest(stream)).1),
            };
            if let Some(after_ns) = skip_after_ns {
                if overdue > 0 && late_ns > after_ns {
                    self.skip_late(stream, after_ns, now_ns);
                }
            } else if self.link.is_open(now_ns, !self.flights.is_empty()) && self.flight_room() > 0
            {
                self.lates.look(stream, overdue, self.pacer.due(stream), late_ns, now_ns);
            }
        }
    }

    fn skip_late(&mut self, stream: usize, after_ns: u64, now_ns: u64) {
        let left_ns = now_ns - after_ns;
        let skipped = self.backlog.skip_to(stream, self.meant_before(stream, left_ns));
        let jobs = skipped.len();
        if jobs == 0 {
            return;
        }
        self.stats.skipped(stream, jobs);
        let failure = Failure {
            kind: "late".to_owned(),
            message: format!("not sent within {} of being due", crate::show::duration(after_ns)),
            lasting: false,
        };
        self.stats.error(&failure, jobs, now_ns);
        self.note_skipped(&skipped);
    }

    /// The last job of a stream, of those that are overdue, that was meant to leave before an
    /// instant; the one before the oldest if there is none.
    fn meant_before(&self, stream: usize, left_ns: u64) -> u64 {
        let mut low = self.backlog.oldest(stream).saturating_sub(1);
        let mut high = self.pacer.due(stream);
        while low < high {
            let middle = high - (high - low) / 2;
            if self.pacer.times_of(stream, middle).1 < left_ns {
                low = middle;
            } else {
                high = middle - 1;
            }
        }
        low
    }

    /// Tells of a stall if the wake-up of an instant comes far too late.
    pub(super) fn notice_stall(&mut self, wake_ns: u64) {
        let now_ns = self.clock.now_ns();
        let stalled_ns = now_ns.saturating_sub(wake_ns);
        if stalled_ns < STALL_NS {
            return;
        }
        let for_s = stalled_ns as f64 / 1e9;
        self.teller.list_stall(StallEntry { at_s: wake_ns as f64 / 1e9, for_s });
        self.tell(Event::Stalled { for_s });
    }

    /// Tells of a step of the wall clock, which moves no job.
    pub(super) fn notice_clock_step(&mut self, now_ns: u64) {
        let run_ns = self.clock.start_unix_ns().saturating_add(now_ns);
        let offset_ns = self.clock.wall_ns().wrapping_sub(run_ns).cast_signed();
        let step_ns = offset_ns.saturating_sub(self.wall_offset_ns);
        if step_ns.abs() < STEP_NS {
            return;
        }
        self.wall_offset_ns = offset_ns;
        let way = if step_ns > 0 { "forward" } else { "back" };
        let by = crate::show::duration(step_ns.unsigned_abs());
        let message = format!("the machine's clock was set {way} by {by}; that moves no job");
        self.tell(Event::Warning { message });
    }
}
