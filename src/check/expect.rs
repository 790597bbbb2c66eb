//! Expectations: what is judged of which jobs, and when.

use super::Checker;
use super::jobs::Draft;
use super::lower::Node;
use super::scope::Scopes;
use crate::ast::{Comparison, ExpectKind, Measure, Name, Recovery, Statistic, TimeKind};
use crate::exact::{checked, seconds_to_nanos, to_f64};
use crate::plan::{Expectation, PhraseTimes, Stream};
use crate::problem::{Code, Problem};
use crate::show;
use crate::source::Span;
use crate::timeline::Pass;

/// Phrases and queues that are measured apart: each takes memory of its own during a run.
pub const MOST_APART: usize = 64;
/// Passes of a phrase that is measured by itself.
const MOST_PASSES: usize = 100_000;
/// A second of the plan, which is what a level before a phrase is taken from.
const SECOND_NS: u64 = 1_000_000_000;

impl Checker<'_> {
    /// What is judged. The times of phrases are not known yet, see [`Checker::place_expectations`].
    pub(super) fn expectations(
        &mut self,
        scopes: &Scopes<'_>,
        drafts: &[Draft],
    ) -> Vec<(Expectation, Span)> {
        let mut expectations = Vec::new();
        for written in &scopes.expectations {
            let Some(kind) = &written.kind else { continue };
            let limit = self.expected_limit(kind);
            let at_ns = match &kind.at {
                Some(at) => self.plan_time(at).map(Some),
                None => Some(None),
            };
            let sound = self.goes_together(kind, written.span, drafts)
                & written.stops.is_none_or(|stops| self.can_stop(kind, stops));
            let known = kind
                .queue
                .as_ref()
                .is_none_or(|queue| self.known_queue(queue, None, drafts))
                & kind.phrase.as_ref().is_none_or(|name| self.known_phrase(name, scopes, drafts));
            let (Some(limit), Some(at_ns), true) = (limit, at_ns, sound && known) else { continue };
            let phrase = kind.phrase.as_ref();
            let expectation = Expectation {
                queue: kind.queue.as_ref().map(|queue| queue.node.clone()),
                phrase: phrase
                    .map(|name| PhraseTimes { label: name.node.clone(), times: Vec::new() }),
                at_ns,
                stops: written.stops.is_some(),
                measure: kind.measure,
                comparison: kind.comparison.node,
                limit,
                text: self.one_line(written.span),
            };
            expectations.push((expectation, written.span));
        }
        self.few_apart(&expectations);
        expectations
    }

    fn expected_limit(&mut self, kind: &ExpectKind) -> Option<f64> {
        let micros = |seconds| to_f64(&seconds) * 1e6;
        match kind.measure {
            Measure::Jobs => self.count(&kind.limit, "a number of jobs").map(|n| n as f64),
            Measure::Deviation | Measure::Errors => self.share(&kind.limit).map(|s| to_f64(&s)),
            Measure::Time(..) => self.duration(&kind.limit).map(micros),
            Measure::Drains | Measure::Recovers(_) => self.some_duration(&kind.limit).map(micros),
            Measure::Depth | Measure::DepthNow => {
                self.count(&kind.limit, "a depth").map(|n| n as f64)
            }
        }
    }

    /// A time of the plan, which `--speed` shortens as it does all others.
    fn plan_time(&mut self, at: &crate::ast::Expr) -> Option<u64> {
        let mut at = self.some_duration(at)?;
        if let Some(factor) = self.options.speed {
            at = checked('/', &at, &factor)?;
        }
        seconds_to_nanos(&at)
    }

    /// Whether a measure can be had of what it is asked of.
    fn goes_together(&mut self, kind: &ExpectKind, place: Span, drafts: &[Draft]) -> bool {
        let comparison = &kind.comparison;
        let counted = matches!(kind.measure, Measure::Jobs | Measure::DepthNow);
        let (span, message, help) = match (kind.measure, &kind.phrase, &kind.queue, &kind.at) {
            _ if comparison.node == Comparison::Equal && !counted => (
                comparison.span,
                "only a number of jobs can be expected exactly",
                "write an upper bound: `<`",
            ),
            (Measure::DepthNow, None, _, None) => (
                place,
                "a depth is another one at each instant",
                "write `depth stays below 10k`, or `at 5m depth < 10k`",
            ),
            (Measure::DepthNow, Some(name), ..) => (
                name.span,
                "a depth is not one of the jobs of a phrase",
                "leave the phrase out, as in `at 5m depth < 10k`",
            ),
            (Measure::Deviation, Some(Name { span, .. }), ..)
            | (Measure::Deviation, None, Some(Name { span, .. }), _) => {
                (*span, "the deviation is one of the whole run", "write `deviation < 1%` by itself")
            }
            (Measure::Time(_, TimeKind::Pickup), Some(name), ..) => (
                name.span,
                "which phrase a job was of is not known where workers begin it",
                "leave the phrase out, or name a queue: `queue \"orders\" p99 pickup < 2s`",
            ),
            (Measure::Recovers(Recovery::Time(_, TimeKind::Pickup)), ..) => (
                place,
                "pickups are not told second by second",
                "write `p99 response recovers …` or `depth recovers …`",
            ),
            (Measure::Recovers(Recovery::Time(Statistic::Percentile(thousandths), _)), ..)
                if thousandths % 1_000 != 0 =>
            {
                (
                    place,
                    "a second holds too few jobs for so fine a percentile",
                    "write a whole one, such as `p99 response recovers …`",
                )
            }
            _ => return self.pickup_is_seen(kind, place, drafts),
        };
        self.report(Problem::error(Code::BadGuard, span, message).help(help));
        false
    }

    /// Whether the start of jobs can be seen, where something is expected of it.
    fn pickup_is_seen(&mut self, kind: &ExpectKind, place: Span, drafts: &[Draft]) -> bool {
        if !matches!(kind.measure, Measure::Time(_, TimeKind::Pickup)) {
            return true;
        }
        let queue = kind.queue.as_ref().map(|queue| queue.node.as_str());
        let what = "when workers begin the jobs";
        let told =
            self.told_by_all(place, (None, queue), drafts, what, |layout| layout.pickup.is_ok());
        told.is_some()
    }

    /// Whether there is something to stop for before the end.
    fn can_stop(&mut self, kind: &ExpectKind, stops: Span) -> bool {
        let lower = matches!(kind.comparison.node, Comparison::AtLeast | Comparison::Greater);
        let message = match kind.measure {
            Measure::Drains => "whether the queues drain shows only after the last job",
            Measure::Jobs | Measure::DepthNow | Measure::Depth | Measure::Recovers(_) => {
                return true;
            }
            _ if lower && kind.at.is_none() => "only the end shows whether this is enough",
            _ => return true,
        };
        let problem = Problem::error(Code::BadGuard, stops, message);
        self.report(problem.label("there is nothing left to stop").help("leave `else stop` out"));
        false
    }

    /// Whether a phrase of this name is in the script.
    fn known_phrase(&mut self, name: &Name, scopes: &Scopes<'_>, drafts: &[Draft]) -> bool {
        let mut labels = Vec::new();
        drafts.iter().for_each(|draft| labels_of(&draft.nodes, &mut labels));
        let unread = scopes.any_broken || drafts.iter().any(|draft| draft.curve.is_none());
        if labels.contains(&name.node.as_str()) || unread || self.shaky {
            return true;
        }
        // One that is missing is missed wherever it is named: that is said once.
        if !self.misused.insert(format!("phrase {}", name.node)) {
            return false;
        }
        labels.retain(|label| !label.trim().is_empty());
        labels.sort_unstable();
        labels.dedup();
        let help = match (self.meant(&name.node, labels.iter().copied()), labels.is_empty()) {
            (Some(meant), _) => format!("did you mean `\"{meant}\"`?"),
            (None, true) => format!("name one: `constant 100 for 5m as \"{}\"`", name.node),
            (None, false) => format!("its phrases are `{}`", labels.join("`, `")),
        };
        let message = format!("no phrase of this script is named `{}`", name.node);
        self.report(Problem::error(Code::UnknownName, name.span, message).help(help));
        false
    }

    /// Each phrase and each queue that is measured by itself takes memory.
    fn few_apart(&mut self, expectations: &[(Expectation, Span)]) {
        let mut apart = Vec::new();
        for (expectation, span) in expectations {
            let Some(part) = expectation.part() else { continue };
            if !apart.contains(&part) {
                apart.push(part);
            }
            if apart.len() > MOST_APART {
                let message = format!("more than {MOST_APART} phrases and queues are judged apart");
                let problem = Problem::error(Code::TooIntricate, *span, message);
                self.report(problem.help("judge some of them together"));
                return;
            }
        }
    }

    /// Finds out when the phrases of expectations are gone through, and whether the plan comes to the
    /// times at which it is judged. The nodes are those of the streams.
    pub(super) fn place_expectations(
        &mut self,
        expectations: Vec<(Expectation, Span)>,
        streams: &[Stream],
        nodes: &[&[Node]],
    ) -> Option<Vec<Expectation>> {
        let ends = streams.iter().map(|stream| {
            stream.timeline.length_ns().unwrap_or(u64::MAX).saturating_add(stream.after_ns)
        });
        let end_ns = ends.max().unwrap_or(0);
        let mut placed = Vec::with_capacity(expectations.len());
        for (mut expectation, span) in expectations {
            if let Some(at_ns) = expectation.at_ns.filter(|at_ns| *at_ns > end_ns) {
                let (at, end) = (show::duration(at_ns), show::duration(end_ns));
                let message = format!("the plan does not come to {at}: it ends after {end}");
                let problem = Problem::error(Code::BadGuard, span, message);
                self.report(problem.help("name an earlier time, or leave `at` out"));
                return None;
            }
            if let Some(phrase) = &mut expectation.phrase {
                phrase.times = self.times_of(&phrase.label, span, streams, nodes)?;
                if matches!(expectation.measure, Measure::Recovers(_)) {
                    self.has_neighbours(&phrase.times, span, end_ns)?;
                }
            }
            placed.push(expectation);
        }
        Some(placed)
    }

    fn times_of(
        &mut self,
        label: &str,
        span: Span,
        streams: &[Stream],
        nodes: &[&[Node]],
    ) -> Option<Vec<Vec<Pass>>> {
        let mut times = Vec::with_capacity(streams.len());
        for (stream, nodes) in streams.iter().zip(nodes) {
            let mut marks = Vec::new();
            marks_of(label, nodes, &mut marks);
            let Some(passes) = stream.timeline.passes(&marks, MOST_PASSES) else {
                let message = format!("`{label}` is gone through more than 100,000 times");
                let problem = Problem::error(Code::TooIntricate, span, message);
                self.report(problem.help("name the block around it instead"));
                return None;
            };
            let later = |pass: Pass| Pass {
                first_ns: pass.first_ns.saturating_add(stream.after_ns),
                last_ns: pass.last_ns.saturating_add(stream.after_ns),
            };
            times.push(passes.into_iter().map(later).collect());
        }
        Some(times)
    }

    /// Whether there is something before a phrase to come back to, and something after it to come
    /// back in.
    fn has_neighbours(&mut self, times: &[Vec<Pass>], span: Span, end_ns: u64) -> Option<()> {
        let all = || times.iter().flatten();
        let first_ns = all().map(|pass| pass.first_ns).min()?;
        let last_ns = all().map(|pass| pass.last_ns).max()?;
        let (message, help) = if first_ns < SECOND_NS {
            (
                "nothing comes before this phrase to come back to",
                "let some steady load come first, for a second or more",
            )
        } else if last_ns >= end_ns {
            (
                "nothing comes after this phrase to come back in",
                "let some steady load follow, or write `drains within 30s`",
            )
        } else {
            return Some(());
        };
        self.report(Problem::error(Code::BadGuard, span, message).help(help));
        None
    }
}

fn labels_of<'n>(nodes: &'n [Node], labels: &mut Vec<&'n str>) {
    for node in nodes {
        labels.extend(node.label.as_deref());
        labels_of(&node.children, labels);
    }
}

fn marks_of(label: &str, nodes: &[Node], marks: &mut Vec<u32>) {
    for node in nodes {
        if node.label.as_deref() == Some(label) {
            marks.push(node.mark);
        }
        marks_of(label, &node.children, marks);
    }
}

#[cfg(test)]
mod tests {
    use crate::check::{Options, check};
    use crate::plan::{Phrase, Plan};
    use crate::source::SourceFile;
    use crate::timeline::streams::DueTimes as _;

    const S: u64 = 1_000_000_000;

    fn plan(text: &str) -> Plan {
        check(&SourceFile::new("passes.load", text), &Options::default()).plan.unwrap()
    }

    /// The passes of everything labelled `x`, in marks numbered as the phrases are.
    fn passes(text: &str, most: usize) -> Option<Vec<(u64, u64)>> {
        let plan = plan(&format!("{text}\nexpect {{ \"x\" jobs > 0 }}"));
        let expectation = plan.expectations.first()?;
        let times = &expectation.phrase.as_ref()?.times[0];
        (times.len() <= most).then(|| times.iter().map(|p| (p.first_ns, p.last_ns)).collect())
    }

    fn jobs_between(plan: &Plan, times: &[(u64, u64)]) -> u64 {
        let due = |ns| plan.streams[0].due.jobs_by(ns);
        let within = |(first, last): &(u64, u64)| due(*last) - first.checked_sub(1).map_or(0, due);
        times.iter().map(within).sum()
    }

    fn labelled(phrases: &[Phrase]) -> Option<&Phrase> {
        let deep = |phrase: &'_ Phrase| phrase.label.as_deref() == Some("x");
        phrases
            .iter()
            .find(|phrase| deep(phrase))
            .or_else(|| phrases.iter().find_map(|phrase| labelled(&phrase.phrases)))
    }

    #[test]
    fn a_phrase_is_gone_through_where_it_stands() {
        let times = passes("pause 10s\nconstant 10 for 5s as \"x\"\npause 1s", 9).unwrap();
        assert_eq!(times, [(10 * S + 1, 15 * S)]);
    }

    #[test]
    fn every_pass_of_a_repetition_is_one_of_it() {
        let text = "repeat 3 { constant 10 for 5s; constant 20 for 1s as \"x\" }";
        let times = passes(text, 9).unwrap();
        assert_eq!(times, [(5 * S + 1, 6 * S), (11 * S + 1, 12 * S), (17 * S + 1, 18 * S)]);
        let joined = passes("repeat 3 { constant 20 for 1s as \"x\" }", 9).unwrap();
        assert_eq!(joined, [(1, 3 * S)]);
    }

    #[test]
    fn the_jobs_of_the_passes_are_those_of_the_plan() {
        for text in [
            "constant 1 for 3s as \"x\"",
            "constant 7 for 1s\nconstant 3 for 500ms as \"x\"\nconstant 9 for 2s",
            "constant 7 for 1s as \"x\"\nsend 100 at once\nconstant 9 for 2s",
            "constant 7 for 1s\nsend 100 at once as \"x\"\nconstant 9 for 2s",
            "send 100 at once\nconstant 9 for 2s as \"x\"\nsend 5 at once",
            "constant 1 for 1s\n{ send 4 at once; constant 3 for 1s; send 6 at once } as \"x\"\nconstant 1 for 1s",
            "repeat 4 { constant 3 for 300ms; constant 5 for 700ms as \"x\" }",
            "speed x60 { constant 3 for 5m; ramp 1->9 over 5m as \"x\" }",
            "shape s() { constant 3 for 1s as \"x\" }\nconstant 5 for 1s\ns()",
        ] {
            let plan = plan(text);
            let exact = match labelled(&plan.streams[0].phrases).unwrap().jobs {
                crate::plan::PhraseJobs::Exact(jobs) => jobs,
                crate::plan::PhraseJobs::Share(_) => panic!("{text}"),
            };
            let times = passes(text, 99).unwrap();
            assert_eq!(jobs_between(&plan, &times), exact, "{text}: {times:?}");
        }
    }
}
