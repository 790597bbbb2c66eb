//! When marked parts are gone through, pass by pass.

use super::Timeline;
use super::locate::slack;
use super::node::{Kind, Node};
use super::num::Num;

/// The instants from `first` to `last`, both with it, in nanoseconds from the stream's start, at which
/// what falls due is of a marked part.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Pass {
    /// The first.
    pub first_ns: u64,
    /// The last.
    pub last_ns: u64,
}

impl Timeline {
    /// Every pass of some marks, in order; those that touch are one. `None` if there are more than
    /// `most`.
    ///
    /// A job due where two parts meet belongs to the earlier one; what falls due all at once belongs
    /// to the part that says so.
    pub fn passes(&self, ids: &[u32], most: usize) -> Option<Vec<Pass>> {
        let mut walk = Walk { ids, most, found: Vec::new(), jumps: Vec::new() };
        walk.node(&self.root, Num::zero(), false)?;
        let Walk { mut found, mut jumps, .. } = walk;
        jumps.sort_unstable();
        for (pass, ends_at_once) in &mut found {
            // Jobs at once right behind it are another's.
            if !*ends_at_once && jumps.binary_search(&pass.last_ns).is_ok() {
                pass.last_ns = pass.last_ns.saturating_sub(1);
            }
        }
        let mut found: Vec<Pass> = found.into_iter().map(|(pass, _)| pass).collect();
        found.sort_unstable();
        let mut joined: Vec<Pass> = Vec::new();
        for pass in found {
            match joined.last_mut() {
                Some(last) if pass.first_ns <= last.last_ns.saturating_add(1) => {
                    last.last_ns = last.last_ns.max(pass.last_ns);
                }
                _ => joined.push(pass),
            }
        }
        Some(joined)
    }
}

struct Walk<'i> {
    ids: &'i [u32],
    most: usize,
    /// Passes, and whether each ends with jobs at once of its own.
    found: Vec<(Pass, bool)>,
    /// When jobs fall due all at once.
    jumps: Vec<u64>,
}

fn nanos(time: Num) -> u64 {
    let time = time.dd();
    (time - super::Dd::new(slack(time))).ceil_u64()
}

impl Walk<'_> {
    /// `None` once there are too many.
    fn node(&mut self, node: &Node, start: Num, inside: bool) -> Option<()> {
        match &node.kind {
            Kind::Piece(_) => {}
            Kind::Jump => self.jumps.push(nanos(start)),
            Kind::Mark { id, body } => {
                let own = self.ids.contains(id);
                if own && !inside {
                    self.pass(body, start);
                }
                self.node(body, start, inside || own)?;
            }
            Kind::Jitter(jitter) => self.node(&jitter.body, start, inside)?,
            Kind::Together { members, .. } => {
                members.iter().try_for_each(|member| self.node(member, start, inside))?;
            }
            Kind::Sequence(sequence) => {
                let mut start = start;
                for item in &sequence.items {
                    self.node(item, start, inside)?;
                    let Some(length) = item.length else { break };
                    start = start.plus(length);
                }
            }
            Kind::Repeat { body, times } => {
                let length = body.length.unwrap_or(Num::zero());
                for pass in 0..times.unwrap_or(1) {
                    let had = self.found.len() + self.jumps.len();
                    self.node(body, start.plus(length.times(Num::whole(pass))), inside)?;
                    // Without any in the first pass there are none in the others.
                    if self.found.len() + self.jumps.len() == had {
                        break;
                    }
                }
            }
        }
        (self.found.len().max(self.jumps.len()) <= self.most).then_some(())
    }

    fn pass(&mut self, body: &Node, start: Num) {
        let start_ns = nanos(start);
        let last_ns = body.length.map_or(u64::MAX, |length| nanos(start.plus(length)));
        let own = last_ns == start_ns || at_once(body, true);
        let first_ns = if own { start_ns } else { start_ns + 1 };
        self.found.push((Pass { first_ns, last_ns }, at_once(body, false)));
    }
}

/// Whether a part begins, or ends, with jobs at once.
fn at_once(node: &Node, begins: bool) -> bool {
    match &node.kind {
        Kind::Piece(_) => false,
        Kind::Jump => true,
        Kind::Mark { body, .. } | Kind::Repeat { body, .. } => at_once(body, begins),
        Kind::Jitter(jitter) => at_once(&jitter.body, begins),
        Kind::Together { members, .. } => members.iter().any(|member| at_once(member, begins)),
        Kind::Sequence(sequence) => {
            let items = &sequence.items;
            let order: Box<dyn Iterator<Item = &Node>> =
                if begins { Box::new(items.iter()) } else { Box::new(items.iter().rev()) };
            for item in order {
                if at_once(item, begins) {
                    return true;
                }
                if item.lasts() {
                    return false;
                }
            }
            false
        }
    }
}
