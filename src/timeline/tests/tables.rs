//! Known numbers: the scripts of the language, each shape, each composition, and the edges.

use super::oracle::Oracle;
use super::{at_once, constant, cut, linear, ramp, sine, smooth, timeline};
use crate::ast::RampCurve;
use crate::exact::{Exact, fraction, whole};
use crate::timeline::curve::Curve;
use crate::timeline::{CurveError, Timeline};

const SECOND: u64 = 1_000_000_000;
const HOUR: u64 = 3600 * SECOND;
const YEAR: i128 = 365 * 24 * 3600;

fn pause(seconds: i128) -> Curve {
    constant(whole(0), whole(seconds))
}

fn flat(rate: i128, seconds: i128) -> Curve {
    constant(whole(rate), whole(seconds))
}

fn up(from: i128, to: i128, over: i128) -> Curve {
    linear(whole(from), whole(to), whole(over), false)
}

fn repeat(times: u64, body: Curve) -> Curve {
    Curve::Repeat { times: Some(times), body: Box::new(body) }
}

fn forever(body: Curve) -> Curve {
    Curve::Repeat { times: None, body: Box::new(body) }
}

fn cap(rate: i128, body: Curve) -> Curve {
    Curve::Cap { rate: whole(rate), body: Box::new(body) }
}

fn floor(rate: i128, body: Curve) -> Curve {
    Curve::Floor { rate: whole(rate), body: Box::new(body) }
}

fn speed(factor: i128, body: Curve) -> Curve {
    Curve::Speed { factor: whole(factor), body: Box::new(body) }
}

fn total(jobs: u64, body: Curve) -> Curve {
    Curve::Total { jobs, body: Box::new(body) }
}

fn endless(rate: Exact) -> Curve {
    Curve::Constant { rate, length: None }
}

#[test]
fn the_first_acceptance_script() {
    let curve = Curve::Sequence(vec![up(10, 500, 60), sine(100, 30, 3600, 8 * 3600)]);
    let timeline = timeline(&curve);
    assert_eq!(timeline.jobs(), Some(2_895_300));
    assert_eq!(timeline.peak(), 500.0);
    assert_eq!(timeline.length_ns(), Some(8 * HOUR + 60 * SECOND));
    assert_eq!(timeline.rate(0), 10.0);
    assert_eq!(timeline.rate_before(60 * SECOND), 500.0);
    assert_eq!(timeline.rate(60 * SECOND), 100.0);
    assert_eq!(timeline.rate(60 * SECOND + HOUR / 4), 130.0);
}

#[test]
fn the_job_that_breaks_the_guard_of_daily_load() {
    let evening = repeat(4, Curve::Sequence(vec![flat(200, 900), pause(900)]));
    let before = vec![flat(5, 6 * 3600), up(5, 100, 2 * 3600)];
    let after = vec![evening, up(100, 5, 6 * 3600)];
    let day = |wave: Curve| Curve::Sequence([before.clone(), vec![wave], after.clone()].concat());
    let timeline = timeline(&day(sine(100, 30, 3600, 8 * 3600)));
    assert_eq!(timeline.jobs(), Some(5_220_000));
    let due = timeline.time_of(5_000_001);
    assert_eq!(due / SECOND, 21 * 3600 + 31 * 60 + 10);
    // Eight whole waves hold what their middle holds, so that the oracle can tell the rest.
    let straight = Oracle::new(&day(flat(100, 8 * 3600)));
    assert_eq!(due, straight.time_of(5_000_001));
    assert_eq!(straight.jobs(), 5_220_000);
}

#[test]
fn shapes_hold_what_their_formulas_say() {
    let rows: &[(Curve, u64, f64)] = &[
        (flat(100, 300), 30_000, 100.0),
        (pause(30), 0, 0.0),
        (up(10, 500, 60), 15_300, 500.0),
        (smooth(whole(0), whole(500), whole(60), false), 15_000, 500.0),
        // 99·60/ln 100 = 1289.87
        (ramp(whole(1), whole(100), whole(60), RampCurve::Exponential, false), 1290, 100.0),
        (ramp(whole(1), whole(100), whole(60), RampCurve::Exponential, true), 1290, 100.0),
        (ramp(whole(7), whole(7), whole(10), RampCurve::Exponential, false), 70, 7.0),
        // 60·(10·ln 10 − 9)/(9·ln 10)·100 = 4061.24
        (ramp(whole(0), whole(100), whole(60), RampCurve::Logarithmic, false), 4061, 100.0),
        (ramp(whole(0), whole(100), whole(60), RampCurve::Logarithmic, true), 4061, 100.0),
        (sine(100, -30, 60, 600), 60_000, 130.0),
        // 10·60/π = 190.99 in the half wave above 0
        (sine(0, 10, 60, 60), 191, 10.0),
        (at_once(50_000), 50_000, 0.0),
        (repeat(3, Curve::Sequence(vec![at_once(7), pause(1)])), 21, 0.0),
    ];
    for (curve, jobs, peak) in rows {
        let timeline = timeline(curve);
        assert_eq!(timeline.jobs(), Some(*jobs), "{curve:?}");
        assert_eq!(timeline.peak(), *peak, "{curve:?}");
        let end = timeline.length_ns().unwrap();
        assert_eq!(timeline.jobs_by(end), *jobs);
        assert_eq!((timeline.rate(end), timeline.rate_before(0)), (0.0, 0.0));
    }
}

#[test]
fn compositions_hold_what_they_say() {
    let waves = || sine(100, 30, 60, 600);
    let rows: &[(Curve, u64, f64)] = &[
        (Curve::Sequence(vec![flat(10, 10), at_once(5), flat(20, 10)]), 305, 20.0),
        (repeat(1_000_000, flat(1, 10)), 10_000_000, 1.0),
        (Curve::Together(vec![flat(10, 10), flat(5, 20)]), 200, 15.0),
        (Curve::Scale { factor: fraction(3, 2), body: Box::new(flat(10, 10)) }, 150, 15.0),
        (cap(400, up(0, 800, 60)), 18_000, 400.0),
        (floor(5, up(0, 10, 10)), 63, 10.0),
        (cap(130, waves()), 60_000, 130.0),
        (cap(100, waves()), 60_000 - 5730, 100.0),
        (floor(100, waves()), 60_000 + 5730, 130.0),
        (cap(30, Curve::Together(vec![up(0, 20, 20), up(0, 40, 20)])), 450, 30.0),
        (speed(60, flat(1, 3600)), 3600, 60.0),
        (total(15_000, sine(0, 10, 60, 30)), 15_000, 15_000.0 * std::f64::consts::PI / 60.0),
        (total(3, flat(7, 3)), 3, 1.0),
        (cut(whole(25), forever(Curve::Sequence(vec![flat(10, 5), pause(5)]))), 150, 10.0),
        (cut(whole(20), forever(Curve::Sequence(vec![at_once(1), pause(10)]))), 3, 0.0),
        (cut(whole(10), endless(whole(3))), 30, 3.0),
        (
            cut(
                whole(10),
                Curve::Sequence(vec![
                    pause(10),
                    Curve::Sequence(vec![at_once(5), flat(10, 1)]),
                    at_once(3),
                ]),
            ),
            5,
            0.0,
        ),
    ];
    for (curve, jobs, peak) in rows {
        let timeline = timeline(curve);
        assert_eq!(timeline.jobs(), Some(*jobs), "{curve:?}");
        assert!((timeline.peak() - peak).abs() <= 1e-12 * peak, "{curve:?}");
    }
}

#[test]
fn what_takes_no_time_is_in_its_place() {
    let curve = Curve::Sequence(vec![
        at_once(2),
        flat(1, 0),
        flat(1, 2),
        at_once(3),
        up(5, 9, 0),
        at_once(1),
        flat(2, 1),
        at_once(4),
    ]);
    let timeline = timeline(&curve);
    assert_eq!(timeline.jobs(), Some(14));
    let due: Vec<u64> = (1..=14).map(|k| timeline.time_of(k) / 1_000_000).collect();
    assert_eq!(due, [0, 0, 500, 1500, 2000, 2000, 2000, 2000, 2250, 2750, 3000, 3000, 3000, 3000]);
    assert_eq!(timeline.jobs_by(2 * SECOND - 1), 4);
    assert_eq!(timeline.jobs_by(2 * SECOND), 8);
    assert_eq!(timeline.rate(2 * SECOND), 2.0);
    assert_eq!(timeline.rate_before(2 * SECOND), 1.0);
    assert_eq!(timeline.peak(), 2.0);
    assert_eq!(timeline.bounds(0, SECOND).1, f64::INFINITY);
    assert_eq!(timeline.bounds(SECOND, 2 * SECOND - 1), (1.0, 1.0));
}

#[test]
fn a_rate_that_touches_zero_at_either_end_is_exact() {
    // 72.5 jobs: the last is due at the very end, where the rate is 0.
    let down = linear(fraction(145, 2), whole(0), whole(2), false);
    let back = linear(fraction(145, 2), whole(0), whole(2), true);
    for curve in [
        down,
        back,
        up(0, 1, 86_400),
        up(1, 0, 86_401),
        smooth(whole(0), whole(1), whole(7), true),
        smooth(whole(0), whole(9), fraction(65, 3), true),
        smooth(whole(9), whole(0), whole(3601), false),
    ] {
        let (timeline, oracle) = (timeline(&curve), Oracle::new(&curve));
        let jobs = oracle.jobs();
        assert_eq!(timeline.jobs(), Some(jobs));
        for k in (1..=jobs.min(40)).chain(jobs.saturating_sub(40).max(1)..=jobs) {
            assert_eq!(timeline.time_of(k), oracle.time_of(k), "job {k} of {curve:?}");
        }
    }
}

#[test]
fn a_trillion_jobs_over_a_year_are_exact() {
    let jobs = 1_000_000_000_000;
    let ramps = vec![up(0, 63_420, YEAR / 2), up(63_420, 0, YEAR / 2)];
    for curve in [
        total(jobs, flat(1, YEAR)),
        total(jobs, repeat(10, Curve::Sequence(vec![up(1, 3, YEAR / 20), up(3, 1, YEAR / 20)]))),
        total(jobs, Curve::Sequence(ramps)),
        Curve::Sequence(vec![constant(fraction(1, 2), whole(1)), total(jobs, up(1, 2, YEAR))]),
    ] {
        let (timeline, oracle) = (timeline(&curve), Oracle::new(&curve));
        let all = oracle.jobs();
        assert_eq!(timeline.jobs(), Some(all));
        for k in [1, 2, all / 3, all / 2, all / 2 + 1, all / 7 * 5, all - 1, all] {
            assert_eq!(timeline.time_of(k), oracle.time_of(k), "job {k} of {curve:?}");
        }
    }
}

#[test]
fn ties_of_a_trillionth_job_are_exact() {
    // 31 709.5 jobs a second: each second of the year ends on a tie in turn.
    let curve = constant(fraction(63_419, 2), whole(YEAR));
    let timeline = timeline(&curve);
    for second in [1u64, 3, 31_535_999, 31_535_997] {
        let k = (63_419 * second).div_ceil(2);
        assert_eq!(timeline.time_of(k), second * SECOND);
        assert_eq!(timeline.jobs_by(second * SECOND), k);
        assert_eq!(timeline.jobs_by(second * SECOND - 1), k - 1);
    }
}

#[test]
fn a_year_of_small_cycles_is_a_small_tree() {
    let burst = Curve::Sequence(vec![flat(500, 5), pause(10)]);
    let year = cut(whole(YEAR), forever(burst));
    let timeline = timeline(&Curve::Sequence(vec![year, sine(10, 20, 1, YEAR)]));
    assert!(timeline.root.parts < 40);
    assert_eq!(timeline.jobs_by(YEAR as u64 * SECOND), 2500 * YEAR as u64 / 15);
}

#[test]
fn without_end_there_are_times_but_no_total() {
    let curve = Curve::Sequence(vec![flat(1, 10), endless(whole(2)), flat(5, 5)]);
    let steady = timeline(&curve);
    assert_eq!((steady.jobs(), steady.length_ns()), (None, None));
    assert_eq!(steady.time_of(10), 9_500_000_000);
    assert_eq!(steady.time_of(1_000_010), 10 * SECOND + 499_999_750_000_000);
    assert_eq!(steady.jobs_by(u64::MAX), 10 + 2 * (u64::MAX / SECOND - 10) + 1);
    assert_eq!(Timeline::new(&endless(whole(0))).unwrap().time_of(1), u64::MAX);
    // 10³³ passes in 1000 seconds.
    let short = timeline(&forever(constant(whole(1), fraction(1, 10i128.pow(30)))));
    assert_eq!((short.time_of(3), short.jobs_by(1000 * SECOND)), (2_500_000_000, 1000));
    let waves = Curve::Sine {
        base: whole(0),
        amp: whole(10),
        period: whole(60),
        phase: whole(0),
        length: None,
    };
    let capped = timeline(&cap(15, Curve::Together(vec![waves, endless(whole(10))])));
    assert_eq!(capped.peak(), 15.0);
    assert!(capped.jobs_by(HOUR * 1000) > 1_000_000);
}

#[test]
fn sums_are_capped_over_one_common_round() {
    let burst = forever(Curve::Sequence(vec![flat(500, 5), pause(10)]));
    let wave = |length| Curve::Sine {
        base: whole(100),
        amp: whole(50),
        period: whole(3600),
        phase: whole(0),
        length,
    };
    let both = Curve::Together(vec![cut(whole(YEAR), burst), wave(Some(whole(YEAR)))]);
    let timeline = timeline(&cap(600, both));
    assert!(timeline.root.parts < 2000);
    assert_eq!(timeline.peak(), 600.0);
    assert_eq!(timeline.rate(900 * SECOND), 600.0);
    assert_eq!(timeline.rate(2700 * SECOND), 550.0);
    let odd = Curve::Together(vec![
        cut(whole(YEAR), forever(Curve::Sequence(vec![flat(500, 5), pause(10)]))),
        up(0, 500, YEAR),
    ]);
    assert_eq!(Timeline::new(&cap(600, odd)).unwrap_err(), CurveError::TooComplex { mark: None });
}

#[test]
fn what_has_no_timeline_says_where() {
    let marked = |body| Curve::Sequence(vec![Curve::Mark { id: 7, body: Box::new(body) }]);
    let mark = Some(7);
    let below = constant(whole(-1), whole(1));
    let exponential = ramp(whole(0), whole(1), whole(1), RampCurve::Exponential, false);
    let rows = [
        (flat(1_000_000_000_000, 1_000_000_000), CurveError::Overflow { mark }),
        (pause(1_000_000_000_000), CurveError::Overflow { mark }),
        (total(5, pause(10)), CurveError::EmptyTotal { mark }),
        (total(5, endless(whole(1))), CurveError::TotalForever { mark }),
        (exponential, CurveError::NotPositive { mark }),
        (speed(0, flat(1, 1)), CurveError::NotPositive { mark }),
        (below, CurveError::Negative { mark }),
        (forever(at_once(1)), CurveError::NoLength { mark }),
        (cap(5, at_once(1)), CurveError::CappedJump { mark }),
    ];
    for (curve, error) in rows {
        assert_eq!(Timeline::new(&marked(curve)).unwrap_err(), error);
    }
}

#[test]
fn bounds_are_tight_where_the_rate_only_rises_or_falls() {
    let timeline =
        timeline(&Curve::Sequence(vec![up(10, 500, 49), pause(1), sine(100, 30, 40, 40)]));
    assert_eq!(timeline.bounds(0, 10 * SECOND), (10.0, 110.0));
    assert_eq!(timeline.bounds(10 * SECOND, 48 * SECOND), (110.0, 490.0));
    assert_eq!(timeline.bounds(48 * SECOND, 49 * SECOND + 5), (0.0, 500.0));
    assert_eq!(timeline.bounds(50 * SECOND, 60 * SECOND), (100.0, 130.0));
    assert_eq!(timeline.bounds(50 * SECOND, 85 * SECOND), (70.0, 130.0));
    assert_eq!(timeline.bounds(89 * SECOND, 200 * SECOND).0, 0.0);
}
