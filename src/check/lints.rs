//! Lints that need the value of an expression, or how names are used.

use super::Checker;
use super::jobs::Draft;
use super::lower::{is_empty, is_silent};
use super::scope::Scopes;
use crate::ast::{
    CallArg, Expr, ExprKind, MixItem, Name, PhraseKind, Ramp, Script, Sine, StatementKind, Unit,
};
use crate::exact::{Exact, to_f64, whole};
use crate::problem::{Code, Problem};
use crate::show;
use crate::source::{Span, Used};
use crate::timeline::Timeline;
use crate::timeline::curve::Curve;
use num_traits::{Signed as _, Zero as _};
use std::collections::BTreeSet;

impl Checker<'_> {
    /// Notes a lint. What a parameter is in one call says nothing of the shape: of its body only
    /// what it is by itself counts.
    pub(super) fn lint(&mut self, lint: Problem) {
        let by_itself = self.calls == usize::from(self.alone);
        let known = |other: &Problem| other.code == lint.code && other.place.0 == lint.place.0;
        if by_itself && !self.lints.iter().any(known) {
            self.lints.push(lint);
        }
    }

    pub(super) fn sine_lints(&mut self, sine: &Sine, base: &Exact, amp: &Exact) {
        if amp.abs() > *base && !amp.is_zero() {
            self.lint(
                Problem::warning(Code::ClippedSine, sine.amp.span, "this wave is cut off at 0")
                    .label(format!("swings by {}", show::rate(to_f64(&amp.abs()))))
                    .and(sine.base.span, format!("about {}", show::rate(to_f64(base))))
                    .help("make `amp` at most `base`, or allow it if pauses are meant"),
            );
        }
    }

    pub(super) fn burst_lint(&mut self, on: Span, every: Span) {
        self.lint(
            Problem::warning(Code::SolidBurst, on, "this burst never ends")
                .label("lasts this long")
                .and(every, "and comes again after just that")
                .help("make `for` shorter than `every`, or write it as `constant`"),
        );
    }

    pub(super) fn ramp_lint(&mut self, ramp: &Ramp) {
        let there = ramp.from.span.to(ramp.to.span);
        self.lint(
            Problem::warning(Code::FlatRamp, there, "this ramp stays where it is")
                .label("both ends are the same")
                .help("write it as `constant`, or give it another end"),
        );
    }

    /// How many phrases have been found to send nothing.
    pub(super) fn silent_lints(&self) -> usize {
        self.lints.iter().filter(|lint| lint.code == Code::SilentPhrase).count()
    }

    /// A phrase that takes no time and sends nothing. One that lasts is looked at in the plan, which
    /// may end before it.
    pub(super) fn nothing_lint(&mut self, head: Span, curve: &Curve) {
        if is_empty(curve) && is_silent(curve) {
            self.lint(
                Problem::warning(Code::SilentPhrase, head, "this sends nothing")
                    .label("no job, and no time passes")
                    .help("give it a number above 0, or something to send, or leave it out"),
            );
        }
    }

    /// Blocks that change nothing, and caps that take from a total.
    pub(super) fn block_lints(&mut self, kind: &PhraseKind, head: Span, curve: &Curve) {
        let idle = |what: String, label: String| {
            let problem = Problem::warning(Code::IdleBlock, head, what).label(label);
            problem.help("remove it, or give it a value that matters")
        };
        let found = match curve {
            Curve::Scale { factor, .. } | Curve::Speed { factor, .. } if *factor == whole(1) => {
                idle("this block changes nothing".to_owned(), "times 1".to_owned())
            }
            Curve::Repeat { times: Some(1), .. } if matches!(kind, PhraseKind::Repeat(..)) => {
                idle("this repeats nothing".to_owned(), "once is no repetition".to_owned())
            }
            Curve::Cap { rate, body } => {
                // A curve that cannot be compiled has its error elsewhere.
                let Ok(timeline) = Timeline::new(body) else { return };
                let (peak, cap) = (timeline.peak(), to_f64(rate));
                if peak <= cap {
                    let label = format!("what is inside never rises above {}", show::rate(peak));
                    idle("this cap cuts nothing".to_owned(), label)
                } else if holds_total(body) {
                    Problem::warning(Code::CutTotal, head, "this cap takes jobs from a total in it")
                        .label(format!("what is inside rises to {}", show::rate(peak)))
                        .help("write the total behind the cap's block: its rates are scaled then, and cut where they must be")
                } else {
                    return;
                }
            }
            Curve::Floor { rate, body } => {
                let Ok(timeline) = Timeline::new(body) else { return };
                let Some(length_ns) = timeline.length_ns() else { return };
                let (low, _) = timeline.bounds(0, length_ns);
                if low < to_f64(rate) {
                    return;
                }
                let label = format!("what is inside never falls below {}", show::rate(low));
                idle("this floor lifts nothing".to_owned(), label)
            }
            _ => return,
        };
        self.lint(found);
    }

    /// Shares that do not add up to the whole they are written as.
    pub(super) fn share_lint<'e>(
        &mut self,
        place: Span,
        weights: impl Iterator<Item = (Option<&'e Expr>, Exact)>,
    ) {
        let (mut sum, mut shares) = (whole(0), false);
        for (written, weight) in weights {
            shares |= written.is_some_and(is_share);
            sum += weight;
        }
        if !shares || sum == whole(1) {
            return;
        }
        let percent = to_f64(&sum) * 100.0;
        self.lint(
            Problem::warning(Code::OddWeights, place, "these shares do not add up to 100%")
                .label(format!("they come to {}%", show::number(percent)))
                .help("what is drawn follows their ratio: write what you mean (a weight that is left out is 1, or 100%)"),
        );
    }

    /// The same for the choices of a `pick`.
    pub(super) fn pick_lint(&mut self, place: Span, args: &[CallArg], weights: Vec<Exact>) {
        let written = args.iter().map(|arg| match arg {
            CallArg::Value(_, weight) => weight.as_ref(),
            CallArg::Range(_) => None,
        });
        self.share_lint(place, written.zip(weights));
    }

    /// The same for the jobs that a `send` chooses among.
    pub(super) fn mix_lint(&mut self, items: &[MixItem], weights: Vec<Exact>) {
        let (Some(first), Some(last)) = (items.first(), items.last()) else { return };
        let written = items.iter().map(|item| item.weight.as_ref());
        self.share_lint(first.job.span.to(last.job.span), written.zip(weights));
    }

    /// A bound on rate without its unit.
    pub(super) fn bare_rate_lint(&mut self, limit: &Expr) {
        if let ExprKind::Literal(literal) = &limit.kind
            && literal.unit == Unit::Plain
        {
            self.lint(
                Problem::warning(Code::BareNumber, limit.span, "this rate does not say its unit")
                    .label("jobs per second")
                    .help(format!("write `{}/s`", literal.text)),
            );
        }
    }

    /// A name that hides a `let` of the file.
    pub(super) fn shadow_lint(&mut self, name: &Name, what: &str) {
        if let Some(hidden) = self.lets.get(&name.node).copied() {
            let message = format!("{what} `{}` hides the `let` of that name", name.node);
            let lint = Problem::warning(Code::Shadowing, name.span, message)
                .label("meant wherever the name stands here")
                .and(hidden, "hidden")
                .help("give one of the two another name");
            // It is so whatever the call.
            if !self.lints.contains(&lint) {
                self.lints.push(lint);
            }
        }
    }

    /// Names, shapes, jobs and files that nothing uses, and what a used file leaves behind.
    pub(super) fn unused(&mut self, scripts: &[Script], scopes: &Scopes<'_>, drafts: &[Draft]) {
        let sent: BTreeSet<&str> = drafts
            .iter()
            .flat_map(|draft| draft.mix.iter().map(|entry| entry.job.name.as_str()))
            .collect();
        let mut parts = self.reached.clone();
        let mut found = Vec::new();
        for (name, place) in &self.lets {
            let (all, as_rates) = self.uses.get(name).copied().unwrap_or_default();
            if all == 0 {
                found.push(unused(Code::UnusedLet, *place, format!("nothing uses `{name}`")));
            }
            if all > 0 && all == as_rates {
                found.extend(bare_let(&scripts[0], name));
            }
        }
        for (name, known) in &self.shapes {
            let place = known.place();
            if !self.used.contains(&format!("shape {name}")) {
                found.push(unused(Code::UnusedShape, place, format!("nothing calls `{name}`")));
            }
        }
        for job in &scopes.jobs {
            let (name, place) = (&job.name.node, job.name.span);
            if sent.contains(name.as_str()) {
                parts.insert(self.source.part_of(place.start));
            } else {
                found.push(unused(Code::UnusedJob, place, format!("nothing sends job `{name}`")));
            }
        }
        found.retain(|lint| self.source.part_of(lint.place.0.start) == 0);
        self.lints.append(&mut found);
        for path in crate::gather::uses(&scripts[0].statements) {
            self.use_lints(path, scripts, &parts);
        }
    }

    fn use_lints(&mut self, path: &Name, scripts: &[Script], needed: &BTreeSet<usize>) {
        let Some(Used::Part(part)) = self.source.used(path.span) else { return };
        let (part, seen) = (*part, self.sees.get(*part).cloned().unwrap_or_default());
        if !needed.contains(&part) && seen.is_disjoint(needed) {
            let lint =
                unused(Code::UnusedUse, path.span, "nothing here comes from this file".to_owned());
            self.lint(lint);
        }
        let left = scripts.get(part).into_iter().flat_map(|script| &script.statements);
        let left = left.filter(|statement| {
            !matches!(
                statement.kind,
                StatementKind::Let(_)
                    | StatementKind::Shape(_)
                    | StatementKind::Job(_)
                    | StatementKind::Use(_)
            )
        });
        if let Some(first) = left.into_iter().next() {
            self.lint(
                Problem::warning(Code::LeftBehind, path.span, "this file is more than a library")
                    .label("only its definitions are brought")
                    .and(first.span, "stays behind")
                    .help("move what several scripts share into a file of definitions alone"),
            );
        }
    }
}

fn unused(code: Code, place: Span, message: String) -> Problem {
    Problem::warning(code, place, message).help("remove it, or use it")
}

/// A `let` of a plain number that is used as a rate and as nothing else.
fn bare_let(script: &Script, name: &str) -> Option<Problem> {
    let value = script.statements.iter().find_map(|statement| match &statement.kind {
        StatementKind::Let(definition) if definition.name.node == name => Some(&definition.value),
        _ => None,
    })?;
    let ExprKind::Literal(literal) = &value.kind else { return None };
    (literal.unit == Unit::Plain).then(|| {
        let message = format!("`{name}` is a rate, and does not say so");
        Problem::warning(Code::BareNumber, value.span, message)
            .label("jobs per second wherever it is used")
            .help(format!("write `{}/s`", literal.text))
    })
}

fn is_share(expr: &Expr) -> bool {
    match &expr.kind {
        ExprKind::Literal(literal) => literal.unit == Unit::Share,
        ExprKind::Parens(inner) => is_share(inner),
        _ => false,
    }
}

/// Whether a total stands somewhere within.
fn holds_total(curve: &Curve) -> bool {
    match curve {
        Curve::Total { .. } => true,
        Curve::Sequence(parts) | Curve::Together(parts) => parts.iter().any(holds_total),
        Curve::Repeat { body, .. }
        | Curve::Scale { body, .. }
        | Curve::Cap { body, .. }
        | Curve::Floor { body, .. }
        | Curve::Speed { body, .. }
        | Curve::Cut { body, .. }
        | Curve::Mark { body, .. } => holds_total(body),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use crate::check::{Options, check};
    use crate::problem::Code;
    use crate::source::SourceFile;

    /// The text of each phrase that is said to send nothing.
    fn silent(script: &str) -> Vec<String> {
        let source = SourceFile::new("a.load", script);
        let checked = check(&source, &Options::default());
        assert!(!checked.has_errors(), "{:?}", checked.problems);
        let lints = checked.lints.iter().filter(|lint| lint.code == Code::SilentPhrase);
        lints.map(|lint| source.slice(lint.place.0).to_owned()).collect()
    }

    #[test]
    fn phrases_of_no_length_that_send_nothing_are_told() {
        let alone = [
            "send 0 at once",
            "repeat 0 { constant 5 for 1m }",
            "repeat 3 { }",
            "burst 50 for 1s every 10s times 0",
            "let none = 0s\nconstant 5 for none",
        ];
        for script in alone {
            assert_eq!(silent(script).len(), 1, "{script}: {:?}", silent(script));
        }
        // The innermost, once.
        assert_eq!(silent("repeat 3 { { send 0 at once } }"), ["send 0 at once"]);
        // What a guard cuts off is another matter.
        let cut =
            "constant 5 for 1m; send 5 at once; constant 5 for 1m; guard { time <= 30s then stop }";
        assert!(silent(cut).is_empty(), "{:?}", silent(cut));
        assert!(silent("send 5 at once; pause 1s").is_empty());
    }
}
