//! Expectations that nothing can miss, and those that no run can meet.

use crate::ast::{Comparison, Expectation as Written, Measure, Script, StatementKind};
use crate::plan::{Expectation, Plan};
use crate::problem::{Code, Problem};
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
    for (written, expectation) in written.into_iter().zip(&plan.expectations) {
        // How many jobs fall to a part of the run is not known here: of those too no more than all.
        let part = expectation.part().is_some() || expectation.at_ns.is_some();
        let Some((code, label)) = verdict(expectation, jobs) else { continue };
        if part && code == Code::IdleExpect && expectation.measure == Measure::Jobs {
            continue;
        }
        let (message, help) = match code {
            Code::IdleExpect => ("nothing can miss this", "expect what a bad run would miss"),
            _ => ("no run can meet this", "expect what the plan can come to"),
        };
        found.push(Problem::warning(code, written.span, message).label(label).help(help));
    }
}

/// Whether an expectation is one of the two, and why.
fn verdict(expectation: &Expectation, jobs: u64) -> Option<(Code, String)> {
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
            (idle, hopeless, format!("the plan holds {}", show::plural(jobs, "job")))
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
