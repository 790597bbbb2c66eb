//! Who is due by now, and when to look again. Pure: it is told the time and tells instants.

use super::stream_clock::{Pace, StreamClock};
use crate::schedule::Schedule;
use std::sync::Arc;
use std::time::Duration;

/// Counts the jobs that fall due and plans the wake-ups.
///
/// With D(t) the number of jobs of a stream that its schedule has due by the stream's time t, and
/// `stream(·)`, `run(·)` the maps of its [`StreamClock`]:
///
/// ```text
/// due(now)  = D(stream(now))                     nothing is added up, so nothing drifts
/// next      = min over streams of run(T(due+1))  T(k): when the k-th is due
/// wake      = max(next, w + g·(⌊(now − w)/g⌋ + 1))
/// ```
///
/// where w is the last wake-up as it was planned, `now` the one that came of it and g the gap. At a
/// rate below 1/g a wake-up stands on each job's own instant; above it, they stand g apart on the
/// grid of w, and each takes all that has fallen due since the last. One that comes late moves none
/// after it: the grid stays where it is and skips what has gone by. The first job of a coalesced
/// tick waits up to g, the mean is g/2.
pub struct Pacer {
    gap_ns: u64,
    lanes: Vec<Lane>,
    /// No wake-up before this: the grid point after the last one.
    earliest_ns: u64,
}

struct Lane {
    schedule: Arc<dyn Schedule>,
    clock: StreamClock,
    due: u64,
    /// Nothing falls due any more, whatever the schedule still holds.
    closed: bool,
    over: bool,
    /// The run's instant of the next job, or of the stream's end, unless over or paused.
    next_ns: Option<u64>,
}

impl Lane {
    fn count_by(&self, run_ns: u64) -> u64 {
        let count = self.schedule.due_by(self.clock.stream_ns(run_ns)).min(self.schedule.len());
        if self.closed { count.min(self.due) } else { count }
    }

    /// Brings `over` and `next_ns` up to date at an instant.
    fn look_ahead(&mut self, now_ns: u64) {
        let finished = self.due >= self.schedule.len()
            && self.clock.stream_ns(now_ns) >= self.schedule.end_ns();
        self.over = self.closed || finished;
        self.next_ns = if self.over || self.clock.is_paused() || self.clock.pace() == Pace::STILL {
            None
        } else if self.due < self.schedule.len() {
            Some(self.clock.run_ns(self.schedule.time_of(self.due + 1)))
        } else {
            Some(self.clock.run_ns(self.schedule.end_ns()))
        };
    }
}

impl Pacer {
    /// A pacer over streams, at the start of the run. The gap is the least time between wake-ups.
    pub fn new(gap: Duration, schedules: Vec<Arc<dyn Schedule>>) -> Pacer {
        let lane = |schedule| {
            let clock = StreamClock::default();
            let mut lane =
                Lane { schedule, clock, due: 0, closed: false, over: false, next_ns: None };
            lane.look_ahead(0);
            lane
        };
        Pacer {
            gap_ns: u64::try_from(gap.as_nanos()).unwrap_or(u64::MAX).max(1),
            lanes: schedules.into_iter().map(lane).collect(),
            earliest_ns: 0,
        }
    }

    /// The number of streams.
    pub fn streams(&self) -> usize {
        self.lanes.len()
    }

    /// Jobs in a stream's plan.
    pub fn planned(&self, stream: usize) -> u64 {
        self.lanes[stream].schedule.len()
    }

    /// Jobs of a stream that have fallen due.
    pub fn due(&self, stream: usize) -> u64 {
        self.lanes[stream].due
    }

    /// Jobs of a stream that will have fallen due by an instant, or had by an earlier one.
    pub fn count_by(&self, stream: usize, run_ns: u64) -> u64 {
        self.lanes[stream].count_by(run_ns)
    }

    /// When a job (by its index) fell or falls due, in the run's time.
    pub fn intended_ns(&self, stream: usize, index: u64) -> u64 {
        let lane = &self.lanes[stream];
        lane.clock.run_ns(lane.schedule.time_of(index))
    }

    /// Of a job that is not sent yet: when it is due by the plan, in the stream's time, and when it
    /// is intended to leave, in the run's. The pauses of its stream up to now have moved it.
    pub fn times_of(&self, stream: usize, index: u64) -> (u64, u64) {
        let lane = &self.lanes[stream];
        let planned_ns = lane.schedule.time_of(index);
        (planned_ns, lane.clock.leave_ns(planned_ns))
    }

    /// A stream's schedule.
    pub fn schedule(&self, stream: usize) -> &dyn Schedule {
        self.lanes[stream].schedule.as_ref()
    }

    /// The rate at which a stream's jobs now fall due, in jobs per second: the planned one at the
    /// pace of its clock. 0 while it stands still or once it is over.
    pub fn rate(&self, stream: usize, now_ns: u64) -> f64 {
        self.planned_rate(stream, now_ns) * self.lanes[stream].clock.pace().share()
    }

    /// The same at the run's own pace.
    pub fn planned_rate(&self, stream: usize, now_ns: u64) -> f64 {
        let lane = &self.lanes[stream];
        if lane.over || lane.clock.is_paused() {
            return 0.0;
        }
        lane.schedule.rate(lane.clock.stream_ns(now_ns))
    }

    /// The time of a stream's own clock, also after its end.
    pub fn stream_ns(&self, stream: usize, now_ns: u64) -> u64 {
        self.lanes[stream].clock.stream_ns(now_ns)
    }

    /// Goes on with other jobs. Those due by now are the same, and have been counted.
    pub fn set_schedule(&mut self, stream: usize, now_ns: u64, schedule: Arc<dyn Schedule>) {
        self.lanes[stream].schedule = schedule;
        self.lanes[stream].look_ahead(now_ns);
    }

    /// Takes in one more stream, of which nothing has been due.
    pub fn add_stream(&mut self, now_ns: u64, schedule: Arc<dyn Schedule>) {
        let clock = StreamClock::default();
        let mut lane = Lane { schedule, clock, due: 0, closed: false, over: false, next_ns: None };
        lane.look_ahead(now_ns);
        self.lanes.push(lane);
    }

    /// Whether a stream was told that nothing of it falls due any more.
    pub fn is_closed(&self, stream: usize) -> bool {
        self.lanes[stream].closed
    }

    /// How fast a stream's clock runs.
    pub fn pace(&self, stream: usize) -> Pace {
        self.lanes[stream].clock.pace()
    }

    /// Lets it run at another pace. What is due by now is to have been counted.
    pub fn set_pace(&mut self, stream: usize, now_ns: u64, pace: Pace) {
        self.lanes[stream].clock.set_pace(now_ns, pace);
        self.lanes[stream].look_ahead(now_ns);
    }

    /// Where a stream is in its schedule, in nanoseconds: the run's time less its pauses, and no
    /// further than its end.
    pub fn place_ns(&self, stream: usize, now_ns: u64) -> u64 {
        let lane = &self.lanes[stream];
        lane.clock.stream_ns(now_ns).min(lane.schedule.end_ns())
    }

    /// From now to a stream's end, in nanoseconds, if it is not paused again; 0 once it is over.
    pub fn remaining_ns(&self, stream: usize, now_ns: u64) -> u64 {
        let lane = &self.lanes[stream];
        if lane.over {
            return 0;
        }
        lane.schedule.end_ns().saturating_sub(lane.clock.stream_ns(now_ns))
    }

    /// Lets everything fall due that is due by an instant.
    pub fn advance(&mut self, now_ns: u64) {
        for lane in &mut self.lanes {
            if lane.next_ns.is_some_and(|next| next <= now_ns) {
                lane.due = lane.due.max(lane.count_by(now_ns));
                lane.look_ahead(now_ns);
            }
        }
    }

    /// Lets everything fall due that is due before an instant, and of what is due at it no more
    /// than brings the sum of the streams in `scope` to `limit`; the streams outside take it all.
    pub fn advance_to_limit(
        &mut self,
        now_ns: u64,
        scope: impl Fn(usize) -> bool + Copy,
        limit: u64,
    ) {
        if let Some(before_ns) = now_ns.checked_sub(1) {
            self.advance(before_ns);
        }
        let streams = 0..self.lanes.len();
        let sum: u64 = streams.filter(|stream| scope(*stream)).map(|stream| self.due(stream)).sum();
        let mut room = limit.saturating_sub(sum);
        for (stream, lane) in self.lanes.iter_mut().enumerate() {
            let more = lane.count_by(now_ns).saturating_sub(lane.due);
            let taken = if scope(stream) { more.min(room) } else { more };
            if scope(stream) {
                room -= taken;
            }
            lane.due += taken;
            lane.look_ahead(now_ns);
        }
    }

    /// From now on nothing of a stream falls due.
    pub fn close(&mut self, stream: usize, now_ns: u64) {
        self.lanes[stream].closed = true;
        self.lanes[stream].look_ahead(now_ns);
    }

    /// Stops a stream's clock. What is due by now is to have been counted.
    pub fn pause(&mut self, stream: usize, now_ns: u64) {
        self.lanes[stream].clock.pause(now_ns);
        self.lanes[stream].look_ahead(now_ns);
    }

    /// Starts it again.
    pub fn resume(&mut self, stream: usize, now_ns: u64) {
        self.lanes[stream].clock.resume(now_ns);
        self.lanes[stream].look_ahead(now_ns);
    }

    /// Whether a stream's clock stands still.
    pub fn is_paused(&self, stream: usize) -> bool {
        self.lanes[stream].clock.is_paused()
    }

    /// Whether nothing of a stream will fall due any more and its time is up.
    pub fn is_over(&self, stream: usize) -> bool {
        self.lanes[stream].over
    }

    /// Whether a stream will be over at an instant if it is not paused before, or was at an earlier
    /// one.
    pub fn is_over_by(&self, stream: usize, run_ns: u64) -> bool {
        let lane = &self.lanes[stream];
        let finished = lane.count_by(run_ns) >= lane.schedule.len()
            && lane.clock.stream_ns(run_ns) >= lane.schedule.end_ns();
        lane.closed || finished
    }

    /// When the next job falls due or the next stream ends; `None` if nothing more comes by itself.
    pub fn next_due_ns(&self) -> Option<u64> {
        self.lanes.iter().filter_map(|lane| lane.next_ns).min()
    }

    /// When to look again; `None` if nothing more comes by itself.
    pub fn next_wake_ns(&self) -> Option<u64> {
        Some(self.next_due_ns()?.max(self.earliest_ns))
    }

    /// Notes that the wake-up of [`Pacer::next_wake_ns`] has come, if it has. To be called before
    /// [`Pacer::advance`].
    pub fn wake(&mut self, now_ns: u64) {
        if let Some(planned) = self.next_wake_ns()
            && planned <= now_ns
        {
            let missed = (now_ns - planned) / self.gap_ns;
            let step = self.gap_ns.saturating_mul(missed.saturating_add(1));
            self.earliest_ns = planned.saturating_add(step);
        }
    }

    /// Forgets pauses that no job from `index` on, and no instant from `run_ns` on, needs.
    pub fn forget(&mut self, stream: usize, run_ns: u64, index: u64) {
        let lane = &mut self.lanes[stream];
        let stream_ns = if index <= lane.schedule.len() && index > 0 {
            lane.schedule.time_of(index)
        } else {
            lane.schedule.end_ns()
        };
        lane.clock.forget(run_ns, stream_ns);
    }
}

#[cfg(test)]
mod tests;
