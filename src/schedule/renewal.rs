//! `arrivals gamma`: jobs at independent gamma intervals of mean 1 in Λ-space.
//!
//! With shape a = 1/cv² and scale cv² the interval has mean 1 and the coefficient of variation cv. A
//! sum of n such intervals is a gamma number of shape n·a; and what of a sum of 2n is that of the
//! first n is a beta number of shapes n·a and n·a, whatever the sum. So blocks of 1, 2, 4, 8, …
//! intervals are drawn as sums, and any interval within is found by halving: the law is that of
//! intervals drawn one after another, with no need to do so.
//!
//! At the start the process has been going on for ever: the first job comes after the rest of an
//! interval that the start falls into, which is a uniform part of an interval chosen by its length
//! (shape a + 1). So at every instant as many jobs are expected as the curve says, from the first on.
//! At the end it is cut off: there are as many jobs as have come by Λ(T).

use super::drawn::Points;
use super::law::{even_beta, exp, gamma_number, ln_gamma_number};
use crate::random::{Key, Kind};
use crate::timeline::Dd;

/// How many blocks there may be.
const BLOCKS: u32 = 62;
/// Where a first job lies at the least, so that none is due before the curve has begun.
const EARLIEST: f64 = 1e-200;

/// Gamma intervals up to an end.
#[derive(Clone, Debug)]
pub struct Renewal {
    /// Shape of one interval.
    shape: f64,
    /// Block j: 2ʲ intervals.
    blocks: Vec<Block>,
    len: u64,
}

#[derive(Clone, Debug)]
struct Block {
    key: Key,
    /// Where its first interval starts: that is a point.
    start: Dd,
    /// Where its last interval ends.
    end: Dd,
}

impl Renewal {
    /// The process up to `total`. A `cv` outside of 0.001 to 1000 is brought to the nearer end.
    pub fn new(cv: f64, total: Dd, key: Key) -> Renewal {
        let scale = (cv * cv).clamp(1e-6, 1e6);
        let shape = 1.0 / scale;
        let mut draws = key.draws(0);
        let around = gamma_number(&mut draws, shape + 1.0) * scale;
        let mut end = Dd::new((around * draws.unit()).max(EARLIEST));
        let mut blocks = Vec::new();
        for block in 0..BLOCKS {
            let key = key.indexed(Kind::Arrivals, block as usize);
            let shape = shape * (1_u64 << block) as f64;
            let sum = if shape < 1.0 {
                exp(ln_gamma_number(&mut key.draws(0), shape))
            } else {
                gamma_number(&mut key.draws(0), shape)
            };
            let start = end;
            end = start + Dd::new(sum * scale);
            blocks.push(Block { key, start, end });
            if end > total {
                break;
            }
        }
        let mut renewal = Renewal { shape, blocks, len: 0 };
        renewal.len = if total.hi > 0.0 { renewal.count_to(total) } else { 0 };
        renewal
    }
}

/// A number of intervals of a block on the way down: a node of a binary tree as in a `Scatter`.
struct Span {
    node: u64,
    len: u64,
    start: Dd,
    end: Dd,
}

impl Span {
    fn of(block: &Block, number: usize) -> Span {
        Span { node: 1, len: 1 << number, start: block.start, end: block.end }
    }

    /// Where its first half ends.
    fn middle(&self, key: Key, shape: f64) -> Dd {
        let share = even_beta(&mut key.draws(self.node), shape * (self.len / 2) as f64);
        (self.start + (self.end - self.start) * share).max(self.start).min(self.end)
    }

    fn first(self, middle: Dd) -> Span {
        Span { node: 2 * self.node, len: self.len / 2, end: middle, ..self }
    }

    fn second(self, middle: Dd) -> Span {
        Span { node: 2 * self.node + 1, len: self.len / 2, start: middle, ..self }
    }
}

impl Points for Renewal {
    fn count(&self) -> u64 {
        self.len
    }

    /// Point k is the start of interval k; block j begins with interval 2ʲ.
    fn position(&self, k: u64) -> Dd {
        let number = (63 - k.max(1).leading_zeros() as usize).min(self.blocks.len() - 1);
        let block = &self.blocks[number];
        let mut span = Span::of(block, number);
        let mut before = k - (1 << number);
        while before > 0 && span.len > 1 {
            let middle = span.middle(block.key, self.shape);
            let half = span.len / 2;
            if before >= half {
                before -= half;
                span = span.second(middle);
            } else {
                span = span.first(middle);
            }
        }
        if before == 0 { span.start } else { span.end }
    }

    fn count_to(&self, position: Dd) -> u64 {
        let begun = self.blocks.partition_point(|block| block.start <= position);
        let Some(number) = begun.checked_sub(1) else { return 0 };
        let block = &self.blocks[number];
        let mut span = Span::of(block, number);
        let mut count = 1 << number;
        while span.len > 1 {
            let middle = span.middle(block.key, self.shape);
            let half = span.len / 2;
            if middle <= position {
                count += half;
                span = span.second(middle);
            } else {
                span = span.first(middle);
            }
        }
        count
    }
}
