//! The curve as a line of straight pieces, upright where the rate jumps: as fine as a drawing needs,
//! and no finer.

use super::Load;

/// A point of the line: a time in nanoseconds from the run's start, a rate in jobs per second.
pub type Vertex = (u64, f64);

/// How fine a line is drawn.
#[derive(Clone, Copy, Debug)]
pub struct Fineness {
    /// The shortest time that can be told apart, in nanoseconds, above 0.
    pub grain_ns: u64,
    /// The smallest difference of rates that can be told apart, in jobs per second.
    pub tolerance: f64,
}

/// Where no sampled rate shows it, what stands out by less than so many tolerances is left out.
const HIDDEN: f64 = 8.0;

/// The line of a load between the given times (in order, at which it is exact from both sides).
/// Straight parts are one piece; what happens within a grain of time is an upright line from the
/// lowest to the highest rate there.
pub fn outline(load: &Load<'_>, borders: &[u64], fineness: Fineness) -> Vec<Vertex> {
    let mut pen = Pen { load, fineness, line: Vec::new() };
    for pair in borders.windows(2) {
        let (from, to) = (pair[0], pair[1]);
        pen.line_to(from, load.rate(from));
        pen.stretch(from, to);
        pen.line_to(to, load.rate_before(to));
    }
    pen.line
}

struct Pen<'a> {
    load: &'a Load<'a>,
    fineness: Fineness,
    line: Vec<Vertex>,
}

impl Pen<'_> {
    fn line_to(&mut self, t_ns: u64, rate: f64) {
        if self.line.last() != Some(&(t_ns, rate)) {
            self.line.push((t_ns, rate));
        }
    }

    /// Draws what lies between two times whose own vertices are drawn by others.
    fn stretch(&mut self, from: u64, to: u64) {
        let (first, last) = (self.load.rate(from), self.load.rate_before(to));
        if to - from < 4 || self.is_straight(from, to, first, last) {
            return;
        }
        let middle = from + (to - from) / 2;
        if to - from > self.fineness.grain_ns {
            self.stretch(from, middle);
            self.line_to(middle, self.load.rate_before(middle));
            self.line_to(middle, self.load.rate(middle));
            self.stretch(middle, to);
            return;
        }
        let span = self.load.span(from, to);
        let (low, high) = if first <= last { (span.low, span.high) } else { (span.high, span.low) };
        for rate in [first, low, high, last] {
            self.line_to(middle, rate);
        }
    }

    fn is_straight(&self, from: u64, to: u64, first: f64, last: f64) -> bool {
        let tolerance = self.fineness.tolerance;
        let (low, high) = self.load.bounds(from + 1, to - 1);
        // Jobs sent at once leave no bound of the rate but that of the phrases there.
        let high = if high.is_finite() { high } else { self.load.ceiling(from, to) };
        let hidden = HIDDEN * tolerance;
        let inside = low >= first.min(last) - hidden && high <= first.max(last) + hidden;
        // Quarters, so that a curve that is straight on average is not taken for one that is.
        inside
            && (1..=3).all(|i| {
                let t = from + (u128::from(to - from) * i / 4) as u64;
                let expected = first + (last - first) * i as f64 / 4.0;
                (self.load.rate(t) - expected).abs() <= tolerance
                    && (self.load.rate_before(t) - expected).abs() <= tolerance
            })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::view::samples::plan;

    const S: u64 = 1_000_000_000;

    fn line(script: &str, grain_ns: u64, tolerance: f64) -> Vec<Vertex> {
        let plan = plan(script);
        let load = Load::of(&plan);
        outline(&load, &load.borders(100), Fineness { grain_ns, tolerance })
    }

    #[test]
    fn straight_phrases_are_one_piece_each_and_exact_where_they_meet() {
        let line = line("constant 10 for 1h; ramp 20->80 over 1h; pause 1h", S, 0.1);
        let h = 3600 * S;
        assert_eq!(
            line,
            [(0, 10.0), (h, 10.0), (h, 20.0), (2 * h, 80.0), (2 * h, 0.0), (3 * h, 0.0)]
        );
    }

    #[test]
    fn a_curve_is_followed_within_the_tolerance() {
        let script = "sine base 100 amp 30 period 1h for 8h";
        let plan = plan(script);
        let load = Load::of(&plan);
        let line = line(script, S, 0.1);
        assert!((100..2000).contains(&line.len()), "{}", line.len());
        for pair in line.windows(2) {
            let ((t0, r0), (t1, r1)) = (pair[0], pair[1]);
            let middle = load.rate(t0 + (t1 - t0) / 2);
            assert!((middle - (r0 + r1) / 2.0).abs() < 0.2, "{pair:?}");
        }
    }

    #[test]
    fn a_burst_within_a_grain_is_an_upright_line() {
        let line = line(
            "constant 10 for 100d as \"x\" ; repeat 1 { constant 10 for 1h; burst 900 for 1s every 1h over 2h base 10; constant 10 for 100d }",
            3600 * S * 24,
            1.0,
        );
        let high: Vec<_> = line.iter().filter(|vertex| vertex.1 == 900.0).collect();
        assert!(!high.is_empty());
        assert!(line.len() < 20, "{line:?}");
    }

    #[test]
    fn jobs_at_once_leave_the_line_of_the_rate_alone() {
        let line = line("repeat 3 { constant 10 for 10s; send 5 at once }", S, 0.1);
        assert_eq!(line.first(), Some(&(0, 10.0)));
        assert!(line.iter().all(|vertex| vertex.1 == 10.0), "{line:?}");
    }
}
