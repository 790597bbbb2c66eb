//! Jobs that are overdue, and stalls of loadc itself.

use super::Dispatcher;
use super::lanes::OfStream;
use crate::journal::Spans;
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
        let late_ns = |run: &Self, overdue: u64, oldest: u64, stream: usize| match overdue {
            0 => 0,
            _ => now_ns.saturating_sub(run.pacer.times_of(stream, oldest).1),
        };
        let mut looked = false;
        for stream in self.streams() {
            if self.pacer.is_paused(stream) {
                continue;
            }
            if let Some(after_ns) = self.lates.skip_after_ns(stream) {
                let overdue = self.overdue(stream);
                let late_ns = late_ns(self, overdue, self.backlog.oldest(stream), stream);
                if overdue > 0 && late_ns > after_ns {
                    self.skip_late(stream, after_ns, now_ns);
                }
            } else if self.lates.spreads(stream) {
                if !std::mem::replace(&mut looked, true) {
                    self.look_at_rooms(now_ns);
                }
                let is_open = |lane: usize| self.lanes.room(lane) > 0;
                if self.lanes.of_stream(stream).iter().any(|lane| is_open(*lane)) {
                    let (overdue, due) = (self.reachable(stream), self.due_in_reach(stream));
                    let oldest = self.backlog.oldest_in(stream, is_open);
                    let late_ns = late_ns(self, overdue, oldest, stream);
                    self.lates.look(stream, overdue, due, late_ns, now_ns);
                }
            }
        }
    }

    fn skip_late(&mut self, stream: usize, after_ns: u64, now_ns: u64) {
        let left_ns = now_ns - after_ns;
        let skipped = self.skip_to(stream, self.meant_before(stream, left_ns), true);
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

    /// Gives up the jobs of a stream up to an index: all of them, or those of open lanes.
    pub(super) fn skip_to(&mut self, stream: usize, index: u64, all: bool) -> Spans {
        let Dispatcher { task, lists, old_jobs, sending, pacer, lanes, backlog, notes, .. } = self;
        let own = &sending[stream];
        let lanes = OfStream::new(task, lists, old_jobs, own, pacer, lanes, stream);
        let lanes = if all { lanes.all_open() } else { lanes };
        let skipped = backlog.skip_to(stream, index, &lanes, |index| notes.pass(stream, index));
        self.note_passed();
        skipped
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
