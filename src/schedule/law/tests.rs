use super::*;
use crate::random::Key;
use crate::schedule::tests::statistics::{
    bound, distance, excess, gamma_below, ln_gamma, moments, normal_below,
};

fn drawn<T>(seed: u64, count: u64, one: impl Fn(&mut Draws) -> T) -> Vec<T> {
    (0..count).map(|number| one(&mut Key::of(seed).draws(number))).collect()
}

fn counts(seen: &[u64]) -> Vec<u64> {
    let mut counts = vec![0; *seen.iter().max().unwrap() as usize + 1];
    seen.iter().for_each(|value| counts[*value as usize] += 1);
    counts
}

#[test]
fn logarithms_and_powers_are_those_of_the_library_but_for_rounding() {
    for i in 1..20_000 {
        let x = 1.003f64.powi(i - 10_000);
        assert!((ln(x) - x.ln()).abs() <= 4.0 * f64::EPSILON * x.ln().abs().max(0.5), "{x}");
        let y = f64::from(i - 10_000) * 0.07;
        assert!((exp(y) / y.exp() - 1.0).abs() < 2e-13, "{y}");
    }
    assert!((ln(5e-324) - 5e-324f64.ln()).abs() < 1e-9);
    assert_eq!((ln(1.0), exp(0.0), exp(-1e9), exp(1e9).is_finite()), (0.0, 1.0, 0.0, true));
}

#[test]
fn coins_are_fair_and_binomial() {
    for n in [1, 2, 7, 63, 64, 65, 1000, 1024, 1025, 1026, 3001] {
        let seen = drawn(n, 30_000, |draws| fair_coins(draws, n));
        let size = n as f64;
        let chance = |heads: usize| {
            let heads = heads as f64;
            let log = ln_gamma(size + 1.0) - ln_gamma(heads + 1.0) - ln_gamma(size - heads + 1.0);
            (log - size * std::f64::consts::LN_2).exp()
        };
        let excess = excess(&counts(&seen), chance);
        assert!(excess.abs() < 4.0, "{n}: {excess}");
    }
}

#[test]
fn very_many_coins_are_normal() {
    for n in [100_000, (1 << 40) + 1, 1 << 52, (1 << 62) - 1] {
        let seen = drawn(n, 20_000, |draws| fair_coins(draws, n));
        let deviation = (n as f64).sqrt() / 2.0;
        // In units of its deviation, with half a coin each way for numbers being whole.
        let off = |heads: &u64| {
            let twice = (i128::from(*heads) * 2 - i128::from(n)) as f64;
            (twice / 2.0 + Key::of(*heads).draws(0).unit() - 0.5) / deviation
        };
        let seen: Vec<f64> = seen.iter().map(off).collect();
        let (mean, variance) = moments(&seen);
        assert!(mean.abs() < 4.0 / 20_000f64.sqrt(), "{n}: {mean}");
        assert!((variance - 1.0).abs() < 4.0 * (2.0 / 20_000f64).sqrt(), "{n}: {variance}");
        assert!(distance(seen, normal_below) < bound(20_000), "{n}");
    }
}

#[test]
fn poisson_numbers_have_their_law() {
    for mean in [0.001, 0.3, 4.0, 9.99, 10.0, 11.3, 40.0, 900.0] {
        let seen = drawn((mean * 1000.0) as u64, 30_000, |draws| poisson(draws, mean));
        let chance = |count: usize| {
            let count = count as f64;
            (count * f64::ln(mean) - mean - ln_gamma(count + 1.0)).exp()
        };
        let excess = excess(&counts(&seen), chance);
        assert!(excess.abs() < 4.0, "{mean}: {excess}");
    }
    for mean in [1e6, 2.5e9, 1e15] {
        let seen = drawn(7, 20_000, |draws| poisson(draws, mean));
        let off = |(i, count): (usize, &u64)| {
            (*count as f64 - mean + Key::of(i as u64).draws(9).unit() - 0.5) / mean.sqrt()
        };
        let seen: Vec<f64> = seen.iter().enumerate().map(off).collect();
        let (centre, variance) = moments(&seen);
        assert!(centre.abs() < 4.0 / 20_000f64.sqrt(), "{mean}: {centre}");
        assert!((variance - 1.0).abs() < 4.0 * (2.0 / 20_000f64).sqrt(), "{mean}: {variance}");
        assert!(distance(seen, normal_below) < bound(20_000), "{mean}");
    }
}

#[test]
fn gamma_numbers_have_their_law() {
    for shape in [0.01, 0.25, 0.9] {
        let seen = drawn(5, 20_000, |draws| exp(ln_gamma_number(draws, shape)));
        let off = distance(seen, |x| gamma_below(shape, x));
        assert!(off < bound(20_000), "{shape}: {off}");
    }
    for shape in [1.0, 1.5, 4.0, 100.0, 10_000.0] {
        let seen = drawn(5, 20_000, |draws| gamma_number(draws, shape));
        let off = distance(seen, |x| gamma_below(shape, x));
        assert!(off < bound(20_000), "{shape}: {off}");
    }
    for shape in [1e9, 1e15] {
        let seen = drawn(6, 20_000, |draws| gamma_number(draws, shape));
        let seen: Vec<f64> = seen.iter().map(|x| (x - shape) / shape.sqrt()).collect();
        let (mean, variance) = moments(&seen);
        assert!(mean.abs() < 4.0 / 20_000f64.sqrt(), "{shape}: {mean}");
        assert!((variance - 1.0).abs() < 4.0 * (2.0 / 20_000f64).sqrt(), "{shape}: {variance}");
        assert!(distance(seen, normal_below) < bound(20_000), "{shape}");
    }
}

#[test]
fn beta_numbers_have_their_law() {
    let seen = |shape: f64| drawn(8, 20_000, move |draws| even_beta(draws, shape));
    assert!(distance(seen(1.0), |x| x) < bound(20_000));
    assert!(distance(seen(2.0), |x| x * x * (3.0 - 2.0 * x)) < bound(20_000));
    let arcsine = |x: f64| x.sqrt().asin() * std::f64::consts::FRAC_2_PI;
    assert!(distance(seen(0.5), arcsine) < bound(20_000));
    for shape in [0.1, 30.0, 1e6, 1e12] {
        let (mean, variance) = moments(&seen(shape));
        let expected = 0.25 / (2.0 * shape + 1.0);
        assert!((mean - 0.5).abs() < 4.0 * (expected / 20_000.0).sqrt(), "{shape}");
        assert!((variance / expected - 1.0).abs() < 0.05, "{shape}: {variance}");
    }
}
