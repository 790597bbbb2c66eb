//! What is due and not sent: numbers, however many there are.

use crate::journal::Spans;
use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap, VecDeque};

/// Which jobs of each stream are to be handed out next.
///
/// A stream's jobs are handed out in order, so "all from `next` on" says which are left; only those
/// that came back unsent are listed one by one, and they are never more than were in flight.
///
/// Where a stream writes to several lanes of the target and one of them takes nothing, its jobs are
/// passed over. They are no list either: from the first of them on, all of the lane's jobs before
/// `next` are left, so two indices and their number say which ([`Hole`]).
///
/// Jobs that nobody needs are left out before they come up: as rows of indices, too, which no hole
/// spans.
#[derive(Clone, Debug)]
pub struct Backlog {
    streams: Vec<Stream>,
    /// The stream that gets the odd job of a share, in turn.
    turn: usize,
}

#[derive(Clone, Debug)]
struct Stream {
    next: u64,
    /// Jobs behind that which are never handed out: first and last of each row, in order.
    left_out: VecDeque<(u64, u64)>,
    /// The last of those that it has gone beyond.
    out_before: u64,
    /// What is left of the jobs before `next`, by lanes; those with nothing left are not there.
    left: BTreeMap<usize, Left>,
    given_up: bool,
}

/// What is left of a lane's jobs that the stream has gone beyond.
#[derive(Clone, Debug, Default)]
struct Left {
    returned: BinaryHeap<Reverse<u64>>,
    /// In order.
    holes: VecDeque<Hole>,
}

/// All of a lane's jobs between two indices.
#[derive(Clone, Copy, Debug)]
struct Hole {
    /// The first of them.
    first: u64,
    /// The last.
    last: u64,
    /// How many they are.
    jobs: u64,
}

impl Left {
    fn jobs(&self) -> u64 {
        self.returned.len() as u64 + self.holes.iter().map(|hole| hole.jobs).sum::<u64>()
    }

    fn oldest(&self) -> Option<u64> {
        let returned = self.returned.peek().map(|Reverse(index)| *index);
        let hole = self.holes.front().map(|hole| hole.first);
        returned.into_iter().chain(hole).min()
    }

    /// Takes the oldest out; `is_own` tells which jobs are the lane's.
    fn take(&mut self, is_own: impl Fn(u64) -> bool) -> Option<u64> {
        let oldest = self.oldest()?;
        if self.returned.peek() == Some(&Reverse(oldest)) {
            self.returned.pop();
        } else if let Some(hole) = self.holes.front_mut() {
            hole.jobs -= 1;
            let next = (oldest + 1..=hole.last).find(|index| is_own(*index));
            match next.filter(|_| hole.jobs > 0) {
                Some(next) => hole.first = next,
                None => _ = self.holes.pop_front(),
            }
        }
        Some(oldest)
    }

    /// Passes over a job that comes after all of those; jobs up to `out_before` were left out last.
    fn pass(&mut self, index: u64, out_before: u64) {
        match self.holes.back_mut() {
            Some(hole) if hole.last > out_before => {
                (hole.last, hole.jobs) = (index, hole.jobs + 1);
            }
            _ => self.holes.push_back(Hole { first: index, last: index, jobs: 1 }),
        }
    }
}

/// What is known of the lanes of a stream while jobs are handed out.
pub trait Lanes {
    /// The lane of a job, by its index.
    fn lane_of(&self, index: u64) -> usize;

    /// Whether a lane takes one more job.
    fn is_open(&self, lane: usize) -> bool;

    /// Whether all of them do.
    fn are_all_open(&self) -> bool {
        false
    }
}

/// The most jobs that are passed over in one go: finding out each one's lane takes its time.
const PASSED: u64 = 1 << 16;

impl Stream {
    fn new() -> Stream {
        let (left_out, left) = (VecDeque::new(), BTreeMap::new());
        Stream { next: 1, left_out, out_before: 0, left, given_up: false }
    }

    /// Goes on from a job, or from behind those that are left out there.
    fn go_to(&mut self, next: u64) {
        self.next = next;
        while let Some((first, last)) = self.left_out.front().copied()
            && first <= self.next
        {
            self.left_out.pop_front();
            self.out_before = last;
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
        Backlog { streams: vec![Stream::new(); streams], turn: 0 }
    }

    /// Goes on with a stream of which every job before `next` was handed out, and some came back.
    pub fn go_on(
        &mut self,
        stream: usize,
        next: u64,
        returned: impl IntoIterator<Item = u64>,
        lane_of: impl Fn(u64) -> usize,
    ) {
        self.streams[stream].next = next;
        for index in returned {
            self.give_back(stream, index, lane_of(index));
        }
    }

    /// The first job of a stream that was never handed out nor passed over.
    pub fn next(&self, stream: usize) -> u64 {
        self.streams[stream].next
    }

    /// Jobs of a stream before that which wait to be handed out.
    pub fn returned(&self, stream: usize, lane_of: impl Fn(u64) -> usize) -> Vec<u64> {
        let mut all = Vec::new();
        for (lane, left) in &self.streams[stream].left {
            all.extend(left.returned.iter().map(|Reverse(index)| *index));
            let hole = left.holes.iter().flat_map(|hole| hole.first..=hole.last);
            all.extend(hole.filter(|index| lane_of(*index) == *lane));
        }
        all.sort_unstable();
        all
    }

    /// Whether jobs of any stream were passed over.
    pub fn has_holes(&self) -> bool {
        let mut left = self.streams.iter().flat_map(|stream| stream.left.values());
        left.any(|left| !left.holes.is_empty())
    }

    /// Takes in one more stream.
    pub fn add_stream(&mut self) {
        self.streams.push(Stream::new());
    }

    /// Jobs of a stream that are to be sent, if so many have fallen due.
    pub fn overdue(&self, stream: usize, due: u64) -> u64 {
        let stream = &self.streams[stream];
        if stream.given_up {
            return 0;
        }
        let left = stream.left.values().map(Left::jobs).sum::<u64>();
        let behind = (due + 1).saturating_sub(stream.next);
        behind.saturating_sub(stream.count_left_out()) + left
    }

    /// How many of them are known to be of lanes that are not open.
    pub fn held(&self, stream: usize, is_open: impl Fn(usize) -> bool) -> u64 {
        let closed = self.streams[stream].left.iter().filter(|(lane, _)| !is_open(**lane));
        closed.map(|(_, left)| left.jobs()).sum()
    }

    /// Hands out the oldest job of a stream whose lane is open, of so many that have fallen due, and
    /// tells its lane. Those of other lanes are passed over, which `passed` is told of in order.
    pub fn take(
        &mut self,
        stream: usize,
        due: u64,
        lanes: &impl Lanes,
        mut passed: impl FnMut(u64),
    ) -> Option<(u64, usize)> {
        let stream = &mut self.streams[stream];
        let left = &mut stream.left;
        let open = left.iter().filter(|(lane, _)| lanes.is_open(**lane));
        let oldest = open.filter_map(|(lane, left)| Some((left.oldest()?, *lane))).min();
        if let Some((_, lane)) = oldest
            && let Some(of_lane) = left.get_mut(&lane)
        {
            let index = of_lane.take(|index| lanes.lane_of(index) == lane)?;
            if of_lane.jobs() == 0 {
                left.remove(&lane);
            }
            return Some((index, lane));
        }
        for _ in 0..PASSED {
            if stream.next > due {
                return None;
            }
            let (index, lane) = (stream.next, lanes.lane_of(stream.next));
            let out_before = stream.out_before;
            stream.go_to(index + 1);
            if lanes.is_open(lane) {
                return Some((index, lane));
            }
            stream.left.entry(lane).or_default().pass(index, out_before);
            passed(index);
        }
        None
    }

    /// Leaves jobs of a stream in a row out, none of which has been handed out or passed over, and all
    /// of which stand behind those left out before. They are never handed out, and are not overdue.
    pub fn leave_out(&mut self, stream: usize, first: u64, last: u64) {
        let stream = &mut self.streams[stream];
        match stream.left_out.back_mut() {
            Some(before) if before.1 + 1 == first => before.1 = last,
            _ => stream.left_out.push_back((first, last)),
        }
        stream.go_to(stream.next);
    }

    /// The jobs of a stream that are left out behind [`Backlog::next`]: first and last of each row.
    pub fn left_out(&self, stream: usize) -> impl Iterator<Item = (u64, u64)> {
        self.streams[stream].left_out.iter().copied()
    }

    /// The oldest job of a stream that is not handed out.
    pub fn oldest(&self, stream: usize) -> u64 {
        self.oldest_in(stream, |_| true)
    }

    /// The same, those left out that are known to be of lanes which are not open.
    pub fn oldest_in(&self, stream: usize, is_open: impl Fn(usize) -> bool) -> u64 {
        let stream = &self.streams[stream];
        let open = stream.left.iter().filter(|(lane, _)| is_open(**lane));
        let oldest = open.filter_map(|(_, left)| left.oldest()).min();
        oldest.map_or(stream.next, |index| stream.next.min(index))
    }

    /// Gives up every job of a stream up to an index that is not handed out and whose lane is open,
    /// and tells which.
    pub fn skip_to(
        &mut self,
        stream: usize,
        index: u64,
        lanes: &impl Lanes,
        mut passed: impl FnMut(u64),
    ) -> Spans {
        let mut skipped = Spans::default();
        if self.streams[stream].given_up {
            return skipped;
        }
        loop {
            let oldest = self.oldest_in(stream, |lane| lanes.is_open(lane));
            if oldest > index {
                return skipped;
            }
            // Before the next one nothing is left, and what follows is one range.
            if oldest == self.streams[stream].next && lanes.are_all_open() {
                let mut from = oldest;
                for (first, last) in &self.streams[stream].left_out {
                    skipped.push_range(stream, from, index.min(first - 1));
                    from = last.saturating_add(1);
                }
                skipped.push_range(stream, from, index);
                self.streams[stream].go_to(index.saturating_add(1));
                return skipped;
            }
            if let Some((taken, _)) = self.take(stream, index, lanes, &mut passed) {
                skipped.push(stream, taken);
            }
        }
    }

    /// Takes back a job that was not sent over its lane. False if its stream has been given up:
    /// nobody will ask for it again.
    pub fn give_back(&mut self, stream: usize, index: u64, lane: usize) -> bool {
        let stream = &mut self.streams[stream];
        if !stream.given_up {
            stream.left.entry(lane).or_default().returned.push(Reverse(index));
        }
        !stream.given_up
    }

    /// Takes out what [`Backlog::returned`] lists: to be given back, to other lanes.
    pub fn take_left(&mut self, stream: usize, lane_of: impl Fn(u64) -> usize) -> Vec<u64> {
        let left = self.returned(stream, lane_of);
        self.streams[stream].left.clear();
        left
    }

    /// Gives up what is overdue of a stream and what comes back later; returns how many are overdue.
    pub fn give_up(&mut self, stream: usize, due: u64) -> u64 {
        let left = self.overdue(stream, due);
        self.streams[stream].given_up = true;
        self.streams[stream].left = BTreeMap::new();
        left
    }

    /// Whether a stream has been given up.
    pub fn is_given_up(&self, stream: usize) -> bool {
        self.streams[stream].given_up
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
mod tests;
