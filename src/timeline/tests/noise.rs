//! Walks and chaos: against sums of the rates they show, and against their law.

use super::{at_once, constant, cut, sine, timeline};
use crate::exact::{Exact, fraction, to_f64, whole};
use crate::timeline::curve::Curve;
use crate::timeline::streams::{RateProof, first_beyond_rate, peak_of_sum};
use crate::timeline::{CurveError, MarkJobs, Timeline};

const SECOND: u64 = 1_000_000_000;

/// `walk from 60 by 5 every 1s within 20..120`
fn walk(seconds: i128, key: u64) -> Curve {
    walk_of((60, 5, 1), Some((20, 120)), Some(whole(seconds)), key)
}

fn walk_of(
    (from, by, every): (i128, i128, i128),
    within: Option<(i128, i128)>,
    length: Option<Exact>,
    key: u64,
) -> Curve {
    Curve::Walk {
        from: whole(from),
        by: whole(by),
        every: whole(every),
        within: within.map(|(low, high)| (whole(low), whole(high))),
        length,
        key,
    }
}

fn chaos(every: (i128, i128), seconds: i128, key: u64) -> Curve {
    Curve::Chaos {
        low: whole(10),
        high: whole(1500),
        every: (whole(every.0), whole(every.1)),
        length: Some(whole(seconds)),
        key,
    }
}

fn boxed(body: Curve) -> Box<Curve> {
    Box::new(body)
}

/// The rate in each second, seen in its middle.
fn levels(timeline: &Timeline, seconds: u64) -> Vec<f64> {
    (0..seconds).map(|s| timeline.rate(s * SECOND + SECOND / 2)).collect()
}

/// That counts and due times are those of steps of a second with these rates.
fn holds_levels(timeline: &Timeline, levels: &[f64]) {
    let mut sum = 0.0;
    let mut due = 0;
    for (s, level) in (0..).zip(levels) {
        let start = s * SECOND;
        assert!((timeline.cumulative(start) - sum).abs() < 1e-6, "{s}: {sum}");
        assert!((timeline.rate(start) - level).abs() < 1e-9, "{s}");
        assert!((timeline.cumulative(start + SECOND / 4) - sum - level / 4.0).abs() < 1e-6);
        if s > 0 {
            assert!((timeline.rate_before(start) - levels[s as usize - 1]).abs() < 1e-9, "{s}");
        }
        sum += level;
        while due as f64 + 0.5 <= sum + 1e-9 {
            due += 1;
            let t = timeline.time_of(due);
            let exact = start as f64 + (due as f64 - 0.5 - (sum - level)) / level * SECOND as f64;
            assert!((t as f64 - exact).abs() < 1.01 + exact * 1e-15, "job {due}: {t} and {exact}");
            assert_eq!(timeline.jobs_by(t), due + same_time(timeline, due, t));
            assert_eq!(timeline.jobs_by(t - 1), due - 1);
        }
    }
    assert_eq!(timeline.jobs(), Some(due));
    assert_eq!(timeline.time_of(due + 1), u64::MAX);
}

fn same_time(timeline: &Timeline, due: u64, t: u64) -> u64 {
    (1..).take_while(|more| timeline.time_of(due + more) == t).count() as u64
}

#[test]
fn a_walk_goes_up_or_down_and_turns_back_at_its_bounds() {
    let long = timeline(&walk(3000, 7));
    let levels = levels(&long, 3000);
    assert_eq!(levels[0], 60.0);
    for pair in levels.windows(2) {
        let turned = (pair[0] == 20.0 && pair[1] == 25.0) || (pair[0] == 120.0 && pair[1] == 115.0);
        assert!((pair[0] - pair[1]).abs() == 5.0, "{pair:?}");
        assert!(turned || (25.0..=115.0).contains(&pair[0]), "{pair:?}");
    }
    assert!(levels.contains(&20.0) && levels.contains(&120.0));
    assert_eq!(long.peak(), 120.0);
    holds_levels(&timeline(&walk(300, 7)), &levels[..300]);
}

#[test]
fn a_step_that_passes_a_bound_is_reflected_by_what_it_is_too_far() {
    let far = Curve::Walk {
        from: whole(3),
        by: fraction(7, 2),
        every: whole(1),
        within: Some((whole(1), whole(4))),
        length: Some(whole(400)),
        key: 3,
    };
    let timeline = timeline(&far);
    for pair in levels(&timeline, 400).windows(2) {
        // There and back is 6: what the step says, folded into 1..4 as often as it takes.
        let fold = |level: f64| {
            let level = (level - 1.0).rem_euclid(6.0);
            1.0 + if level > 3.0 { 6.0 - level } else { level }
        };
        let either = [fold(pair[0] + 3.5), fold(pair[0] - 3.5)];
        assert!(either.iter().any(|to| (to - pair[1]).abs() < 1e-9), "{pair:?}");
    }
}

#[test]
fn steps_are_fair_and_know_nothing_of_each_other() {
    let free = walk_of((1_000_000, 1, 1), Some((0, 2_000_000)), Some(whole(40_000)), 11);
    let levels = levels(&timeline(&free), 40_000);
    let steps: Vec<f64> = levels.windows(2).map(|pair| pair[1] - pair[0]).collect();
    let n = steps.len() as f64;
    assert!(steps.iter().all(|step| step.abs() == 1.0));
    // Sums of n fair signs have a deviation of √n; four of them is one case in 16,000.
    assert!(steps.iter().sum::<f64>().abs() < 4.0 * n.sqrt());
    for lag in [1, 2, 3, 8, 63, 64, 65, 127, 128, 256] {
        let products: f64 = steps.iter().zip(&steps[lag..]).map(|(a, b)| a * b).sum();
        assert!(products.abs() < 4.0 * n.sqrt(), "lag {lag}: {products}");
    }
}

#[test]
fn a_long_walk_is_spread_evenly_over_its_range() {
    let timeline = timeline(&walk(80_000, 5));
    let levels = levels(&timeline, 80_000);
    // Inner levels have the weight 1, the two ends a half each: 20 in all. The walk forgets within
    // about 40 steps, so 80,000 of them count as 2,000.
    for level in (20..=120).step_by(5) {
        let seen = levels.iter().filter(|seen| **seen == f64::from(level)).count() as f64 / 8e4;
        let expected = if level == 20 || level == 120 { 0.025 } else { 0.05 };
        assert!((seen - expected).abs() < 4.0 * (0.05f64 / 2e3).sqrt(), "{level}: {seen}");
    }
    let sum: f64 = levels.iter().sum();
    assert_eq!(timeline.jobs(), Some(sum as u64));
}

#[test]
fn without_bounds_a_walk_turns_back_at_nothing_alone() {
    for key in 0..20 {
        let timeline = timeline(&walk_of((0, 1, 1), None, Some(whole(400)), key));
        let levels = levels(&timeline, 400);
        assert!(levels.iter().all(|level| *level >= 0.0));
        assert_eq!(levels[..2], [0.0, 1.0]);
    }
    // The distance of a fair walk after n steps has the mean √(2n/π): 16 after 400.
    let far = (0..400)
        .map(|key| timeline(&walk_of((0, 1, 1), None, Some(whole(401)), key)).rate(400 * SECOND));
    let mean = far.sum::<f64>() / 400.0;
    assert!((mean - 15.96).abs() < 4.0 * 12.0 / 20.0, "{mean}");
}

#[test]
fn other_keys_walk_other_ways_and_the_same_key_the_same() {
    let of = |key| levels(&timeline(&walk(200, key)), 200);
    assert_eq!(of(1), of(1));
    assert_ne!(of(1), of(2));
    let longer = levels(&timeline(&walk(90_000, 1)), 200);
    assert_eq!(of(1), longer);
}

#[test]
fn cap_floor_scale_and_speed_are_pointwise() {
    let plain = levels(&timeline(&walk(700, 9)), 700);
    let capped = |rate, body| Curve::Cap { rate, body: boxed(body) };
    let floored = |rate, body| Curve::Floor { rate, body: boxed(body) };
    let bounded = floored(fraction(91, 2), capped(whole(83), walk(700, 9)));
    let expected: Vec<f64> = plain.iter().map(|rate| rate.clamp(45.5, 83.0)).collect();
    holds_levels(&timeline(&bounded), &expected);
    assert_eq!(timeline(&bounded).peak(), 83.0);
    let scaled = Curve::Scale { factor: fraction(3, 2), body: boxed(bounded.clone()) };
    let capped_again = capped(whole(120), scaled);
    let expected: Vec<f64> =
        plain.iter().map(|rate| (rate.clamp(45.5, 83.0) * 1.5).min(120.0)).collect();
    holds_levels(&timeline(&capped_again), &expected);
    let sped = Curve::Speed { factor: fraction(7, 3), body: boxed(walk(700, 9)) };
    let fast = timeline(&sped);
    assert_eq!(fast.length_ns(), Some(300 * SECOND));
    assert_eq!(fast.jobs(), Some(plain.iter().sum::<f64>() as u64));
    for (s, level) in (0..).zip(&plain) {
        let middle = (2 * s + 1) * SECOND * 3 / 14;
        assert!((fast.rate(middle) - level * 7.0 / 3.0).abs() < 1e-9);
    }
    let total = Curve::Total { jobs: 12_345, body: boxed(walk(700, 9)) };
    assert_eq!(timeline(&total).jobs(), Some(12_345));
    let flat = capped(whole(5), walk(700, 9));
    assert_eq!(timeline(&flat).jobs(), Some(3500));
}

#[test]
fn a_cut_walk_is_the_beginning_of_it_even_of_one_without_end() {
    let plain = levels(&timeline(&walk(500, 4)), 123);
    holds_levels(&timeline(&cut(whole(123), walk(500, 4))), &plain);
    let endless = walk_of((60, 5, 1), Some((20, 120)), None, 4);
    holds_levels(&timeline(&cut(whole(123), endless.clone())), &plain);
    let capped = Curve::Cap { rate: whole(70), body: boxed(endless.clone()) };
    let held: Vec<f64> = plain.iter().map(|rate| rate.min(70.0)).collect();
    holds_levels(&timeline(&cut(whole(123), capped)), &held);
    let forever = timeline(&Curve::Sequence(vec![at_once(3), endless]));
    assert_eq!((forever.jobs(), forever.length_ns()), (None, None));
    assert_eq!(forever.peak(), 120.0);
}

#[test]
fn a_sum_adds_walks_and_can_be_capped() {
    let (a, b) = (levels(&timeline(&walk(60, 1)), 60), levels(&timeline(&walk(60, 2)), 60));
    let sum: Vec<f64> = a.iter().zip(&b).map(|(a, b)| a + b).collect();
    let together = Curve::Together(vec![walk(60, 1), walk(60, 2)]);
    holds_levels(&timeline(&together), &sum);
    let highest = sum.iter().copied().fold(0.0, f64::max);
    assert_eq!(timeline(&together).peak(), highest);
    let capped = Curve::Cap { rate: whole(125), body: boxed(together) };
    let held: Vec<f64> = sum.iter().map(|rate| rate.min(125.0)).collect();
    holds_levels(&timeline(&capped), &held);
    let (one, other) = (timeline(&walk(60, 1)), timeline(&walk(60, 2)));
    assert!((peak_of_sum(&[(&one, 0), (&other, 0)]) - highest).abs() < 1e-6);
    let long = Curve::Together(vec![walk(300_000, 1), constant(whole(1), whole(300_000))]);
    let refused = Timeline::new(&Curve::Cap { rate: whole(90), body: boxed(long) });
    assert_eq!(refused.unwrap_err(), CurveError::TooComplex { mark: None });
}

#[test]
fn bounds_hold_between_any_two_times_and_are_tight() {
    let walked = timeline(&walk(2000, 6));
    let seen = levels(&walked, 2000);
    for (from, to) in [(0, 1), (3, 3), (10, 700), (255, 257), (512, 1999), (1900, 1999)] {
        let inside = &seen[from..=to];
        let low = inside.iter().copied().fold(f64::MAX, f64::min);
        let high = inside.iter().copied().fold(0.0, f64::max);
        let at = |s: usize| s as u64 * SECOND + SECOND / 2;
        assert_eq!(walked.bounds(at(from), at(to)), (low, high), "{from} to {to}");
    }
    let stream = [(&walked, 0)];
    assert_eq!(first_beyond_rate(&stream, SECOND, 120, 100_000), RateProof::Holds);
    let first = seen.iter().position(|level| *level > 100.0).unwrap();
    let RateProof::Beyond { t_ns, count } = first_beyond_rate(&stream, SECOND, 100, 100_000) else {
        panic!("the walk goes above 100")
    };
    assert_eq!(count, 101);
    assert!((first as u64 * SECOND..(first as u64 + 2) * SECOND).contains(&t_ns));
}

#[test]
fn each_pass_of_a_repetition_walks_its_own_way() {
    let body = Curve::Mark { id: 5, body: boxed(walk(40, 8)) };
    let repeat = Curve::Repeat { times: Some(6), body: boxed(body) };
    let compiled = timeline(&repeat);
    let seen = levels(&compiled, 240);
    holds_levels(&compiled, &seen);
    let passes: Vec<&[f64]> = seen.chunks(40).collect();
    for (i, one) in passes.iter().enumerate() {
        assert_eq!(one[0], 60.0);
        assert!(passes[i + 1..].iter().all(|other| other != one));
    }
    let marks = compiled.marks();
    assert_eq!((marks.len(), marks[0].passes, marks[0].start_ns), (1, 6, 0));
    assert_eq!(marks[0].jobs, MarkJobs::Exact(compiled.jobs().unwrap()));
    // Fewer passes are the same passes.
    let fewer = Curve::Repeat { times: Some(2), body: boxed(walk(40, 8)) };
    assert_eq!(levels(&timeline(&fewer), 80), seen[..80]);
    // Passes within passes are all different too.
    let inner = Curve::Repeat { times: Some(3), body: boxed(walk(40, 8)) };
    let nested = timeline(&Curve::Repeat { times: Some(3), body: boxed(inner) });
    let seen = levels(&nested, 360);
    let passes: Vec<&[f64]> = seen.chunks(40).collect();
    assert!((1..9).all(|i| !passes[..i].contains(&passes[i])));
}

#[test]
fn after_very_many_passes_they_come_round() {
    let many = Curve::Repeat { times: Some(10_000), body: boxed(walk(4, 8)) };
    let compiled = timeline(&many);
    let pass = |n: u64| -> Vec<f64> {
        (0..4).map(|s| compiled.rate((4 * n + s) * SECOND + SECOND / 2)).collect()
    };
    assert!((0..1808).all(|n| pass(n) == pass(4096 + n) && pass(n) == pass(8192 + n)));
    assert!((0..4096).any(|n| pass(n) != pass(n + 1)));
    let forever = timeline(&Curve::Repeat { times: None, body: boxed(walk(4, 8)) });
    assert_eq!(forever.rate(3_999_500_000_000), compiled.rate(3_999_500_000_000));
}

#[test]
fn a_chaos_is_straight_between_levels() {
    let compiled = timeline(&chaos((30, 180), 1800, 13));
    // By Simpson's rule over a millisecond the integral of a line is exact, kinks aside.
    let mut sum = 0.0;
    let (mut kinks, mut last_slope) = (0, f64::NAN);
    for s in 0..1800 {
        let (a, b) = (compiled.rate(s * SECOND), compiled.rate_before((s + 1) * SECOND));
        assert!((10.0..1500.0).contains(&a));
        let slope = b - a;
        kinks += u32::from((slope - last_slope).abs() > 1e-6);
        last_slope = slope;
        sum += (a + compiled.rate(s * SECOND + SECOND / 2) * 4.0 + b) / 6.0;
        assert!(
            (compiled.cumulative((s + 1) * SECOND) - sum).abs() < 1.0 + 50.0 * f64::from(kinks)
        );
    }
    // 1800 s at a mean of 105 s: about 17 lines, and a second of mixed slope between two.
    assert!((20..60).contains(&kinks), "{kinks}");
    for k in (1..compiled.jobs().unwrap()).step_by(977) {
        let t = compiled.time_of(k);
        assert_eq!((compiled.jobs_by(t), compiled.jobs_by(t - 1)), (k, k - 1));
    }
}

#[test]
fn levels_and_times_of_a_chaos_are_uniform() {
    // Every nanosecond is a level of its own here, so a rate is a level where a line begins.
    let levels: Vec<f64> = (0..4000).map(|key| timeline(&chaos((1, 2), 1, key)).rate(0)).collect();
    assert!(distance(levels, |level| (level - 10.0) / 1490.0) < 1.63 / 4000f64.sqrt());
    // The first line ends where the slope changes.
    let ends = (0..1000).map(|key| {
        let chaos = timeline(&chaos((30, 180), 200, key));
        let slope = |t: u64| chaos.rate(t + SECOND / 100) - chaos.rate(t);
        let first = slope(0);
        let (mut low, mut high) = (30 * SECOND - SECOND / 50, 181 * SECOND);
        while high - low > SECOND / 20 {
            let middle = low + (high - low) / 2;
            let line = chaos.rate(0) + first * middle as f64 / 1e7;
            if (line - chaos.rate(middle)).abs() < 0.01 { low = middle } else { high = middle }
        }
        high as f64 / 1e9
    });
    assert!(distance(ends.collect(), |end| (end - 30.0) / 150.0) < 1.63 / 1000f64.sqrt());
}

/// The greatest distance of the seen distribution from the expected one (Kolmogorov, Smirnov).
fn distance(mut seen: Vec<f64>, expected: impl Fn(f64) -> f64) -> f64 {
    seen.sort_by(f64::total_cmp);
    let n = seen.len() as f64;
    let off = |(i, value): (usize, &f64)| {
        let expected = expected(*value).clamp(0.0, 1.0);
        (expected - i as f64 / n).abs().max((expected - (i + 1) as f64 / n).abs())
    };
    seen.iter().enumerate().map(off).fold(0.0, f64::max)
}

#[test]
fn a_held_chaos_is_held_pointwise() {
    let plain = timeline(&chaos((3, 18), 300, 21));
    let capped = Curve::Cap { rate: whole(900), body: boxed(chaos((3, 18), 300, 21)) };
    let held = timeline(&Curve::Floor { rate: whole(200), body: boxed(capped) });
    let (mut sum, step) = (0.0, SECOND / 50);
    for t in (0..300 * SECOND).step_by(step as usize) {
        let rate = plain.rate(t).clamp(200.0, 900.0);
        assert!((held.rate(t) - rate).abs() < 1e-6);
        sum += (rate + plain.rate_before(t + step).clamp(200.0, 900.0)) / 100.0;
    }
    // Trapezia are wrong only where a line is cut or bent.
    assert!((held.cumulative(300 * SECOND) - sum).abs() < 20.0, "{sum}");
    assert_eq!(held.peak(), 900.0);
    for k in (1..held.jobs().unwrap()).step_by(499) {
        let t = held.time_of(k);
        assert_eq!((held.jobs_by(t), held.jobs_by(t - 1)), (k, k - 1));
    }
    let sum = Curve::Together(vec![chaos((3, 18), 300, 21), sine(100, 50, 60, 300)]);
    let capped = timeline(&Curve::Cap { rate: whole(700), body: boxed(sum.clone()) });
    let free = timeline(&sum);
    for t in (0..300 * SECOND).step_by(SECOND as usize / 3) {
        assert!((capped.rate(t) - free.rate(t).min(700.0)).abs() < 1e-6);
    }
}

#[test]
fn a_walk_across_blocks_of_its_table_is_the_same_walk() {
    // A step of 1 ms for an hour and a half: 5,400,000 steps, 512 to a block.
    let fine = Curve::Walk {
        from: whole(600),
        by: whole(3),
        every: fraction(1, 1000),
        within: Some((whole(0), whole(1000))),
        length: Some(whole(5400)),
        key: 17,
    };
    let compiled = timeline(&fine);
    for second in [0, 1, 1000, 5398] {
        let start = second * SECOND;
        let mut sum = compiled.cumulative(start);
        for ms in 0..1024 {
            let t = start + ms * 1_000_000;
            assert!((compiled.cumulative(t) - sum).abs() < 1e-6, "{second} {ms}");
            sum += compiled.rate(t + 1) / 1000.0;
        }
    }
    let jobs = compiled.jobs().unwrap();
    for k in (1..=jobs).step_by(jobs as usize / 997) {
        let t = compiled.time_of(k);
        assert!(compiled.jobs_by(t) >= k && compiled.jobs_by(t - 1) < k, "{k}");
    }
}

#[test]
fn mistakes_are_faults() {
    let fault = |curve: Curve| Timeline::new(&curve).unwrap_err();
    let second = Some(whole(1));
    assert_eq!(
        fault(walk_of((5, 1, 1), Some((6, 9)), second, 0)),
        CurveError::OutOfBounds { mark: None }
    );
    assert_eq!(
        fault(walk_of((5, 1, 1), Some((6, 4)), second, 0)),
        CurveError::OutOfBounds { mark: None }
    );
    assert_eq!(fault(walk_of((5, -1, 1), None, second, 0)), CurveError::Negative { mark: None });
    assert_eq!(fault(walk_of((5, 1, 0), None, second, 0)), CurveError::NotPositive { mark: None });
    assert_eq!(fault(chaos((0, 5), 9, 0)), CurveError::NotPositive { mark: None });
    assert_eq!(fault(chaos((6, 5), 9, 0)), CurveError::OutOfBounds { mark: None });
    let century = walk_of((5, 1, 1), Some((0, 9)), Some(whole(100 * 366 * 86_400)), 0);
    assert_eq!(fault(century), CurveError::TooComplex { mark: None });
    let odd = Curve::Walk {
        from: fraction(1, (1 << 40) + 1),
        by: fraction(1, (1 << 40) - 1),
        every: whole(1),
        within: None,
        length: second,
        key: 0,
    };
    assert_eq!(fault(odd), CurveError::Overflow { mark: None });
    assert_eq!(to_f64(&fraction(1, 2)), 0.5);
}
