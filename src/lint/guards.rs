//! Guards that are missing, or so wide that they guard nothing.

use crate::plan::{Guard, GuardKind, Plan, Stream, Tuning};
use crate::problem::{Code, Problem};
use crate::schedule;
use crate::show;
use crate::timeline::Timeline;

/// The window of a rate that names none.
const SECOND_NS: u64 = 1_000_000_000;
/// A guard is loose if it allows more than so many times what the script does.
const LOOSE: f64 = 10.0;
/// What a guard might leave above what the script does, where one is proposed: the first that holds.
const ROOMS: [f64; 6] = [1.2, 1.5, 2.0, 3.0, 5.0, 8.0];

/// Tells whether the script would keep to a guard, and without a remark: what is proposed is proven
/// first.
pub type Proof<'a> = dyn Fn(&Guard) -> bool + 'a;

pub(super) fn lints(plan: &Plan, holds: &Proof<'_>, found: &mut Vec<Problem>) {
    if plan.guards.is_empty() {
        found.extend(no_guard(plan, holds));
    }
    found.extend(plan.guards.iter().filter_map(|guard| loose(plan, guard, holds)));
}

fn chosen(plan: &Plan, only: Option<usize>) -> impl Iterator<Item = &Stream> {
    let all = plan.streams.iter().enumerate();
    all.filter(move |(index, _)| only.is_none_or(|only| only == *index)).map(|(_, stream)| stream)
}

/// The curves of some streams, with those that are to be expected of their flows.
fn parts(plan: &Plan, only: Option<usize>) -> Vec<(&Timeline, u64)> {
    chosen(plan, only).flat_map(Stream::timelines).collect()
}

fn jobs(plan: &Plan, only: Option<usize>) -> u64 {
    chosen(plan, only).map(|stream| stream.jobs() + stream.expected_steps()).sum()
}

/// Whether some of it falls due at one instant, or it has no end.
fn jumps((timeline, _): &(&Timeline, u64)) -> bool {
    timeline.length_ns().is_none_or(|end| timeline.bounds(0, end).1.is_infinite())
}

/// The nearest of some bounds that holds, as it is written.
fn nearest(
    kind: impl Fn(f64) -> (GuardKind, String),
    like: &Guard,
    holds: &Proof<'_>,
) -> Option<(GuardKind, String)> {
    ROOMS
        .into_iter()
        .map(kind)
        .find(|(kind, _)| holds(&Guard { kind: kind.clone(), ..like.clone() }))
}

fn no_guard(plan: &Plan, holds: &Proof<'_>) -> Option<Problem> {
    let of = parts(plan, None);
    let first = plan.streams.iter().find_map(|stream: &Stream| stream.phrases.first())?;
    let (jobs, peak) = (jobs(plan, None), schedule::peak_of_sum(&of));
    let like = Guard {
        kind: GuardKind::Jobs(0),
        action: None,
        stream: None,
        text: String::new(),
        span: None,
        tuning: Tuning::default(),
    };
    let mut bounds = Vec::new();
    // A rate has no room for jobs at once.
    if !of.iter().any(jumps) {
        let rate = nearest(|room| rate(peak * room, SECOND_NS), &like, holds);
        bounds.extend(rate.map(|(_, text)| text));
    }
    let most = nearest(|room| most(jobs as f64 * room), &like, holds);
    bounds.extend(most.map(|(_, text)| text));
    bounds.push("depth <= 10k".to_owned());
    let problem = Problem::warning(Code::NoGuard, first.span, "nothing bounds this load")
        .label("no guard holds when this runs");
    Some(
        problem
            .help(format!("say how much it may be at most: `guard {{ {} }}`", bounds.join("; "))),
    )
}

/// A bound on rate, and how it is written.
fn rate(per_s: f64, window_ns: u64) -> (GuardKind, String) {
    let per_s = rounded_value(per_s);
    let over = match window_ns {
        SECOND_NS => String::new(),
        _ => format!(" over {}", show::duration(window_ns)),
    };
    let limit_jobs = (per_s * window_ns as f64 / 1e9).floor() as u64;
    (GuardKind::Rate { limit_jobs, window_ns }, format!("rate <= {}/s{over}", written(per_s)))
}

/// A bound on jobs, and how it is written.
fn most(jobs: f64) -> (GuardKind, String) {
    let jobs = rounded_value(jobs);
    (GuardKind::Jobs(jobs as u64), format!("jobs <= {}", written(jobs)))
}

/// A bound on the time, in whole seconds where it is long, and how it is written.
fn longest(ns: f64) -> (GuardKind, String) {
    let step = if ns >= 1e9 { 1e9 } else { 1e6 };
    let ns = ((ns / step).ceil() * step) as u64;
    (GuardKind::Time(ns), format!("time <= {}", show::duration(ns)))
}

fn loose(plan: &Plan, guard: &Guard, holds: &Proof<'_>) -> Option<Problem> {
    let of = parts(plan, guard.stream);
    let (allowed, does, better) = match guard.kind {
        GuardKind::Rate { limit_jobs, window_ns } => {
            // Jobs at once have no rate, and need all the room there is.
            if of.iter().any(jumps) {
                return None;
            }
            let peak = schedule::peak_of_sum(&of);
            let better = nearest(|room| rate(peak * room, window_ns), guard, holds);
            (limit_jobs as f64 / (window_ns as f64 / 1e9), peak, better)
        }
        GuardKind::Jobs(limit) => {
            let jobs = jobs(plan, guard.stream) as f64;
            (limit as f64, jobs, nearest(|room| most(jobs * room), guard, holds))
        }
        GuardKind::Time(limit_ns) => {
            let end = of.iter().filter_map(|(timeline, after)| Some(timeline.length_ns()? + after));
            let end = end.max()? as f64;
            let exact = longest(end);
            let exact = Some(exact)
                .filter(|(kind, _)| holds(&Guard { kind: kind.clone(), ..guard.clone() }));
            (
                limit_ns as f64,
                end,
                exact.or_else(|| nearest(|room| longest(end * room), guard, holds)),
            )
        }
        _ => return None,
    };
    let times = allowed / does;
    if !(does > 0.0 && times > LOOSE) {
        return None;
    }
    // Where nothing nearer is certain to hold, it is not loose.
    let (_, better) = better.filter(|(kind, _)| kind.limit() < guard.kind.limit() / 1.1)?;
    let action = guard.text.find(" then ").map_or("", |at| &guard.text[at..]);
    let message = format!("this guard allows {} times what the script does", show::number(times));
    Some(
        Problem::warning(Code::LooseGuard, guard.span?, message)
            .label("would not act before that")
            .help(format!("draw it nearer, such as `{better}{action}`")),
    )
}

/// A number that people would write: two digits, rounded up.
fn rounded_value(value: f64) -> f64 {
    if !value.is_finite() || value < 1.0 {
        return 1.0;
    }
    let step = 10_f64.powf(value.log10().floor() - 1.0).max(1.0);
    (value / step).ceil() * step
}

fn written(whole: f64) -> String {
    show::count(whole as u64).replace(',', "_")
}

#[cfg(test)]
mod tests {
    use super::{rounded_value, written};
    use crate::check::{Options, check};
    use crate::source::SourceFile;

    #[test]
    fn a_guard_that_is_proposed_holds() {
        for load in ["constant 5 for 1m", "send 50k at once", "send 50k at once; constant 5 for 1m"]
        {
            let lints =
                check(&SourceFile::new("a.load", load.to_owned()), &Options::default()).lints;
            let help = lints.iter().find_map(|lint| lint.help.clone()).unwrap();
            let guard = help.split('`').nth(1).unwrap();
            assert_eq!(guard.contains("rate"), !load.contains("once"), "{guard}");
            let guarded = SourceFile::new("a.load", format!("{load}\n{guard}"));
            let checked = check(&guarded, &Options::default());
            assert!(!checked.has_errors() && checked.lints.is_empty(), "{guard}: {checked:?}");
        }
    }

    #[test]
    fn proposals_are_numbers_that_people_write() {
        let cases =
            [(0.2, "1"), (7.1, "8"), (120.0, "120"), (601.0, "610"), (5_220_000.0, "5_300_000")];
        for (value, text) in cases {
            assert_eq!(written(rounded_value(value)), text);
        }
    }
}
