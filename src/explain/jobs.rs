//! What a stream sends, and where it goes.

use super::and;
use crate::job::{Format, JobSpec, Payload, QueueChoice, Value};
use crate::plan::{MixEntry, Stream};
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
        format!("{which}: {} for {}{bytes}.", payload(&job.payload), queue(job))
    };
    stream.mix.iter().map(sentence).collect()
}

fn payload(payload: &Payload) -> String {
    match payload {
        Payload::Size { min, max } if min == max => format!("{} of text", show::bytes(*min)),
        Payload::Size { min, max } => {
            format!("{} to {} of text", show::bytes(*min), show::bytes(*max))
        }
        Payload::Body(Value::Object(fields)) if fields.is_empty() => "an empty object".to_owned(),
        Payload::Body(Value::Object(fields)) => {
            let keys = fields.iter().map(|(key, _)| show::clean(key)).collect::<Vec<_>>();
            format!("an object with {}", and(&keys))
        }
        Payload::Body(_) => "a value".to_owned(),
    }
}

fn queue(job: &JobSpec) -> String {
    let (one, trimmed) = match &job.format {
        Format::List => ("list", String::new()),
        Format::Stream { max_len: None } => ("stream", String::new()),
        Format::Stream { max_len: Some(entries) } => {
            ("stream", format!(", trimmed to about {} entries", show::count(*entries)))
        }
    };
    match &job.queue {
        QueueChoice::Fixed(name) => format!("the {one} `{}`{trimmed}", show::clean(name)),
        QueueChoice::Pick(names) => {
            let weights: f64 = names.iter().map(|(_, weight)| weight).sum();
            let names = names.iter().map(|(name, weight)| {
                format!("`{}` ({})", show::clean(name), show::percent(weight / weights))
            });
            format!("one of the {one}s {}{trimmed}", and(&names.collect::<Vec<_>>()))
        }
    }
}
