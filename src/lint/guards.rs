//! Guards that are missing, or so wide that they guard nothing.

use crate::plan::{Guard, GuardKind, Plan, Stream};
use crate::problem::{Code, Problem};
use crate::schedule;
use crate::show;
use crate::timeline::Timeline;

/// A guard is loose if it allows more than so many times what the script does.
const LOOSE: f64 = 10.0;
/// What a guard might leave above what the script does, where one is proposed.
const ROOM: f64 = 1.2;

pub(super) fn lints(plan: &Plan, found: &mut Vec<Problem>) {
    if plan.guards.is_empty() {
        found.extend(no_guard(plan));
    }
    found.extend(plan.guards.iter().filter_map(|guard| loose(plan, guard)));
}

fn parts(plan: &Plan, only: Option<usize>) -> Vec<(&Timeline, u64)> {
    let all = plan.streams.iter().enumerate();
    let chosen = all.filter(|(index, _)| only.is_none_or(|only| only == *index));
    chosen.map(|(_, stream)| (&*stream.timeline, stream.after_ns)).collect()
}

fn jobs(plan: &Plan, only: Option<usize>) -> u64 {
    let all = plan.streams.iter().enumerate();
    let chosen = all.filter(|(index, _)| only.is_none_or(|only| only == *index));
    chosen.map(|(_, stream)| stream.jobs()).sum()
}

/// Whether some of it falls due at one instant, or it has no end.
fn jumps((timeline, _): &(&Timeline, u64)) -> bool {
    timeline.length_ns().is_none_or(|end| timeline.bounds(0, end).1.is_infinite())
}

fn no_guard(plan: &Plan) -> Option<Problem> {
    let of = parts(plan, None);
    let first = plan.streams.iter().find_map(|stream: &Stream| stream.phrases.first())?;
    let (jobs, peak) = (jobs(plan, None), schedule::peak_of_sum(&of));
    // A rate has no room for jobs at once.
    let rate = if of.iter().any(jumps) {
        String::new()
    } else {
        format!("rate <= {}/s; ", rounded(peak * ROOM))
    };
    let jobs = rounded(jobs as f64 * ROOM);
    let problem = Problem::warning(Code::NoGuard, first.span, "nothing bounds this load")
        .label("no guard holds when this runs");
    Some(problem.help(format!(
        "say how much it may be at most: `guard {{ {rate}jobs <= {jobs}; depth <= 10k }}`"
    )))
}

fn loose(plan: &Plan, guard: &Guard) -> Option<Problem> {
    let of = parts(plan, guard.stream);
    let (allowed, does, what) = match guard.kind {
        GuardKind::Rate { limit_jobs, window_ns } => {
            // Jobs at once have no rate, and need all the room there is.
            if of.iter().any(jumps) {
                return None;
            }
            let peak = schedule::peak_of_sum(&of);
            let better = format!("rate <= {}/s", rounded(peak * ROOM));
            (limit_jobs as f64 / (window_ns as f64 / 1e9), peak, better)
        }
        GuardKind::Jobs(limit) => {
            let jobs = jobs(plan, guard.stream) as f64;
            (limit as f64, jobs, format!("jobs <= {}", rounded(jobs * ROOM)))
        }
        GuardKind::Time(limit_ns) => {
            let end = of.iter().filter_map(|(timeline, after)| Some(timeline.length_ns()? + after));
            let end = end.max()?;
            (limit_ns as f64, end as f64, format!("time <= {}", show::duration(end)))
        }
        _ => return None,
    };
    let times = allowed / does;
    if !(does > 0.0 && times > LOOSE) {
        return None;
    }
    let message = format!("this guard allows {} times what the script does", show::number(times));
    Some(
        Problem::warning(Code::LooseGuard, guard.span?, message)
            .label("would not act before that")
            .help(format!("draw it nearer, such as `{what}`")),
    )
}

/// A number that people would write: two digits, rounded up.
fn rounded(value: f64) -> String {
    if !value.is_finite() || value < 1.0 {
        return "1".to_owned();
    }
    let step = 10_f64.powf(value.log10().floor() - 1.0).max(1.0);
    let whole = (value / step).ceil() * step;
    show::count(whole as u64).replace(',', "_")
}

#[cfg(test)]
mod tests {
    use super::rounded;
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
            assert_eq!(rounded(value), text);
        }
    }
}
