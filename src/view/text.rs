//! A plan as a text for people.

use super::{Load, Look, chart, table};
use crate::job::layouts::layout;
use crate::job::{JobSpec, QueueChoice, Sizes, Template};
use crate::plan::{Late, MixEntry, Plan, Stream};
use crate::show;
use crate::timeline::curve::Arrivals;

const TOTAL: &str = "total";
const SENDS: &str = "sends";

/// Everything about a plan, whose load is given: its phrases, totals, jobs and queues, guards and expectations, and its
/// curve. Ends without a newline.
pub fn text(plan: &Plan, load: &Load<'_>, look: Look) -> String {
    let mut lines = vec![title(plan, look)];
    let is_alone = plan.streams.len() == 1;
    for stream in &plan.streams {
        lines.push(String::new());
        lines.extend(heading(stream, is_alone, look));
        lines.extend(table::phrases(&stream.phrases, stream.after_ns, look));
        lines.extend(mix(stream, plan.seed, look));
        lines.extend(flows(stream, look));
        lines.extend(warmup(stream, look));
    }
    lines.push(String::new());
    let is_bound = plan.streams.iter().any(|stream| !stream.waits.is_empty());
    let at_most = if is_bound { "at most " } else { "" };
    let totals = show::wrap(
        &format!("{at_most}{}", totals(load)),
        look.width.saturating_sub(TOTAL.len() + 2),
    );
    lines.extend(totals.iter().enumerate().map(|(i, part)| match i {
        0 => format!("{}  {part}", look.bold(TOTAL)),
        _ => format!("{:1$}{part}", "", TOTAL.len() + 2),
    }));
    let guards = plan.guards.iter().map(|guard| {
        let name = guard.stream.and_then(|index| plan.streams.get(index)?.name.as_deref());
        match name {
            Some(name) => format!("{} (load {})", show::clean(&guard.text), show::clean(name)),
            None => show::clean(&guard.text),
        }
    });
    lines.extend(list("guards", guards, look));
    let expectations = plan.expectations.iter().map(|expectation| show::clean(&expectation.text));
    lines.extend(list("expectations", expectations, look));
    lines.extend(list("notes", plan.notes.iter().map(|note| show::clean(note)), look));
    let chart = chart::chart(load, &rate_of(plan), look);
    if !chart.is_empty() {
        lines.push(String::new());
        lines.extend(chart);
    }
    lines.join("\n")
}

/// What the curve shows.
fn rate_of(plan: &Plan) -> String {
    match plan.streams.len() {
        1 => "rate, jobs/s".to_owned(),
        several => format!("rate of all {several} streams, jobs/s"),
    }
}

/// A load in one line: jobs, length, peak and mean.
pub fn totals(load: &Load<'_>) -> String {
    let jobs = show::plural(load.jobs, "job");
    if load.end_ns == 0 {
        return if load.jobs == 0 { jobs } else { format!("{jobs}, all at once") };
    }
    format!(
        "{jobs} in {} · peak {} · mean {}",
        show::duration(load.end_ns),
        show::rate(load.peak_per_s),
        show::rate(load.mean_per_s())
    )
}

fn title(plan: &Plan, look: Look) -> String {
    let starts =
        plan.starts.as_ref().map_or_else(String::new, |starts| format!("  starts {starts}"));
    let facts = format!("digest {}  seed {}{starts}", plan.digest, plan.seed);
    let file = show::clean(&plan.file);
    let room = look.width.saturating_sub(facts.len() + 2);
    if show::width(&file) <= room {
        format!("{}  {}", look.bold(&file), look.dim(&facts))
    } else {
        format!("{}\n{}", look.bold(&show::cut(&file, look.width)), look.dim(&facts))
    }
}

/// What stands above a stream's table, unless it is the only one and there is nothing to say.
fn heading(stream: &Stream, is_alone: bool, look: Look) -> Vec<String> {
    let sends = stream.late == Late::Send;
    let is_even = stream.arrivals == Arrivals::Even;
    let is_plain = is_even && stream.batch == 1;
    let name = match &stream.name {
        Some(name) => format!("load {}", show::clean(name)),
        None if is_alone && stream.after_ns == 0 && is_plain && sends => return Vec::new(),
        None => "outside any load".to_owned(),
    };
    let mut facts = Vec::new();
    if stream.after_ns > 0 {
        facts.push(format!("after {}", show::duration(stream.after_ns)));
    }
    if !is_even {
        facts.push(format!("arrivals {}", stream.arrivals));
    }
    if !sends {
        facts.push(format!("late {}", stream.late));
    }
    if stream.batch > 1 {
        facts.push(format!("in batches of {}", show::count(stream.batch)));
    }
    if !is_alone {
        let load = Load::of_stream(stream);
        facts.push(show::plural(load.jobs, "job"));
        facts.push(format!("peak {}", show::rate(load.peak_per_s)));
    }
    let facts = facts.join(" · ");
    let name = show::cut(&name, look.width);
    if show::width(&name) + 2 + show::width(&facts) <= look.width {
        vec![format!("{}  {facts}", look.bold(&name)).trim_end().to_owned()]
    } else {
        vec![look.bold(&name), format!("  {facts}")]
    }
}

/// What the stream sends: each job with its share, format, queues and size.
fn mix(stream: &Stream, seed: u64, look: Look) -> Vec<String> {
    let weights: f64 = stream.mix.iter().map(|entry| f64::from(entry.weight)).sum();
    let indent = SENDS.len() + 1;
    let mut lines = Vec::new();
    for entry in &stream.mix {
        let share = match stream.mix.len() {
            1 => String::new(),
            _ => format!(" {}", show::percent(f64::from(entry.weight) / weights)),
        };
        let job = if *entry.job == JobSpec::default_job() {
            "a small default job".to_owned()
        } else {
            show::clean(&entry.job.name)
        };
        let size = size(stream, entry, seed).map_or(String::new(), |sizes| {
            let mean = show::bytes(sizes.mean_bytes.round() as u64);
            let word = if sizes.min_bytes == sizes.max_bytes { "" } else { "about " };
            format!(", {word}{mean} each")
        });
        let size = match stored(stream, entry, seed) {
            Some(bytes) => format!("{size}, about {} in Redis", show::bytes(bytes.round() as u64)),
            None => size,
        };
        let text = format!("{job}{share} to {}{size}", queues(&entry.job));
        for part in show::wrap(&text, look.width.saturating_sub(indent)) {
            let lead = if lines.is_empty() { look.dim(SENDS) } else { " ".repeat(SENDS.len()) };
            lines.push(format!("{lead} {part}"));
        }
    }
    lines
}

/// What its flows are expected to send besides: the steps into each state.
fn flows(stream: &Stream, look: Look) -> Vec<String> {
    let mut lines = Vec::new();
    for steps in &stream.steps {
        let flow = &steps.jobs.flow;
        let states = flow.states.iter().zip(&steps.expected).zip(&steps.jobs.jobs).skip(1);
        let states = states.map(|((state, expected), job)| {
            let count = show::count(expected.round() as u64);
            format!("{} {count} to {}", show::clean(&state.name), queues(job))
        });
        let how = if steps.counted { "counted" } else { "as expected" };
        let text = format!(
            "flow {}, {how}: {} more, {}",
            show::clean(&flow.name),
            show::plural(steps.jobs(), "job"),
            states.collect::<Vec<_>>().join(", ")
        );
        for (at, part) in show::wrap(&text, look.width.saturating_sub(2)).iter().enumerate() {
            lines.push(format!("{}{part}", if at > 0 { "  " } else { "" }));
        }
    }
    lines
}

/// What of it no expectation judges.
fn warmup(stream: &Stream, look: Look) -> Vec<String> {
    if stream.warmup.is_empty() {
        return Vec::new();
    }
    let jobs = show::plural(stream.warmup_jobs(), "job");
    let text = format!("warms up with {jobs}, which no expectation judges");
    show::wrap(&text, look.width)
}

/// How large the payloads of a job are.
pub(crate) fn size(stream: &Stream, entry: &MixEntry, seed: u64) -> Option<Sizes> {
    let template = Template::compile(&entry.job, seed, stream.name.as_deref()).ok()?;
    Some(template.sizes(stream.jobs().max(1)))
}

/// What a waiting job takes of a server's memory, in bytes, estimated by its format and the mean of its
/// payload.
pub(crate) fn stored(stream: &Stream, entry: &MixEntry, seed: u64) -> Option<f64> {
    let stored = layout(entry.job.format.word())?.stored?;
    size(stream, entry, seed).map(|sizes| stored.bytes(sizes.mean_bytes))
}

/// Where a job goes, and in which format.
pub(crate) fn queues(job: &JobSpec) -> String {
    let format = job.format.word();
    match &job.queue {
        QueueChoice::Fixed(queue) => format!("{format} {}", show::clean(queue)),
        QueueChoice::Pick(queues) => {
            let weights: f64 = queues.iter().map(|(_, weight)| weight).sum();
            let queue = |(name, weight): &(String, f64)| {
                format!("{} {}", show::clean(name), show::percent(weight / weights))
            };
            format!("{format}s {}", queues.iter().map(queue).collect::<Vec<_>>().join(", "))
        }
    }
}

fn list(head: &str, items: impl Iterator<Item = String>, look: Look) -> Vec<String> {
    let mut lines = Vec::new();
    for item in items {
        if lines.is_empty() {
            lines.push(look.bold(head));
        }
        let parts = show::wrap(&item, look.width.saturating_sub(2));
        lines.extend(parts.iter().map(|part| format!("  {part}")));
    }
    lines
}

#[cfg(test)]
mod tests;
