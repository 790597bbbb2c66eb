//! What is said of a part of a plan, under names: what has another value before than after has changed.
//!
//! Every structure is taken apart field by field without a rest pattern, so that a field that is added later does not
//! compile before it is told here, or left out for a reason.

use super::contents;
use crate::ast::{Comparison, Measure};
use crate::job::{Envelope, Format, JobSpec, QueueChoice, Setting, State, Way};
use crate::plan::{
    Action, Expectation, Guard, GuardKind, Notify, NotifyWay, ServerLimit, Stream, Tuning, Wait,
    WaitKind,
};
use crate::show;
use crate::view::text::queues;

/// What a part has, by name; no value where it has none of that name.
pub(super) type Facts = Vec<(String, Option<String>)>;

/// A fact that is another one now.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Change {
    /// Its name.
    pub what: String,
    /// Before.
    pub old: Option<String>,
    /// After.
    pub new: Option<String>,
}

/// The facts of two parts that differ, in their order.
pub(super) fn changes(old: &Facts, new: &Facts) -> Vec<Change> {
    let value = |facts: &Facts, what: &str| {
        facts.iter().find(|(name, _)| name == what).and_then(|(_, value)| value.clone())
    };
    let mut changes: Vec<Change> = Vec::new();
    for (what, _) in old.iter().chain(new) {
        if changes.iter().any(|change| change.what == *what) {
            continue;
        }
        let (old, new) = (value(old, what), value(new, what));
        if old != new {
            changes.push(Change { what: what.clone(), old, new });
        }
    }
    changes
}

fn fact(what: &str, value: impl Into<String>) -> (String, Option<String>) {
    (what.to_owned(), Some(value.into()))
}

fn maybe(what: &str, value: Option<String>) -> (String, Option<String>) {
    (what.to_owned(), value)
}

/// What is said of a stream besides its phrases and the jobs it chooses among.
pub(super) fn of_stream(stream: &Stream) -> Facts {
    let Stream {
        after_ns,
        arrivals,
        late,
        batch,
        blocks,
        warmup,
        waits,
        paces,
        steps,
        // What it is matched by.
        name: _,
        // What the phrases say; the digest has what they do not.
        curve: _,
        timeline: _,
        due: _,
        phrases: _,
        // Compared job by job.
        mix: _,
        // The end that a guard sets: the guards are compared, and what is sent.
        until: _,
        held_to: _,
    } = stream;
    let mut facts = vec![
        fact("after", show::duration(*after_ns)),
        fact("arrivals", arrivals.to_string()),
        fact("late", late.to_string()),
        fact("batch", batch.to_string()),
        maybe("arrivals of blocks", list(blocks.iter().map(ToString::to_string))),
        maybe("warmup", list(warmup.iter().map(|part| stretch(part.start_ns, part.end_ns)))),
        maybe("ends early", list(waits.iter().filter(|wait| !holds(wait)).map(wait))),
        maybe("holds", list(waits.iter().filter(|wait| holds(wait)).map(wait))),
        maybe(
            "speed",
            list(paces.iter().map(|(from_ns, pace)| {
                format!("x{} from {} on", show::number(*pace), show::duration(*from_ns))
            })),
        ),
    ];
    let flows = stream.mix.iter().filter_map(|entry| entry.flow.as_deref());
    for flow in flows {
        let name = format!("flow {}", show::clean(&flow.flow.name));
        let expected = steps.iter().find(|steps| steps.jobs.flow.name == flow.flow.name);
        let expected = expected.map(|steps| {
            let how = if steps.counted { "counted" } else { "expected" };
            format!("{} {how}", show::plural(steps.jobs(), "job"))
        });
        facts.push(maybe(&format!("{name} steps"), expected));
        for state in &flow.flow.states {
            let State { name: from, ways } = state;
            for Way { to, share, delay_ns } in ways {
                let to = flow.flow.states.get(*to).map_or("", |state| &state.name);
                let way = format!("{name} {} -> {}", show::clean(from), show::clean(to));
                facts.push(fact(&way, format!("{} {}", show::percent(*share), after(*delay_ns))));
            }
        }
        for job in &flow.jobs {
            let own = of_job(job).into_iter();
            let name = format!("{name} job {}", show::clean(&job.name));
            facts.extend(own.map(|(what, value)| (format!("{name} {what}"), value)));
        }
    }
    facts
}

fn list(items: impl Iterator<Item = String>) -> Option<String> {
    let items: Vec<String> = items.collect();
    (!items.is_empty()).then(|| items.join(", "))
}

fn stretch(start_ns: u64, end_ns: u64) -> String {
    format!("{}..{}", show::duration(start_ns), show::duration(end_ns))
}

fn after((low, high): (u64, u64)) -> String {
    if low == high {
        return format!("after {}", show::duration(low));
    }
    format!("after {}", stretch(low, high))
}

fn holds(wait: &Wait) -> bool {
    matches!(wait.kind, WaitKind::Held { .. })
}

fn wait(wait: &Wait) -> String {
    let Wait { kind, start_ns, end_ns, text: _, line: _, after_job: _, to_job: _ } = wait;
    let until = match kind {
        WaitKind::Drained => "drained".to_owned(),
        WaitKind::Depth { queue, comparison, limit } => {
            let of = queue.as_ref().map_or_else(String::new, |queue| format!(" {queue:?}"));
            format!("depth{of} {} {}", sign(*comparison), show::count(*limit))
        }
        WaitKind::Held { queue, limit } => {
            let of = queue.as_ref().map_or_else(String::new, |queue| format!(" {queue:?}"));
            format!("depth{of} at {}", show::count(*limit))
        }
    };
    format!("{until} within {}", stretch(*start_ns, *end_ns))
}

fn sign(comparison: Comparison) -> &'static str {
    match comparison {
        Comparison::Less => "<",
        Comparison::AtMost => "<=",
        Comparison::Equal => "=",
        Comparison::AtLeast => ">=",
        Comparison::Greater => ">",
    }
}

/// What is said of a job besides its name.
pub(super) fn of_job(job: &JobSpec) -> Facts {
    let JobSpec { name: _, queue, format, payload, envelope } = job;
    let mut facts = vec![fact("to", queues(job))];
    if let QueueChoice::Pick(names) = queue {
        let weight = |(name, weight): &(String, f64)| format!("{name:?} {weight}");
        facts.push(maybe("weights", list(names.iter().map(weight))));
    }
    facts.extend(of_format(format));
    let Envelope { options, kwargs, delay_ns, priority, commands } = envelope;
    for (word, setting) in options {
        let value = match setting {
            Setting::Flag(flag) => flag.to_string(),
            Setting::Count(count) => show::count(*count),
            Setting::Duration(ns) => show::duration(*ns),
            Setting::Texts(texts) => {
                texts.iter().map(|text| format!("{text:?}")).collect::<Vec<_>>().join(", ")
            }
        };
        facts.push(fact(word, value));
    }
    let range = |(low, high): (String, String)| {
        if low == high { low } else { format!("{low}..{high}") }
    };
    let delay = |(low, high)| range((show::duration(low), show::duration(high)));
    facts.push(maybe("delay", delay_ns.map(delay)));
    let level = |(low, high): (i64, i64)| range((low.to_string(), high.to_string()));
    facts.push(maybe("priority", priority.map(level)));
    for (at, words) in commands.iter().enumerate() {
        facts.push(fact(&format!("command {}", at + 1), contents::command(words)));
    }
    facts.extend(contents::kwargs(kwargs.as_ref()));
    facts.extend(contents::payload(payload));
    facts
}

/// What is set behind `as FORMAT`; the format itself stands with the queue.
fn of_format(format: &Format) -> Option<(String, Option<String>)> {
    match format {
        Format::Stream { max_len } => max_len.map(|len| fact("maxlen", show::count(len))),
        Format::BullMq { prefix } | Format::Bull { prefix } | Format::Laravel { prefix } => {
            Some(fact("prefix", format!("{prefix:?}")))
        }
        Format::Dramatiq { namespace } | Format::Resque { namespace } => {
            Some(fact("namespace", format!("{namespace:?}")))
        }
        Format::Taskiq { stream } => Some(fact("stream", stream.to_string())),
        Format::List
        | Format::Delayed
        | Format::PubSub
        | Format::Sidekiq
        | Format::Celery
        | Format::Rq
        | Format::Arq
        | Format::Asynq
        | Format::Huey
        | Format::Custom => None,
    }
}

/// What is said of a guard.
pub(super) fn of_guard(guard: &Guard) -> Facts {
    // Which load it is of stands beside it, and a place says nothing.
    let Guard { kind, action, stream: _, text: _, span: _, tuning } = guard;
    let Tuning { warn, cooldown_ns, policy } = tuning;
    let (bound, window_ns) = match kind {
        GuardKind::Rate { window_ns, .. }
        | GuardKind::Errors { window_ns, .. }
        | GuardKind::Failed { window_ns, .. } => (measured(kind, kind.limit()), Some(*window_ns)),
        GuardKind::File(path) => (format!("{path:?}"), None),
        GuardKind::Jobs(_)
        | GuardKind::Time(_)
        | GuardKind::Depth { .. }
        | GuardKind::Age(_)
        | GuardKind::Memory(_)
        | GuardKind::Cpu(_)
        | GuardKind::ServerMemory(_) => (measured(kind, kind.limit()), None),
    };
    let then = action.map(|action| match action {
        Action::Stop => "stop".to_owned(),
        Action::Slow => "slow".to_owned(),
        Action::Shed => "shed".to_owned(),
        Action::PauseUntil(level) => format!("pause until {}", measured(kind, level)),
    });
    vec![
        fact("bound", bound),
        maybe("over", window_ns.map(show::duration)),
        maybe("then", then),
        maybe("warns at", warn.map(|warn| measured(kind, warn))),
        fact("cooldown", show::duration(*cooldown_ns)),
        maybe("of a policy", policy.then(|| "yes".to_owned())),
    ]
}

/// A value in the measure of a guard.
fn measured(kind: &GuardKind, value: f64) -> String {
    let exact = |value: f64| {
        if value.fract() == 0.0 { show::count(value as u64) } else { value.to_string() }
    };
    match kind {
        GuardKind::Rate { .. } | GuardKind::Jobs(_) => format!("{} jobs", exact(value)),
        GuardKind::Depth { .. } => format!("{} waiting", exact(value)),
        GuardKind::Time(_) | GuardKind::Age(_) => show::duration((value * 1e9).round() as u64),
        GuardKind::Errors { .. }
        | GuardKind::Failed { .. }
        | GuardKind::Cpu(_)
        | GuardKind::ServerMemory(ServerLimit::Share(_)) => {
            format!("{}%", show::number(value * 100.0))
        }
        GuardKind::Memory(_) | GuardKind::ServerMemory(ServerLimit::Bytes(_)) => {
            format!("{} B", exact(value))
        }
        GuardKind::File(_) => value.to_string(),
    }
}

/// What is said of somebody to be told.
pub(super) fn of_notify(notify: &Notify) -> Facts {
    let Notify { way, timeout_ns, retries, text: _ } = notify;
    let to = match way {
        NotifyWay::Command(command) => format!("command {command:?}"),
        NotifyWay::Webhook(url) => format!("webhook {url:?}"),
    };
    vec![
        fact("to", to),
        fact("timeout", show::duration(*timeout_ns)),
        fact("retries", retries.to_string()),
    ]
}

/// What is said of an expectation besides what it measures and of which part.
pub(super) fn of_expectation(expectation: &Expectation) -> Facts {
    let Expectation { measure, comparison, limit, at_ns, stops, queue: _, phrase: _, text: _ } =
        expectation;
    let limit = match measure {
        Measure::Jobs | Measure::Depth | Measure::DepthNow => show::count(*limit as u64),
        Measure::Deviation | Measure::Errors => format!("{}%", show::number(limit * 100.0)),
        Measure::Drains | Measure::Recovers(_) | Measure::Time(..) => {
            show::duration((limit * 1e3).round() as u64)
        }
    };
    vec![
        fact("limit", format!("{} {limit}", sign(*comparison))),
        maybe("at", at_ns.map(show::duration)),
        maybe("else", stops.then(|| "stop".to_owned())),
    ]
}
