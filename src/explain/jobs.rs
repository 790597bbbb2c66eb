//! What a stream sends, and where it goes.

use super::and;
use crate::ast::{Content, RowOrder};
use crate::job::layouts::{Carries, layout};
use crate::job::{Format, JobSpec, MIXED, Payload, QueueChoice, Rows, Setting, Value};
use crate::plan::{MixEntry, Steps, Stream};
use crate::show;
use crate::view::text::size;

/// A sentence for each job of a stream.
pub(super) fn sentences(stream: &Stream, seed: u64) -> Vec<String> {
    let weights: f64 = stream.mix.iter().map(|entry| f64::from(entry.weight)).sum();
    let sentence = |entry: &MixEntry| {
        let job = &entry.job;
        let name = if **job == JobSpec::default_job() {
            "a small default job, since the script defines none".to_owned()
        } else {
            format!("`{}`", show::clean(&job.name))
        };
        let share = show::percent(f64::from(entry.weight) / weights);
        let which = match stream.mix.len() {
            1 => format!("Every job is {name}"),
            _ => format!("{share} of the jobs are {name}"),
        };
        let bytes = size(stream, entry, seed).map_or_else(String::new, |sizes| {
            let mean = show::bytes(sizes.mean_bytes.round() as u64);
            let about = if sizes.min_bytes == sizes.max_bytes { "" } else { "about " };
            format!(", {about}{mean} each")
        });
        let rows = job.payload.rows().into_iter().map(rows).collect::<String>();
        format!("{which}: {}{rows} for {}{bytes}.", payload(job), queue(job))
    };
    let mut sentences: Vec<String> = stream.mix.iter().map(sentence).collect();
    sentences.extend(stream.steps.iter().map(flow));
    sentences
}

/// What becomes of the things of a flow.
fn flow(steps: &Steps) -> String {
    let states = steps.jobs.flow.states.iter().zip(&steps.expected).skip(1);
    let states = states.map(|(state, expected)| {
        format!("`{}` ({})", show::clean(&state.name), show::count(expected.round() as u64))
    });
    let number = if steps.counted { "by the seed there are" } else { "to be expected are" };
    format!(
        "Each `{}` begins a thing of the flow `{}`, which goes on by chance: {number} {} more, {}.",
        show::clean(&steps.jobs.jobs[0].name),
        show::clean(&steps.jobs.flow.name),
        show::plural(steps.jobs(), "job"),
        and(&states.collect::<Vec<_>>())
    )
}

fn rows(rows: &Rows) -> String {
    let count = show::plural(rows.table.rows(), "row");
    let order = match rows.order {
        RowOrder::InTurn => "in turn",
        RowOrder::Random => "at random",
        RowOrder::Once => "each once",
    };
    format!(", `{}` from a file of {count}, {order},", show::clean(&rows.name))
}

fn payload(job: &JobSpec) -> String {
    let job_takes_arguments =
        layout(job.format.word()).is_some_and(|layout| layout.carries == Carries::Arguments);
    match &job.payload {
        Payload::Size { min, max, content } if min == max => {
            format!("{} of {}", show::bytes(*min), made_of(*content))
        }
        Payload::Size { min, max, content } => {
            format!("{} to {} of {}", show::bytes(*min), show::bytes(*max), made_of(*content))
        }
        Payload::Mixed(content) => {
            let part = |((min, max), share): &((u64, u64), f64)| {
                let (min, max) = (show::bytes(*min), show::bytes(*max));
                format!("{} of them {min} to {max}", show::percent(*share))
            };
            let parts = MIXED.iter().map(part).collect::<Vec<_>>();
            format!("{} of mixed sizes, {}", made_of(*content), and(&parts))
        }
        Payload::File(blob) => {
            format!("a file of {}", show::bytes(blob.bytes.len() as u64))
        }
        Payload::Body(Value::Object(fields)) if fields.is_empty() => "an empty object".to_owned(),
        Payload::Body(Value::Object(fields)) => {
            let keys = fields.iter().map(|(key, _)| show::clean(key)).collect::<Vec<_>>();
            format!("an object with {}", and(&keys))
        }
        Payload::Body(Value::Array(items)) if job_takes_arguments => match items.len() {
            0 => "a call without arguments".to_owned(),
            1 => "a call with one argument".to_owned(),
            count => format!("a call with {count} arguments"),
        },
        Payload::Body(_) => "a value".to_owned(),
    }
}

fn made_of(content: Content) -> &'static str {
    match content {
        Content::Text => "text",
        Content::Binary => "random bytes",
    }
}

fn queue(job: &JobSpec) -> String {
    let (one, trimmed) = match &job.format {
        Format::List => ("list", String::new()),
        Format::Stream { max_len: None } => ("stream", String::new()),
        Format::Stream { max_len: Some(entries) } => {
            ("stream", format!(", trimmed to about {} entries", show::count(*entries)))
        }
        Format::Delayed => ("sorted set", String::new()),
        Format::PubSub => ("channel", String::new()),
        Format::Custom => ("key", String::new()),
        other => return framework(job, other.word()),
    };
    let told = told(job);
    match &job.queue {
        QueueChoice::Fixed(name) => format!("the {one} `{}`{trimmed}{told}", show::clean(name)),
        QueueChoice::Pick(names) => {
            let weights: f64 = names.iter().map(|(_, weight)| weight).sum();
            let names = names.iter().map(|(name, weight)| {
                format!("`{}` ({})", show::clean(name), show::percent(weight / weights))
            });
            format!("one of the {one}s {}{trimmed}{told}", and(&names.collect::<Vec<_>>()))
        }
    }
}

/// A queue of a framework, with what the framework is told.
fn framework(job: &JobSpec, word: &str) -> String {
    let queues = match &job.queue {
        QueueChoice::Fixed(name) => format!("queue `{}`", show::clean(name)),
        QueueChoice::Pick(names) => {
            let names = names.iter().map(|(name, _)| format!("`{}`", show::clean(name)));
            format!("queues {}", and(&names.collect::<Vec<_>>()))
        }
    };
    format!("workers of {word} at the {queues}{}", told(job))
}

/// What the framework is told besides: options, delay, priority.
fn told(job: &JobSpec) -> String {
    let envelope = &job.envelope;
    let mut parts: Vec<String> = envelope.options.iter().map(option).collect();
    if let Some((low, high)) = envelope.delay_ns {
        parts.push(format!("put off by {}", range(show::duration(low), show::duration(high))));
    }
    if let Some((low, high)) = envelope.priority {
        parts.push(format!("priority {}", range(low.to_string(), high.to_string())));
    }
    if parts.is_empty() { String::new() } else { format!(" ({})", parts.join(", ")) }
}

fn range(low: String, high: String) -> String {
    if low == high { low } else { format!("{low} to {high}") }
}

fn option((word, setting): (&String, &Setting)) -> String {
    match setting {
        Setting::Flag(true) => word.clone(),
        Setting::Flag(false) => format!("{word} false"),
        Setting::Count(count) => format!("{word} {}", show::count(*count)),
        Setting::Duration(ns) => format!("{word} {}", show::duration(*ns)),
        Setting::Texts(texts) => {
            let texts = texts.iter().map(|text| format!("{word} `{}`", show::clean(text)));
            texts.collect::<Vec<_>>().join(", ")
        }
    }
}
