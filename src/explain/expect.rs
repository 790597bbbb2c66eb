//! Expectations.

use super::guards::share;
use crate::ast::{Comparison, Measure, Recovery, Statistic, TimeKind};
use crate::plan::Expectation;
use crate::show;

/// What an expectation judges, of what, and when.
pub(super) fn expectation(expectation: &Expectation) -> String {
    let text = format!("`{}`", show::clean(&expectation.text));
    let when = expectation.at_ns.map_or_else(String::new, |at_ns| {
        format!("when the plan has come to {}, ", show::duration(at_ns))
    });
    let what = says(expectation, &whose(expectation));
    let then = match expectation.stops {
        true if expectation.at_ns.is_some() => "; if not, the run ends there, with exit code 1",
        true => "; as soon as that can no longer be met, the run ends, with exit code 1",
        false => "",
    };
    format!("{text}: {when}{what}{then}")
}

/// The jobs that are measured, with a blank before.
fn whose(expectation: &Expectation) -> String {
    let phrase = expectation.phrase.as_ref();
    let mut whose = String::new();
    if let Some(phrase) = phrase {
        whose.push_str(&format!(" due in `{}`", show::clean(&phrase.label)));
    }
    if let Some(queue) = &expectation.queue {
        whose.push_str(&format!(" of the queue `{}`", show::clean(queue)));
    }
    whose
}

fn says(expectation: &Expectation, whose: &str) -> String {
    let than = match expectation.comparison {
        Comparison::Less => "less than ",
        Comparison::AtMost => "at most ",
        Comparison::Equal => "exactly ",
        Comparison::AtLeast => "at least ",
        Comparison::Greater => "more than ",
    };
    let limit = expectation.limit;
    let queue = |all: &str, one: &str| match &expectation.queue {
        Some(queue) => format!("{one} `{}`", show::clean(queue)),
        None => all.to_owned(),
    };
    match expectation.measure {
        Measure::Jobs => {
            format!("{than}{} jobs{whose} have been acknowledged", show::number(limit))
        }
        Measure::Deviation => {
            format!("what was sent has been {than}{} away from what was due", share(limit))
        }
        Measure::Errors => format!("{than}{} of the jobs{whose} sent have failed", share(limit)),
        Measure::Drains => {
            format!("no job waits any more within {} of the last", show::micros(limit))
        }
        Measure::Depth => {
            let queue = match &expectation.queue {
                Some(queue) => format!("the queue `{}` never", show::clean(queue)),
                None => "no queue that is written to".to_owned(),
            };
            format!("{queue} has been seen with {} jobs or more", show::number(limit))
        }
        Measure::DepthNow => format!(
            "{than}{} jobs wait in {}",
            show::number(limit),
            queue("the fullest queue that is written to", "the queue")
        ),
        Measure::Recovers(recovery) => {
            let what = match recovery {
                Recovery::Both => {
                    "the 99% response time and the depth are back where they were".to_owned()
                }
                Recovery::Depth => format!(
                    "the depth of {} is back where it was",
                    queue("all queues that are written to", "the queue")
                ),
                Recovery::Time(statistic, kind) => format!(
                    "the time from {}, {}, is back where it was",
                    between(kind),
                    of(statistic, "")
                ),
            };
            let label = expectation.phrase.as_ref().map_or("", |phrase| &phrase.label);
            format!(
                "within {} of the end of `{}` {what} in the 10 seconds before it",
                show::micros(limit),
                show::clean(label)
            )
        }
        Measure::Time(statistic, kind) => format!(
            "{} it took {than}{} from {}",
            of(statistic, whose),
            show::micros(limit),
            between(kind)
        ),
    }
}

fn of(statistic: Statistic, whose: &str) -> String {
    match statistic {
        Statistic::Mean if whose.is_empty() => "on average".to_owned(),
        Statistic::Mean => format!("on average of the jobs{whose}"),
        Statistic::Max if whose.is_empty() => "at the most".to_owned(),
        Statistic::Max => format!("at the most of the jobs{whose}"),
        Statistic::Percentile(thousandths) => {
            format!("for {}% of the jobs{whose}", show::decimal(f64::from(thousandths) / 1e3, 3))
        }
    }
}

fn between(kind: TimeKind) -> &'static str {
    match kind {
        TimeKind::SendDelay => "due to sent",
        TimeKind::Service => "sent to acknowledged",
        TimeKind::Response => "due to acknowledged",
        TimeKind::Pickup => "ready to begun by a worker",
    }
}
