//! Expectations that nothing can miss, and those that no run can meet.

use crate::ast::{Comparison, Expectation as Written, Measure, Script, StatementKind};
use crate::plan::{Expectation, Late, Part, Plan, Stream};
use crate::problem::{Code, Problem};
use crate::schedule::DueTimes as _;
use crate::show;

pub(super) fn lints(script: &Script, plan: &Plan, found: &mut Vec<Problem>) {
    let jobs = plan.part.jobs(&plan.streams, plan.seed);
    let written = script.statements.iter().filter_map(|statement| match &statement.kind {
        StatementKind::Expect(rules) => Some(rules),
        _ => None,
    });
    // Each that was written is in the plan, in its order.
    let written: Vec<&Written> = written.flatten().collect();
    if written.len() != plan.expectations.len() {
        return;
    }
    let is_whole = is_sent_whole(plan);
    for (written, expectation) in written.into_iter().zip(&plan.expectations) {
        // How many jobs fall to a part of the run is not known here: of those too no more than all.
        let part = expectation.part().is_some() || expectation.at_ns.is_some();
        let by = due_by(plan, expectation).unwrap_or(jobs);
        let part = part && (expectation.part().is_some() || by == jobs);
        let Some((code, label)) =
            unreached(expectation).or_else(|| verdict(expectation, by, is_whole))
        else {
            continue;
        };
        if part && code == Code::IdleExpect && expectation.measure == Measure::Jobs {
            continue;
        }
        let (message, help) = match code {
            Code::IdleExpect => ("nothing can miss this", "expect what a bad run would miss"),
            _ if label.starts_with(ALL_SENT) => {
                ("only a run that fails can meet this", "expect what a good run comes to")
            }
            _ => ("no run can meet this", "expect what the plan can come to"),
        };
        found.push(Problem::warning(code, written.span, message).label(label).help(help));
    }
}

/// How the reason begins where a run that sends everything misses what is expected.
const ALL_SENT: &str = "a run that sends everything";

/// An expectation of a phrase that the plan never comes to.
fn unreached(expectation: &Expectation) -> Option<(Code, String)> {
    let phrase = expectation.phrase.as_ref()?;
    let never = phrase.times.iter().all(Vec::is_empty);
    never.then(|| (Code::HopelessExpect, "the plan never comes to this phrase".to_owned()))
}

/// How many jobs are due at most by the time at which an expectation is judged; nothing if it is
/// judged at the end, or where chance decides.
fn due_by(plan: &Plan, expectation: &Expectation) -> Option<u64> {
    let at_ns = expectation.at_ns?;
    if plan.part != Part::WHOLE || plan.streams.iter().any(|stream| !stream.steps.is_empty()) {
        return None;
    }
    let by = |stream: &Stream| {
        let own_ns = at_ns.checked_sub(stream.after_ns);
        own_ns.map_or(0, |own_ns| stream.due.jobs_by(own_ns))
    };
    Some(plan.streams.iter().map(by).sum())
}

/// Whether a run that goes well sends all of a plan: nothing in it may end early, be skipped or shed.
fn is_sent_whole(plan: &Plan) -> bool {
    plan.guards.iter().all(|guard| guard.action.is_none())
        && plan.streams.iter().all(|stream| {
            stream.bound_jobs() == 0 && stream.steps.is_empty() && stream.late == Late::Send
        })
}

/// Whether an expectation is one of the two, and why.
fn verdict(expectation: &Expectation, jobs: u64, is_whole: bool) -> Option<(Code, String)> {
    use Comparison::{AtLeast, AtMost, Equal, Greater, Less};
    let limit = expectation.limit;
    let (idle, hopeless, why) = match expectation.measure {
        Measure::Jobs => {
            let all = jobs as f64;
            let idle = match expectation.comparison {
                AtMost => limit >= all,
                Less => limit > all,
                AtLeast => limit <= 0.0,
                Equal | Greater => false,
            };
            let hopeless = match expectation.comparison {
                Equal | AtLeast => limit > all,
                Greater => limit >= all,
                Less => limit <= 0.0,
                AtMost => false,
            };
            let when = expectation
                .at_ns
                .map_or_else(String::new, |at_ns| format!(" by {}", show::duration(at_ns)));
            // One that is not of all jobs says how its part should fare.
            let of_all = expectation.part().is_none() && expectation.at_ns.is_none();
            let fails = match expectation.comparison {
                Less => limit <= all,
                AtMost => limit < all,
                AtLeast | Greater | Equal => false,
            };
            if of_all && fails && !hopeless && is_whole {
                let all = show::plural(jobs, "job");
                return Some((Code::HopelessExpect, format!("{ALL_SENT} sends {all}")));
            }
            (idle, hopeless, format!("the plan holds {}{when}", show::plural(jobs, "job")))
        }
        Measure::Deviation | Measure::Errors => {
            let idle = match expectation.comparison {
                AtMost => limit >= 1.0,
                AtLeast => limit <= 0.0,
                _ => false,
            };
            let hopeless = match expectation.comparison {
                Less => limit <= 0.0,
                Greater => limit >= 1.0,
                _ => false,
            };
            (idle, hopeless, "a share lies between 0% and 100%".to_owned())
        }
        Measure::Depth => (false, limit <= 0.0, "a depth is never below 0".to_owned()),
        Measure::DepthNow => {
            let idle = expectation.comparison == AtLeast && limit <= 0.0;
            let hopeless = expectation.comparison == Less && limit <= 0.0;
            (idle, hopeless, "a depth is never below 0".to_owned())
        }
        // The grammar gives them no comparison, and a time of 0 is refused before.
        Measure::Drains | Measure::Recovers(_) => return None,
        Measure::Time(..) => {
            let idle = expectation.comparison == AtLeast && limit <= 0.0;
            let hopeless = expectation.comparison == Less && limit <= 0.0;
            (idle, hopeless, "a time is never below 0".to_owned())
        }
    };
    match (idle, hopeless) {
        (true, _) => Some((Code::IdleExpect, why)),
        (_, true) => Some((Code::HopelessExpect, why)),
        _ => None,
    }
}
