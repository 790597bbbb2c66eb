//! How many steps of a flow are to be expected, and when.
//!
//! With Λ the curve's count, p the share of the flow in the stream, and C₀ = p·Λ the count of things
//! begun, the expected count of steps into state s by t is
//!
//! ```text
//! C_s(t) = Σ over ways u→s of share · C_u(t − a)                              where a step takes a
//! C_s(t) = Σ over ways u→s of share · ∫ C_u(t − d)/(b − a) dd over d from a to b     … or a to b
//! ```
//!
//! Behind ways of a fixed time alone that is the curve itself, later and scaled, and is kept as such.
//! All else is taken on a grid of each state's own, from the first instant that it may be reached to
//! the last: counts as straight lines between its points, their integral by trapezoids. By its last
//! point whatever comes has come, so that totals hold whatever the grid.

use super::DueTimes;
use crate::exact::{fraction, whole};
use crate::job::{Flow, Way, paced};
use crate::timeline::Timeline;
use crate::timeline::curve::Curve;
use std::sync::Arc;

/// Steps of a grid.
const GRID: usize = 4096;
/// Pieces of the curve that all grids together come to, about.
const PIECES: usize = 256;
/// The fewest of one state.
const FEWEST_PIECES: usize = 16;
/// Rates are kept in so many parts of a job per second.
const PARTS: f64 = 1e9;
/// What is spread over less falls due all at once, and has no rate.
const INSTANT_NS: u64 = 1_000_000;
/// The most times that a curve is kept for later as it is.
const SHIFTS: usize = 16;

/// What is to be expected of a flow.
#[derive(Clone, Debug)]
pub struct Expected {
    /// Steps into each state; the first has none.
    pub steps: Vec<f64>,
    /// Their curves, which add up.
    pub curves: Vec<Delayed>,
    /// Nothing is left to chance: each thing takes every step, after a fixed time.
    pub certain: bool,
}

/// A curve that begins a while after its stream.
#[derive(Clone, Debug)]
pub struct Delayed {
    /// In its own time.
    pub timeline: Arc<Timeline>,
    /// From the stream's start to its own, in nanoseconds.
    pub delay_ns: u64,
}

impl Delayed {
    /// Its count at a time of the stream.
    pub fn cumulative(&self, t_ns: u64) -> f64 {
        t_ns.checked_sub(self.delay_ns).map_or(0.0, |t| self.timeline.cumulative(t))
    }

    /// When it ends, in nanoseconds from the stream's start.
    pub fn end_ns(&self) -> u64 {
        self.timeline.length_ns().unwrap_or(0).saturating_add(self.delay_ns)
    }
}

/// The steps of a flow whose things are a share of the jobs of a stream, which are due along a
/// timeline, up to `until_ns` of the stream's time, if the plan ends there. `None` if they are more
/// than can be counted.
///
/// From the times of `paces` on, things that begin go so many times as fast.
pub fn expected(
    flow: &Flow,
    share: f64,
    (due, timeline): (&dyn DueTimes, &Arc<Timeline>),
    paces: &[(u64, f64)],
    until_ns: Option<u64>,
) -> Option<Expected> {
    let until_ns = until_ns.unwrap_or(u64::MAX);
    let groups = groups(due, timeline, paces);
    let is_one = groups.len() <= 1;
    let mut steps = vec![0.0; flow.states.len()];
    let (mut curves, mut grids) = (Vec::new(), Vec::new());
    let mut certain = is_one && share == 1.0;
    for group in groups {
        let begun = Counts::begun(&group, share, timeline);
        for (state, reached) in reached(flow, &begun, group.pace, is_one).into_iter().enumerate() {
            if state == 0 {
                continue;
            }
            for (delay_ns, part) in reached.shifts {
                certain &= part == 1.0;
                let Some(left_ns) = until_ns.checked_sub(delay_ns) else { continue };
                let timeline = later(timeline, part * share, left_ns)?;
                steps[state] += timeline.total()?.hi;
                curves.push(Delayed { timeline, delay_ns });
            }
            certain &= reached.grid.is_none();
            if let Some(grid) = reached.grid {
                steps[state] += grid.at(until_ns as f64);
                grids.push(grid);
            }
        }
    }
    curves.extend(pieces(&grids, until_ns));
    Some(Expected { steps, curves, certain })
}

/// A share of a curve up to a time.
fn later(timeline: &Arc<Timeline>, share: f64, left_ns: u64) -> Option<Arc<Timeline>> {
    let is_whole = timeline.length_ns().is_some_and(|length_ns| length_ns <= left_ns);
    if is_whole && share == 1.0 {
        return Some(Arc::clone(timeline));
    }
    Some(Arc::new(timeline.share_until(share, left_ns)?))
}

/// Stretches of the stream whose things go at one pace.
struct Group {
    pace: f64,
    /// From and to when, in order; only the last may hold what is due at its end.
    stretches: Vec<(u64, u64)>,
}

/// The paces at which any jobs begin things, and where.
fn groups(due: &dyn DueTimes, timeline: &Timeline, paces: &[(u64, f64)]) -> Vec<Group> {
    let end_ns = timeline.length_ns().unwrap_or(0).saturating_add(1);
    let before = |t_ns: u64| t_ns.checked_sub(1).map_or(0, |t| due.jobs_by(t));
    let starts = std::iter::once((0, 1.0)).chain(paces.iter().copied());
    let ends = paces.iter().map(|(from_ns, _)| *from_ns).chain([end_ns]);
    let mut groups: Vec<Group> = Vec::new();
    for ((from_ns, pace), to_ns) in starts.zip(ends) {
        let to_ns = to_ns.min(end_ns);
        if from_ns >= to_ns || before(to_ns) == before(from_ns) {
            continue;
        }
        match groups.iter_mut().find(|group| group.pace == pace) {
            Some(group) => group.stretches.push((from_ns, to_ns)),
            None => groups.push(Group { pace, stretches: vec![(from_ns, to_ns)] }),
        }
    }
    groups
}

/// How things come to a state.
#[derive(Clone, Debug, Default)]
struct Reached {
    /// By fixed times: the share of all things, so long after they began.
    shifts: Vec<(u64, f64)>,
    /// In any other way.
    grid: Option<Counts>,
}

/// How the things of one pace come to each state; whether the curve of what begins is theirs alone.
fn reached(flow: &Flow, begun: &Counts, pace: f64, is_one: bool) -> Vec<Reached> {
    let mut all = vec![Reached::default(); flow.states.len()];
    match is_one {
        true => all[0].shifts.push((0, 1.0)),
        false => all[0].grid = Some(begun.clone()),
    }
    let mut kept = 0;
    for to in 1..flow.states.len() {
        let mut shifts: Vec<(u64, f64)> = Vec::new();
        let mut parts: Vec<Part<'_>> = Vec::new();
        for (from, state) in all.iter().zip(&flow.states).take(to) {
            for way in state.ways.iter().filter(|way| way.to == to) {
                let (low, high) = way_ns(way, pace);
                for (delay_ns, share) in &from.shifts {
                    let (first, last) =
                        (delay_ns.saturating_add(low), delay_ns.saturating_add(high));
                    let share = share * way.share;
                    if first < last {
                        parts.push(Part { of: begun, share, low: first, high: last });
                        continue;
                    }
                    match shifts.iter_mut().find(|(own, _)| *own == first) {
                        Some((_, sum)) => *sum += share,
                        None => shifts.push((first, share)),
                    }
                }
                let part = |of| Part { of, share: way.share, low, high };
                parts.extend(from.grid.as_ref().map(part));
            }
        }
        if kept + shifts.len() > SHIFTS {
            let part = |(at, share)| Part { of: begun, share, low: at, high: at };
            parts.extend(shifts.drain(..).map(part));
        }
        kept += shifts.len();
        let grid = Counts::sum(&parts);
        all[to] = Reached { shifts, grid };
    }
    all
}

fn way_ns(way: &Way, pace: f64) -> (u64, u64) {
    (paced(way.delay_ns.0, pace), paced(way.delay_ns.1, pace))
}

/// What comes along one way: a share of others, so much later.
struct Part<'a> {
    of: &'a Counts,
    share: f64,
    low: u64,
    high: u64,
}

/// A count on a grid of its own and its integral, in nanoseconds.
#[derive(Clone, Debug)]
struct Counts {
    start_ns: f64,
    step_ns: f64,
    counts: Vec<f64>,
    integral: Vec<f64>,
}

impl Counts {
    fn new((start_ns, end_ns): (f64, f64), mut count: impl FnMut(f64) -> f64) -> Counts {
        let step_ns = (end_ns - start_ns) / GRID as f64;
        // The last point is the end itself, and not what adds up to it.
        let place = |at: usize| if at == GRID { end_ns } else { start_ns + at as f64 * step_ns };
        let counts: Vec<f64> = (0..=GRID).map(|at| count(place(at))).collect();
        let mut sum = 0.0;
        let integral = counts.iter().enumerate().map(|(at, count)| {
            sum += if at > 0 { (counts[at - 1] + count) / 2.0 * step_ns } else { 0.0 };
            sum
        });
        let integral = integral.collect();
        Counts { start_ns, step_ns, counts, integral }
    }

    /// What begins at one pace.
    fn begun(group: &Group, share: f64, timeline: &Timeline) -> Counts {
        let last = group.stretches.len().saturating_sub(1);
        let start_ns = group.stretches.first().map_or(0, |(from_ns, _)| *from_ns);
        let end_ns = group.stretches.last().map_or(0, |(_, to_ns)| to_ns - 1);
        let by = |t_ns: Option<u64>| t_ns.map_or(0.0, |t| share * timeline.cumulative(t));
        let (mut next, mut passed) = (0, 0.0);
        Counts::new((start_ns as f64, end_ns as f64), |t| {
            let t_ns = (t as u64).min(end_ns);
            while next < last && group.stretches[next].1 <= t_ns {
                let (from_ns, to_ns) = group.stretches[next];
                passed += by(to_ns.checked_sub(1)) - by(from_ns.checked_sub(1));
                next += 1;
            }
            let (from_ns, _) = group.stretches[next];
            let own =
                if t_ns < from_ns { 0.0 } else { by(Some(t_ns)) - by(from_ns.checked_sub(1)) };
            passed + own.max(0.0)
        })
    }

    /// What comes along some ways, if any does.
    fn sum(parts: &[Part<'_>]) -> Option<Counts> {
        let first = parts.iter().map(|part| part.of.start_ns + part.low as f64);
        let last = parts.iter().map(|part| part.of.end_ns() + part.high as f64);
        let (first, last) = (first.reduce(f64::min)?, last.reduce(f64::max)?);
        let all: f64 = parts.iter().map(|part| part.share * part.of.total()).sum();
        Some(Counts::new((first, last), |t| match t >= last {
            true => all,
            false => parts.iter().map(|part| part.share * part.of.delayed(t, part)).sum(),
        }))
    }

    fn end_ns(&self) -> f64 {
        self.start_ns + self.step_ns * GRID as f64
    }

    fn total(&self) -> f64 {
        self.counts[GRID]
    }

    /// The point of the grid before a time, and how far on to the next it is; none from the end on.
    fn place(&self, t_ns: f64) -> Option<(usize, f64)> {
        let place = (t_ns - self.start_ns) / self.step_ns;
        // Where it has no length a place is no number.
        (place < GRID as f64).then(|| (place as usize, place.fract()))
    }

    fn at(&self, t_ns: f64) -> f64 {
        if t_ns < self.start_ns {
            return 0.0;
        }
        let Some((at, rest)) = self.place(t_ns) else { return self.total() };
        self.counts[at] + rest * (self.counts[at + 1] - self.counts[at])
    }

    /// The integral up to a time; before the start there is nothing.
    fn integral(&self, t_ns: f64) -> f64 {
        if t_ns <= self.start_ns {
            return 0.0;
        }
        let Some((at, rest)) = self.place(t_ns) else {
            return self.integral[GRID] + (t_ns - self.end_ns()) * self.total();
        };
        let (from, to) = (self.counts[at], self.counts[at + 1]);
        self.integral[at] + rest * self.step_ns * (from + rest * (to - from) / 2.0)
    }

    fn delayed(&self, t_ns: f64, part: &Part<'_>) -> f64 {
        let (low, high) = (part.low as f64, part.high as f64);
        if low == high {
            return self.at(t_ns - low);
        }
        (self.integral(t_ns - low) - self.integral(t_ns - high)) / (high - low)
    }
}

/// The sum of some grids as a curve in pieces of one rate each.
fn pieces(grids: &[Counts], until_ns: u64) -> Option<Delayed> {
    let each = (PIECES / grids.len().max(1)).max(FEWEST_PIECES);
    let border = |grid: &Counts, at: usize| {
        let length_ns = grid.step_ns * GRID as f64;
        (grid.start_ns + length_ns * at as f64 / each as f64).round() as u64
    };
    let of = |grid| (0..=each).map(move |at| border(grid, at).min(until_ns));
    let mut borders: Vec<u64> = grids.iter().flat_map(of).collect();
    borders.sort_unstable();
    borders.dedup();
    let (first_ns, last_ns) = (*borders.first()?, *borders.last()?);
    let sum = |t_ns: u64| grids.iter().map(|grid| grid.at(t_ns as f64)).sum::<f64>();
    let seconds = |ns: u64| Some(fraction(ns.into(), 1_000_000_000));
    if last_ns - first_ns < INSTANT_NS {
        let jobs = Curve::AtOnce { jobs: sum(last_ns).round() as u64 };
        let rest = Curve::Constant { rate: whole(0), length: seconds(last_ns - first_ns) };
        let timeline = Arc::new(Timeline::new(&Curve::Sequence(vec![jobs, rest])).ok()?);
        return Some(Delayed { timeline, delay_ns: first_ns });
    }
    let mut before = 0.0;
    let pieces = borders.windows(2).map(|border| {
        let (length_ns, by) = (border[1] - border[0], sum(border[1]));
        let rate = (by - before).max(0.0) / length_ns as f64 * 1e9;
        before = by;
        Curve::Constant {
            rate: fraction((rate * PARTS).round() as i128, PARTS as i128),
            length: seconds(length_ns),
        }
    });
    let pieces: Vec<Curve> = pieces.collect();
    let timeline = Arc::new(Timeline::new(&Curve::Sequence(pieces)).ok()?);
    Some(Delayed { timeline, delay_ns: first_ns })
}
