//! Recorded rates against the same written out as phrases.

use super::{constant, cut, linear, timeline};
use crate::exact::{Exact, fraction, nanos_to_seconds, whole};
use crate::timeline::curve::{Curve, RatePoint};
use crate::timeline::{CurveError, Timeline};
use std::sync::Arc;

const SECOND: u64 = 1_000_000_000;

/// Times in tenths of a second and rates, with two jumps and a stretch without any job.
const RECORD: [(u64, i128); 9] =
    [(0, 7), (11, 30), (25, 30), (25, 4), (40, 0), (58, 0), (58, 90), (71, 12), (90, 45)];

fn points(record: &[(u64, i128)]) -> Vec<RatePoint> {
    let point = |(tenths, rate): &(u64, i128)| RatePoint {
        t_ns: tenths * SECOND / 10,
        rate: fraction(*rate, 3),
    };
    record.iter().map(point).collect()
}

fn replay(held: bool, length: Option<Exact>) -> Curve {
    Curve::Replay { points: points(&RECORD).into(), held, length }
}

/// The record as constants and ramps, and its last rate to the end.
fn written(held: bool, seconds: i128) -> Curve {
    let points = points(&RECORD);
    let mut parts = Vec::new();
    for pair in points.windows(2).filter(|pair| pair[0].t_ns < pair[1].t_ns) {
        let length = nanos_to_seconds(pair[1].t_ns - pair[0].t_ns);
        parts.push(match held {
            true => constant(pair[0].rate, length),
            false => linear(pair[0].rate, pair[1].rate, length, false),
        });
    }
    parts.push(constant(points[8].rate, whole(seconds) - whole(9)));
    Curve::Sequence(parts)
}

fn same(one: &Timeline, other: &Timeline) {
    assert_eq!((one.jobs(), one.length_ns()), (other.jobs(), other.length_ns()));
    assert!((one.peak() - other.peak()).abs() < 1e-9, "{} {}", one.peak(), other.peak());
    for k in 1..=one.jobs().unwrap() {
        assert_eq!(one.time_of(k), other.time_of(k), "job {k}");
    }
    let end = one.length_ns().unwrap();
    for t in (0..=end).step_by(SECOND as usize / 20) {
        assert_eq!(one.jobs_by(t), other.jobs_by(t), "{t}");
        assert!((one.rate(t) - other.rate(t)).abs() < 1e-9, "{t}");
        assert!((one.rate_before(t) - other.rate_before(t)).abs() < 1e-9, "before {t}");
        assert!((one.cumulative(t) - other.cumulative(t)).abs() < 1e-9, "{t}");
        for later in [t + SECOND / 40, t + SECOND, t + 5 * SECOND] {
            let ((low, high), (low_too, high_too)) = (one.bounds(t, later), other.bounds(t, later));
            assert!((low - low_too).abs() < 1e-9 && (high - high_too).abs() < 1e-9, "{t} {later}");
        }
    }
}

#[test]
fn a_record_is_the_same_as_its_phrases() {
    for held in [false, true] {
        same(&timeline(&replay(held, Some(whole(12)))), &timeline(&written(held, 12)));
        let endless = cut(whole(12), replay(held, None));
        same(&timeline(&endless), &timeline(&written(held, 12)));
        let short = cut(fraction(63, 10), replay(held, Some(whole(12))));
        same(&timeline(&short), &timeline(&cut(fraction(63, 10), written(held, 12))));
    }
}

#[test]
fn blocks_around_a_record_do_what_they_do_to_phrases() {
    for held in [false, true] {
        let around: [fn(Box<Curve>) -> Curve; 6] = [
            |body| Curve::Cap { rate: fraction(17, 2), body },
            |body| Curve::Floor { rate: fraction(17, 5), body },
            |body| Curve::Scale { factor: fraction(7, 3), body },
            |body| Curve::Speed { factor: fraction(10, 3), body },
            |body| Curve::Total { jobs: 500, body },
            |body| Curve::Repeat { times: Some(3), body },
        ];
        for first in around {
            let record = first(Box::new(replay(held, Some(whole(12)))));
            let phrases = first(Box::new(written(held, 12)));
            same(&timeline(&record), &timeline(&phrases));
            for second in around {
                let record = timeline(&second(Box::new(record.clone())));
                let phrases = timeline(&second(Box::new(phrases.clone())));
                assert_eq!(record.jobs(), phrases.jobs());
                for k in (1..=record.jobs().unwrap()).step_by(7) {
                    assert_eq!(record.time_of(k), phrases.time_of(k));
                }
            }
        }
    }
}

#[test]
fn a_sum_with_a_record_can_be_capped() {
    let sum = |record| {
        let together = Curve::Together(vec![record, linear(whole(0), whole(9), whole(12), false)]);
        timeline(&Curve::Cap { rate: whole(14), body: Box::new(together) })
    };
    same(&sum(replay(false, Some(whole(12)))), &sum(written(false, 12)));
}

#[test]
fn a_long_record_takes_its_points_and_no_more() {
    let points: Vec<RatePoint> = (0..300_000)
        .map(|s| RatePoint { t_ns: s * SECOND, rate: whole(i128::from(s * 7919 % 101)) })
        .collect();
    let sum: u64 = (0..299_999).map(|s| s * 7919 % 101).sum();
    let curve = Curve::Replay { points: points.into(), held: true, length: Some(whole(299_999)) };
    let timeline = timeline(&curve);
    assert_eq!((timeline.jobs(), timeline.peak()), (Some(sum), 100.0));
    assert_eq!(timeline.rate(200_000 * SECOND + 1), (200_000 * 7919 % 101) as f64);
    for k in (1..=sum).step_by(1_234_567) {
        let t = timeline.time_of(k);
        assert!(timeline.jobs_by(t) >= k && timeline.jobs_by(t - 1) < k);
    }
}

#[test]
fn records_that_make_no_sense_are_faults() {
    let fault = |record: &[(u64, i128)]| {
        let curve =
            Curve::Replay { points: points(record).into(), held: false, length: Some(whole(1)) };
        Timeline::new(&curve).unwrap_err()
    };
    assert_eq!(fault(&[]), CurveError::OutOfBounds { mark: None });
    assert_eq!(fault(&[(1, 5)]), CurveError::OutOfBounds { mark: None });
    assert_eq!(fault(&[(0, 5), (9, 5), (8, 5)]), CurveError::OutOfBounds { mark: None });
    assert_eq!(fault(&[(0, 5), (9, -5)]), CurveError::Negative { mark: None });
}

#[test]
fn recorded_instants_are_met_to_the_nanosecond() {
    let at_ns: Arc<[u64]> = vec![0, 7, 7, 1_000_000_001, 4_000_000_000].into();
    let instants = Curve::Moments { at_ns: Arc::clone(&at_ns) };
    let timeline = Timeline::new(&instants).unwrap();
    let times: Vec<u64> = (1..=5).map(|k| timeline.time_of(k)).collect();
    assert_eq!(times[..], at_ns[..]);
    assert_eq!((timeline.jobs(), timeline.length_ns()), (Some(5), Some(4_000_000_000)));
    // Whatever fraction of a job is left over from before.
    let before = Curve::Constant { rate: fraction(1, 2), length: Some(whole(1)) };
    let timeline = Timeline::new(&Curve::Sequence(vec![before, instants])).unwrap();
    let later: Vec<u64> = (2..=6).map(|k| timeline.time_of(k)).collect();
    let expected: Vec<u64> = at_ns.iter().map(|t| t + 1_000_000_000).collect();
    assert_eq!(later, expected);
}
