//! What becomes of jobs that are overdue after a stall: `late`. Pure: it is told the time.

use crate::plan::Late;

/// Jobs later than this, or twice the gap, are the work of a stall and not of the pacing.
const STALL_NS: u64 = 100_000_000;

/// The streams' overdue jobs.
///
/// With `late spread over d`, a stall that left B jobs overdue by the instant f opens a budget: at t
///
/// ```text
/// may have been sent since f  =  B·min(1, (t − f)/d)  +  due(t) − due(f)
/// ```
///
/// so what fell due meanwhile goes out evenly beside what falls due, and the stream has caught up
/// by f + d. A further stall begins a new one.
pub(super) struct Lates {
    policies: Vec<Late>,
    spreads: Vec<Option<Spread>>,
    stall_ns: u64,
}

#[derive(Clone, Copy, Debug)]
struct Spread {
    from_ns: u64,
    over_ns: u64,
    jobs: u64,
    due_before: u64,
    sent: u64,
    looked_ns: u64,
}

impl Spread {
    fn allowed(&self, due: u64, now_ns: u64) -> u64 {
        let part = now_ns.saturating_sub(self.from_ns).min(self.over_ns);
        let share = u128::from(self.jobs) * u128::from(part) / u128::from(self.over_ns.max(1));
        u64::try_from(share).unwrap_or(u64::MAX) + due.saturating_sub(self.due_before)
    }
}

impl Lates {
    pub(super) fn new(mut policies: Vec<Late>, streams: usize, gap_ns: u64) -> Lates {
        policies.resize(streams, Late::Send);
        let stall_ns = STALL_NS.max(gap_ns.saturating_mul(2));
        Lates { policies, spreads: vec![None; streams], stall_ns }
    }

    /// Lets another policy hold for a stream, which may be a new one.
    pub(super) fn set(&mut self, stream: usize, policy: Late) {
        if stream >= self.policies.len() {
            self.policies.resize(stream + 1, Late::Send);
            self.spreads.resize(stream + 1, None);
        }
        if std::mem::replace(&mut self.policies[stream], policy) != policy {
            self.spreads[stream] = None;
        }
    }

    /// The age beyond which jobs of a stream are given up.
    pub(super) fn skip_after_ns(&self, stream: usize) -> Option<u64> {
        match self.policies[stream] {
            Late::SkipAfter(after_ns) => Some(after_ns),
            Late::Send | Late::SpreadOver(_) => None,
        }
    }

    pub(super) fn spreads(&self, stream: usize) -> bool {
        matches!(self.policies[stream], Late::SpreadOver(_))
    }

    /// Looks at a stream that could send now: so many of its jobs are overdue, of so many due, and
    /// the oldest by so much.
    pub(super) fn look(
        &mut self,
        stream: usize,
        overdue: u64,
        due: u64,
        late_ns: u64,
        now_ns: u64,
    ) {
        let Late::SpreadOver(over_ns) = self.policies[stream] else { return };
        let spread = &mut self.spreads[stream];
        let begin = match spread {
            None => late_ns > self.stall_ns,
            Some(open) => now_ns.saturating_sub(open.looked_ns) > self.stall_ns,
        };
        if overdue == 0 {
            *spread = None;
        } else if begin {
            let (from_ns, looked_ns) = (now_ns, now_ns);
            *spread = Some(Spread {
                from_ns,
                over_ns,
                jobs: overdue,
                due_before: due,
                sent: 0,
                looked_ns,
            });
        } else if let Some(open) = spread {
            open.looked_ns = now_ns;
            if now_ns.saturating_sub(open.from_ns) >= over_ns {
                *spread = None;
            }
        }
    }

    /// How many jobs of a stream, of which so many are due, may leave now.
    pub(super) fn room(&self, stream: usize, due: u64, now_ns: u64) -> u64 {
        match &self.spreads[stream] {
            None => u64::MAX,
            Some(spread) => spread.allowed(due, now_ns).saturating_sub(spread.sent),
        }
    }

    /// Notes that jobs of a stream left.
    pub(super) fn sent(&mut self, stream: usize, jobs: u64) {
        if let Some(spread) = &mut self.spreads[stream] {
            spread.sent += jobs;
        }
    }

    /// Notes that jobs of a stream came back unsent.
    pub(super) fn came_back(&mut self, stream: usize, jobs: u64) {
        if let Some(spread) = &mut self.spreads[stream] {
            spread.sent = spread.sent.saturating_sub(jobs);
        }
    }

    /// Begins anew with a stream: jobs of it that were held up can go now.
    pub(super) fn begin_anew(&mut self, stream: usize) {
        self.spreads[stream] = None;
    }

    /// Whether a stream's overdue jobs are being spread.
    pub(super) fn is_spreading(&self, stream: usize) -> bool {
        self.spreads[stream].is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: u64 = 1_000_000;

    #[test]
    fn what_a_stall_left_is_spread_evenly_beside_what_falls_due() {
        let mut lates = Lates::new(vec![Late::SpreadOver(1_000 * MS)], 2, MS);
        // 1 job a millisecond; nothing was sent from 0 to 500 ms.
        lates.look(0, 500, 500, 500 * MS, 500 * MS);
        let mut sent = 0;
        for ms in 501..1_500 {
            lates.look(0, ms - sent, ms, 1, ms * MS);
            let room = lates.room(0, ms, ms * MS).min(ms - sent);
            lates.sent(0, room);
            sent += room;
            assert_eq!(sent, ms - 500 + (ms - 500) / 2, "at {ms}");
        }
        lates.look(0, 1, 1_500, 1, 1_500 * MS);
        assert_eq!((lates.room(0, 1_500, 1_500 * MS), lates.is_spreading(0)), (u64::MAX, false));
        assert_eq!(lates.room(1, 1_500, 1_500 * MS), u64::MAX, "another stream");
    }

    #[test]
    fn a_further_stall_begins_anew_and_what_came_back_may_go_again() {
        let mut lates = Lates::new(vec![Late::SpreadOver(1_000 * MS)], 1, MS);
        lates.look(0, 1_000, 1_000, 1_000 * MS, 1_000 * MS);
        lates.look(0, 1_000, 1_000, 1_000 * MS, 1_050 * MS);
        assert_eq!(lates.room(0, 1_000, 1_050 * MS), 50);
        lates.sent(0, 50);
        lates.came_back(0, 20);
        assert_eq!(lates.room(0, 1_000, 1_050 * MS), 20);
        lates.look(0, 970, 1_000, 1_000 * MS, 1_900 * MS);
        assert_eq!(lates.room(0, 1_000, 1_900 * MS), 0);
        assert_eq!(lates.room(0, 1_000, 2_900 * MS), 970);
    }

    #[test]
    fn what_is_only_coalesced_is_not_late() {
        let mut lates = Lates::new(vec![Late::SpreadOver(1_000 * MS)], 1, 200 * MS);
        lates.look(0, 100, 100, 200 * MS, 200 * MS);
        assert!(!lates.is_spreading(0));
    }
}
