//! The language's definition in exact fractions of any size: polynomial curves unrolled into pieces,
//! and Λ, counts and due times straight from their formulas. Shares nothing with the timeline.

use crate::ast::RampCurve;
use crate::exact::Exact;
use crate::timeline::curve::Curve;
use num_bigint::BigInt;
use num_rational::Ratio;
use num_traits::{ToPrimitive, Zero};

pub type Big = Ratio<BigInt>;

pub fn big(value: &Exact) -> Big {
    Big::new(BigInt::from(*value.numer()), BigInt::from(*value.denom()))
}

pub fn int(value: i64) -> Big {
    Big::from_integer(BigInt::from(value))
}

/// Rates by powers of the time since `start`, in jobs per second.
#[derive(Clone, Debug)]
struct Piece {
    start: Big,
    end: Big,
    rate: Vec<Big>,
}

#[derive(Clone, Debug, Default)]
pub struct Oracle {
    length: Big,
    pieces: Vec<Piece>,
    jumps: Vec<(Big, Big)>,
}

fn value(powers: &[Big], x: &Big) -> Big {
    powers.iter().rev().fold(Big::zero(), |sum, power| sum * x + power)
}

fn integral(powers: &[Big], x: &Big) -> Big {
    let divided = powers.iter().enumerate().map(|(n, power)| power / int(n as i64 + 1));
    value(&divided.collect::<Vec<_>>(), x) * x
}

/// The polynomial in x + by.
fn moved(powers: &[Big], by: &Big) -> Vec<Big> {
    let mut out: Vec<Big> = Vec::new();
    for power in powers.iter().rev() {
        let mut next = vec![Big::zero(); out.len() + 1];
        for (n, coefficient) in out.iter().enumerate() {
            next[n] += coefficient * by;
            next[n + 1] += coefficient;
        }
        next[0] += power;
        out = next;
    }
    out
}

impl Oracle {
    pub fn new(curve: &Curve) -> Oracle {
        match curve {
            Curve::Constant { rate, length } => one(big(length.as_ref().unwrap()), vec![big(rate)]),
            Curve::Ramp { from, to, over, curve, mirrored } => {
                let (a, b, t) = (big(from), big(to), big(over));
                if t.is_zero() {
                    return Oracle::default();
                }
                let d = &b - &a;
                let way = match curve {
                    RampCurve::Linear => vec![a, d / &t],
                    RampCurve::Smooth => {
                        vec![a, int(0), int(3) * &d / (&t * &t), int(-2) * d / (&t * &t * &t)]
                    }
                    _ => panic!("no polynomial"),
                };
                if !mirrored {
                    return one(t, way);
                }
                // way(T − t): turn time about, then move.
                let turned: Vec<Big> = way
                    .iter()
                    .enumerate()
                    .map(|(n, power)| if n % 2 == 0 { power.clone() } else { -power })
                    .collect();
                let back = moved(&turned, &-t.clone());
                one(t, back)
            }
            Curve::AtOnce { jobs } => Oracle {
                jumps: vec![(int(0), Big::from_integer(BigInt::from(*jobs)))],
                ..Oracle::default()
            },
            Curve::Sequence(items) => {
                items.iter().fold(Oracle::default(), |all, item| all.then(&Oracle::new(item)))
            }
            Curve::Repeat { times, body } => {
                let body = Oracle::new(body);
                (0..times.unwrap()).fold(Oracle::default(), |all, _| all.then(&body))
            }
            Curve::Together(members) => {
                members.iter().fold(Oracle::default(), |all, item| all.plus(&Oracle::new(item)))
            }
            Curve::Scale { factor, body } => Oracle::new(body).times(&big(factor)),
            Curve::Speed { factor, body } => Oracle::new(body).sped(&big(factor)),
            Curve::Total { jobs, body } => {
                let body = Oracle::new(body);
                let factor = Big::from_integer(BigInt::from(*jobs)) / body.total();
                body.times(&factor)
            }
            Curve::Cap { rate, body } => Oracle::new(body).held(&big(rate), true),
            Curve::Floor { rate, body } => Oracle::new(body).held(&big(rate), false),
            Curve::Cut { length, body } => Oracle::new(body).cut(&big(length)),
            Curve::Mark { body, .. } => Oracle::new(body),
            Curve::Sine { .. } => panic!("no polynomial"),
            Curve::Walk { .. }
            | Curve::Chaos { .. }
            | Curve::Replay { .. }
            | Curve::Moments { .. }
            | Curve::Hours { .. }
            | Curve::Jitter { .. }
            | Curve::Arrivals { .. } => {
                panic!("no formula")
            }
        }
    }

    fn then(mut self, next: &Oracle) -> Oracle {
        for piece in &next.pieces {
            self.pieces.push(Piece {
                start: &piece.start + &self.length,
                end: &piece.end + &self.length,
                rate: piece.rate.clone(),
            });
        }
        self.jumps.extend(next.jumps.iter().map(|(at, jobs)| (at + &self.length, jobs.clone())));
        self.length += &next.length;
        self
    }

    fn plus(mut self, other: &Oracle) -> Oracle {
        self.pieces.extend(other.pieces.iter().cloned());
        self.jumps.extend(other.jumps.iter().cloned());
        self.length = self.length.max(other.length.clone());
        self
    }

    fn times(mut self, factor: &Big) -> Oracle {
        for piece in &mut self.pieces {
            piece.rate.iter_mut().for_each(|power| *power *= factor);
        }
        self.jumps.iter_mut().for_each(|(_, jobs)| *jobs *= factor);
        self
    }

    fn sped(mut self, factor: &Big) -> Oracle {
        for piece in &mut self.pieces {
            piece.start /= factor;
            piece.end /= factor;
            let mut power = factor.clone();
            for coefficient in &mut piece.rate {
                *coefficient *= &power;
                power *= factor;
            }
        }
        self.jumps.iter_mut().for_each(|(at, _)| *at /= factor);
        self.length /= factor;
        self
    }

    fn cut(mut self, length: &Big) -> Oracle {
        if *length >= self.length {
            return self;
        }
        self.pieces.retain(|piece| piece.start < *length);
        for piece in &mut self.pieces {
            piece.end = piece.end.clone().min(length.clone());
        }
        self.jumps.retain(|(at, _)| at <= length);
        self.length = length.clone();
        self
    }

    /// Held at or below (above) a level. Overlapping pieces are added up first.
    fn held(self, level: &Big, cap: bool) -> Oracle {
        let mut borders: Vec<Big> = vec![int(0), self.length.clone()];
        for piece in &self.pieces {
            borders.extend([piece.start.clone(), piece.end.clone()]);
        }
        borders.sort();
        borders.dedup();
        let mut pieces = Vec::new();
        for pair in borders.windows(2) {
            let (start, end) = (&pair[0], &pair[1]);
            let mut rate = vec![int(0), int(0)];
            for piece in &self.pieces {
                if piece.start <= *start && *end <= piece.end {
                    for (n, power) in
                        moved(&piece.rate, &(start - &piece.start)).into_iter().enumerate()
                    {
                        assert!(n < 2, "only straight lines are held");
                        rate[n] += power;
                    }
                }
            }
            let mut ends = vec![start.clone(), end.clone()];
            if !rate[1].is_zero() {
                let crossing = start + (level - &rate[0]) / &rate[1];
                if *start < crossing && crossing < *end {
                    ends.insert(1, crossing);
                }
            }
            for pair in ends.windows(2) {
                let middle = (&pair[0] + &pair[1]) / int(2) - start;
                let inside = (value(&rate, &middle) <= *level) == cap;
                let own = moved(&rate, &(&pair[0] - start));
                pieces.push(Piece {
                    start: pair[0].clone(),
                    end: pair[1].clone(),
                    rate: if inside { own } else { vec![level.clone()] },
                });
            }
        }
        Oracle { pieces, ..self }
    }

    /// Λ(t), jumps at t included; t in seconds.
    pub fn cumulative(&self, t: &Big) -> Big {
        let mut sum = Big::zero();
        for piece in &self.pieces {
            if *t > piece.start {
                let until = t.clone().min(piece.end.clone());
                sum += integral(&piece.rate, &(until - &piece.start));
            }
        }
        for (at, jobs) in &self.jumps {
            if at <= t {
                sum += jobs;
            }
        }
        sum
    }

    pub fn total(&self) -> Big {
        self.cumulative(&self.length)
    }

    pub fn jobs(&self) -> u64 {
        rounded(&self.total())
    }

    pub fn length_ns(&self) -> u64 {
        (&self.length * int(1_000_000_000)).ceil().to_integer().to_u64().unwrap()
    }

    pub fn jobs_by(&self, t_ns: u64) -> u64 {
        rounded(&self.cumulative(&seconds(t_ns)))
    }

    /// By halving, from the definition.
    pub fn time_of(&self, k: u64) -> u64 {
        let goal = Big::new(BigInt::from(k) * 2 - 1, BigInt::from(2));
        let (mut low, mut high) = (0, self.length_ns());
        while low < high {
            let middle = low + (high - low) / 2;
            if self.cumulative(&seconds(middle)) >= goal {
                high = middle;
            } else {
                low = middle + 1;
            }
        }
        low
    }
}

fn one(length: Big, rate: Vec<Big>) -> Oracle {
    if length.is_zero() {
        return Oracle::default();
    }
    let piece = Piece { start: int(0), end: length.clone(), rate };
    Oracle { length, pieces: vec![piece], jumps: Vec::new() }
}

pub fn seconds(t_ns: u64) -> Big {
    Big::new(BigInt::from(t_ns), BigInt::from(1_000_000_000))
}

fn rounded(count: &Big) -> u64 {
    (count + Big::new(BigInt::from(1), BigInt::from(2))).floor().to_integer().to_u64().unwrap()
}
