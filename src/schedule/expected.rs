//! How many steps of a flow are to be expected, and when.
//!
//! With Λ the curve's count, p the share of the flow in the stream, and C₀ = p·Λ the count of things
//! begun, the expected count of steps into state s by t is
//!
//! ```text
//! C_s(t) = Σ over ways u→s of share · ∫ C_u(t − d)/(b − a) dd over d from a to b
//! ```
//!
//! taken on a grid: counts as straight lines between its points, their integral by trapezoids.

use crate::exact::{fraction, whole};
use crate::job::{Flow, Way, paced};
use crate::timeline::Timeline;
use crate::timeline::curve::Curve;

/// Steps of the grid.
const GRID: usize = 4096;
/// Steps of it in a piece of the curve.
const PIECE: usize = 16;
/// What ends so soon falls due all at once, and has no rate.
const INSTANT_NS: u64 = 1_000_000;
/// Rates are kept in so many parts of a job per second.
const PARTS: f64 = 1e9;

/// What is to be expected of a flow.
#[derive(Clone, Debug)]
pub struct Expected {
    /// Steps into each state; the first has none.
    pub steps: Vec<f64>,
    /// Their rate, in pieces, in the stream's time.
    pub curve: Curve,
}

/// The steps of a flow whose things are a share of a stream's jobs, up to `until_ns` of the stream's
/// time, if the plan ends there.
///
/// From the times of `paces` on, things that begin go so many times as fast.
pub fn expected(
    flow: &Flow,
    share: f64,
    timeline: &Timeline,
    paces: &[(u64, f64)],
    until_ns: Option<u64>,
) -> Expected {
    let length_ns = timeline.length_ns().unwrap_or(0);
    let slowest = paces.iter().map(|(_, pace)| *pace).fold(1.0, f64::min);
    let end_ns = length_ns.saturating_add(paced(flow.reach_ns().1, slowest));
    let end_ns = until_ns.map_or(end_ns, |until| end_ns.min(until)).max(1);
    let step_ns = end_ns as f64 / GRID as f64;
    let mut counts = vec![vec![0.0; GRID + 1]; flow.states.len()];
    for (pace, begun) in begun(share, timeline, paces, step_ns) {
        let mut own = vec![vec![0.0; GRID + 1]; flow.states.len()];
        own[0] = begun;
        for (at, state) in flow.states.iter().enumerate() {
            let from = Counts::new(std::mem::take(&mut own[at]));
            for way in &state.ways {
                for (place, count) in own[way.to].iter_mut().enumerate() {
                    *count += way.share * from.delayed(place as f64, way, step_ns * pace);
                }
            }
            own[at] = from.counts;
        }
        for (all, own) in counts.iter_mut().flatten().zip(own.iter().flatten()) {
            *all += own;
        }
    }
    let sum = |place: usize| counts[1..].iter().map(|count| count[place]).sum::<f64>();
    let piece_ns = step_ns * PIECE as f64;
    let pieces = (0..GRID / PIECE).map(|piece| {
        let more = (sum((piece + 1) * PIECE) - sum(piece * PIECE)).max(0.0);
        Curve::Constant {
            rate: fraction((more / piece_ns * 1e9 * PARTS).round() as i128, PARTS as i128),
            length: Some(fraction(end_ns.into(), 1_000_000_000 * (GRID / PIECE) as i128)),
        }
    });
    let last = |count: &Vec<f64>| count[GRID];
    let mut steps: Vec<f64> = counts.iter().map(last).collect();
    steps[0] = 0.0;
    let pieces: Vec<Curve> = pieces.collect();
    let is_instant = end_ns < INSTANT_NS;
    let curve = if is_instant || steps.iter().all(|steps| *steps == 0.0) {
        Curve::Constant { rate: whole(0), length: Some(fraction(end_ns.into(), 1_000_000_000)) }
    } else {
        Curve::Sequence(pieces)
    };
    Expected { steps, curve }
}

/// The things begun by each point of the grid, apart by the pace at which they go.
fn begun(
    share: f64,
    timeline: &Timeline,
    paces: &[(u64, f64)],
    step_ns: f64,
) -> Vec<(f64, Vec<f64>)> {
    let length_ns = timeline.length_ns().unwrap_or(0);
    let by = |t_ns: u64| share * timeline.cumulative(t_ns.min(length_ns));
    let mut of: Vec<(f64, Vec<f64>)> = Vec::new();
    let add = |of: &mut Vec<(f64, Vec<f64>)>, pace: f64, at: usize, more: f64| {
        let known = of.iter().position(|(own, _)| *own == pace).unwrap_or_else(|| {
            of.push((pace, vec![0.0; GRID + 1]));
            of.len() - 1
        });
        of[known].1[at] += more;
    };
    // In each step of the grid, piece by piece of one pace.
    let (mut next, mut pace, mut before) = (0, 1.0, 0.0);
    for at in 0..=GRID {
        let to_ns = (at as f64 * step_ns) as u64;
        while let Some((change_ns, then)) = paces.get(next).filter(|(from_ns, _)| *from_ns <= to_ns)
        {
            let count = change_ns.checked_sub(1).map_or(0.0, by);
            add(&mut of, pace, at, (count - before).max(0.0));
            (next, pace, before) = (next + 1, *then, count);
        }
        let count = by(to_ns);
        add(&mut of, pace, at, (count - before).max(0.0));
        before = count;
    }
    for (_, counts) in &mut of {
        let mut sum = 0.0;
        for count in counts {
            sum += *count;
            *count = sum;
        }
    }
    of
}

/// A count on the grid and its integral, in steps of the grid.
struct Counts {
    counts: Vec<f64>,
    integral: Vec<f64>,
}

impl Counts {
    fn new(counts: Vec<f64>) -> Counts {
        let mut sum = 0.0;
        let mut integral = Vec::with_capacity(counts.len());
        for (at, count) in counts.iter().enumerate() {
            sum += if at > 0 { (counts[at - 1] + count) / 2.0 } else { 0.0 };
            integral.push(sum);
        }
        Counts { counts, integral }
    }

    /// The integral up to a place between two points; before the first there is nothing.
    fn integral(&self, place: f64) -> f64 {
        if place <= 0.0 {
            return 0.0;
        }
        let at = (place as usize).min(GRID);
        let rest = place - at as f64;
        let next = self.counts.get(at + 1).copied().unwrap_or(self.counts[at]);
        self.integral[at] + rest * (self.counts[at] + rest * (next - self.counts[at]) / 2.0)
    }

    fn delayed(&self, place: f64, way: &Way, step_ns: f64) -> f64 {
        let (low, high) = (way.delay_ns.0 as f64 / step_ns, way.delay_ns.1 as f64 / step_ns);
        // A delay that is hardly spread is spread over a step of the grid.
        let spread = (high - low).max(1.0);
        let middle = place - (low + high) / 2.0;
        (self.integral(middle + spread / 2.0) - self.integral(middle - spread / 2.0)) / spread
    }
}
