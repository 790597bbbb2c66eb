//! What the tests of drawn numbers measure by. Nothing here is shared with what draws them.

/// The greatest distance of the seen distribution from the expected one (Kolmogorov, Smirnov).
pub fn distance(mut seen: Vec<f64>, expected: impl Fn(f64) -> f64) -> f64 {
    seen.sort_by(f64::total_cmp);
    let n = seen.len() as f64;
    let off = |(i, value): (usize, &f64)| {
        let expected = expected(*value);
        (expected - i as f64 / n).abs().max((expected - (i + 1) as f64 / n).abs())
    };
    seen.iter().enumerate().map(off).fold(0.0, f64::max)
}

/// What [`distance`] exceeds once in about 1000 times.
pub fn bound(seen: usize) -> f64 {
    1.95 / (seen as f64).sqrt()
}

/// Mean and variance.
pub fn moments(seen: &[f64]) -> (f64, f64) {
    let n = seen.len() as f64;
    let mean = seen.iter().sum::<f64>() / n;
    let variance = seen.iter().map(|x| (x - mean) * (x - mean)).sum::<f64>() / (n - 1.0);
    (mean, variance)
}

/// The correlation of neighbours.
pub fn neighbours(seen: &[f64]) -> f64 {
    let (mean, variance) = moments(seen);
    let sum: f64 = seen.windows(2).map(|pair| (pair[0] - mean) * (pair[1] - mean)).sum();
    sum / (seen.len() as f64 * variance)
}

/// ln Γ(x) by Stirling's series, moved up to where that is precise.
pub fn ln_gamma(x: f64) -> f64 {
    let (mut x, mut shift) = (x, 0.0);
    while x < 20.0 {
        shift += x.ln();
        x += 1.0;
    }
    let tail = 1.0 / (12.0 * x) - 1.0 / (360.0 * x.powi(3)) + 1.0 / (1260.0 * x.powi(5));
    (x - 0.5) * x.ln() - x + 0.5 * std::f64::consts::TAU.ln() + tail - shift
}

/// The distribution function of the gamma law: a power series below the mean, a continued fraction
/// (Lentz) above.
pub fn gamma_below(shape: f64, x: f64) -> f64 {
    if x <= 0.0 {
        return 0.0;
    }
    let front = (shape * x.ln() - x - ln_gamma(shape)).exp();
    if x < shape + 1.0 {
        let (mut term, mut sum, mut n) = (1.0 / shape, 1.0 / shape, shape);
        while term > sum * 1e-16 {
            n += 1.0;
            term *= x / n;
            sum += term;
        }
        return sum * front;
    }
    let mut b = x + 1.0 - shape;
    let (mut c, mut d) = (1e300, 1.0 / b);
    let mut fraction = d;
    for i in 1..100_000 {
        let i = f64::from(i);
        let a = -i * (i - shape);
        b += 2.0;
        d = 1.0 / (a * d + b);
        c = b + a / c;
        fraction *= d * c;
        if (d * c - 1.0).abs() < 1e-15 {
            break;
        }
    }
    1.0 - front * fraction
}

/// The distribution function of the standard normal law.
pub fn normal_below(x: f64) -> f64 {
    let half = gamma_below(0.5, x * x / 2.0) / 2.0;
    if x < 0.0 { 0.5 - half } else { 0.5 + half }
}

/// χ² of counts against expected ones, cells of fewer than ten joined, less its mean, in deviations.
pub fn excess(seen: &[u64], probability: impl Fn(usize) -> f64) -> f64 {
    let draws = seen.iter().sum::<u64>() as f64;
    let (mut square, mut cells) = (0.0, 0.0);
    let (mut count, mut expected, mut rest) = (0.0, 0.0, 1.0);
    for (value, seen) in seen.iter().enumerate() {
        count += *seen as f64;
        expected += draws * probability(value);
        if expected >= 10.0 && draws * rest - expected >= 10.0 {
            square += (count - expected) * (count - expected) / expected;
            rest -= expected / draws;
            cells += 1.0;
            (count, expected) = (0.0, 0.0);
        }
    }
    let last = draws * rest;
    square += (count - last) * (count - last) / last;
    (square - cells) / (2.0 * cells).sqrt()
}
