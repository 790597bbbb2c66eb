//! What is known of the server's memory: which batches have their place in the cursor, and whether
//! the server still has what it acknowledged.

use super::super::broken;
use super::super::cursor::{Cursor, LIFE, RENEWAL, Ring};
use super::inquiry::Evidence;
use crate::sink::{Failure, Forgotten};
use std::collections::VecDeque;
use tokio::time::Instant;

/// The total after each of so many last batches is kept, after every other one of as many more, and
/// so on: thousands of totals for any run, and one less than a thousandth off at any batch.
const KEPT: u64 = 4096;

/// The cursor's side of a run.
pub(super) struct Standing {
    cursor: Cursor,
    /// The last number given to a batch.
    number: u64,
    /// The last batch whose place in the cursor was confirmed; 0 for none.
    landed: u64,
    /// Jobs acknowledged since the run's start, or since the server last forgot.
    acked: u64,
    /// Such totals after some batches, by their numbers.
    totals: VecDeque<(u64, u64)>,
    /// When the last batch that renewed the cursor's life, and was confirmed, had been sent.
    renewed: Option<Instant>,
}

/// What the evidence says of the batches in flight.
pub(super) enum Verdict {
    /// Those in the ring are in. The others are not, or if `open` may still come to be.
    Told { ring: Ring, open: bool },
    /// Nothing can be said of any.
    Silent(Failure),
    /// The server no longer has what it acknowledged. Those in the ring are in, nothing can be said
    /// of the others.
    Forgot { forgotten: Forgotten, ring: Ring },
}

impl Standing {
    pub(super) fn new(cursor: Cursor) -> Standing {
        let totals = VecDeque::new();
        Standing { cursor, number: 0, landed: 0, acked: 0, totals, renewed: None }
    }

    /// That of a run that is gone on with: batches are numbered on from those in the ring.
    pub(super) fn resumed(cursor: Cursor, ring: &Ring) -> Standing {
        let newest = ring.newest();
        Standing { number: newest, landed: newest, ..Standing::new(cursor) }
    }

    pub(super) fn cursor(&self) -> &Cursor {
        &self.cursor
    }

    pub(super) fn key(&self) -> &str {
        self.cursor.key()
    }

    /// Numbers the next batch and ends its bytes. True with it if it renews the cursor's life.
    pub(super) fn close(&mut self, now: Instant, mark: u64, bytes: &mut Vec<u8>) -> (u64, bool) {
        self.number += 1;
        let renews = self.renewed.is_none_or(|renewed| now - renewed >= RENEWAL);
        self.cursor.close(self.number, mark, renews, bytes);
        (self.number, renews)
    }

    /// Notes that a batch has its place in the cursor, and how many of its jobs are in.
    pub(super) fn landed(&mut self, number: u64, acked: u64) {
        self.landed = number;
        self.acked += acked;
        self.totals.push_back((number, self.acked));
        if number.is_multiple_of(KEPT) {
            let kept = |batch: u64| (number - batch) >> batch.trailing_zeros() < KEPT;
            self.totals.retain(|(batch, _)| kept(*batch));
        }
    }

    pub(super) fn renewed(&mut self, sent: Instant) {
        self.renewed = Some(sent);
    }

    /// Judges the evidence. `oldest` is when the oldest batch in flight was sent.
    pub(super) fn judge(&mut self, evidence: &Evidence, oldest: Option<Instant>) -> Verdict {
        let open = !evidence.fenced;
        let ring = match &evidence.ring {
            Ok(ring) => ring.clone(),
            Err(failure) => return Verdict::Silent(failure.clone()),
        };
        let gone = ring.is_none();
        let ring = ring.unwrap_or_default();
        let newest = ring.newest();
        // Written anew by a batch in flight, after it had gone.
        let anew = newest >= self.landed && !ring.reaches(self.landed);
        let renewed = self.renewed.take();
        if ring.reaches(self.landed) || ((gone || anew) && self.has_expired(renewed, oldest)) {
            return Verdict::Told { ring, open };
        }
        let acked_jobs = self.acked_after(if anew { 0 } else { newest });
        let message = match (evidence.restarted, gone || anew) {
            (Some(true), true) => {
                "the server was started again or replaced, and has lost its data".to_owned()
            }
            (Some(true), false) => {
                "the server was started again or replaced, with data from before the break"
                    .to_owned()
            }
            (_, true) => format!(
                "the key `{}`, which shows what arrived, is gone: deleted, evicted, or the \
                 server's data with it",
                self.key()
            ),
            (_, false) => "the server's data is from before the break".to_owned(),
        };
        self.landed = 0;
        self.acked = 0;
        self.totals.clear();
        Verdict::Forgot { forgotten: Forgotten { acked_jobs, message }, ring }
    }

    /// Whether a cursor that is gone has merely outlived itself. A batch in flight that went in
    /// would have left it with a life longer than the time since.
    fn has_expired(&self, renewed: Option<Instant>, oldest: Option<Instant>) -> bool {
        let now = Instant::now();
        renewed.is_some_and(|renewed| now - renewed >= LIFE)
            && oldest.is_none_or(|oldest| now - oldest < LIFE - RENEWAL)
    }

    /// Jobs acknowledged in the batches after one; a few more where its total is not kept.
    fn acked_after(&self, number: u64) -> u64 {
        let before = self.totals.partition_point(|(batch, _)| *batch <= number);
        let total = before.checked_sub(1).map_or(0, |last| self.totals[last].1);
        self.acked - total
    }
}

/// Why jobs are unknown after the server forgot.
pub(super) fn forgot(forgotten: &Forgotten) -> Failure {
    Failure { kind: "forgotten".to_owned(), ..broken(&forgotten.message) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::job::Format;
    use crate::sink::Queue;
    use std::collections::HashMap;
    use std::time::Duration;

    fn standing() -> Standing {
        let queue = Queue { name: "q".to_owned(), format: Format::List };
        Standing::new(Cursor::beside(&queue, "RUN"))
    }

    /// A server that has the batches up to one.
    fn evidence(newest: Option<u64>, restarted: bool) -> Evidence {
        let ring = newest.map(|newest| {
            let numbers: String =
                (0..=newest).map(|number| format!("{number:012} {number:012} ")).collect();
            Ring::parse(numbers.as_bytes())
        });
        Evidence { ring: Ok(ring), fenced: true, restarted: Some(restarted), types: HashMap::new() }
    }

    fn forgotten(standing: &mut Standing, newest: Option<u64>, restarted: bool) -> Option<u64> {
        match standing.judge(&evidence(newest, restarted), None) {
            Verdict::Forgot { forgotten, .. } => Some(forgotten.acked_jobs),
            Verdict::Told { .. } => None,
            Verdict::Silent(failure) => panic!("{failure}"),
        }
    }

    #[test]
    fn a_server_forgets_when_it_lacks_what_it_acknowledged() {
        for restarted in [false, true] {
            let mut standing = standing();
            assert_eq!(forgotten(&mut standing, None, restarted), None, "nothing to forget");
            (1..=10).for_each(|number| standing.landed(number, 100));
            for newest in [10, 11] {
                assert_eq!(forgotten(&mut standing, Some(newest), restarted), None);
            }
            assert_eq!(forgotten(&mut standing, Some(7), restarted), Some(300));
            assert_eq!(forgotten(&mut standing, Some(7), restarted), None, "said once");
            standing.landed(11, 5);
            assert_eq!(forgotten(&mut standing, None, restarted), Some(5));
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_key_that_was_lost_and_written_anew_vouches_for_nothing_before() {
        let ring = |numbers: &[usize]| {
            let mut value = vec![0; 26 * 20];
            for number in numbers {
                let text = format!("{number:012} ");
                value[26 * number..26 * number + 13].copy_from_slice(text.as_bytes());
            }
            Evidence { ring: Ok(Some(Ring::parse(&value))), ..evidence(None, false) }
        };
        let landed = || {
            let mut standing = standing();
            (1..=9).for_each(|number| standing.landed(number, 100));
            standing.renewed(Instant::now());
            standing
        };
        // 10 and 11 are in flight; the key went after the 10th and came again with the 11th.
        let verdict = landed().judge(&ring(&[11]), Some(Instant::now()));
        let Verdict::Forgot { forgotten, ring: left } = verdict else { panic!("it says more") };
        assert_eq!((forgotten.acked_jobs, left.holds(10), left.holds(11)), (900, false, true));
        // Its time was up before.
        let mut standing = landed();
        tokio::time::advance(LIFE).await;
        let verdict = standing.judge(&ring(&[11]), Some(Instant::now()));
        assert!(matches!(verdict, Verdict::Told { open: false, .. }));
    }

    #[test]
    fn totals_are_bounded_and_the_latest_are_exact() {
        let mut standing = standing();
        let batches = 100 * KEPT;
        (1..=batches).for_each(|number| standing.landed(number, 1));
        assert!(standing.totals.len() < 10 * KEPT as usize, "{}", standing.totals.len());
        for number in batches - KEPT..=batches {
            assert_eq!(standing.acked_after(number), batches - number);
        }
        for number in (0..batches).step_by(1000) {
            let (after, exact) = (standing.acked_after(number), batches - number);
            assert!(exact <= after && after - exact <= exact / 1000, "{number}: {after}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn the_key_s_life_is_renewed_until_that_is_confirmed_and_then_rarely() {
        let mut standing = standing();
        let renews = |standing: &mut Standing| standing.close(Instant::now(), 0, &mut Vec::new()).1;
        assert!(renews(&mut standing) && renews(&mut standing));
        standing.renewed(Instant::now());
        assert!(!renews(&mut standing));
        tokio::time::advance(RENEWAL).await;
        assert!(renews(&mut standing));
    }

    #[tokio::test(start_paused = true)]
    async fn a_key_that_outlived_itself_is_not_forgotten() {
        let told = |standing: &mut Standing, oldest| {
            matches!(standing.judge(&evidence(None, false), oldest), Verdict::Told { .. })
        };
        for (idle, in_flight, expected) in [
            (LIFE, Duration::ZERO, true),
            (LIFE - Duration::from_secs(1), Duration::ZERO, false),
            (LIFE, LIFE - RENEWAL, false),
        ] {
            let mut standing = standing();
            standing.landed(1, 1);
            standing.renewed(Instant::now());
            tokio::time::advance(idle - in_flight).await;
            let sent = Instant::now();
            tokio::time::advance(in_flight).await;
            assert_eq!(told(&mut standing, Some(sent)), expected, "{idle:?} {in_flight:?}");
        }
    }
}
