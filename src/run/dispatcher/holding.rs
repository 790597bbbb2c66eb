//! `hold depth`: of what the plan has due, only so much falls due as the queues have room for.
//!
//! ```text
//! room = min over its queues of  N − depth − on the way
//! ```
//!
//! The depth is the last that was read. On its way is, of every stream that writes to the queue, what
//! has fallen due and had no outcome when that depth was asked for: it may not have been in it. So,
//! as long as nobody else writes to the queue, its depth is never above N, whatever is in flight and
//! however old the reading is; what the workers take shows with the next one.

use super::Dispatcher;
use crate::plan::{Wait, WaitKind};
use crate::run::clock::Clock;
use crate::run::jobs::Jobs;
use crate::sink::Sink;
use std::ops::Range;

impl<J: Jobs, S: Sink, C: Clock + 'static> Dispatcher<J, S, C> {
    /// Of jobs of a stream that are due next by the plan, leaves out those that phrases which hold a
    /// depth have no room for, and counts the others up to there as due in this second. Tells which
    /// were left out.
    pub(super) fn hold_depths(
        &mut self,
        stream: usize,
        of: Range<u64>,
        second: u64,
    ) -> Vec<Range<u64>> {
        let held = self.task.waits.held(stream, of, |index| self.place_of(stream, index));
        let mut left_out = Vec::new();
        for (place, wait, jobs) in held {
            self.stats.due(stream, jobs.start - 1, second);
            let (all, room) = (jobs.end - jobs.start, self.room_of(stream, &wait));
            // A batch falls due whole or not at all.
            let batch = self.splices.get(stream).map_or(1, |own| own.source().batch.max(1));
            let kept = match room {
                Some(room) if room >= all => all,
                Some(room) => room - room % batch,
                None => 0,
            };
            let first_out = jobs.start + kept;
            self.stats.due(stream, first_out - 1, second);
            self.task.waits.tally(stream, place, all - kept, room.is_some_and(|room| room < all));
            if first_out < jobs.end {
                self.stats.leave_out(stream, jobs.end - first_out);
                self.backlog.leave_out(stream, first_out, jobs.end - 1);
                self.notes.leave_out(stream, first_out, jobs.end - 1);
                left_out.push(first_out..jobs.end);
            }
        }
        left_out
    }

    /// How many more jobs of a stream a phrase that holds a depth has room for; `None` as long as
    /// nobody can tell.
    fn room_of(&self, stream: usize, wait: &Wait) -> Option<u64> {
        let WaitKind::Held { queue: name, limit } = &wait.kind else { return None };
        let named = |queue: &usize| {
            name.as_ref().is_none_or(|name| *name == self.probe.queues()[*queue].name)
        };
        let mut least = None;
        for queue in self.lane_queues(stream).into_iter().filter(named) {
            let (_, depth) = self.probe.last(queue)?;
            let full = depth.saturating_add(self.on_the_way(queue));
            let room = limit.saturating_sub(full);
            least = Some(least.map_or(room, |least: u64| least.min(room)));
        }
        least
    }

    /// Jobs that are due and may not have been in the last depth of a queue.
    fn on_the_way(&self, queue: usize) -> u64 {
        let of = |stream: usize| {
            let counts = self.stats.streams()[stream].counts;
            let due = counts.due.saturating_sub(counts.failed + counts.skipped);
            due.saturating_sub(self.probe.settled_then(queue, stream))
        };
        self.streams().filter(|stream| self.lane_queues(*stream).contains(&queue)).map(of).sum()
    }
}
