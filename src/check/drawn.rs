//! What is drawn: `walk`, `chaos` and `arrivals`, each with the key that it follows from.

use super::lower::is_silent;
use super::{Checker, proof};
use crate::ast::{Arrival, Chaos, Expr, Name, Walk};
use crate::exact::{Exact, to_f64};
use crate::problem::{Code, Problem};
use crate::random::{Key, Kind};
use crate::schedule::Block;
use crate::source::Span;
use crate::timeline::curve::{Arrivals, Curve};
use std::collections::BTreeMap;

/// How much bumpier, or smoother, than a Poisson process arrivals may be.
const CV_RANGE: (Exact, Exact) = (Exact::new_raw(1, 100), Exact::new_raw(100, 1));

/// What the phrases of a stream are drawn by: the stream's key, and how many of each kind there
/// have been.
pub(super) struct Draws {
    key: Key,
    walks: usize,
    chaoses: usize,
    jitters: usize,
    /// Calls of each shape.
    calls: BTreeMap<String, usize>,
    /// Where the stream's arrivals are drawn in number.
    numbers: Option<Span>,
    /// They are `poisson exact`, outside of any block with its own.
    exact: bool,
    blocks: usize,
}

impl Default for Draws {
    fn default() -> Draws {
        Draws {
            key: Key::stream(0, None),
            walks: 0,
            chaoses: 0,
            jitters: 0,
            calls: BTreeMap::new(),
            numbers: None,
            exact: false,
            blocks: 0,
        }
    }
}

/// How jobs lie along a curve, and what by.
#[derive(Clone, Copy, Debug)]
pub(super) struct Drawing {
    /// How.
    pub arrivals: Arrivals,
    /// The key of what is drawn.
    pub key: u64,
}

/// The next of a kind.
fn next(count: &mut usize) -> usize {
    *count += 1;
    *count - 1
}

impl Draws {
    /// What the next call of a shape is drawn by: its ordinal among the calls of that shape in this
    /// stream, or in the call around it.
    pub fn of_call(&mut self, shape: &str) -> Draws {
        let ordinal = next(self.calls.entry(shape.to_owned()).or_default());
        let key = self.key.named(Kind::Call, shape).indexed(Kind::Pass, ordinal);
        Draws { key, numbers: self.numbers, exact: self.exact, ..Draws::default() }
    }
}

impl Checker<'_> {
    /// What follows belongs to this stream.
    pub(super) fn begin_stream(
        &mut self,
        seed: u64,
        load: Option<&Name>,
        (arrivals, place): (Arrivals, Span),
    ) -> Drawing {
        let key = Key::stream(seed, load.map(|name| name.node.as_str()));
        let certain = matches!(arrivals, Arrivals::Even | Arrivals::Poisson { exact: true });
        self.draws = Draws { key, numbers: (!certain).then_some(place), ..Draws::default() };
        self.draws.exact = arrivals == Arrivals::Poisson { exact: true };
        self.blocks.clear();
        self.warmups.clear();
        self.waits.clear();
        self.speeds.clear();
        Drawing { arrivals, key: key.indexed(Kind::Arrivals, 0).value() }
    }

    /// The arrivals that a scope chooses; even ones where they are wrong, which has been said.
    pub(super) fn chosen_arrivals(
        &mut self,
        chosen: Option<(&Arrival, Span)>,
    ) -> Option<(Arrivals, Span)> {
        let (arrival, span) = chosen?;
        Some((self.arrivals(arrival).unwrap_or(Arrivals::Even), span))
    }

    /// `None` if they are wrong, which has been said.
    fn arrivals(&mut self, arrival: &Arrival) -> Option<Arrivals> {
        match arrival {
            Arrival::Even => Some(Arrivals::Even),
            Arrival::Poisson { exact } => Some(Arrivals::Poisson { exact: *exact }),
            Arrival::Gamma(cv) => {
                let value = self.plain(cv)?;
                if value < CV_RANGE.0 || value > CV_RANGE.1 {
                    let message = "this coefficient of variation is out of its range";
                    self.report(Problem::error(Code::OutOfRange, cv.span, message).help(
                        "it lies between 0.01 and 100: 1 is a Poisson process, more is burstier",
                    ));
                    return None;
                }
                Some(Arrivals::Gamma { cv: to_f64(&value) })
            }
        }
    }

    /// `arrivals poisson { … }`: what is inside has arrivals of its own.
    pub(super) fn arrivals_block(
        &mut self,
        arrival: &Arrival,
        head: Span,
        shared: bool,
        body: impl FnOnce(&mut Self) -> Option<Vec<Curve>>,
    ) -> Option<Curve> {
        let mark = self.mark_in_hand;
        let arrivals = self.arrivals(arrival);
        if shared {
            self.report(
                Problem::error(
                    Code::Misplaced,
                    head,
                    "`arrivals` within a sum or a jitter does not belong here",
                )
                .label("no job in here is its own")
                .help("put it around the whole of it, or give that part a `load` of its own"),
            );
        }
        let key = self.draws.key.indexed(Kind::Arrivals, 1 + next(&mut self.draws.blocks)).value();
        let certain =
            matches!(arrivals, None | Some(Arrivals::Even | Arrivals::Poisson { exact: true }));
        let numbers = (!certain).then_some(head);
        let outer = (self.draws.numbers, self.draws.exact);
        (self.draws.numbers, self.draws.exact) = (numbers, false);
        let body = body(self);
        (self.draws.numbers, self.draws.exact) = outer;
        let (arrivals, body) = (arrivals?, Box::new(Curve::Sequence(body?)));
        self.blocks.push(Block { mark, arrivals, key });
        Some(Curve::Arrivals { arrivals, body })
    }

    /// A total in `poisson exact` is a part of its own, so that it has exactly its jobs.
    pub(super) fn exact_total(&mut self, mark: u32, shared: bool) {
        if self.draws.exact && !shared {
            let key =
                self.draws.key.indexed(Kind::Arrivals, 1 + next(&mut self.draws.blocks)).value();
            self.blocks.push(Block { mark, arrivals: Arrivals::Poisson { exact: true }, key });
        }
    }

    /// A total is a number of jobs, which some arrivals leave to chance: those of the stream, or of a
    /// block around it or in it.
    pub(super) fn total_of_drawn(&mut self, total: Span, head: Span, body: &Curve) {
        let Some(numbers) = self.uncertain(body, self.draws.numbers) else { return };
        let numbers = if numbers == Span::default() { head } else { numbers };
        self.report(
            Problem::error(
                Code::DrawnTotal,
                total,
                "a total needs arrivals whose number is not left to chance",
            )
            .label("exactly so many jobs")
            .and(numbers, "draws how many jobs there are")
            .help("write `arrivals poisson exact`, which scatters exactly that many, or leave the total out"),
        );
    }

    /// Where the arrivals of something in a curve leave their number to chance, if any do; `around` is
    /// where those around it do.
    fn uncertain(&self, curve: &Curve, around: Option<Span>) -> Option<Span> {
        match curve {
            silent if is_silent(silent) => None,
            Curve::Arrivals {
                arrivals: Arrivals::Even | Arrivals::Poisson { exact: true },
                body,
            } => self.uncertain(body, None),
            Curve::Arrivals { body, .. } => self.uncertain(body, around.or(Some(Span::default()))),
            Curve::Mark { id, body } => {
                // A block's place is that of its phrase.
                let own = matches!(**body, Curve::Arrivals { .. } | Curve::Total { .. });
                let found = self.uncertain(body, around)?;
                let unplaced = own && found == Span::default();
                Some(if unplaced { proof::fault_span(&self.marks, Some(*id)) } else { found })
            }
            Curve::Sequence(parts) | Curve::Together(parts) => {
                parts.iter().find_map(|part| self.uncertain(part, around))
            }
            Curve::Repeat { body, .. }
            | Curve::Scale { body, .. }
            | Curve::Cap { body, .. }
            | Curve::Floor { body, .. }
            | Curve::Speed { body, .. }
            | Curve::Total { body, .. }
            | Curve::Hours { body, .. }
            | Curve::Jitter { body, .. }
            | Curve::Cut { body, .. } => self.uncertain(body, around),
            Curve::Constant { .. }
            | Curve::Ramp { .. }
            | Curve::Sine { .. }
            | Curve::Walk { .. }
            | Curve::Chaos { .. }
            | Curve::Replay { .. }
            | Curve::Moments { .. }
            | Curve::AtOnce { .. } => around,
        }
    }

    /// What the next `jitter` is drawn by.
    pub(super) fn jitter_key(&mut self) -> u64 {
        let ordinal = next(&mut self.draws.jitters);
        self.draws.key.indexed(Kind::Jitter, ordinal).value()
    }

    pub(super) fn walk(&mut self, walk: &Walk) -> Option<Curve> {
        let ordinal = next(&mut self.draws.walks);
        let (from, by) = (self.rate(&walk.from), self.rate(&walk.by));
        let (every, length) = (self.some_duration(&walk.every), self.length(&walk.length));
        let within = walk.within.as_ref().map(|(low, high)| self.rates(low, high));
        let within = match within {
            Some(within) => Some(within?),
            None => None,
        };
        let from = from?;
        if let (Some((low, high)), Some((_, end))) = (within, &walk.within)
            && !(low..=high).contains(&from)
        {
            let message = "this walk starts outside of its bounds";
            self.report(
                Problem::error(Code::BadShape, walk.from.span, message)
                    .label("starts here")
                    .and(end.span, "and must stay within these")
                    .help("let it start between them, or widen them"),
            );
            return None;
        }
        let key = self.draws.key.indexed(Kind::Walk, ordinal).value();
        Some(Curve::Walk { from, by: by?, every: every?, within, length: length?, key })
    }

    pub(super) fn chaos(&mut self, chaos: &Chaos) -> Option<Curve> {
        let ordinal = next(&mut self.draws.chaoses);
        let levels = self.rates(&chaos.low, &chaos.high);
        let shortest = self.some_duration(&chaos.every.0);
        let longest = match &chaos.every.1 {
            Some(longest) => self.some_duration(longest),
            None => shortest,
        };
        let length = self.length(&chaos.length);
        let (shortest, longest) = (shortest?, longest?);
        if longest < shortest {
            let high = chaos.every.1.as_ref().map_or(chaos.every.0.span, |expr| expr.span);
            self.range_order(chaos.every.0.span, high);
            return None;
        }
        let (low, high) = levels?;
        let key = self.draws.key.indexed(Kind::Chaos, ordinal).value();
        Some(Curve::Chaos { low, high, every: (shortest, longest), length: length?, key })
    }

    /// Two rates, the lower one first.
    fn rates(&mut self, low: &Expr, high: &Expr) -> Option<(Exact, Exact)> {
        let (a, b) = (self.rate(low), self.rate(high));
        let (a, b) = (a?, b?);
        if b < a {
            self.range_order(low.span, high.span);
            return None;
        }
        Some((a, b))
    }
}
