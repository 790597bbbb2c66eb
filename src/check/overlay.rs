//! Phrases of a stream, and what `at 02:00 { … }` lays over them.

use super::Checker;
use super::lower::{Inside, Node};
use crate::ast::{Name, PhraseKind, Statement, StatementKind};
use crate::calendar::Start;
use crate::exact::{Exact, NANOS_PER_SECOND, checked, to_f64, whole};
use crate::problem::{Code, Problem};
use crate::show;
use crate::timeline::Timeline;
use crate::timeline::curve::Curve;

/// What a stream is called of which something is laid over the rest.
const SUM: &str = "the phrases, and what is laid over them";

/// Seconds of a day without a calendar.
const DAY_S: i64 = 86_400;

impl Checker<'_> {
    /// The phrases among some statements as one curve; other statements are not looked at. What is
    /// laid over a time of day is added to the rest from that time on.
    pub(super) fn stream_curve(
        &mut self,
        statements: &[&Statement],
        after: &Exact,
        starts: Option<&Start>,
    ) -> (Option<Curve>, Vec<Node>) {
        let (over, base): (Vec<&Statement>, Vec<&Statement>) =
            statements.iter().copied().partition(|statement| clock_of(statement).is_some());
        let shared = !over.is_empty();
        let inside = Inside { shared, parallel: shared, ..Inside::default() };
        let (parts, mut nodes) = self.parts(base.iter().copied(), inside);
        let base = parts.map(Curve::Sequence);
        if over.is_empty() {
            return (base, nodes);
        }
        let has_base = !nodes.is_empty();
        let end_ns = base.as_ref().filter(|_| has_base).and_then(length_ns);
        let mut members = base.map(|base| vec![base]);
        for statement in over {
            let Some(clock) = clock_of(statement) else { continue };
            let offset = self.offset_of(clock, after, starts);
            if let (Some(offset), Some(end_ns)) = (&offset, end_ns) {
                self.begins_in_time(clock, offset, end_ns);
            }
            let inside = Inside { overlay: true, ..inside };
            let (parts, own) = self.parts(std::iter::once(statement), inside);
            nodes.extend(own);
            let member = parts.zip(offset).map(|(parts, offset)| {
                let wait = Curve::Constant { rate: whole(0), length: Some(offset) };
                Curve::Sequence(std::iter::once(wait).chain(parts).collect())
            });
            match (member, members.as_mut()) {
                (Some(member), Some(members)) => members.push(member),
                _ => members = None,
            }
        }
        nodes.sort_by_key(|node| node.span.start);
        let span = nodes.first().map(|node| node.span).unwrap_or_default();
        // Its phrases have shares of it, and it has the jobs.
        let mark = self.next_mark(span);
        let sum = Node {
            mark,
            text: SUM.to_owned(),
            label: None,
            span,
            is_call: false,
            is_overlay: false,
            children: nodes,
        };
        let curve = members
            .map(|members| Curve::Mark { id: mark, body: Box::new(Curve::Together(members)) });
        (curve.map(|curve| Curve::Sequence(vec![curve])), vec![sum])
    }

    /// From the stream's start to the first time that a clock shows this, in seconds.
    fn offset_of(&mut self, clock: &Name, after: &Exact, starts: Option<&Start>) -> Option<Exact> {
        let clock_s = self.clock(clock, 86_399)?;
        let from_s = to_f64(after).ceil() as i64;
        let at_s = match starts {
            Some(start) => start.when_shown(clock_s, from_s)?,
            // Without a calendar the plan starts at midnight.
            None => {
                i64::from(clock_s)
                    + (from_s - i64::from(clock_s) + DAY_S - 1).max(0) / DAY_S * DAY_S
            }
        };
        checked('-', &whole(i128::from(at_s)), after)
    }

    /// Nothing is laid behind the end of the rest.
    fn begins_in_time(&mut self, clock: &Name, offset: &Exact, end_ns: u64) {
        let at_s = to_f64(offset);
        if self.shaky || at_s * (NANOS_PER_SECOND as f64) < end_ns as f64 {
            return;
        }
        let (at, end) = (show::duration((at_s * 1e9) as u64), show::duration(end_ns));
        self.report(
            Problem::error(
                Code::BehindEnd,
                clock.span,
                format!("`at {}` begins when the rest is over", clock.node),
            )
            .label(format!("{at} after the start"))
            .help(format!(
                "the other phrases last {end}: let them last longer, such as by a `pause`, or give this a `load` of its own"
            )),
        );
    }

    /// A time of day is one of the plan, not of a block.
    pub(super) fn overlay_within(&mut self, clock: &Name) {
        self.out_of_place(
            clock.span,
            "an `at` within a block",
            "a time of day is one of the whole plan: move it out, into the file or the load",
        );
    }
}

/// The time of day that a statement is laid over.
fn clock_of(statement: &Statement) -> Option<&Name> {
    let StatementKind::Phrase(phrase) = &statement.kind else { return None };
    match &phrase.kind {
        PhraseKind::At(clock, _) => Some(clock),
        _ => None,
    }
}

/// How long a curve lasts, if it ends and there is nothing wrong with it.
fn length_ns(curve: &Curve) -> Option<u64> {
    Timeline::new(curve).ok()?.length_ns()
}
