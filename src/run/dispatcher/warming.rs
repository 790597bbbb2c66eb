//! What only warms up, and is judged by no expectation.

use super::Dispatcher;
use crate::run::clock::Clock;
use crate::run::jobs::Jobs;
use crate::run::warmup::Place;
use crate::sink::Sink;
use std::ops::Range;

impl<J: Jobs, S: Sink, C: Clock + 'static> Dispatcher<J, S, C> {
    /// Where the script was when a stream was at a time of its own.
    fn script_then_ns(&self, stream: usize, planned_ns: u64) -> u64 {
        let plan_ns = planned_ns.saturating_add(self.options.from_ns);
        self.splices.get(stream).map_or(plan_ns, |spliced| spliced.script_then_ns(plan_ns))
    }

    /// Whether a job that is due at a time of its stream only warms up.
    pub(super) fn is_warmup(
        &self,
        stream: usize,
        index: u64,
        number: u64,
        planned_ns: u64,
    ) -> bool {
        let place = || Place { number, script_ns: self.script_then_ns(stream, planned_ns) };
        self.task.warmups.holds(stream, index, place)
    }

    /// Where a job stands in the script, by its index.
    pub(super) fn place_of(&self, stream: usize, index: u64) -> Place {
        let schedule = self.pacer.schedule(stream);
        Place {
            number: schedule.number_of(index),
            script_ns: self.script_then_ns(stream, schedule.time_of(index)),
        }
    }

    /// How many of some jobs, by their indices, only warm up.
    pub(super) fn warmups_among(&self, stream: usize, of: Range<u64>) -> u64 {
        self.task.warmups.count(stream, of, |index| self.place_of(stream, index))
    }

    /// Whether jobs that only warm up go to a queue now.
    pub(super) fn is_warming(&self, queue: usize, now_ns: u64) -> bool {
        if self.stats.judged().is_none() {
            return false;
        }
        let mut streams = self.streams().filter(|stream| !self.pacer.is_over(*stream));
        streams.any(|stream| {
            let script_ns = self.script_ns(stream, now_ns);
            self.task.warmups.is_in(stream, script_ns) && self.lane_queues(stream).contains(&queue)
        })
    }
}
