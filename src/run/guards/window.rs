//! Sums over sliding windows.

use std::collections::VecDeque;

/// Jobs sent in a sliding window, exact: those of the instants s with now − window < s ≤ now.
#[derive(Clone, Debug)]
pub(super) struct SendWindow {
    window_ns: u64,
    sends: VecDeque<(u64, u64)>,
    sum: u64,
}

/// Above this many instants neighbours are joined, the earlier ones counting as later: the sum then
/// errs only upwards.
const INSTANTS: usize = 1 << 16;

impl SendWindow {
    pub(super) fn new(window_ns: u64) -> SendWindow {
        SendWindow { window_ns, sends: VecDeque::new(), sum: 0 }
    }

    /// Whether nothing was ever noted.
    pub(super) fn is_new(&self) -> bool {
        self.sends.is_empty()
    }

    /// Jobs in the window that ends now.
    pub(super) fn sum(&mut self, now_ns: u64) -> u64 {
        while let Some((at_ns, jobs)) = self.sends.front()
            && at_ns.saturating_add(self.window_ns) <= now_ns
        {
            self.sum -= jobs;
            self.sends.pop_front();
        }
        self.sum
    }

    /// Notes jobs sent at an instant that is not before any noted so far.
    pub(super) fn add(&mut self, at_ns: u64, jobs: u64) {
        self.sum += jobs;
        match self.sends.back_mut() {
            Some((last_ns, sent)) if *last_ns == at_ns => *sent += jobs,
            _ => self.sends.push_back((at_ns, jobs)),
        }
        if self.sends.len() > INSTANTS {
            self.join();
        }
    }

    fn join(&mut self) {
        let mut joined = VecDeque::with_capacity(INSTANTS);
        while let Some((at_ns, jobs)) = self.sends.pop_front() {
            match self.sends.pop_front() {
                Some((later_ns, more)) => joined.push_back((later_ns, jobs + more)),
                None => joined.push_back((at_ns, jobs)),
            }
        }
        self.sends = joined;
    }

    /// Takes back jobs noted at an instant: they were not sent after all.
    pub(super) fn take_back(&mut self, at_ns: u64, jobs: u64) {
        let place = self.sends.partition_point(|(instant, _)| *instant < at_ns);
        if let Some((_, sent)) = self.sends.get_mut(place) {
            let taken = jobs.min(*sent);
            *sent -= taken;
            self.sum -= taken;
        }
    }

    /// When the first jobs leave the window.
    pub(super) fn next_leave_ns(&self) -> Option<u64> {
        let (at_ns, _) = self.sends.iter().find(|(_, jobs)| *jobs > 0)?;
        Some(at_ns.saturating_add(self.window_ns))
    }
}

/// Answered and failed jobs in a sliding window, to a hundredth of its length.
#[derive(Clone, Debug)]
pub(super) struct ErrorWindow {
    window_ns: u64,
    slice_ns: u64,
    slices: VecDeque<Slice>,
    sum: Slice,
}

#[derive(Clone, Copy, Debug, Default)]
struct Slice {
    number: u64,
    answered: u64,
    failed: u64,
}

/// From so many answers on a window's share is judged before a whole window has passed.
const ENOUGH_ANSWERS: u64 = 20;
const SLICES: u64 = 100;

impl ErrorWindow {
    pub(super) fn new(window_ns: u64) -> ErrorWindow {
        let slice_ns = (window_ns / SLICES).max(1);
        ErrorWindow { window_ns, slice_ns, slices: VecDeque::new(), sum: Slice::default() }
    }

    /// Whether nothing was ever noted.
    pub(super) fn is_new(&self) -> bool {
        self.slices.is_empty()
    }

    fn slide(&mut self, now_ns: u64) {
        let first = (now_ns / self.slice_ns + 1).saturating_sub(SLICES);
        while let Some(slice) = self.slices.front()
            && slice.number < first
        {
            self.sum.answered -= slice.answered;
            self.sum.failed -= slice.failed;
            self.slices.pop_front();
        }
    }

    pub(super) fn add(&mut self, now_ns: u64, answered: u64, failed: u64) {
        let number = now_ns / self.slice_ns;
        self.sum.answered += answered;
        self.sum.failed += failed;
        match self.slices.back_mut() {
            Some(slice) if slice.number >= number => {
                slice.answered += answered;
                slice.failed += failed;
            }
            _ => self.slices.push_back(Slice { number, answered, failed }),
        }
    }

    /// The share of failed jobs, 0 if none was answered.
    pub(super) fn share(&mut self, now_ns: u64) -> f64 {
        self.slide(now_ns);
        if self.sum.answered == 0 {
            return 0.0;
        }
        self.sum.failed as f64 / self.sum.answered as f64
    }

    /// Whether the share means anything yet: enough answers, or a whole window since the start.
    pub(super) fn is_telling(&mut self, now_ns: u64) -> bool {
        self.slide(now_ns);
        self.sum.answered >= ENOUGH_ANSWERS || now_ns >= self.window_ns
    }
}

/// What workers began and failed in a window that slides, by counts that only grow.
#[derive(Clone, Debug)]
pub(super) struct FailedWindow {
    window: ErrorWindow,
    /// The counts at the last look.
    begun: u64,
    failed: u64,
}

impl FailedWindow {
    pub(super) fn new(window_ns: u64) -> FailedWindow {
        FailedWindow { window: ErrorWindow::new(window_ns), begun: 0, failed: 0 }
    }

    pub(super) fn is_new(&self) -> bool {
        self.window.is_new()
    }

    /// Takes in how many were begun and failed since the start of the run. A depth is read a moment
    /// after what is acknowledged was counted, so a count may seem to fall.
    pub(super) fn see(&mut self, now_ns: u64, begun: u64, failed: u64) {
        let (more, worse) = (begun.saturating_sub(self.begun), failed.saturating_sub(self.failed));
        if more > 0 || worse > 0 {
            self.window.add(now_ns, more, worse);
            (self.begun, self.failed) = (begun.max(self.begun), failed.max(self.failed));
        }
    }

    /// The share of failed ones, if so few were begun that it says nothing none.
    pub(super) fn share(&mut self, now_ns: u64) -> Option<f64> {
        self.window.is_telling(now_ns).then(|| self.window.share(now_ns).min(1.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_window_is_open_at_its_start() {
        let mut window = SendWindow::new(100);
        window.add(0, 5);
        window.add(50, 2);
        assert_eq!((window.sum(99), window.next_leave_ns()), (7, Some(100)));
        assert_eq!((window.sum(100), window.next_leave_ns()), (2, Some(150)));
        window.take_back(50, 1);
        assert_eq!(window.sum(149), 1);
        window.take_back(50, 1);
        assert_eq!((window.sum(149), window.next_leave_ns()), (0, None));
        assert_eq!(window.sum(500), 0);
    }

    #[test]
    fn counts_that_grow_slide_too() {
        let mut failed = FailedWindow::new(1_000);
        failed.see(0, 10, 1);
        assert_eq!(failed.share(0), None, "ten say nothing");
        failed.see(100, 8, 1);
        failed.see(200, 20, 1);
        assert_eq!(failed.share(200), Some(0.05));
        failed.see(900, 40, 11);
        assert_eq!(failed.share(900), Some(0.275));
        // The first twenty have left the window.
        assert_eq!(failed.share(1_300), Some(0.5));
        assert_eq!(failed.share(2_000), Some(0.0));
    }

    proptest! {
        #[test]
        fn the_sum_is_the_sum(
            steps in prop::collection::vec((0..50_u64, 0..9_u64), 1..80), length in 1..120_u64,
        ) {
            let mut window = SendWindow::new(length);
            let mut now = 0;
            let mut sends = Vec::new();
            for (pause, jobs) in steps {
                now += pause;
                window.add(now, jobs);
                sends.push((now, jobs));
                let inside = sends.iter().filter(|(at, _)| at + length > now);
                prop_assert_eq!(window.sum(now), inside.map(|(_, jobs)| jobs).sum::<u64>());
            }
        }
    }

    #[test]
    fn joining_errs_upwards_only() {
        let mut window = SendWindow::new(u64::MAX / 2);
        for at in 0..(INSTANTS as u64 * 3) {
            window.add(at, 1);
        }
        assert!(window.sends.len() <= INSTANTS + 1);
        assert_eq!(window.sum(INSTANTS as u64 * 3), INSTANTS as u64 * 3);
    }

    #[test]
    fn errors_slide_out() {
        let mut window = ErrorWindow::new(1_000);
        window.add(0, 19, 19);
        assert_eq!((window.share(0), window.is_telling(0)), (1.0, false));
        window.add(500, 57, 0);
        assert_eq!((window.share(500), window.is_telling(500)), (0.25, true));
        assert_eq!(window.share(999), 0.25);
        assert_eq!(window.share(1_000), 0.0);
        assert!(window.is_telling(1_000), "a whole window has passed");
        assert_eq!(window.share(9_000), 0.0);
    }
}
