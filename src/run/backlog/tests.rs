//! Jobs that are handed out, come back, are passed over and are skipped.

use super::*;
use proptest::prelude::*;

/// The job `n` is of the lane `n % lanes`; some are closed.
struct Cycle {
    lanes: u64,
    closed: Vec<usize>,
}

impl Lanes for Cycle {
    fn lane_of(&self, index: u64) -> usize {
        (index % self.lanes) as usize
    }

    fn is_open(&self, lane: usize) -> bool {
        !self.closed.contains(&lane)
    }

    fn are_all_open(&self) -> bool {
        self.closed.is_empty()
    }
}

const ONE: Cycle = Cycle { lanes: 1, closed: Vec::new() };

fn take(backlog: &mut Backlog, due: u64) -> u64 {
    backlog.take(0, due, &ONE, |_| panic!("nothing is passed over")).unwrap().0
}

#[test]
fn hands_out_in_order_and_what_came_back_first() {
    let mut backlog = Backlog::new(2);
    assert_eq!(backlog.overdue(0, 5), 5);
    assert_eq!([(); 3].map(|()| take(&mut backlog, 5)), [1, 2, 3]);
    assert!(backlog.give_back(0, 3, 0));
    assert!(backlog.give_back(0, 1, 0));
    assert_eq!((backlog.overdue(0, 5), backlog.oldest(0)), (4, 1));
    assert_eq!([(); 3].map(|()| take(&mut backlog, 5)), [1, 3, 4]);
    assert_eq!((backlog.overdue(0, 5), backlog.oldest(0)), (1, 5));
    assert_eq!((backlog.overdue(1, 0), backlog.oldest(1)), (0, 1));
}

#[test]
fn what_is_skipped_is_told() {
    let mut backlog = Backlog::new(1);
    (0..4).for_each(|_| _ = take(&mut backlog, 9));
    assert!(backlog.give_back(0, 2, 0) && backlog.give_back(0, 4, 0));
    assert_eq!(backlog.skip_to(0, 3, &ONE, |_| ()).to_string(), "0:2-2");
    assert_eq!((backlog.overdue(0, 9), backlog.oldest(0)), (6, 4));
    assert_eq!(backlog.skip_to(0, 7, &ONE, |_| ()).to_string(), "0:4-7");
    assert_eq!((backlog.overdue(0, 9), take(&mut backlog, 9)), (2, 8));
    assert!(backlog.skip_to(0, 7, &ONE, |_| ()).is_empty());
}

#[test]
fn what_is_given_up_stays_so() {
    let mut backlog = Backlog::new(1);
    take(&mut backlog, 4);
    assert_eq!(backlog.give_up(0, 4), 3);
    assert_eq!(backlog.overdue(0, 4), 0);
    assert!(!backlog.give_back(0, 1, 0));
    assert_eq!(backlog.give_up(0, 4), 0);
}

#[test]
fn what_is_skipped_is_not_handed_out_and_what_comes_later_is() {
    let mut backlog = Backlog::new(1);
    assert_eq!([(); 2].map(|()| take(&mut backlog, 5)), [1, 2]);
    backlog.give_back(0, 1, 0);
    assert_eq!(backlog.skip_to(0, 5, &ONE, |_| ()).len(), 4);
    assert_eq!((backlog.overdue(0, 5), backlog.skip_to(0, 5, &ONE, |_| ()).len()), (0, 0));
    assert!(backlog.give_back(0, 2, 0), "one that was on its way may come back");
    assert_eq!(backlog.overdue(0, 6), 2);
    assert_eq!([(); 2].map(|()| take(&mut backlog, 6)), [2, 6]);
}

#[test]
fn what_is_left_out_is_neither_handed_out_nor_overdue_nor_skipped() {
    let mut backlog = Backlog::new(1);
    backlog.leave_out(0, 1, 2);
    assert_eq!((backlog.next(0), backlog.overdue(0, 2)), (3, 0));
    backlog.leave_out(0, 5, 6);
    backlog.leave_out(0, 7, 7);
    backlog.leave_out(0, 9, 9);
    assert_eq!(backlog.left_out(0).collect::<Vec<_>>(), [(5, 7), (9, 9)]);
    assert_eq!((backlog.overdue(0, 10), backlog.oldest(0)), (4, 3));
    assert_eq!([(); 3].map(|()| take(&mut backlog, 10)), [3, 4, 8]);
    assert_eq!((backlog.next(0), backlog.overdue(0, 10)), (10, 1));
    backlog.leave_out(0, 12, 13);
    assert_eq!(backlog.skip_to(0, 14, &ONE, |_| ()).to_string(), "0:10-11;0:14-14");
    assert_eq!((backlog.next(0), backlog.overdue(0, 14)), (15, 0));
    backlog.leave_out(0, 17, 20);
    assert_eq!(backlog.skip_to(0, 18, &ONE, |_| ()).to_string(), "0:15-16");
    assert_eq!((backlog.next(0), backlog.overdue(0, 20)), (21, 0));
}

#[test]
fn no_hole_of_a_closed_lane_spans_what_is_left_out() {
    let mut backlog = Backlog::new(1);
    let mut lanes = Cycle { lanes: 2, closed: vec![1] };
    backlog.leave_out(0, 3, 6);
    let taken = |backlog: &mut Backlog, lanes: &Cycle| -> Vec<u64> {
        let next = || backlog.take(0, 12, lanes, |_| ()).map(|(index, _)| index);
        std::iter::from_fn(next).collect()
    };
    assert_eq!(taken(&mut backlog, &lanes), [2, 8, 10, 12]);
    assert_eq!((backlog.overdue(0, 12), backlog.held(0, |lane| lane != 1)), (4, 4));
    assert_eq!(backlog.returned(0, |index| lanes.lane_of(index)), [1, 7, 9, 11]);
    lanes.closed.clear();
    assert_eq!(taken(&mut backlog, &lanes), [1, 7, 9, 11]);
    assert_eq!(backlog.overdue(0, 12), 0);
}

#[test]
fn a_closed_lane_is_passed_over_and_made_good_first() {
    let mut backlog = Backlog::new(1);
    let mut lanes = Cycle { lanes: 3, closed: vec![1] };
    let mut passed = Vec::new();
    let taken: Vec<u64> =
        std::iter::from_fn(|| backlog.take(0, 9, &lanes, |index| passed.push(index)))
            .map(|(index, _)| index)
            .collect();
    assert_eq!((taken, &passed), (vec![2, 3, 5, 6, 8, 9], &vec![1, 4, 7]));
    assert_eq!((backlog.overdue(0, 9), backlog.held(0, |lane| lane != 1)), (3, 3));
    assert_eq!((backlog.oldest(0), backlog.oldest_in(0, |lane| lane != 1)), (1, 10));
    assert_eq!(backlog.returned(0, |index| (index % 3) as usize), [1, 4, 7]);
    assert!(backlog.has_holes());
    assert_eq!(backlog.skip_to(0, 9, &lanes, |_| ()).len(), 0);
    lanes.closed.clear();
    let next = |backlog: &mut Backlog| backlog.take(0, 11, &lanes, |_| ()).map(|(at, _)| at);
    assert_eq!([(); 2].map(|()| next(&mut backlog)), [Some(1), Some(4)]);
    backlog.give_back(0, 1, 1);
    assert_eq!(backlog.skip_to(0, 4, &lanes, |_| ()).to_string(), "0:1-1");
    assert_eq!([(); 4].map(|()| next(&mut backlog)), [Some(7), Some(10), Some(11), None]);
    assert!(!backlog.has_holes());
}

#[test]
fn other_lanes_after_a_reload_lose_nothing() {
    let mut backlog = Backlog::new(1);
    let lanes = Cycle { lanes: 3, closed: vec![0, 2] };
    assert_eq!(backlog.take(0, 9, &lanes, |_| ()), Some((1, 1)));
    assert_eq!(backlog.take(0, 9, &lanes, |_| ()), Some((4, 1)));
    for index in backlog.take_left(0, |index| (index % 3) as usize) {
        backlog.give_back(0, index, (index % 2) as usize);
    }
    assert_eq!((backlog.overdue(0, 4), backlog.held(0, |lane| lane == 0)), (2, 1));
}

#[test]
fn odd_jobs_go_round() {
    let mut backlog = Backlog::new(3);
    let mut sums = [0; 3];
    for _ in 0..3 {
        let mut wants = [10, 10, 10];
        backlog.share(&mut wants, 4);
        (0..3).for_each(|stream| sums[stream] += wants[stream]);
    }
    assert_eq!(sums, [4, 4, 4]);
}

#[derive(Clone, Debug)]
enum Deed {
    Turn(usize),
    Take(u64),
    ComeBack,
    Skip(u64),
}

fn deed() -> impl Strategy<Value = Deed> {
    prop_oneof![
        2 => (0..3_usize).prop_map(Deed::Turn),
        4 => (0..30_u64).prop_map(Deed::Take),
        1 => Just(Deed::ComeBack),
        1 => (0..300_u64).prop_map(Deed::Skip),
    ]
}

proptest! {
    /// Whatever lanes open and close and whatever comes back: each job is handed out, skipped
    /// or left once, and none of a lane that is closed leaves.
    #[test]
    fn each_job_is_somewhere_once(deeds in prop::collection::vec(deed(), 1..60)) {
        let mut backlog = Backlog::new(1);
        let mut lanes = Cycle { lanes: 3, closed: Vec::new() };
        let (mut out, mut skipped, mut due) = (Vec::new(), Vec::new(), 0);
        for deed in deeds {
            due += 7;
            match deed {
                Deed::Turn(lane) if lanes.closed.contains(&lane) => {
                    lanes.closed.retain(|closed| *closed != lane);
                }
                Deed::Turn(lane) => lanes.closed.push(lane),
                Deed::Take(jobs) => {
                    for _ in 0..jobs {
                        let Some((index, lane)) = backlog.take(0, due, &lanes, |_| ()) else { break };
                        prop_assert!(lanes.is_open(lane) && lane == lanes.lane_of(index));
                        out.push(index);
                    }
                }
                Deed::ComeBack => {
                    for index in out.split_off(out.len() / 2) {
                        backlog.give_back(0, index, lanes.lane_of(index));
                    }
                }
                Deed::Skip(index) => {
                    let gone = backlog.skip_to(0, index.min(due), &lanes, |_| ());
                    skipped.extend(gone.jobs().map(|(_, index)| index));
                }
            }
            let left = backlog.returned(0, |index| lanes.lane_of(index));
            prop_assert_eq!(
                backlog.overdue(0, due),
                left.len() as u64 + (due + 1 - backlog.next(0))
            );
            let mut all = [out.as_slice(), &skipped, &left].concat();
            all.sort_unstable();
            prop_assert_eq!(all, (1..backlog.next(0)).collect::<Vec<_>>());
            let oldest = left.first().copied().unwrap_or(backlog.next(0));
            prop_assert_eq!(backlog.oldest(0), oldest);
        }
    }

    #[test]
    fn shares_are_fair(
        wants in prop::collection::vec(prop_oneof![0..20_u64, 0..10_000_u64], 1..8),
        room in 0..20_000_u64,
    ) {
        let mut shares = wants.clone();
        Backlog::new(wants.len()).share(&mut shares, room);
        let total: u64 = wants.iter().sum();
        prop_assert_eq!(shares.iter().sum::<u64>(), total.min(room));
        let cut = (0..wants.len()).filter(|at| shares[*at] < wants[*at]);
        for at in cut {
            // Nobody has more than one job more than somebody who was cut.
            prop_assert!(shares.iter().all(|share| *share <= shares[at] + 1));
        }
        prop_assert!((0..wants.len()).all(|at| shares[at] <= wants[at]));
    }
}
