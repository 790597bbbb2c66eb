//! What happened lately, in words.

use crate::run::events::{Event, Record};
use crate::show;
use std::collections::VecDeque;

/// Events that are kept.
const KEPT: usize = 200;

/// How much an event matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Weight {
    Plain,
    Warning,
    Bad,
}

/// The last events.
#[derive(Clone, Debug, Default)]
pub(super) struct Log {
    entries: VecDeque<(f64, Weight, String)>,
}

impl Log {
    pub(super) fn take(&mut self, record: &Record) {
        let Some((weight, words)) = words(&record.event) else { return };
        self.push(record.t_s, weight, &words);
    }

    /// Takes in something that is no event.
    pub(super) fn say(&mut self, t_s: f64, words: &str) {
        self.push(t_s, Weight::Warning, words);
    }

    fn push(&mut self, t_s: f64, weight: Weight, words: &str) {
        if self.entries.len() == KEPT {
            self.entries.pop_front();
        }
        self.entries.push_back((t_s, weight, show::clean(words)));
    }

    /// From the last on.
    pub(super) fn latest(&self) -> impl Iterator<Item = &(f64, Weight, String)> {
        self.entries.iter().rev()
    }
}

fn words(event: &Event) -> Option<(Weight, String)> {
    let load = |stream: &Option<String>| {
        stream.as_ref().map_or_else(String::new, |name| format!(" load {name}"))
    };
    Some(match event {
        Event::Started { jobs, .. } => {
            (Weight::Plain, format!("started: {}", show::plural(*jobs, "job")))
        }
        Event::Warning { message } | Event::Near { message, .. } => {
            (Weight::Warning, message.clone())
        }
        Event::Error { kind, outcome, count, message } => {
            (Weight::Bad, format!("{} {outcome} ({kind}): {message}", show::plural(*count, "job")))
        }
        Event::Guard { hit } => (
            Weight::Bad,
            format!("guard {} hit at {}: {}", hit.guard, show::number(hit.value), hit.action),
        ),
        Event::Expectation { expectation, met, value, unit, stopped } => (
            if *met { Weight::Plain } else { Weight::Bad },
            format!(
                "{}: {expectation} ({}){}",
                if *met { "as expected" } else { "not as expected" },
                unit.text(*value),
                if *stopped { ": the run ends" } else { "" }
            ),
        ),
        Event::Paused { by, stream } => {
            (Weight::Warning, format!("paused{} by {by}", load(stream)))
        }
        Event::Resumed { by, stream } => {
            (Weight::Plain, format!("resumed{} after {by}", load(stream)))
        }
        Event::ConnectionLost { message, server, queues } => {
            let whither = show::whither(server.as_deref(), queues);
            (Weight::Bad, format!("connection{whither} lost: {message}"))
        }
        Event::Reconnected { after_s, server, queues } => {
            let whither = show::whither(server.as_deref(), queues);
            let after = show::micros(after_s * 1e6);
            (Weight::Plain, format!("connected again{whither} after {after}"))
        }
        Event::Stalled { for_s } => {
            (Weight::Bad, format!("loadc itself stood still for {}", show::micros(for_s * 1e6)))
        }
        Event::Forgot { acked_jobs, message } => (
            Weight::Bad,
            format!("the server forgot {}: {message}", show::plural(*acked_jobs, "job")),
        ),
        Event::Reloaded { reload } => (
            Weight::Warning,
            format!("reloaded: {} of the plan now", show::plural(reload.planned_after, "job")),
        ),
        Event::ReloadRejected { message } => {
            (Weight::Bad, format!("not reloaded, the run goes on as it was: {message}"))
        }
        Event::Scaled { factor, planned } => (
            Weight::Warning,
            format!(
                "scaled to x{} of the plan: {}",
                show::decimal(*factor, 3),
                show::plural(*planned, "job")
            ),
        ),
        Event::Sought { plan_s, .. } => (
            Weight::Warning,
            format!(
                "goes on {} after the plan's start",
                show::duration((plan_s * 1e3) as u64 * 1_000_000)
            ),
        ),
        Event::Waited { wait } => {
            let weight = if wait.met { Weight::Plain } else { Weight::Warning };
            let how = wait.ending();
            (weight, format!("`{}` {how} after {}", wait.phrase, show::micros(wait.after_s * 1e6)))
        }
        Event::Metrics(_) | Event::Stopped { .. } => return None,
    })
}
