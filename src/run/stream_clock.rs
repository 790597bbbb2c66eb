//! The clock of one stream: the run's, less the time it stood still.

use std::collections::VecDeque;

/// Maps between the run's time and a stream's own, which stands still while the stream is paused.
///
/// It is a list of marks (R, S): from the run's instant R on, the stream goes on from its own
/// instant S. With m the latest mark at or before r,
///
/// ```text
/// stream(r) = min(S_m + (r − R_m), S_{m+1})         S_{m+1}: where the pause after m holds it
/// run(s)    = R_m + (s − S_m)                       m: the latest mark with S_m < s, else the first
/// ```
///
/// so a job that was due by the instant of a pause keeps its place in the run's time, and every
/// later one moves by the pause. That is when a job falls due. When one that has not been sent yet
/// is meant to leave is another thing: it moves by every pause, whether it was due before it or not,
///
/// ```text
/// leave(s)  = s + (R_n − S_n)                    n: the latest mark of all
/// ```
///
/// for while the stream stands still nothing is sent, and that is no lateness.
#[derive(Clone, Debug)]
pub struct StreamClock {
    marks: VecDeque<Mark>,
    paused_at_ns: Option<u64>,
}

#[derive(Clone, Copy, Debug)]
struct Mark {
    run_ns: u64,
    stream_ns: u64,
}

impl Default for StreamClock {
    fn default() -> StreamClock {
        StreamClock {
            marks: VecDeque::from([Mark { run_ns: 0, stream_ns: 0 }]),
            paused_at_ns: None,
        }
    }
}

impl StreamClock {
    /// A clock that goes on, at an instant of the run, from a time of its own.
    pub fn resumed(run_ns: u64, stream_ns: u64) -> StreamClock {
        StreamClock { marks: VecDeque::from([Mark { run_ns, stream_ns }]), paused_at_ns: None }
    }

    /// The stream's time at an instant of the run.
    pub fn stream_ns(&self, run_ns: u64) -> u64 {
        let at = match self.paused_at_ns {
            Some(paused) => run_ns.min(paused),
            None => run_ns,
        };
        let after = self.marks.partition_point(|mark| mark.run_ns <= at).max(1);
        let mark = self.marks[after - 1];
        let stream = mark.stream_ns.saturating_add(at.saturating_sub(mark.run_ns));
        match self.marks.get(after) {
            Some(next) => stream.min(next.stream_ns),
            None => stream,
        }
    }

    /// The run's instant at which the stream reaches a time of its own, as if no pause were to
    /// come and a present one ended at once.
    pub fn run_ns(&self, stream_ns: u64) -> u64 {
        let after = self.marks.partition_point(|mark| mark.stream_ns < stream_ns).max(1);
        let mark = self.marks[after - 1];
        mark.run_ns.saturating_add(stream_ns.saturating_sub(mark.stream_ns))
    }

    /// The run's instant at which a job that has not been sent is meant to leave: its time in the
    /// stream plus whatever the stream has been paused until now.
    pub fn leave_ns(&self, stream_ns: u64) -> u64 {
        match self.marks.back() {
            Some(mark) => stream_ns.saturating_add(mark.run_ns).saturating_sub(mark.stream_ns),
            None => stream_ns,
        }
    }

    /// The stream's time of a job that has not been sent and is meant to leave at an instant.
    pub fn left_by(&self, run_ns: u64) -> u64 {
        match self.marks.back() {
            Some(mark) => run_ns.saturating_add(mark.stream_ns).saturating_sub(mark.run_ns),
            None => run_ns,
        }
    }

    /// Whether it stands still.
    pub fn is_paused(&self) -> bool {
        self.paused_at_ns.is_some()
    }

    /// Stands still from an instant on that is not before any told so far.
    pub fn pause(&mut self, run_ns: u64) {
        self.paused_at_ns.get_or_insert(run_ns);
    }

    /// Goes on.
    pub fn resume(&mut self, run_ns: u64) {
        let stream_ns = self.stream_ns(run_ns);
        if self.paused_at_ns.take().is_some() {
            self.marks.push_back(Mark { run_ns, stream_ns });
        }
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
}
