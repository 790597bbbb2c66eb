//! The streams of a plan as one load, on the clock of the run.

use crate::plan::{Plan, Stream};
use crate::schedule::{self, DueTimes};
use crate::timeline::Timeline;

/// The sum of some streams.
#[derive(Clone, Debug)]
pub struct Load<'a> {
    streams: Vec<&'a Stream>,
    parts: Vec<(&'a Timeline, u64)>,
    /// How many jobs it holds.
    pub jobs: u64,
    /// When the last stream ends, in nanoseconds from the run's start.
    pub end_ns: u64,
    /// The supremum of the rate, in jobs per second.
    pub peak_per_s: f64,
}

impl<'a> Load<'a> {
    /// All of a plan.
    pub fn of(plan: &'a Plan) -> Load<'a> {
        Load::sum(plan.streams.iter().collect())
    }

    /// One stream of it.
    pub fn of_stream(stream: &'a Stream) -> Load<'a> {
        Load::sum(vec![stream])
    }

    fn sum(streams: Vec<&'a Stream>) -> Load<'a> {
        let parts: Vec<(&Timeline, u64)> =
            streams.iter().flat_map(|stream| stream.timelines()).collect();
        let jobs = streams.iter().map(|stream| stream.jobs() + stream.expected_steps());
        let ends = parts
            .iter()
            .map(|(timeline, after)| timeline.length_ns().unwrap_or(0).saturating_add(*after));
        Load {
            jobs: jobs.fold(0, u64::saturating_add),
            end_ns: ends.max().unwrap_or(0),
            peak_per_s: schedule::peak_of_sum(&parts).max(0.0),
            streams,
            parts,
        }
    }

    /// Jobs by time, from the run's start to the end; 0 if that is no time.
    pub fn mean_per_s(&self) -> f64 {
        match self.end_ns {
            0 => 0.0,
            end_ns => self.jobs as f64 / (end_ns as f64 / 1e9),
        }
    }

    /// The rate at a time, or just after it, in jobs per second.
    pub fn rate(&self, t_ns: u64) -> f64 {
        positive(schedule::rate_of_sum(&self.parts, t_ns))
    }

    /// The rate just before a time.
    pub fn rate_before(&self, t_ns: u64) -> f64 {
        let before = |(timeline, after): &(&Timeline, u64)| {
            t_ns.checked_sub(*after).map_or(0.0, |t| timeline.rate_before(t))
        };
        positive(self.parts.iter().map(before).sum())
    }

    /// How many jobs are due at or before a time.
    pub fn jobs_by(&self, t_ns: u64) -> u64 {
        let mut due: Vec<(&dyn DueTimes, u64)> = Vec::new();
        for stream in &self.streams {
            due.push((&*stream.due, stream.after_ns));
            let steps = stream.timelines().into_iter().skip(1);
            due.extend(steps.map(|(steps, after_ns)| (steps as &dyn DueTimes, after_ns)));
        }
        schedule::jobs_of_sum_by(&due, t_ns)
    }

    /// Jobs due at or before a time, in fractions of a job.
    pub fn cumulative(&self, t_ns: u64) -> f64 {
        let count = |(timeline, after): &(&Timeline, u64)| {
            t_ns.checked_sub(*after).map_or(0.0, |t| timeline.cumulative(t))
        };
        self.parts.iter().map(count).sum()
    }

    /// A lower and an upper bound of the rate between two times, both included. The upper one is
    /// infinite if jobs fall due all at once there; with several streams neither needs be reached.
    pub fn bounds(&self, from_ns: u64, to_ns: u64) -> (f64, f64) {
        let sum = |a: (f64, f64), b: (f64, f64)| (a.0 + b.0, a.1 + b.1);
        self.bounds_of_each(from_ns, to_ns).fold((0.0, 0.0), sum)
    }

    /// The bounds of each stream.
    pub(super) fn bounds_of_each(
        &self,
        from_ns: u64,
        to_ns: u64,
    ) -> impl Iterator<Item = (f64, f64)> {
        self.parts.iter().map(move |(timeline, after)| {
            let Some(to) = to_ns.checked_sub(*after) else { return (0.0, 0.0) };
            let (low, high) = timeline.bounds(from_ns.saturating_sub(*after), to);
            if from_ns < *after { (0.0, positive(high)) } else { (positive(low), positive(high)) }
        })
    }

    /// No rate between two times is above this: the peaks of the phrases there, added up.
    pub fn ceiling(&self, from_ns: u64, to_ns: u64) -> f64 {
        let peak = |stream: &&Stream| {
            let meets = |phrase: &&crate::plan::Phrase| {
                phrase.start_ns.saturating_add(stream.after_ns) <= to_ns
                    && from_ns <= phrase.end_ns.saturating_add(stream.after_ns)
            };
            let phrases = stream.phrases.iter().filter(meets);
            let steps = stream.timelines().into_iter().skip(1);
            let steps: f64 = steps.map(|(steps, _)| steps.peak()).sum();
            phrases.map(|phrase| phrase.peak_per_s).fold(0.0, f64::max) + steps
        };
        self.streams.iter().map(peak).sum::<f64>().min(self.peak_per_s)
    }

    /// Where the curve may break: starts and ends of streams and phrases, in order, in nanoseconds. If
    /// there are more than `most`, only of the outer ones, or of the streams.
    pub fn borders(&self, most: usize) -> Vec<u64> {
        let mut borders = Vec::new();
        for depth in [usize::MAX, 0] {
            borders.clear();
            for stream in &self.streams {
                collect(&stream.phrases, stream.after_ns, depth, &mut borders);
                let length = stream.timeline.length_ns().unwrap_or(0);
                borders.extend([stream.after_ns, stream.after_ns.saturating_add(length)]);
            }
            borders.retain(|t| *t <= self.end_ns);
            borders.sort_unstable();
            borders.dedup();
            if borders.len() <= most {
                return borders;
            }
        }
        let start_ns = self.parts.iter().map(|(_, after)| *after).min().unwrap_or(0);
        vec![start_ns, self.end_ns]
    }
}

fn collect(phrases: &[crate::plan::Phrase], after_ns: u64, depth: usize, borders: &mut Vec<u64>) {
    for phrase in phrases {
        borders.extend([phrase.start_ns, phrase.end_ns].map(|t| t.saturating_add(after_ns)));
        if let Some(deeper) = depth.checked_sub(1) {
            collect(&phrase.phrases, after_ns, deeper, borders);
        }
    }
}

/// What rounding has brought below 0, or to −0, is 0.
fn positive(rate: f64) -> f64 {
    if rate > 0.0 { rate } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::view::samples::plan;

    const S: u64 = 1_000_000_000;

    #[test]
    fn streams_add_up_on_the_clock_of_the_run() {
        let plan = plan("load a { constant 10 for 10s }; load b { after 5s; constant 3 for 10s }");
        let load = Load::of(&plan);
        assert_eq!((load.jobs, load.end_ns, load.peak_per_s), (130, 15 * S, 13.0));
        assert_eq!((load.rate(0), load.rate(5 * S), load.rate(15 * S)), (10.0, 13.0, 0.0));
        assert_eq!((load.rate_before(5 * S), load.rate_before(10 * S)), (10.0, 13.0));
        assert_eq!(load.rate_before(15 * S), 3.0);
        assert_eq!(load.jobs_by(10 * S), 115);
        assert_eq!(load.bounds(0, 15 * S), (0.0, 13.0));
        assert_eq!(load.bounds(11 * S, 14 * S), (3.0, 3.0));
        assert_eq!(load.borders(100), [0, 5 * S, 10 * S, 15 * S]);
        assert_eq!(load.borders(2), [0, 15 * S]);
    }

    #[test]
    fn steps_after_a_fixed_time_are_the_curve_itself_later() {
        let times = [("1m", 60), ("10m", 600), ("1h", 3_600), ("1d", 86_400), ("1w", 604_800)];
        for (after, after_s) in times {
            let plan = plan(&format!("flow f {{ a -> b after {after} }}\nconstant 1000 for 1m"));
            let load = Load::of(&plan);
            assert_eq!((load.jobs, load.peak_per_s), (120_000, 1_000.0), "{after}");
            assert_eq!((load.end_ns, load.jobs_by(load.end_ns)), ((60 + after_s) * S, 120_000));
        }
        let chain = "a -> b after 1s; b -> c after 1s; c -> d after 1s; d -> e after 1s";
        let scripts = [
            ("flow f { a -> b after 1s }\nsend 1000 at once".to_owned(), 2_000, 0.0, 1_000),
            (format!("flow f {{ {chain} }}\nsend 100 at once"), 500, 0.0, 4_000),
            ("flow f { a -> b after 1m }\nconstant 5 for 1m".to_owned(), 600, 5.0, 120_000),
            // What begins in a `speed` block goes that much faster, to its end.
            (
                "flow f { a -> b after 30s }\nspeed x60 { constant 1 for 2m }".to_owned(),
                240,
                120.0,
                2_500,
            ),
        ];
        for (script, jobs, peak, end_ms) in scripts {
            let plan = plan(&script);
            let load = Load::of(&plan);
            assert_eq!((load.jobs, load.peak_per_s), (jobs, peak), "{script}");
            assert_eq!((load.end_ns, load.jobs_by(load.end_ns)), (end_ms * 1_000_000, jobs));
        }
    }

    #[test]
    fn no_time_has_no_mean() {
        let plan = plan("send 50k at once");
        let load = Load::of(&plan);
        assert_eq!((load.jobs, load.end_ns), (50_000, 0));
        assert_eq!((load.mean_per_s(), load.peak_per_s), (0.0, 0.0));
    }
}
