//! `arrivals poisson`: the number of jobs is drawn first, then where they lie.
//!
//! Given their number, the points of a Poisson process are independent and uniform in Λ-space. How
//! many of n such points lie in the first half is the number of heads among n fair coins, and the
//! same is true of each half again; so any point is found by halving, without those before it.

use super::drawn::Points;
use super::law::{fair_coins, poisson};
use crate::random::Key;
use crate::timeline::Dd;

/// So few points are drawn one by one.
const FEW: u64 = 4;
/// How often an interval is halved at most; then whatever is in it is drawn one by one.
const DEEPEST: u32 = 52;

/// Uniform points from 0 to `total`.
#[derive(Clone, Debug)]
pub struct Scatter {
    key: Key,
    total: Dd,
    len: u64,
}

/// A place on the way down: an interval that has been halved `depth` times, as a node of a binary
/// tree (the root is 1, the halves of i are 2i and 2i + 1), and how many points it holds.
#[derive(Clone, Copy)]
struct Interval {
    depth: u32,
    node: u64,
    len: u64,
}

impl Scatter {
    /// A Poisson process of rate 1 up to `total`.
    pub fn poisson(total: Dd, key: Key) -> Scatter {
        let len = if total.hi > 0.0 { poisson(&mut key.draws(0), total.hi) } else { 0 };
        Scatter { key, total, len }
    }

    /// So many points, wherever there is room.
    pub fn exact(len: u64, total: Dd, key: Key) -> Scatter {
        Scatter { key, total, len: if total.hi > 0.0 { len } else { 0 } }
    }

    /// Where a place in 2⁶⁴ equal cells is: in their middle.
    fn position_of(&self, cell: u64) -> Dd {
        let middle = Dd::from_u64(cell) + Dd::new(0.5);
        self.total * middle.scale_by_power(2f64.powi(-64))
    }

    /// The last cell whose middle is not above a position; `None` if there is none.
    fn cell_at(&self, position: Dd) -> Option<u64> {
        let share = (position / self.total).scale_by_power(2f64.powi(64)) - Dd::new(0.5);
        let mut cell = share.floor_u64();
        // The division has rounded; what counts is the product.
        while cell < u64::MAX && self.position_of(cell + 1) <= position {
            cell += 1;
        }
        while self.position_of(cell) > position {
            cell = cell.checked_sub(1)?;
        }
        Some(cell)
    }

    fn root(&self) -> Interval {
        Interval { depth: 0, node: 1, len: self.len }
    }

    /// Both halves of an interval; `None` where its points are drawn one by one.
    fn halves(&self, interval: Interval) -> Option<(Interval, Interval)> {
        let Interval { depth, node, len } = interval;
        if len <= FEW || depth >= DEEPEST {
            return None;
        }
        let first = fair_coins(&mut self.key.draws(node), len);
        let half = |node, len| Interval { depth: depth + 1, node, len };
        Some((half(2 * node, first), half(2 * node + 1, len - first)))
    }

    /// The cells of an interval's points, in order.
    fn cells(&self, interval: Interval) -> Vec<u64> {
        let Interval { depth, node, len } = interval;
        let first = if depth == 0 { 0 } else { node << (64 - depth) };
        let mut draws = self.key.draws(node);
        let mut cells: Vec<u64> = (0..len).map(|_| first | draws.word() >> depth).collect();
        cells.sort_unstable();
        cells
    }
}

impl Points for Scatter {
    fn count(&self) -> u64 {
        self.len
    }

    fn position(&self, k: u64) -> Dd {
        let (mut interval, mut before) = (self.root(), 0);
        while let Some((first, second)) = self.halves(interval) {
            if k - before <= first.len {
                interval = first;
            } else {
                before += first.len;
                interval = second;
            }
        }
        let cells = self.cells(interval);
        self.position_of(cells[(k - before - 1) as usize])
    }

    fn count_to(&self, position: Dd) -> u64 {
        if position >= self.total {
            return self.len;
        }
        let Some(cell) = self.cell_at(position) else { return 0 };
        let (mut interval, mut count) = (self.root(), 0);
        while let Some((first, second)) = self.halves(interval) {
            let is_first = cell >> (63 - interval.depth) & 1 == 0;
            if is_first {
                interval = first;
            } else {
                count += first.len;
                interval = second;
            }
        }
        let cells = self.cells(interval);
        count + cells.iter().filter(|inside| **inside <= cell).count() as u64
    }
}
