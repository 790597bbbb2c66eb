use super::curve::Curve;
use super::*;
use crate::ast::RampCurve;
use crate::exact::{Exact, fraction, whole};

fn constant(rate: Exact, seconds: Exact) -> Curve {
    Curve::Constant { rate, length: Some(seconds) }
}
fn ramp(from: i128, to: i128, over: i128) -> Curve {
    Curve::Ramp {
        from: whole(from),
        to: whole(to),
        over: whole(over),
        curve: RampCurve::Linear,
        mirrored: false,
    }
}
fn sine(base: i128, amp: i128, period: i128, length: i128) -> Curve {
    Curve::Sine {
        base: whole(base),
        amp: whole(amp),
        period: whole(period),
        phase: whole(0),
        length: Some(whole(length)),
    }
}

#[test]
fn first_acceptance() {
    let curve = Curve::Sequence(vec![ramp(10, 500, 60), sine(100, 30, 3600, 8 * 3600)]);
    let t = Timeline::new(&curve).unwrap();
    assert_eq!(t.jobs(), Some(2_895_300));
    assert_eq!(t.peak(), 500.0);
    assert_eq!(t.length_ns(), Some((8 * 3600 + 60) * 1_000_000_000));
}

#[test]
fn daily() {
    let burst = Curve::Repeat {
        times: Some(4),
        body: Box::new(Curve::Sequence(vec![
            constant(whole(200), whole(900)),
            constant(whole(0), whole(900)),
        ])),
    };
    let curve = Curve::Sequence(vec![
        constant(whole(5), whole(6 * 3600)),
        ramp(5, 100, 7200),
        sine(100, 30, 3600, 8 * 3600),
        burst,
        ramp(100, 5, 6 * 3600),
    ]);
    let t = Timeline::new(&curve).unwrap();
    assert_eq!(t.jobs(), Some(5_220_000));
    let due = t.time_of(5_000_001);
    println!("{due}");
    assert_eq!(due / 1_000_000_000, 21 * 3600 + 31 * 60 + 10);
    for k in (1..=5_220_000).step_by(10007) {
        let due = t.time_of(k);
        assert!(t.jobs_by(due) >= k && (due == 0 || t.jobs_by(due - 1) < k), "{k} {due}");
    }
    let half = Timeline::new(&constant(fraction(1, 2), whole(10))).unwrap();
    assert_eq!(
        (1..=5).map(|k| half.time_of(k) / 1_000_000_000).collect::<Vec<_>>(),
        [1, 3, 5, 7, 9]
    );
    assert_eq!(half.jobs_by(1_000_000_000), 1);
    assert_eq!(half.jobs_by(999_999_999), 0);
}
