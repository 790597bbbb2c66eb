//! Jobs that fall due all at once: where, and how many.

use super::Load;
use crate::show;

/// How they are marked.
pub(super) const ARROW: char = '▼';
/// How many are looked for.
const MAX_JUMPS: usize = 400;
/// How many stretches of time are looked at.
const MAX_STRETCHES: usize = 100_000;

/// Jobs that fall due at one instant.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Jump {
    /// When, in nanoseconds from the run's start.
    pub t_ns: u64,
    /// How many; a whole number unless a factor has made it a fraction.
    pub jobs: f64,
}

/// The jumps of a load.
#[derive(Clone, Debug, PartialEq)]
pub struct Jumps {
    /// In order of time.
    pub found: Vec<Jump>,
    /// Whether these are all.
    pub complete: bool,
}

impl Jumps {
    /// What the arrows in a drawing mean, with the sum; none if there are no jumps.
    pub fn caption(&self) -> Option<String> {
        if !self.complete {
            let times = show::count(self.found.len() as u64);
            return Some(format!("{ARROW} jobs due at once, at more than {times} instants"));
        }
        let jobs = show::number(self.found.iter().map(|jump| jump.jobs).sum());
        match self.found.len() {
            0 => None,
            1 => Some(format!("{ARROW} {jobs} jobs due at once")),
            times => Some(format!("{ARROW} {jobs} jobs due at once, at {times} instants")),
        }
    }
}

impl Load<'_> {
    /// Where jobs fall due all at once.
    pub fn jumps(&self) -> Jumps {
        let mut jumps = Jumps { found: Vec::new(), complete: true };
        let mut open = vec![(0, self.end_ns)];
        let mut looked_at = 0;
        while let Some((from, to)) = open.pop() {
            if self.bounds(from, to).1.is_finite() {
                continue;
            }
            looked_at += 1;
            if looked_at > MAX_STRETCHES || jumps.found.len() == MAX_JUMPS {
                jumps.complete = false;
                return jumps;
            }
            if to - from > 1 {
                let middle = from + (to - from) / 2;
                open.push((middle, to));
                open.push((from, middle));
                continue;
            }
            for t_ns in [from, to] {
                let jump = Jump { t_ns, jobs: self.jump_at(t_ns) };
                let known = jumps.found.last().is_some_and(|last| last.t_ns >= t_ns);
                if jump.jobs > 0.0 && !known {
                    jumps.found.push(jump);
                }
            }
        }
        jumps
    }

    /// Whether jobs fall due all at once between two times.
    pub fn jumps_between(&self, from_ns: u64, to_ns: u64) -> bool {
        self.bounds(from_ns, to_ns).1.is_infinite()
    }

    fn jump_at(&self, t_ns: u64) -> f64 {
        let after = self.cumulative(t_ns);
        let Some(earlier) = t_ns.checked_sub(1) else { return tidy(after) };
        let flow = self.rate(earlier).max(self.rate_before(t_ns)) / 1e9;
        let jobs = after - self.cumulative(earlier) - flow;
        // What is left of a large count after a subtraction is rounding.
        if jobs > 1e-6 + after * 1e-15 { tidy(jobs) } else { 0.0 }
    }
}

fn tidy(jobs: f64) -> f64 {
    let whole = jobs.round();
    if (jobs - whole).abs() < 1e-3 && whole > 0.0 { whole } else { jobs }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::view::samples::plan;

    const S: u64 = 1_000_000_000;

    fn jumps(script: &str) -> Jumps {
        Load::of(&plan(script)).jumps()
    }

    #[test]
    fn each_is_found_with_its_count() {
        let found = jumps("send 5 at once; constant 1000 for 10s; send 50k at once; send 7 at once; constant 1M for 10d; send 3 at once").found;
        let jump = |t_s: u64, jobs| Jump { t_ns: t_s * S, jobs };
        assert_eq!(found, [jump(0, 5.0), jump(10, 50_007.0), jump(864_010, 3.0)]);
    }

    #[test]
    fn those_of_several_streams_are_on_the_clock_of_the_run() {
        let found = jumps(
            "load a { pause 1s; send 2 at once }; load b { after 3s; send 4 at once; constant 1 for 1s }",
        );
        assert_eq!(found.found, [Jump { t_ns: S, jobs: 2.0 }, Jump { t_ns: 3 * S, jobs: 4.0 }]);
        assert!(found.complete);
    }

    #[test]
    fn a_curve_without_them_has_none_and_too_many_are_not_all() {
        assert_eq!(
            jumps("burst 1M for 1ms every 1s over 10s"),
            Jumps { found: vec![], complete: true }
        );
        let many = jumps("repeat 1M { send 2 at once; pause 1s }");
        assert_eq!((many.found.len(), many.complete), (400, false));
    }
}
