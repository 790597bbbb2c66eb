//! Arrivals that differ from part to part of a stream: each part has points of its own in Λ-space.

use super::drawn::{Points, whole};
use super::scatter::Scatter;
use crate::random::{Key, Kind};
use crate::timeline::curve::Arrivals;
use crate::timeline::{Dd, Timeline, even_count, even_position};
use std::sync::Arc;

/// How many parts there may be, passes of repetitions counted one by one.
const MAX_SECTIONS: usize = 100_000;

/// A block with arrivals of its own.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Block {
    /// The mark of its phrase in the curve.
    pub mark: u32,
    /// How its jobs lie along the curve.
    pub arrivals: Arrivals,
    /// The key of what is drawn; each pass has its own.
    pub key: u64,
}

/// Parts one after another, that of the stream itself between those of its blocks.
#[derive(Debug)]
pub struct Sections {
    sections: Vec<Section>,
    count: u64,
}

#[derive(Debug)]
struct Section {
    start: Dd,
    end: Dd,
    /// Jobs before it.
    before: u64,
    /// Those of an even curve.
    even_before: u64,
    /// None are even ones.
    points: Option<Arc<dyn Points>>,
}

impl Sections {
    /// The parts of a whole curve. `None` if it never ends, or there are too many of them.
    pub fn new(
        (arrivals, key): (Arrivals, u64),
        blocks: &[Block],
        timeline: &Timeline,
    ) -> Option<Sections> {
        let total = timeline.total()?;
        let ids: Vec<u32> = blocks.iter().map(|block| block.mark).collect();
        let places = timeline.places(&ids, MAX_SECTIONS)?;
        let mut sections = Sections { sections: Vec::new(), count: 0 };
        let (mut at, mut passes) = (Dd::ZERO, vec![0; blocks.len()]);
        for (mark, start, end) in places {
            let Some(index) = ids.iter().position(|id| *id == mark) else { continue };
            let gap = sections.sections.len();
            sections.add(arrivals, Key::of(key).indexed(Kind::Pass, gap), at, start);
            let block = blocks[index];
            let pass = Key::of(block.key).indexed(Kind::Pass, passes[index]);
            passes[index] += 1;
            sections.add(block.arrivals, pass, start, end);
            at = end;
        }
        let gap = sections.sections.len();
        sections.add(arrivals, Key::of(key).indexed(Kind::Pass, gap), at, total);
        Some(sections)
    }

    fn add(&mut self, arrivals: Arrivals, key: Key, start: Dd, end: Dd) {
        if end <= start {
            return;
        }
        let even_before = even_count(start);
        let even = even_count(end).saturating_sub(even_before);
        let points: Option<Arc<dyn Points>> = match arrivals {
            Arrivals::Even => None,
            Arrivals::Poisson { exact: true } => {
                Some(Arc::new(Scatter::exact(even, end - start, key)))
            }
            drawn => whole(drawn, end - start, key),
        };
        let before = self.count;
        self.count += points.as_ref().map_or(even, |points| points.count());
        self.sections.push(Section { start, end, before, even_before, points });
    }
}

impl Points for Sections {
    fn count(&self) -> u64 {
        self.count
    }

    fn position(&self, k: u64) -> Dd {
        let index = self.sections.partition_point(|section| section.before < k).saturating_sub(1);
        let Some(section) = self.sections.get(index) else { return Dd::ZERO };
        let own = k - section.before;
        match &section.points {
            None => even_position(section.even_before + own),
            Some(points) => section.start + points.position(own),
        }
    }

    fn count_to(&self, position: Dd) -> u64 {
        let begun = self.sections.partition_point(|section| section.start <= position);
        let Some(section) = begun.checked_sub(1).map(|index| &self.sections[index]) else {
            return 0;
        };
        let position = position.min(section.end);
        section.before
            + match &section.points {
                None => even_count(position).saturating_sub(section.even_before),
                Some(points) => points.count_to(position - section.start).min(points.count()),
            }
    }
}
