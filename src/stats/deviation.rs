//! How far what was sent lies from what was due.

use std::collections::VecDeque;

/// The largest |sent/due − 1| over windows of whole seconds, lengthened until at least 1,000 jobs
/// are due in them.
///
/// With d(s), n(s) the jobs due and sent in second s of the run, a window [a, b] has
/// D = Σ d(a..b) and N = Σ n(a..b). Looked at are, for every second a, the shortest window from a
/// on with D ≥ 1,000, and the shortest such window that ends with the run, so that every second
/// which can be in a window is in one. A run with fewer than 1,000 jobs due has one window: the
/// whole of it. A run with none deviates by 0.
///
/// Seconds are told in any order as long as they are open, and are kept only as long as a window
/// may still need them.
#[derive(Clone, Debug, Default)]
pub struct Deviation {
    slots: VecDeque<Slot>,
    /// Slots at the front that are complete.
    complete: usize,
    /// The window being grown: slots from `start` up to, not including, `end`.
    start: usize,
    end: usize,
    window: Slot,
    /// Over all slots kept.
    kept_due: u64,
    worst: f64,
}

#[derive(Clone, Copy, Debug, Default)]
struct Slot {
    second: u64,
    due: u64,
    sent: u64,
}

/// Jobs that are to be due in a window.
const ENOUGH: u64 = 1_000;

impl Slot {
    fn distance(self) -> f64 {
        if self.due == 0 {
            return 0.0;
        }
        (self.sent as f64 / self.due as f64 - 1.0).abs()
    }

    fn add(&mut self, other: Slot) {
        self.due += other.due;
        self.sent += other.sent;
    }
}

impl Deviation {
    /// Notes jobs that fell due in a second.
    pub fn due(&mut self, second: u64, jobs: u64) {
        self.slot(second).due += jobs;
        self.kept_due += jobs;
    }

    /// Notes jobs that were sent in a second.
    pub fn sent(&mut self, second: u64, jobs: u64) {
        self.slot(second).sent += jobs;
    }

    /// The slot of a second that is not complete yet. Seconds without jobs have none: they change
    /// no window's sums.
    fn slot(&mut self, second: u64) -> &mut Slot {
        let at = match self.slots.back() {
            Some(last) if last.second == second => self.slots.len() - 1,
            Some(last) if last.second > second => {
                self.slots.partition_point(|slot| slot.second < second)
            }
            _ => self.slots.len(),
        };
        if self.slots.get(at).is_none_or(|slot| slot.second != second) {
            self.slots.insert(at, Slot { second, due: 0, sent: 0 });
        }
        &mut self.slots[at]
    }

    /// Declares the seconds before this one complete.
    pub fn close(&mut self, before: u64) {
        while self.slots.get(self.complete).is_some_and(|slot| slot.second < before) {
            self.complete += 1;
        }
        loop {
            while self.window.due < ENOUGH && self.end < self.complete {
                self.window.add(self.slots[self.end]);
                self.end += 1;
            }
            if self.window.due < ENOUGH {
                break;
            }
            self.worst = self.worst.max(self.window.distance());
            let first = self.slots[self.start];
            self.window.due -= first.due;
            self.window.sent -= first.sent;
            self.start += 1;
        }
        self.drop_unneeded();
    }

    /// Drops slots that neither the window being grown nor the last one can hold.
    fn drop_unneeded(&mut self) {
        while self.start > 0
            && let Some(first) = self.slots.front()
            && self.kept_due - first.due >= ENOUGH
        {
            self.kept_due -= first.due;
            self.slots.pop_front();
            self.start -= 1;
            self.end -= 1;
            self.complete -= 1;
        }
    }

    /// The largest so far, over complete windows.
    pub fn so_far(&self) -> f64 {
        self.worst
    }

    /// The largest of the whole run, all seconds taken as complete.
    pub fn of_run(&self) -> f64 {
        let mut whole = self.clone();
        whole.close(u64::MAX);
        let mut last = Slot::default();
        for slot in whole.slots.iter().rev() {
            if last.due >= ENOUGH {
                break;
            }
            last.add(*slot);
        }
        whole.worst.max(last.distance())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The definition, word by word, over (due, sent) of each second.
    fn by_definition(seconds: &[(u64, u64)]) -> f64 {
        let sums = |from: usize, to: usize| {
            let window = &seconds[from..to];
            let due: u64 = window.iter().map(|second| second.0).sum();
            let sent: u64 = window.iter().map(|second| second.1).sum();
            (due, sent)
        };
        let distance = |(due, sent): (u64, u64)| {
            if due == 0 { 0.0 } else { (sent as f64 / due as f64 - 1.0).abs() }
        };
        let count = seconds.len();
        if sums(0, count).0 < ENOUGH {
            return distance(sums(0, count));
        }
        let from_each = (0..count).filter_map(|from| {
            (from..=count).find(|to| sums(from, *to).0 >= ENOUGH).map(|to| (from, to))
        });
        let last =
            (0..=count).rev().find(|from| sums(*from, count).0 >= ENOUGH).map(|from| (from, count));
        from_each.chain(last).map(|(from, to)| distance(sums(from, to))).fold(0.0, f64::max)
    }

    fn seconds() -> impl Strategy<Value = Vec<(u64, u64)>> {
        let jobs = || prop_oneof![Just(0_u64), 0..30_u64, 0..700_u64, 900..5_000_u64];
        prop::collection::vec((jobs(), jobs()), 0..60)
    }

    proptest! {
        #[test]
        fn agrees_with_its_definition(seconds in seconds(), lag in 0..5_u64) {
            let mut deviation = Deviation::default();
            for (second, (due, _)) in (0..).zip(&seconds) {
                // What was sent is known only `lag` seconds later.
                deviation.due(second, *due);
                if let Some(known) = second.checked_sub(lag) {
                    deviation.sent(known, seconds[known as usize].1);
                    deviation.close(known + 1);
                }
            }
            for known in (seconds.len() as u64).saturating_sub(lag)..seconds.len() as u64 {
                deviation.sent(known, seconds[known as usize].1);
            }
            prop_assert_eq!(deviation.of_run(), by_definition(&seconds));
            prop_assert!(deviation.so_far() <= deviation.of_run());
        }
    }

    #[test]
    fn a_short_plan_is_one_window() {
        let mut deviation = Deviation::default();
        deviation.due(0, 400);
        deviation.sent(0, 300);
        deviation.due(1, 400);
        deviation.sent(1, 500);
        assert_eq!(deviation.of_run(), 0.0);
        deviation.sent(2, 80);
        assert!((deviation.of_run() - 0.1).abs() < 1e-12);
        assert_eq!(Deviation::default().of_run(), 0.0);
    }

    #[test]
    fn a_thousand_jobs_are_enough_for_a_window() {
        let mut deviation = Deviation::default();
        for (second, sent) in [(0, 900), (1, 1_100), (2, 1_000)] {
            deviation.due(second, 1_000);
            deviation.sent(second, sent);
        }
        assert!((deviation.of_run() - 0.1).abs() < 1e-12);
    }

    #[test]
    fn memory_does_not_grow_with_the_run() {
        let mut deviation = Deviation::default();
        for second in 0..100_000 {
            deviation.due(second, 300);
            deviation.sent(second, 300);
            deviation.close(second);
        }
        assert!(deviation.slots.len() < 10, "{} slots", deviation.slots.len());
        assert_eq!(deviation.of_run(), 0.0);
    }
}
