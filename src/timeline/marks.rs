//! What each marked part holds: where it starts and ends, its jobs and its rates.

use super::locate::{Side, slack};
use super::node::{Kind, Node};
use super::num::Num;
use super::{Dd, NANOS};
use std::rc::Rc;

/// Marks met within more passes than this have a share instead of an exact count.
const MAX_PASSES: u64 = 10_000;

/// A marked part of a curve.
#[derive(Clone, Debug, PartialEq)]
pub struct MarkSpan {
    /// Its name.
    pub id: u32,
    /// Where it starts, in nanoseconds from the stream's start, rounded up; of its first pass. For
    /// a part that is never reached, the end of the stream.
    pub start_ns: u64,
    /// Where it ends, likewise; `u64::MAX` if it never does.
    pub end_ns: u64,
    /// Its jobs in all passes.
    pub jobs: MarkJobs,
    /// The rate at its start, in jobs per second.
    pub rate_start_per_s: f64,
    /// The rate just before its end.
    pub rate_end_per_s: f64,
    /// The supremum of its rate: within a sum, that of its own.
    pub peak_per_s: f64,
    /// How often it is gone through, a last one that is cut short included; `u64::MAX` is for ever.
    pub passes: u64,
}

/// The jobs of a marked part.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum MarkJobs {
    /// So many.
    Exact(u64),
    /// A part of a sum, or one of very many passes, has no jobs of its own, only a share.
    Share(f64),
}

/// Where the walk is: the passes of everything around, and the first of them.
#[derive(Clone)]
struct Place {
    start: Num,
    /// Jobs before each pass of what is around; `None` within a sum.
    counts: Option<Rc<Vec<Dd>>>,
    /// Jobs from there on.
    offset: Num,
    passes: u64,
}

/// The marks of a tree, in the order of `ids`, where `jobs` tells how many jobs are due by a count.
pub fn marks(root: &Node, ids: &[u32], jobs: &dyn Fn(Dd) -> u64) -> Vec<MarkSpan> {
    let counts = Some(Rc::new(vec![Dd::ZERO]));
    let place = Place { start: Num::zero(), counts, offset: Num::zero(), passes: 1 };
    let mut marks = Marks { found: Vec::with_capacity(ids.len()), jobs };
    marks.walk(root, &place);
    let found = joined(marks.found);
    let end_ns = root.length.map_or(u64::MAX, whole_nanos);
    let never = |id| MarkSpan {
        id,
        start_ns: end_ns,
        end_ns,
        jobs: MarkJobs::Exact(0),
        rate_start_per_s: 0.0,
        rate_end_per_s: 0.0,
        peak_per_s: 0.0,
        passes: 0,
    };
    let span = |id: &u32| {
        let at = found.binary_search_by_key(id, |span| span.id);
        at.map_or_else(|_| never(*id), |at| found[at].clone())
    };
    ids.iter().map(span).collect()
}

fn whole_nanos(time: Num) -> u64 {
    let time = time.dd();
    (time - Dd::new(slack(time))).ceil_u64()
}

/// The marks met.
struct Marks<'j> {
    found: Vec<MarkSpan>,
    jobs: &'j dyn Fn(Dd) -> u64,
}

impl Marks<'_> {
    fn walk(&mut self, node: &Node, place: &Place) {
        match &node.kind {
            Kind::Piece(_) | Kind::Jump => {}
            Kind::Mark { id, body } => {
                self.found.push(span(*id, body, place, self.jobs));
                // Most are single shapes, whose pieces need not be added up again.
                if holds_mark(body) {
                    self.walk(body, place);
                }
            }
            // Its phrases have shares: what falls due in one is moved about with the seconds.
            Kind::Jitter(jitter) => {
                self.walk(&jitter.body, &Place { counts: None, ..place.clone() });
            }
            Kind::Together { members, .. } => {
                let inner = Place { counts: None, ..place.clone() };
                members.iter().for_each(|member| self.walk(member, &inner));
            }
            Kind::Sequence(sequence) => {
                let mut place = place.clone();
                for item in &sequence.items {
                    self.walk(item, &place);
                    let (Some(length), Some(total)) = (item.length, item.total) else { break };
                    place.start = place.start.plus(length);
                    place.offset = place.offset.plus(total);
                }
            }
            Kind::Repeat { body, times } => self.walk(body, &repeated(place, body, *times)),
        }
    }
}

/// Whether there is any mark within.
fn holds_mark(node: &Node) -> bool {
    match &node.kind {
        Kind::Piece(_) | Kind::Jump => false,
        Kind::Mark { .. } => true,
        Kind::Jitter(jitter) => holds_mark(&jitter.body),
        Kind::Together { members, .. } => members.iter().any(holds_mark),
        Kind::Sequence(sequence) => sequence.items.iter().any(holds_mark),
        Kind::Repeat { body, .. } => holds_mark(body),
    }
}

/// Where some marks lie, in counts; false if there are too many.
pub fn places(
    node: &Node,
    ids: &[u32],
    before: Dd,
    most: usize,
    found: &mut Vec<(u32, Dd, Dd)>,
) -> bool {
    match &node.kind {
        Kind::Mark { id, body } if ids.contains(id) => {
            let total = body.total.map_or(Dd::ZERO, |total| total.dd());
            found.push((*id, before, before + total));
            found.len() <= most
        }
        Kind::Mark { body, .. } => places(body, ids, before, most, found),
        Kind::Sequence(sequence) => {
            let mut items = sequence.items.iter().zip(&sequence.sums);
            items.all(|(item, sum)| places(item, ids, before + *sum, most, found))
        }
        Kind::Repeat { body, times } => {
            let one = body.total.map_or(Dd::ZERO, |total| total.dd());
            for pass in 0..times.unwrap_or(0) {
                let had = found.len();
                if !places(body, ids, before + one * Dd::from_u64(pass), most, found) {
                    return false;
                }
                // Without any in the first pass there are none in the others.
                if found.len() == had {
                    break;
                }
            }
            true
        }
        Kind::Piece(_) | Kind::Jump | Kind::Jitter(_) | Kind::Together { .. } => true,
    }
}

/// One pass of a marked part.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Stretch {
    /// The mark.
    pub id: u32,
    /// Where it starts, in nanoseconds from the stream's start, rounded up.
    pub start_ns: u64,
    /// Where it ends, likewise; `u64::MAX` if it never does.
    pub end_ns: u64,
    /// What the curve has come to at its start and at its end; `None` within a sum, where neither
    /// is its own.
    pub counts: Option<(Dd, Dd)>,
}

/// Every pass of some marks, in the order of the curve; false if there are more than `most`.
pub fn stretches(
    node: &Node,
    ids: &[u32],
    (start, before): (Num, Option<Num>),
    most: usize,
    found: &mut Vec<Stretch>,
) -> bool {
    let next = |at: Option<Num>, total: Option<Num>| Some(at?.plus(total?));
    match &node.kind {
        Kind::Mark { id, body } => {
            if ids.contains(id) {
                let counts = before.zip(next(before, body.total));
                found.push(Stretch {
                    id: *id,
                    start_ns: whole_nanos(start),
                    end_ns: body.length.map_or(u64::MAX, |length| whole_nanos(start.plus(length))),
                    counts: counts.map(|(from, to)| (from.dd(), to.dd())),
                });
            }
            found.len() <= most && stretches(body, ids, (start, before), most, found)
        }
        Kind::Sequence(sequence) => {
            let (mut start, mut before) = (start, before);
            for item in &sequence.items {
                if !stretches(item, ids, (start, before), most, found) {
                    return false;
                }
                let Some(length) = item.length else { break };
                start = start.plus(length);
                before = next(before, item.total);
            }
            true
        }
        Kind::Repeat { body, times } => {
            let length = body.length.unwrap_or(Num::zero());
            for pass in 0..times.unwrap_or(1) {
                let (had, passed) = (found.len(), Num::whole(pass));
                let at = start.plus(length.times(passed));
                let count = next(before, body.total.map(|total| total.times(passed)));
                if !stretches(body, ids, (at, count), most, found) {
                    return false;
                }
                // Without any in the first pass there are none in the others.
                if found.len() == had {
                    break;
                }
            }
            true
        }
        Kind::Together { members, .. } => {
            members.iter().all(|member| stretches(member, ids, (start, None), most, found))
        }
        Kind::Jitter(jitter) => stretches(&jitter.body, ids, (start, None), most, found),
        Kind::Piece(_) | Kind::Jump => true,
    }
}

fn repeated(place: &Place, body: &Node, times: Option<u64>) -> Place {
    let passes = times.map_or(u64::MAX, |times| times.saturating_mul(place.passes));
    let one = body.total.unwrap_or(Num::zero());
    let counts = place.counts.as_ref().filter(|_| passes <= MAX_PASSES).map(|counts| {
        let pass = |k: u64| place.offset.plus(one.times(Num::whole(k))).dd();
        let own: Vec<Dd> = (0..times.unwrap_or(0)).map(pass).collect();
        Rc::new(counts.iter().flat_map(|count| own.iter().map(|own| *count + *own)).collect())
    });
    Place { start: place.start, counts, offset: Num::zero(), passes }
}

fn span(id: u32, body: &Node, place: &Place, jobs_to: &dyn Fn(Dd) -> u64) -> MarkSpan {
    let jobs = match (&place.counts, body.total) {
        (Some(counts), Some(total)) => {
            let (first, last) = (place.offset.dd(), place.offset.plus(total).dd());
            let jobs = |count: &Dd| jobs_to(*count + last).saturating_sub(jobs_to(*count + first));
            MarkJobs::Exact(counts.iter().map(jobs).sum())
        }
        (_, Some(total)) => MarkJobs::Share(total.dd().hi * place.passes as f64),
        (_, None) => MarkJobs::Share(f64::INFINITY),
    };
    let end = body.length.map(|length| place.start.plus(length));
    let last = body.length.map(|length| length.dd());
    let rate_end = last.map(|last| body.rate(last, slack(last), Side::Left));
    MarkSpan {
        id,
        start_ns: whole_nanos(place.start),
        end_ns: end.map_or(u64::MAX, whole_nanos),
        jobs,
        rate_start_per_s: (body.rate(Dd::ZERO, slack(Dd::ZERO), Side::Right) * NANOS).hi,
        rate_end_per_s: rate_end.map_or(0.0, |rate| (rate * NANOS).hi),
        peak_per_s: (super::peak::peak(body) * NANOS).hi,
        passes: place.passes,
    }
}

/// Each mark once, by their names: joins further places of the same mark, such as a last pass that is
/// cut short.
fn joined(mut spans: Vec<MarkSpan>) -> Vec<MarkSpan> {
    spans.sort_by_key(|span| span.id);
    spans.dedup_by(|span, first| {
        if span.id != first.id {
            return false;
        }
        first.jobs = match (first.jobs, span.jobs) {
            (MarkJobs::Exact(a), MarkJobs::Exact(b)) => MarkJobs::Exact(a.saturating_add(b)),
            (a, b) => MarkJobs::Share(a.as_f64() + b.as_f64()),
        };
        first.passes = first.passes.saturating_add(span.passes);
        first.peak_per_s = first.peak_per_s.max(span.peak_per_s);
        true
    });
    spans
}

impl MarkJobs {
    /// The number, whichever it is.
    pub fn as_f64(self) -> f64 {
        match self {
            MarkJobs::Exact(jobs) => jobs as f64,
            MarkJobs::Share(jobs) => jobs,
        }
    }
}
