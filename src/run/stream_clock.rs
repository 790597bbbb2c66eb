//! The clock of one stream: the run's, less the time it stood still, and slower where a guard slows it.

use std::collections::VecDeque;

/// Maps between the run's time and a stream's own, which stands still while the stream is paused and
/// may run slower.
///
/// It is a list of marks (R, S, p): from the run's instant R on, the stream goes on from its own
/// instant S, p nanoseconds of its own in each of the run's. With m the latest mark at or before r,
///
/// ```text
/// stream(r) = min(S_m + ⌊(r − R_m)·p_m⌋, S_{m+1})   S_{m+1}: where the pause after m holds it
/// run(s)    = R_m + ⌈(s − S_m)/p_m⌉                 m: the latest mark with S_m < s, else the first
/// ```
///
/// so a job that was due by the instant of a pause keeps its place in the run's time, and every
/// later one moves by the pause. That is when a job falls due. When one that has not been sent yet
/// is meant to leave is another thing: it moves by every pause, whether it was due before it or not,
///
/// ```text
/// leave(s)  = run(s) + (H_n − H_m)                n: the latest mark of all; H: time paused by then
/// ```
///
/// for while the stream stands still nothing is sent, and that is no lateness.
#[derive(Clone, Debug)]
pub struct StreamClock {
    marks: VecDeque<Mark>,
    paused_at_ns: Option<u64>,
    pace: Pace,
}

/// How fast a stream's clock runs, in parts of 2³²: 0 stands still, [`Pace::WHOLE`] is the run's own
/// pace, and it is never more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Pace(u64);

impl Pace {
    /// That of the run.
    pub const WHOLE: Pace = Pace(1 << 32);
    /// None at all.
    pub const STILL: Pace = Pace(0);

    /// The nearest to a share, which is brought into 0 to 1.
    pub fn of(share: f64) -> Pace {
        Pace((share.clamp(0.0, 1.0) * Pace::WHOLE.0 as f64) as u64)
    }

    /// As a share from 0 to 1.
    pub fn share(self) -> f64 {
        self.0 as f64 / Pace::WHOLE.0 as f64
    }

    /// The stream's part of a time of the run, rounded down.
    fn of_run(self, ns: u64) -> u64 {
        ((u128::from(ns) * u128::from(self.0)) >> 32) as u64
    }

    /// The time of the run in which the stream comes this far, rounded up.
    fn for_stream(self, ns: u64) -> u64 {
        match u128::from(self.0) {
            _ if ns == 0 => 0,
            0 => u64::MAX,
            pace => u64::try_from((u128::from(ns) << 32).div_ceil(pace)).unwrap_or(u64::MAX),
        }
    }
}

#[derive(Clone, Copy, Debug)]
struct Mark {
    run_ns: u64,
    stream_ns: u64,
    /// How long the stream had been paused by then.
    held_ns: u64,
    pace: Pace,
}

impl Default for StreamClock {
    fn default() -> StreamClock {
        let start = Mark { run_ns: 0, stream_ns: 0, held_ns: 0, pace: Pace::WHOLE };
        StreamClock { marks: VecDeque::from([start]), paused_at_ns: None, pace: Pace::WHOLE }
    }
}

impl StreamClock {
    /// A clock that goes on, at an instant of the run, from a time of its own.
    pub fn resumed(run_ns: u64, stream_ns: u64) -> StreamClock {
        let mark = Mark { run_ns, stream_ns, held_ns: 0, pace: Pace::WHOLE };
        StreamClock { marks: VecDeque::from([mark]), paused_at_ns: None, pace: Pace::WHOLE }
    }

    /// The stream's time at an instant of the run.
    pub fn stream_ns(&self, run_ns: u64) -> u64 {
        let at = match self.paused_at_ns {
            Some(paused) => run_ns.min(paused),
            None => run_ns,
        };
        let after = self.marks.partition_point(|mark| mark.run_ns <= at).max(1);
        let mark = self.marks[after - 1];
        let passed = mark.pace.of_run(at.saturating_sub(mark.run_ns));
        let stream = mark.stream_ns.saturating_add(passed);
        match self.marks.get(after) {
            Some(next) => stream.min(next.stream_ns),
            None => stream,
        }
    }

    /// The mark from which a time of the stream is reached.
    fn mark_before(&self, stream_ns: u64) -> Mark {
        let after = self.marks.partition_point(|mark| mark.stream_ns < stream_ns).max(1);
        self.marks[after - 1]
    }

    /// The run's instant at which the stream reaches a time of its own, as if no pause were to
    /// come, a present one ended at once, and the present pace held.
    pub fn run_ns(&self, stream_ns: u64) -> u64 {
        let mark = self.mark_before(stream_ns);
        let passed = mark.pace.for_stream(stream_ns.saturating_sub(mark.stream_ns));
        mark.run_ns.saturating_add(passed)
    }

    /// The run's instant at which a job that has not been sent is meant to leave: when the stream
    /// reached its time, plus whatever the stream has been paused since.
    pub fn leave_ns(&self, stream_ns: u64) -> u64 {
        let mark = self.mark_before(stream_ns);
        let held = self.marks.back().map_or(0, |last| last.held_ns - mark.held_ns);
        // Of a time whose mark is forgotten, the first that is known speaks.
        let early = mark.pace.for_stream(mark.stream_ns.saturating_sub(stream_ns));
        self.run_ns(stream_ns).saturating_sub(early).saturating_add(held)
    }

    /// Whether it stands still for a pause.
    pub fn is_paused(&self) -> bool {
        self.paused_at_ns.is_some()
    }

    /// How fast it runs, pauses apart.
    pub fn pace(&self) -> Pace {
        self.pace
    }

    /// Runs at another pace from an instant on that is not before any told so far.
    pub fn set_pace(&mut self, run_ns: u64, pace: Pace) {
        if std::mem::replace(&mut self.pace, pace) == pace || self.is_paused() {
            return;
        }
        self.mark(run_ns, 0);
    }

    fn mark(&mut self, run_ns: u64, held_now_ns: u64) {
        let stream_ns = self.stream_ns(run_ns);
        let held_ns = self.marks.back().map_or(0, |last| last.held_ns) + held_now_ns;
        let mark = Mark { run_ns, stream_ns, held_ns, pace: self.pace };
        match self.marks.back_mut() {
            Some(last) if last.run_ns == run_ns => *last = mark,
            _ => self.marks.push_back(mark),
        }
    }

    /// Stands still from an instant on that is not before any told so far.
    pub fn pause(&mut self, run_ns: u64) {
        self.paused_at_ns.get_or_insert(run_ns);
    }

    /// Goes on.
    pub fn resume(&mut self, run_ns: u64) {
        let Some(paused_at_ns) = self.paused_at_ns else { return };
        self.mark(run_ns, run_ns.saturating_sub(paused_at_ns));
        self.paused_at_ns = None;
    }

    /// Forgets what is needed only for instants of the run before this one, or for times of the
    /// stream before that one: the list stays short however often a guard pauses a run.
    pub fn forget(&mut self, run_ns: u64, stream_ns: u64) {
        while let Some(second) = self.marks.get(1)
            && second.run_ns <= run_ns
            && second.stream_ns < stream_ns
        {
            self.marks.pop_front();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn paused_twice() -> StreamClock {
        let mut clock = StreamClock::default();
        clock.pause(100);
        clock.pause(120); // already paused: the first instant holds
        clock.resume(150);
        clock.pause(200);
        clock.resume(1_200);
        clock
    }

    #[test]
    fn stands_still_while_paused() {
        let clock = paused_twice();
        let table = [(0, 0), (99, 99), (100, 100), (149, 100), (150, 100), (151, 101)];
        let later = [(200, 150), (700, 150), (1_200, 150), (1_201, 151), (2_000, 950)];
        for (run, stream) in table.into_iter().chain(later) {
            assert_eq!(clock.stream_ns(run), stream, "at {run}");
        }
    }

    #[test]
    fn a_job_due_by_the_pause_keeps_its_instant_and_later_ones_shift() {
        let clock = paused_twice();
        for (stream, run) in [(0, 0), (100, 100), (101, 151), (150, 200), (151, 1_201)] {
            assert_eq!(clock.run_ns(stream), run, "of {stream}");
        }
    }

    #[test]
    fn a_job_that_is_not_sent_yet_moves_by_every_pause() {
        let mut clock = StreamClock::default();
        assert_eq!(clock.leave_ns(90), 90);
        clock.pause(100);
        clock.resume(150);
        assert_eq!([90, 100, 101].map(|stream| clock.leave_ns(stream)), [140, 150, 151]);
        clock.forget(200, 150);
        assert_eq!([90, 160].map(|stream| clock.leave_ns(stream)), [140, 210]);
    }

    #[test]
    fn a_clock_that_goes_on_keeps_to_its_own_time() {
        let mut clock = StreamClock::resumed(1_000, 700);
        assert_eq!((clock.stream_ns(1_000), clock.stream_ns(1_010)), (700, 710));
        assert_eq!([600, 700, 710].map(|stream| clock.run_ns(stream)), [1_000, 1_000, 1_010]);
        // What was due before and is not sent keeps its lateness.
        assert_eq!([600, 710].map(|stream| clock.leave_ns(stream)), [900, 1_010]);
        clock.pause(1_100);
        clock.resume(1_300);
        assert_eq!(clock.run_ns(810), 1_310);
    }

    #[test]
    fn a_present_pause_holds_the_stream_where_it_is() {
        let mut clock = StreamClock::default();
        clock.pause(10);
        assert!(clock.is_paused());
        assert_eq!((clock.stream_ns(9), clock.stream_ns(10), clock.stream_ns(99)), (9, 10, 10));
        clock.resume(99);
        assert!(!clock.is_paused());
        clock.resume(150); // not paused: nothing happens
        assert_eq!(clock.stream_ns(200), 111);
    }

    #[test]
    fn forgetting_changes_nothing_that_is_still_asked_for() {
        let whole = paused_twice();
        let mut short = whole.clone();
        short.forget(1_300, 150); // the second pause's mark begins at 150: a job at 150 needs the one before
        assert_eq!(short.marks.len(), 2);
        for stream in 101..2_000 {
            assert_eq!(short.run_ns(stream), whole.run_ns(stream));
        }
        short.forget(1_199, 999);
        assert_eq!(short.marks.len(), 2);
        short.forget(1_300, 151);
        assert_eq!(short.marks.len(), 1);
        for run in 1_200..3_000 {
            assert_eq!(short.stream_ns(run), whole.stream_ns(run));
        }
    }

    #[test]
    fn at_half_the_pace_everything_takes_twice_as_long() {
        let mut clock = StreamClock::default();
        clock.set_pace(100, Pace::of(0.5));
        assert_eq!([100, 101, 102, 200].map(|run| clock.stream_ns(run)), [100, 100, 101, 150]);
        assert_eq!([100, 101, 150].map(|stream| clock.run_ns(stream)), [100, 102, 200]);
        clock.set_pace(200, Pace::STILL);
        assert_eq!((clock.stream_ns(5_000), clock.run_ns(151)), (150, u64::MAX));
        clock.set_pace(300, Pace::WHOLE);
        assert_eq!([250, 300, 301].map(|run| clock.stream_ns(run)), [150, 150, 151]);
        assert_eq!([101, 150, 151].map(|stream| clock.run_ns(stream)), [102, 200, 301]);
        // To stand still for a guard on rate is lateness, and a pause is none.
        assert_eq!(clock.leave_ns(120), 140);
        clock.pause(400);
        clock.set_pace(420, Pace::of(0.5));
        clock.resume(450);
        assert_eq!([120, 151, 260].map(|stream| clock.leave_ns(stream)), [190, 351, 470]);
        assert_eq!(clock.stream_ns(460), 255);
    }

    #[test]
    fn whatever_the_pace_the_two_maps_agree() {
        let mut clock = StreamClock::default();
        for (at, share) in [(7, 0.3), (50, 0.999), (51, 0.0), (90, 0.01), (500, 1.0)] {
            clock.set_pace(at, Pace::of(share));
        }
        for stream in 0..1_000 {
            let run = clock.run_ns(stream);
            assert!(clock.stream_ns(run) >= stream, "{stream} at {run}");
            assert!(run == 0 || clock.stream_ns(run - 1) < stream, "{stream} at {run}");
        }
    }
}
