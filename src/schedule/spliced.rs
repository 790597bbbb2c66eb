//! One curve until an instant, another from there on: what a reload, a jump in the plan, or a factor
//! makes of a stream while it runs.
//!
//! ```text
//! Λ(t) = Λ(s) + f·(Λ'(x(t)) − Λ'(x(s)))     from the seam s on; x: the new curve's own time
//! ```
//!
//! With K the jobs due by the seam, job K + j is due when Λ(t) reaches K + j − ½, so fractions of jobs
//! carry over: whatever was in force and for how long, at every instant the number due is within
//! half a job of its integral. Drawn arrivals have no fractions; theirs begin anew at a seam.

use crate::timeline::streams::DueTimes;
use crate::timeline::{Dd, Timeline};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// What rounding may take from a count, relative.
const ROUNDING: f64 = 1e-28;

/// The jobs of a stream and when it starts.
#[derive(Clone, Debug)]
pub struct Source {
    /// When they are due, from the stream's start.
    pub due: Arc<dyn DueTimes>,
    /// From the plan's start to the stream's, in nanoseconds.
    pub after_ns: u64,
    /// How many jobs in a row a shard takes; from 1.
    pub batch: u64,
    /// They begin things that go on by themselves, in a time that can't be spliced.
    pub has_flows: bool,
}

/// Where in the new curve a seam goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Entry {
    /// Where the old one was.
    Elapsed,
    /// At its start.
    Restart,
    /// At a time of the plan, in nanoseconds from its start.
    At(u64),
}

/// Curves one after another, each from its seam on. Times are from the plan's start.
#[derive(Clone, Debug)]
pub struct Spliced {
    segments: Vec<Segment>,
    /// Jobs that count as due before the first of them.
    passed: u64,
}

/// The last seam of a stream in numbers: all that is needed to go on from there with the same jobs,
/// whatever it followed before. Numbers that are not whole are given by their bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Joint {
    /// From which time of the stream on it holds, from the plan's start, in nanoseconds.
    pub start_ns: u64,
    /// The time of the stream at which the script is at its start, in nanoseconds.
    pub offset_ns: i64,
    /// By what the script's rates are multiplied.
    pub factor: u64,
    /// Jobs before it.
    pub before: u64,
    /// Of these, jobs before the run entered the plan.
    pub passed: u64,
    /// What fraction of a job more has come together.
    pub carry: [u64; 2],
    /// What the script's own curve had come to there, …
    pub base: [u64; 2],
    /// … and in whole jobs.
    pub base_jobs: u64,
}

#[derive(Clone, Debug)]
struct Segment {
    source: Source,
    factor: f64,
    /// From when on it holds; what is due at that very instant has been counted.
    start_ns: u64,
    /// The time that the script has at the time 0 of the stream, negated.
    offset_ns: i128,
    /// Jobs before it.
    before: u64,
    /// What fraction of a job more than those has come together, from −½ to ½.
    carry: Dd,
    /// What its own curve had come to at the seam, in jobs.
    base: Dd,
    /// The same in whole jobs, for arrivals that are drawn.
    base_jobs: u64,
}

impl Segment {
    /// The script's time at one of the stream.
    fn script_ns(&self, t_ns: u64) -> i128 {
        i128::from(t_ns) - self.offset_ns
    }

    /// The curve's own time; `None` before its start.
    fn local(&self, t_ns: u64) -> Option<u64> {
        u64::try_from(self.script_ns(t_ns) - i128::from(self.source.after_ns)).ok()
    }

    fn outer(&self, local_ns: u64) -> u64 {
        let t = i128::from(local_ns) + i128::from(self.source.after_ns) + self.offset_ns;
        u64::try_from(t.max(0)).unwrap_or(u64::MAX)
    }

    /// Jobs and fractions of jobs since the seam, with what was carried over it.
    fn count(&self, local: Option<u64>) -> Dd {
        let Some(local) = local else { return self.carry };
        self.carry + (self.source.due.timeline().count(local) - self.base) * self.factor
    }

    fn jobs_by(&self, t_ns: u64) -> u64 {
        let local = self.local(t_ns);
        let more = if self.source.due.is_even() {
            whole(self.count(local))
        } else {
            let due = local.map_or(0, |local| self.source.due.jobs_by(local));
            due.saturating_sub(self.base_jobs)
        };
        self.before.saturating_add(more)
    }

    fn time_of(&self, k: u64) -> u64 {
        let more = k.saturating_sub(self.before);
        if !self.source.due.is_even() {
            let local = self.source.due.time_of(self.base_jobs.saturating_add(more));
            return if local == u64::MAX { local } else { self.outer(local).max(self.start_ns) };
        }
        if self.total().is_some_and(|total| total < k) {
            return u64::MAX;
        }
        let wanted = Dd::from_u64(more) - Dd::new(0.5) - self.carry;
        let count = self.base + wanted * (1.0 / self.factor);
        let count = count - Dd::new((count.hi.abs() + 1.0) * ROUNDING);
        let local = self.source.due.timeline().time_of_count(count);
        let mut t = if local == u64::MAX { local } else { self.outer(local).max(self.start_ns) };
        // The division may have rounded the wrong way, by a nanosecond.
        while t > self.start_ns && self.jobs_by(t - 1) >= k {
            t -= 1;
        }
        while t < u64::MAX && self.jobs_by(t) < k {
            t += 1;
        }
        t
    }

    /// Jobs up to its end.
    fn total(&self) -> Option<u64> {
        let more = if self.source.due.is_even() {
            let rest = (self.source.due.timeline().total()? - self.base) * self.factor;
            whole(self.carry + rest)
        } else {
            self.source.due.jobs()?.saturating_sub(self.base_jobs)
        };
        Some(self.before.saturating_add(more))
    }
}

/// ⌊count + ½⌋, at least 0, ties counted.
fn whole(count: Dd) -> u64 {
    let up = count + Dd::new(0.5);
    let up = up + Dd::new((up.hi.abs() + 1.0) * ROUNDING);
    if up.hi <= 0.0 { 0 } else { up.floor_u64() }
}

impl Spliced {
    /// A stream as it is planned.
    pub fn new(source: Source) -> Spliced {
        let (base, carry) = (Dd::ZERO, Dd::ZERO);
        let segment = Segment {
            source,
            factor: 1.0,
            start_ns: 0,
            offset_ns: 0,
            before: 0,
            carry,
            base,
            base_jobs: 0,
        };
        Spliced { segments: vec![segment], passed: 0 }
    }

    /// Its last seam; the run has entered the plan at `from_ns`.
    pub fn joint(&self, from_ns: u64) -> Joint {
        let last = self.last();
        let bits = |number: Dd| [number.hi.to_bits(), number.lo.to_bits()];
        Joint {
            start_ns: last.start_ns,
            // A run and its script are no further apart than 2⁶³ ns, some 292 years.
            offset_ns: i64::try_from(last.offset_ns).unwrap_or(0),
            factor: last.factor.to_bits(),
            before: last.before,
            passed: from_ns.checked_sub(1).map_or(0, |t| self.jobs_by(t)).min(last.before),
            carry: bits(last.carry),
            base: bits(last.base),
            base_jobs: last.base_jobs,
        }
    }

    /// A stream from its last seam on; what was due before counts as due at the seam. `None` if
    /// there can be no such seam.
    pub fn from_joint(source: Source, joint: &Joint) -> Option<Spliced> {
        let dd = |bits: [u64; 2]| {
            let (hi, lo) = (f64::from_bits(bits[0]), f64::from_bits(bits[1]));
            (hi.is_finite() && lo.is_finite()).then_some(Dd { hi, lo })
        };
        let factor = f64::from_bits(joint.factor);
        let (carry, base) = (dd(joint.carry)?, dd(joint.base)?);
        let sound = factor.is_finite() && factor > 0.0 && carry.hi.abs() <= 0.5 && base.hi >= 0.0;
        let segment = Segment {
            source,
            factor,
            start_ns: joint.start_ns,
            offset_ns: i128::from(joint.offset_ns),
            before: joint.before,
            carry,
            base,
            base_jobs: joint.base_jobs,
        };
        let passed = joint.passed;
        (sound && passed <= joint.before).then(|| Spliced { segments: vec![segment], passed })
    }

    /// A stream that joins a run under way: nothing before this time of the run, at which the script
    /// is at that one. What is due at that instant itself is past where the others have gone on.
    pub fn joining(source: Source, seam_ns: u64, script_ns: u64, entry: Entry) -> Spliced {
        let mut spliced = Spliced::new(source);
        let segment = &mut spliced.segments[0];
        segment.start_ns = seam_ns;
        segment.offset_ns = i128::from(seam_ns) - i128::from(script_ns);
        spliced.enter(0, script_ns.saturating_add(u64::from(entry == Entry::Elapsed)));
        spliced
    }

    /// Counts what a segment's own curve had come to when the script was at a time: all that is due
    /// before it.
    fn enter(&mut self, at: usize, script_ns: u64) {
        let segment = &mut self.segments[at];
        let before = script_ns.checked_sub(segment.source.after_ns);
        if let Some(last) = before.and_then(|local| local.checked_sub(1)) {
            segment.base = segment.source.due.timeline().count(last);
            segment.base_jobs = segment.source.due.jobs_by(last);
        }
    }

    /// The same jobs until a time of the stream, and from there on those of another curve, `factor`
    /// times as many.
    #[must_use]
    pub fn then(&self, seam_ns: u64, source: Source, entry: Entry, factor: f64) -> Spliced {
        let last = self.last();
        let before = self.jobs_by(seam_ns);
        let carry = if last.source.due.is_even() {
            let by = last.count(last.local(seam_ns)) - Dd::from_u64(before - last.before);
            // What one curve has too much or too little is no other's to make good.
            by.max(Dd::new(-0.5)).min(Dd::new(0.5))
        } else {
            Dd::ZERO
        };
        let script_ns = match entry {
            Entry::Elapsed => u64::try_from(last.script_ns(seam_ns).max(0)).unwrap_or(u64::MAX),
            Entry::Restart => 0,
            Entry::At(script_ns) => script_ns,
        };
        let offset_ns = i128::from(seam_ns) - i128::from(script_ns);
        let (base, base_jobs) = (Dd::ZERO, 0);
        let segment = Segment {
            source,
            factor,
            start_ns: seam_ns,
            offset_ns,
            before,
            carry,
            base,
            base_jobs,
        };
        let mut next = self.clone();
        next.segments.push(segment);
        let at = next.segments.len() - 1;
        match entry {
            // What was due at the seam itself has been counted by the old curve.
            Entry::Elapsed => next.enter(at, script_ns.saturating_add(1)),
            _ => next.enter(at, script_ns),
        }
        next
    }

    fn last(&self) -> &Segment {
        &self.segments[self.segments.len() - 1]
    }

    fn segment_at(&self, t_ns: u64) -> Option<&Segment> {
        let after = self.segments.partition_point(|segment| segment.start_ns <= t_ns);
        self.segments.get(after.checked_sub(1)?)
    }

    /// The jobs that are in force.
    pub fn source(&self) -> &Source {
        &self.last().source
    }

    /// By what they are multiplied.
    pub fn factor(&self) -> f64 {
        self.last().factor
    }

    /// Where the script that was followed then was at a time of the stream, in nanoseconds from its
    /// start.
    pub fn script_then_ns(&self, t_ns: u64) -> u64 {
        let segment = self.segment_at(t_ns).unwrap_or(&self.segments[0]);
        u64::try_from(segment.script_ns(t_ns).max(0)).unwrap_or(u64::MAX)
    }

    /// Where the script is at a time of the stream, in nanoseconds from its start.
    pub fn script_ns(&self, t_ns: u64) -> u64 {
        u64::try_from(self.last().script_ns(t_ns).max(0)).unwrap_or(u64::MAX)
    }
}

impl DueTimes for Spliced {
    /// That of the last curve, without its factor.
    fn timeline(&self) -> &Timeline {
        self.last().source.due.timeline()
    }

    fn jobs(&self) -> Option<u64> {
        self.last().total()
    }

    fn jobs_by(&self, t_ns: u64) -> u64 {
        self.segment_at(t_ns).map_or(self.passed, |segment| segment.jobs_by(t_ns))
    }

    fn jobs_to(&self, count: Dd) -> u64 {
        self.jobs_by(self.last().outer(self.timeline().time_of_count(count)))
    }

    fn time_of(&self, k: u64) -> u64 {
        let after = self.segments.partition_point(|segment| segment.before < k).max(1);
        self.segments[after - 1].time_of(k)
    }

    fn rate(&self, t_ns: u64) -> f64 {
        let Some(segment) = self.segment_at(t_ns) else { return 0.0 };
        let local = segment.local(t_ns);
        local.map_or(0.0, |local| segment.source.due.rate(local) * segment.factor)
    }

    fn length_ns(&self) -> Option<u64> {
        let last = self.last();
        Some(last.outer(last.source.due.length_ns()?).max(last.start_ns))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ast::RampCurve;
    use crate::exact::whole as exact;
    use crate::timeline::curve::Curve;
    use proptest::prelude::*;

    const SECOND: u64 = 1_000_000_000;

    fn constant(rate: i128, seconds: i128) -> Curve {
        Curve::Constant { rate: exact(rate), length: Some(exact(seconds)) }
    }

    fn source(curve: &Curve, after_ns: u64) -> Source {
        Source {
            due: Arc::new(Timeline::new(curve).unwrap()),
            after_ns,
            batch: 1,
            has_flows: false,
        }
    }

    /// Each job at its time, and the counts agree with them.
    fn assert_sound(due: &impl DueTimes, end_ns: u64) {
        let jobs = due.jobs().unwrap();
        assert_eq!(due.jobs_by(end_ns), jobs);
        let mut last = 0;
        for k in 1..=jobs {
            let t = due.time_of(k);
            assert!(t >= last, "job {k}");
            assert!(due.jobs_by(t) >= k && (t == 0 || due.jobs_by(t - 1) < k), "job {k} at {t}");
            last = t;
        }
        assert_eq!(due.time_of(jobs + 1), u64::MAX);
    }

    #[test]
    fn what_was_in_force_is_what_is_due() {
        // 100/s for 3.007 s, then 70/s from there to 10 s: 300.7 + 489.51.
        let old = Spliced::new(source(&constant(100, 10), 0));
        let seam = 3_007_000_000;
        let new = old.then(seam, source(&constant(70, 10), 0), Entry::Elapsed, 1.0);
        assert_eq!((old.jobs_by(seam), new.jobs_by(seam)), (301, 301));
        assert_eq!(new.jobs(), Some(790));
        assert_eq!(new.length_ns(), Some(10 * SECOND));
        assert_sound(&new, 10 * SECOND);
        // From its start: 10 s more of it.
        let again = old.then(seam, source(&constant(70, 10), 0), Entry::Restart, 1.0);
        assert_eq!((again.jobs(), again.length_ns()), (Some(1_001), Some(13_007_000_000)));
        assert_sound(&again, 14 * SECOND);
        // Half as many of the same, and from the 9th second on.
        let half = old.then(seam, old.source().clone(), Entry::Elapsed, 0.5);
        assert_eq!(half.jobs(), Some(650));
        assert_sound(&half, 10 * SECOND);
        let late = half.then(5 * SECOND, old.source().clone(), Entry::At(9 * SECOND), 1.0);
        assert_eq!((late.jobs(), late.length_ns()), (Some(500), Some(6 * SECOND)));
        assert_eq!((late.script_ns(5 * SECOND), late.rate(5 * SECOND)), (9 * SECOND, 100.0));
        assert_sound(&late, 6 * SECOND);
    }

    #[test]
    fn a_batch_at_the_start_of_a_new_curve_is_sent() {
        let batch = Curve::Sequence(vec![Curve::AtOnce { jobs: 50 }, constant(10, 1)]);
        let old = Spliced::new(source(&constant(100, 10), 0));
        let restarted = old.then(SECOND, source(&batch, 0), Entry::Restart, 1.0);
        assert_eq!((restarted.jobs_by(SECOND), restarted.jobs()), (150, Some(160)));
        assert_eq!(restarted.time_of(150), SECOND);
        assert_sound(&restarted, 2 * SECOND);
        let elapsed = old.then(SECOND / 2, source(&batch, 0), Entry::Elapsed, 1.0);
        assert_eq!(elapsed.jobs(), Some(55), "that batch is past");
    }

    /// From its last seam alone a stream goes on as it would have, and what was due before is due by
    /// then.
    #[test]
    fn a_stream_goes_on_from_its_last_seam() {
        let ramp = Curve::Ramp {
            from: exact(10),
            to: exact(190),
            over: exact(10),
            curve: RampCurve::Linear,
            mirrored: false,
        };
        let seam = 3_123_456_789;
        for (from_ns, source) in
            [(0, source(&constant(70, 10), 0)), (SECOND, source(&ramp, SECOND / 3))]
        {
            let old = Spliced::new(self::source(&constant(30, 10), 0));
            let first = old.then(SECOND + 7, source.clone(), Entry::At(2 * SECOND), 0.3);
            let whole = first.then(seam, source.clone(), Entry::Elapsed, 1.7);
            let joint = whole.joint(from_ns);
            let text = serde_json::to_string(&joint).unwrap();
            let joint = serde_json::from_str(&text).unwrap();
            let again = Spliced::from_joint(source.clone(), &joint).unwrap();
            assert_eq!((again.jobs(), again.length_ns()), (whole.jobs(), whole.length_ns()));
            let due = whole.jobs_by(seam);
            for k in 1..=whole.jobs().unwrap() {
                let wanted = if k <= due { seam } else { whole.time_of(k) };
                assert_eq!(again.time_of(k), wanted, "job {k}");
            }
            for t in (seam..10 * SECOND).step_by(77_777_777) {
                assert_eq!(again.jobs_by(t), whole.jobs_by(t));
                assert_eq!(again.script_ns(t), whole.script_ns(t));
            }
            let before = from_ns.checked_sub(1).map_or(0, |t| whole.jobs_by(t));
            assert_eq!(again.jobs_by(from_ns.saturating_sub(1)), before);
            // And is spliced on.
            let later = |one: &Spliced| one.then(5 * SECOND, source.clone(), Entry::Restart, 0.9);
            assert_eq!(later(&again).jobs(), later(&whole).jobs());
        }
        let joint = Spliced::new(source(&constant(1, 1), 0)).joint(0);
        let nan = Joint { carry: [f64::NAN.to_bits(), 0], ..joint };
        assert!(Spliced::from_joint(source(&constant(1, 1), 0), &nan).is_none());
    }

    #[test]
    fn a_stream_may_join_and_may_start_later() {
        let joined = Spliced::joining(
            source(&constant(10, 10), 2 * SECOND),
            5 * SECOND,
            SECOND,
            Entry::Elapsed,
        );
        assert_eq!((joined.jobs_by(6 * SECOND), joined.jobs()), (0, Some(100)));
        assert_eq!(joined.length_ns(), Some(16 * SECOND));
        assert_sound(&joined, 16 * SECOND);
    }

    proptest! {
        /// However often it is spliced, the number due is within half a job of the integral.
        #[test]
        fn nothing_is_lost_at_any_seam(
            first in 0..500_i128,
            seams in prop::collection::vec((1..400_000_000_u64, 0..500_i128, 1..8_u32), 0..60),
        ) {
            let mut spliced = Spliced::new(source(&constant(first, 100), 0));
            let (mut t, mut integral, mut rate) = (0_u64, 0.0_f64, first as f64);
            for (step, next, quarters) in seams {
                t += step;
                integral += rate * step as f64 / 1e9;
                let factor = f64::from(quarters) / 4.0;
                spliced = spliced.then(t, source(&constant(next, 100), 0), Entry::Elapsed, factor);
                rate = next as f64 * factor;
                let due = spliced.jobs_by(t) as f64;
                prop_assert!((due - integral).abs() <= 0.5 + 1e-6, "{due} and {integral}");
            }
            let end = t + SECOND;
            integral += rate;
            let due = spliced.jobs_by(end) as f64;
            prop_assert!((due - integral).abs() <= 0.5 + 1e-6, "{due} and {integral}");
        }
    }
}
