//! What is due and not sent: numbers, however many there are.

use crate::journal::Spans;
use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};

/// Which jobs of each stream are to be handed out next.
///
/// A stream's jobs are handed out in order, so "all from `next` on" says which are left; only those
/// that came back unsent are listed one by one, and they are never more than were in flight.
#[derive(Clone, Debug)]
pub struct Backlog {
    lanes: Vec<Lane>,
    /// The stream that gets the odd job of a share, in turn.
    turn: usize,
}

#[derive(Clone, Debug)]
struct Lane {
    next: u64,
    /// Jobs from there on that are not to be handed out: first and last of each row, in order.
    left_out: VecDeque<(u64, u64)>,
    returned: BinaryHeap<Reverse<u64>>,
    given_up: bool,
}

impl Lane {
    fn new() -> Lane {
        let (left_out, returned) = (VecDeque::new(), BinaryHeap::new());
        Lane { next: 1, left_out, returned, given_up: false }
    }

    /// Goes on from a job, or from behind those that are left out there.
    fn go_to(&mut self, next: u64) {
        self.next = next;
        while let Some((first, last)) = self.left_out.front().copied()
            && first <= self.next
        {
            self.left_out.pop_front();
            self.next = self.next.max(last.saturating_add(1));
        }
    }

    fn count_left_out(&self) -> u64 {
        self.left_out.iter().map(|(first, last)| last - first + 1).sum()
    }
}

impl Backlog {
    /// Nothing handed out yet.
    pub fn new(streams: usize) -> Backlog {
        Backlog { lanes: vec![Lane::new(); streams], turn: 0 }
    }

    /// Goes on with a stream of which every job before `next` was handed out, and some came back.
    pub fn go_on(&mut self, stream: usize, next: u64, returned: impl IntoIterator<Item = u64>) {
        self.lanes[stream].next = next;
        self.lanes[stream].returned = returned.into_iter().map(Reverse).collect();
    }

    /// The first job of a stream that was never handed out.
    pub fn next(&self, stream: usize) -> u64 {
        self.lanes[stream].next
    }

    /// Jobs of a stream that came back and wait to be handed out again.
    pub fn returned(&self, stream: usize) -> impl Iterator<Item = u64> {
        self.lanes[stream].returned.iter().map(|Reverse(index)| *index)
    }

    /// Takes in one more stream.
    pub fn add_stream(&mut self) {
        self.lanes.push(Lane::new());
    }

    /// Jobs of a stream that are to be sent, if so many have fallen due.
    pub fn overdue(&self, stream: usize, due: u64) -> u64 {
        let lane = &self.lanes[stream];
        if lane.given_up {
            return 0;
        }
        let behind = (due + 1).saturating_sub(lane.next);
        behind.saturating_sub(lane.count_left_out()) + lane.returned.len() as u64
    }

    /// Hands out the oldest job of a stream that has one overdue.
    pub fn take(&mut self, stream: usize) -> u64 {
        let lane = &mut self.lanes[stream];
        if let Some(Reverse(index)) = lane.returned.pop() {
            return index;
        }
        let index = lane.next;
        lane.go_to(index + 1);
        index
    }

    /// Leaves jobs of a stream in a row out, none of which has been handed out and all of which stand
    /// behind those left out before. They are never handed out, and are not overdue.
    pub fn leave_out(&mut self, stream: usize, first: u64, last: u64) {
        let lane = &mut self.lanes[stream];
        match lane.left_out.back_mut() {
            Some(before) if before.1 + 1 == first => before.1 = last,
            _ => lane.left_out.push_back((first, last)),
        }
        lane.go_to(lane.next);
    }

    /// The jobs of a stream that are left out behind the first that was never handed out: first and
    /// last of each row.
    pub fn left_out(&self, stream: usize) -> impl Iterator<Item = (u64, u64)> {
        self.lanes[stream].left_out.iter().copied()
    }

    /// The oldest job of a stream that is not handed out.
    pub fn oldest(&self, stream: usize) -> u64 {
        let lane = &self.lanes[stream];
        lane.returned.peek().map_or(lane.next, |Reverse(index)| lane.next.min(*index))
    }

    /// Gives up every job of a stream up to an index that is not handed out, and tells which.
    pub fn skip_to(&mut self, stream: usize, index: u64) -> Spans {
        let lane = &mut self.lanes[stream];
        let mut skipped = Spans::default();
        if lane.given_up {
            return skipped;
        }
        while let Some(Reverse(returned)) = lane.returned.peek().copied()
            && returned <= index
        {
            lane.returned.pop();
            skipped.push(stream, returned);
        }
        let mut from = lane.next;
        for (first, last) in &lane.left_out {
            skipped.push_range(stream, from, index.min(first - 1));
            from = last.saturating_add(1);
        }
        skipped.push_range(stream, from, index);
        lane.go_to(lane.next.max(index.saturating_add(1)));
        skipped
    }

    /// Takes back a job that was not sent. False if its stream has been given up: nobody will ask
    /// for it again.
    pub fn give_back(&mut self, stream: usize, index: u64) -> bool {
        let lane = &mut self.lanes[stream];
        if !lane.given_up {
            lane.returned.push(Reverse(index));
        }
        !lane.given_up
    }

    /// Gives up what is overdue of a stream and what comes back later; returns how many are overdue.
    pub fn give_up(&mut self, stream: usize, due: u64) -> u64 {
        let left = self.overdue(stream, due);
        self.lanes[stream].given_up = true;
        self.lanes[stream].returned = BinaryHeap::new();
        left
    }

    /// Whether a stream has been given up.
    pub fn is_given_up(&self, stream: usize) -> bool {
        self.lanes[stream].given_up
    }

    /// Shares out room fairly: nobody gets more than it wants, and what one does not want the
    /// others get in equal parts, so that a stream is cut only to what every cut one has
    /// (max-min fairness). `wants` becomes the shares.
    pub fn share(&mut self, wants: &mut [u64], room: u64) {
        let total = wants.iter().fold(0_u64, |sum, want| sum.saturating_add(*want));
        if total <= room {
            return;
        }
        let level = fair_level(wants, room);
        let granted: u64 = wants.iter().map(|want| (*want).min(level)).sum();
        let mut odd = room - granted;
        self.turn = (self.turn + 1) % wants.len().max(1);
        for at in (self.turn..wants.len()).chain(0..self.turn) {
            let cut = wants[at] > level;
            wants[at] = wants[at].min(level);
            if cut && odd > 0 {
                wants[at] += 1;
                odd -= 1;
            }
        }
    }
}

/// The largest level with Σ min(want, level) ≤ room.
fn fair_level(wants: &[u64], room: u64) -> u64 {
    let mut level = 0;
    let mut left = room;
    loop {
        let open = wants.iter().filter(|want| **want > level).count() as u64;
        let Some(step) = left.checked_div(open) else { return level };
        let lowest = wants.iter().filter(|want| **want > level).map(|want| want - level).min();
        let step = step.min(lowest.unwrap_or(0));
        if step == 0 {
            return level;
        }
        level += step;
        left -= step * open;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn hands_out_in_order_and_what_came_back_first() {
        let mut backlog = Backlog::new(2);
        assert_eq!(backlog.overdue(0, 5), 5);
        assert_eq!([backlog.take(0), backlog.take(0), backlog.take(0)], [1, 2, 3]);
        assert!(backlog.give_back(0, 3));
        assert!(backlog.give_back(0, 1));
        assert_eq!((backlog.overdue(0, 5), backlog.oldest(0)), (4, 1));
        assert_eq!([backlog.take(0), backlog.take(0), backlog.take(0)], [1, 3, 4]);
        assert_eq!((backlog.overdue(0, 5), backlog.oldest(0)), (1, 5));
        assert_eq!((backlog.overdue(1, 0), backlog.oldest(1)), (0, 1));
    }

    #[test]
    fn what_is_skipped_is_told() {
        let mut backlog = Backlog::new(1);
        (0..4).for_each(|_| _ = backlog.take(0));
        assert!(backlog.give_back(0, 2) && backlog.give_back(0, 4));
        assert_eq!(backlog.skip_to(0, 3).to_string(), "0:2-2");
        assert_eq!((backlog.overdue(0, 9), backlog.oldest(0)), (6, 4));
        assert_eq!(backlog.skip_to(0, 7).to_string(), "0:4-7");
        assert_eq!((backlog.overdue(0, 9), backlog.take(0)), (2, 8));
        assert!(backlog.skip_to(0, 7).is_empty());
    }

    #[test]
    fn what_is_given_up_stays_so() {
        let mut backlog = Backlog::new(1);
        backlog.take(0);
        assert_eq!(backlog.give_up(0, 4), 3);
        assert_eq!(backlog.overdue(0, 4), 0);
        assert!(!backlog.give_back(0, 1));
        assert_eq!(backlog.give_up(0, 4), 0);
    }

    #[test]
    fn what_is_skipped_is_not_handed_out_and_what_comes_later_is() {
        let mut backlog = Backlog::new(1);
        assert_eq!([backlog.take(0), backlog.take(0)], [1, 2]);
        backlog.give_back(0, 1);
        assert_eq!(backlog.skip_to(0, 5).len(), 4);
        assert_eq!((backlog.overdue(0, 5), backlog.skip_to(0, 5).len()), (0, 0));
        assert!(backlog.give_back(0, 2), "one that was on its way may come back");
        assert_eq!(backlog.overdue(0, 6), 2);
        assert_eq!([backlog.take(0), backlog.take(0)], [2, 6]);
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
        assert_eq!([backlog.take(0), backlog.take(0), backlog.take(0)], [3, 4, 8]);
        assert_eq!((backlog.next(0), backlog.overdue(0, 10)), (10, 1));
        backlog.leave_out(0, 12, 13);
        assert_eq!(backlog.skip_to(0, 14).to_string(), "0:10-11;0:14-14");
        assert_eq!((backlog.next(0), backlog.overdue(0, 14)), (15, 0));
        backlog.leave_out(0, 17, 20);
        assert_eq!(backlog.skip_to(0, 18).to_string(), "0:15-16");
        assert_eq!((backlog.next(0), backlog.overdue(0, 20)), (21, 0));
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

    proptest! {
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
}
