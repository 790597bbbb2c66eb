//! What chance can do to a bound on the rate.
//!
//! Where arrivals are drawn, some window may hold more jobs than the curve says, and no bound on it is
//! certain. This bounds the probability of it from above.

use crate::plan::Stream;
use crate::schedule::{Arrivals, Delayed};
use crate::timeline::Timeline;

/// A probability below which nobody needs to hear of it.
const NEGLIGIBLE: f64 = 1e-9;
/// Windows are covered by stretches this much longer than they are, which begin this often in one.
const STEPS: f64 = 32.0;

/// Whether drawn arrivals may put more jobs into a window than a bound allows, with a probability
/// over the whole plan that matters. Of curves that stay below it.
pub(super) fn left_to_chance(streams: &[&Stream], window_ns: u64, limit_jobs: u64) -> bool {
    let (drawn, even): (Vec<&Stream>, Vec<&Stream>) =
        streams.iter().partition(|stream| stream.is_drawn());
    let steps: Vec<(f64, f64)> = streams.iter().flat_map(|stream| steps_of(stream)).collect();
    if drawn.is_empty() && steps.is_empty() {
        return false;
    }
    let window_s = window_ns as f64 / 1e9;
    // Even jobs are whole, so a window may hold one more than its area; and steps of which nothing is
    // drawn are even jobs later.
    let most = |timeline: &Timeline| peak(timeline) * window_s + 1.0;
    let certain = even.iter().flat_map(|stream| {
        let later = stream.steps.iter().filter(|steps| steps.certain);
        later.flat_map(|steps| steps.curves.iter().map(|curve| &*curve.timeline))
    });
    let own = even.iter().map(|stream| &*stream.timeline);
    let most_even: f64 = own.chain(certain).map(most).sum();
    let means: Vec<f64> = drawn
        .iter()
        .map(|stream| peak(&stream.timeline) * window_s * (1.0 + 1.0 / STEPS) * surplus(stream))
        .collect();
    let stretch_s = window_s * (1.0 + 1.0 / STEPS);
    let of_steps: f64 = steps.iter().map(|(peak, _)| peak * stretch_s).sum();
    let mean = means.iter().sum::<f64>() + of_steps;
    let room = limit_jobs as f64 - most_even;
    if !mean.is_finite() || room <= mean {
        return true;
    }
    let beyond = drawn.iter().zip(&means).map(|(stream, own)| {
        let length_s = stream.timeline.length_ns().unwrap_or(0) as f64 / 1e9;
        let stretches = STEPS * length_s / window_s + STEPS + 1.0;
        stretches * tail(*own, (room * own / mean).floor(), stream.cv())
    });
    let length_s = steps.iter().map(|(_, length_s)| *length_s).fold(0.0, f64::max);
    let stretches = STEPS * length_s / window_s + STEPS + 1.0;
    let of_steps = stretches * tail(of_steps, (room * of_steps / mean).floor(), 1.0);
    beyond.sum::<f64>() + of_steps > NEGLIGIBLE
}

/// The highest expected rate of the steps of a stream's flows, and how long they last in seconds.
/// Each comes on its own, so that they lie no closer together than a Poisson process's.
fn steps_of(stream: &Stream) -> Vec<(f64, f64)> {
    let one = |steps: &crate::plan::Steps| {
        let end_ns = steps.curves.iter().map(Delayed::end_ns).max().unwrap_or(0);
        let highest: f64 = steps.curves.iter().map(|curve| peak(&curve.timeline)).sum();
        (highest, end_ns as f64 / 1e9)
    };
    let left = |steps: &&crate::plan::Steps| !steps.certain && steps.jobs() > 0;
    stream.steps.iter().filter(left).map(one).collect()
}

/// The highest rate, or no bound if jobs fall due all at once somewhere.
fn peak(timeline: &Timeline) -> f64 {
    let end = timeline.length_ns().unwrap_or(0);
    if timeline.bounds(0, end).1.is_finite() { timeline.peak() } else { f64::INFINITY }
}

/// What the number of jobs, where it is fixed, has beyond the curve.
fn surplus(stream: &Stream) -> f64 {
    match (stream.arrivals, stream.timeline.total()) {
        (Arrivals::Poisson { exact: true }, Some(total)) => {
            (stream.jobs() as f64 / total.hi).max(1.0)
        }
        _ => 1.0,
    }
}

/// A bound of the probability that a stretch of `mean` jobs holds more than `limit`.
///
/// More than L of them means that the L intervals behind the first took less than the stretch: a
/// gamma number of shape L/cv² and mean L below `mean`. By Chernoff's bound that has a probability of
/// at most e^(−L/cv²·(r − 1 − ln r)) with r = mean/L. For cv = 1 it is the bound of a Poisson
/// number, and with it of a binomial one.
fn tail(mean: f64, limit: f64, cv: f64) -> f64 {
    if mean <= 0.0 {
        return 0.0;
    }
    if limit <= mean {
        return 1.0;
    }
    let r = mean / limit;
    (-limit / (cv * cv) * (r - 1.0 - r.ln())).exp()
}

#[cfg(test)]
mod tests {
    use super::tail;

    /// P(N > 30) of a Poisson number of mean 10 is 2.9·10⁻⁷, and of mean 10 above 15 it is 0.049.
    #[test]
    fn the_bound_is_above_the_probability_and_not_by_far() {
        assert!((2.9e-8..1e-5).contains(&tail(10.0, 30.0, 1.0)), "{}", tail(10.0, 30.0, 1.0));
        assert!((0.049..0.6).contains(&tail(10.0, 15.0, 1.0)));
        assert_eq!((tail(10.0, 10.0, 1.0), tail(0.0, 5.0, 1.0)), (1.0, 0.0));
        assert!(tail(10.0, 30.0, 3.0) > tail(10.0, 30.0, 1.0), "bumpier arrivals");
    }
}
