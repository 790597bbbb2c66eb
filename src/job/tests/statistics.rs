//! The drawn values have the distributions they promise. Seeds are fixed, so these tests always see
//! the same values; bounds are those that a right generator misses once in a million or so.

use super::*;

fn numbers(value: Value, jobs: u64) -> Vec<f64> {
    let template = compiled(value);
    (1..=jobs).map(|number| body(&template, number).parse().unwrap()).collect()
}

/// Pearson's statistic of counts against expected shares.
fn chi_square(counts: &[u64], shares: &[f64]) -> f64 {
    let total = counts.iter().sum::<u64>() as f64;
    let term =
        |(count, share): (&u64, &f64)| (*count as f64 - total * share).powi(2) / (total * share);
    counts.iter().zip(shares).map(term).sum()
}

/// What chi-square stays below but for about 1 in 10⁶, by the Wilson-Hilferty approximation.
fn chi_square_bound(degrees: usize) -> f64 {
    const NORMAL_QUANTILE: f64 = 4.75;
    let spread = 2.0 / (9.0 * degrees as f64);
    degrees as f64 * (1.0 - spread + NORMAL_QUANTILE * spread.sqrt()).powi(3)
}

fn assert_shares(counts: &[u64], shares: &[f64]) {
    let (value, bound) = (chi_square(counts, shares), chi_square_bound(counts.len() - 1));
    assert!(value < bound, "{value} is not below {bound}: {counts:?}");
}

/// Pearson's r.
fn correlation(left: &[f64], right: &[f64]) -> f64 {
    let mean = |of: &[f64]| of.iter().sum::<f64>() / of.len() as f64;
    let (left_mean, right_mean) = (mean(left), mean(right));
    let moment = |f: &dyn Fn(f64, f64) -> f64| -> f64 {
        left.iter().zip(right).map(|(l, r)| f(l - left_mean, r - right_mean)).sum()
    };
    moment(&|l, r| l * r) / (moment(&|l, _| l * l) * moment(&|_, r| r * r)).sqrt()
}

#[test]
fn whole_numbers_are_uniform() {
    for (min, max) in [(0, 1), (-3, 3), (1, 6), (1, 965)] {
        let count = (max - min + 1) as usize;
        let mut counts = vec![0; count];
        for number in numbers(Value::Int { min, max }, 200_000) {
            counts[(number as i64 - min) as usize] += 1;
        }
        assert_shares(&counts, &vec![1.0 / count as f64; count]);
    }
}

#[test]
fn whole_numbers_of_any_width_are_uniform() {
    // By their top four bits, of the widest range that i64 has.
    let template = compiled(Value::Int { min: i64::MIN, max: i64::MAX });
    let mut counts = [0; 16];
    for number in 1..=50_000 {
        let value: i64 = body(&template, number).parse().unwrap();
        counts[((value >> 60) + 8) as usize] += 1;
    }
    assert_shares(&counts, &[1.0 / 16.0; 16]);
}

#[test]
fn neighbouring_jobs_pair_up_uniformly() {
    let faces = numbers(Value::Int { min: 0, max: 9 }, 200_001);
    for lag in [1, 2, 7] {
        let mut counts = [0; 100];
        for (one, other) in faces.iter().zip(&faces[lag..]) {
            counts[(one * 10.0 + other) as usize] += 1;
        }
        assert_shares(&counts, &[0.01; 100]);
    }
}

#[test]
fn floats_are_uniform() {
    let jobs = 100_000;
    let mut values = numbers(Value::Float { min: -3.0, max: 9.0 }, jobs);
    let mean = values.iter().sum::<f64>() / jobs as f64;
    let variance = values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / jobs as f64;
    let mean_error = 12.0 / (12.0 * jobs as f64).sqrt();
    assert!((mean - 3.0).abs() < 5.0 * mean_error, "{mean}");
    assert!((variance / 12.0 - 1.0).abs() < 0.02, "{variance}");

    // Kolmogorov and Smirnov's distance; exceeded with probability 2·exp(−2·2.7²) ≈ 10⁻⁶.
    values.sort_by(f64::total_cmp);
    let distance = |(rank, value): (usize, &f64)| {
        let share = (value + 3.0) / 12.0;
        let (below, upto) = (rank as f64 / jobs as f64, (rank + 1) as f64 / jobs as f64);
        (share - below).abs().max((upto - share).abs())
    };
    let distance = values.iter().enumerate().map(distance).fold(0.0, f64::max);
    assert!(distance < 2.7 / (jobs as f64).sqrt(), "{distance}");
}

#[test]
fn picks_follow_their_weights() {
    let weights = [0.5, 30.0, 4.0, 65.5];
    let alternative = |(index, weight): (usize, f64)| (Value::Number(index.to_string()), weight);
    let pick = Value::Pick(weights.into_iter().enumerate().map(alternative).collect());
    let mut counts = [0; 4];
    for number in numbers(pick, 200_000) {
        counts[number as usize] += 1;
    }
    assert_shares(&counts, &weights.map(|weight| weight / 100.0));
}

#[test]
fn chances_are_met() {
    for probability in [0.0, 0.001, 0.3, 0.5, 0.97, 1.0] {
        let template = compiled(Value::Chance(probability));
        let hits = (1..=100_000).filter(|number| body(&template, *number) == "true").count() as f64;
        let spread = (100_000.0 * probability * (1.0 - probability)).sqrt();
        assert!((hits - 100_000.0 * probability).abs() <= 5.0 * spread, "{hits} of {probability}");
    }
}

#[test]
fn lists_have_all_lengths_alike() {
    let template = compiled(list(2, 6, Value::Null));
    let mut counts = [0; 5];
    for number in 1..=20_000 {
        counts[json(&template, number).as_array().unwrap().len() - 2] += 1;
    }
    assert_shares(&counts, &[0.2; 5]);
}

#[test]
fn fields_and_items_are_independent() {
    let unit = || Value::Float { min: 0.0, max: 1.0 };
    let template = compiled(object([
        ("a", unit()),
        ("b", unit()),
        ("c", object([("a", unit())])),
        ("l", list(2, 2, unit())),
    ]));
    let jobs = 20_000;
    let mut columns = vec![Vec::new(); 6];
    for number in 1..=jobs {
        let job = json(&template, number);
        let values = [&job["a"], &job["b"], &job["c"]["a"], &job["l"][0], &job["l"][1]]
            .map(|v| v.as_f64().unwrap());
        columns.iter_mut().zip(values).for_each(|(column, value)| column.push(value));
    }
    let other = Template::compile(&spec(unit()), 42, Some("other")).unwrap();
    columns[5] = (1..=jobs).map(|number| body(&other, number).parse().unwrap()).collect();
    let bound = 5.0 / (jobs as f64).sqrt();
    for left in 0..columns.len() {
        for right in left..columns.len() {
            for lag in 0..3 {
                if left == right && lag == 0 {
                    continue;
                }
                let pairs = columns[left].len() - lag;
                let r = correlation(&columns[left][..pairs], &columns[right][lag..]);
                assert!(r.abs() < bound, "columns {left} and {right}, lag {lag}: {r}");
            }
        }
    }
}

#[test]
fn items_never_share_a_value() {
    let template = compiled(list(7, 7, list(7, 7, Value::Uuid)));
    let mut seen = std::collections::BTreeSet::new();
    for number in 1..=200 {
        for items in json(&template, number).as_array().unwrap() {
            for id in items.as_array().unwrap() {
                assert!(seen.insert(id.to_string()));
            }
        }
    }
}

/// The largest distance between the share of values up to a number and the law's. It is above
/// 2.7/√n with probability 2·exp(−2·2.7²) ≈ 10⁻⁶ (Kolmogorov and Smirnov).
fn distance(mut values: Vec<f64>, law: impl Fn(f64) -> f64) -> f64 {
    values.sort_by(f64::total_cmp);
    let count = values.len() as f64;
    let one = |(rank, value): (usize, &f64)| {
        let (below, upto) = (rank as f64 / count, (rank + 1) as f64 / count);
        (law(*value) - below).abs().max((upto - law(*value)).abs())
    };
    values.iter().enumerate().map(one).fold(0.0, f64::max)
}

fn mean_and_variance(values: &[f64]) -> (f64, f64) {
    let count = values.len() as f64;
    let mean = values.iter().sum::<f64>() / count;
    (mean, values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / count)
}

#[test]
fn normal_numbers_are_normal() {
    let jobs = 100_000;
    let values = numbers(Value::Normal { mean: 40.0, deviation: 12.0 }, jobs);
    let (mean, variance) = mean_and_variance(&values);
    assert!((mean - 40.0).abs() < 5.0 * 12.0 / (jobs as f64).sqrt(), "{mean}");
    // The variance of a normal sample's variance is 2σ⁴/n.
    assert!((variance / 144.0 - 1.0).abs() < 5.0 * (2.0 / jobs as f64).sqrt(), "{variance}");
    let law = |value: f64| libm::erfc((40.0 - value) / 12.0 / 2.0_f64.sqrt()) / 2.0; // Φ
    let distance = distance(values, law);
    assert!(distance < 2.7 / (jobs as f64).sqrt(), "{distance}");
    assert!(numbers(Value::Normal { mean: 3.5, deviation: 0.0 }, 50).iter().all(|n| *n == 3.5));
}

#[test]
fn exponential_numbers_are_exponential() {
    let jobs = 100_000;
    let values = numbers(Value::Exponential(2.5), jobs);
    let (mean, variance) = mean_and_variance(&values);
    assert!((mean / 2.5 - 1.0).abs() < 5.0 / (jobs as f64).sqrt(), "{mean}");
    // Its fourth central moment is 9μ⁴, so the sample's variance has the variance 8μ⁴/n.
    assert!((variance / 6.25 - 1.0).abs() < 5.0 * (8.0 / jobs as f64).sqrt(), "{variance}");
    let distance = distance(values, |value| 1.0 - (-value / 2.5).exp());
    assert!(distance < 2.7 / (jobs as f64).sqrt(), "{distance}");
}

#[test]
fn ranks_are_zipfian() {
    for (ranks, exponent) in [(1, 1.0), (2, 1.0), (10, 0.0), (50, 1.0), (50, 0.5), (20, 2.3)] {
        let weights: Vec<f64> = (1..=ranks).map(|rank| (rank as f64).powf(-exponent)).collect();
        let total: f64 = weights.iter().sum();
        let mut counts = vec![0; ranks as usize];
        for rank in numbers(Value::Zipf { ranks, exponent }, 100_000) {
            counts[rank as usize - 1] += 1;
        }
        if ranks > 1 {
            assert_shares(&counts, &weights.iter().map(|w| w / total).collect::<Vec<_>>());
        }
    }
}

// With so many ranks only the law's shape can be looked at: the share of ranks up to 2ᵏ is Hₖ/Hₙ,
// by Euler's sum.
#[test]
fn ranks_without_number_are_zipfian_too() {
    let ranks: u64 = 1 << 40;
    let harmonic = |n: f64| n.ln() + 0.577_215_664_901_532_9 + 1.0 / (2.0 * n);
    let mut counts = [0_u64; 5];
    let bounds = [8, 10, 20, 30, 40];
    for rank in numbers(Value::Zipf { ranks, exponent: 1.0 }, 100_000) {
        let slot = bounds.iter().position(|bits| rank <= (1_u64 << bits) as f64).unwrap();
        counts[slot] += 1;
    }
    let upto = bounds.map(|bits| harmonic((1_u64 << bits) as f64) / harmonic(ranks as f64));
    let shares: Vec<f64> =
        (0..5).map(|at| upto[at] - if at == 0 { 0.0 } else { upto[at - 1] }).collect();
    assert_shares(&counts, &shares);
}

#[test]
fn bytes_are_of_all_sizes() {
    let template = compiled(Value::Bytes { min: 0, max: 11 });
    let mut sizes = [0; 4];
    for number in 1..=20_000 {
        // Quotes, and four characters for each three bytes begun.
        sizes[(body(&template, number).len() - 2).div_ceil(4).min(3)] += 1;
    }
    assert_shares(&sizes, &[1.0 / 12.0, 0.25, 0.25, 5.0 / 12.0]);
}

#[test]
fn made_up_names_differ_and_come_back() {
    let names = |seed| {
        let template = Template::compile(&spec(Value::Fake(Fake::Name)), seed, None).unwrap();
        (1..=200).map(|number| body(&template, number)).collect::<Vec<_>>()
    };
    assert_eq!(names(1), names(1));
    let distinct: std::collections::BTreeSet<_> = names(1).into_iter().chain(names(2)).collect();
    assert!(distinct.len() > 380, "{}", distinct.len());
}
