//! Plain sentences: what a script says, and what an error code means.
//!
//! Pure: a plan and its tree go in, a text comes out.

mod expect;
mod guards;
mod jobs;
pub mod pages;
mod phrases;

use crate::ast::{Script, StatementKind};
use crate::exact::to_f64;
use crate::plan::{Guard, Late, Plan, Stream};
use crate::show;
use crate::source::SourceFile;
use crate::target::Target;
use crate::timeline::curve::{Arrivals, Curve};
use crate::view::{Load, Look};

/// Blanks before what stands under a heading.
const INDENT: usize = 2;

/// A script in plain sentences: what it sends, when, within which bounds, and how it is judged.
/// `scripts` are the trees of its files, its own first; `defaults` are the guards that hold in addition where the target is another machine. Ends
/// without a newline.
pub fn script(
    source: &SourceFile,
    scripts: &[Script],
    plan: &Plan,
    defaults: &[Guard],
    look: Look,
) -> String {
    let load = Load::of(plan);
    let mut page = Page { look, lines: Vec::new() };
    let name = show::clean(&plan.file);
    page.say(0, &format!("{name} sends {}. {}", totals(&load), whole(plan)));
    let phrases = phrases::Phrases::of(source, scripts);
    for stream in &plan.streams {
        page.heading(&title(stream, plan.streams.len()));
        for sentence in jobs::sentences(stream, plan.seed) {
            page.say(INDENT, &sentence);
        }
        if let Some(sentence) = hours(&stream.curve) {
            page.say(INDENT, &sentence);
        }
        if let Some(sentence) = arrivals(stream.arrivals) {
            page.say(INDENT, &sentence);
        }
        if stream.batch > 1 {
            let batch = show::count(stream.batch);
            page.say(
                INDENT,
                &format!("They fall due in batches of {batch}, each with its last job."),
            );
        }
        if let Some(sentence) = late(stream.late) {
            page.say(INDENT, &sentence);
        }
        phrases.say(stream, &mut page);
    }
    if !plan.guards.is_empty() || !defaults.is_empty() {
        page.heading("Guards");
    }
    for guard in &plan.guards {
        page.say(INDENT, &guards::guard(guard, plan));
    }
    for notify in &plan.notify {
        page.say(INDENT, &guards::notify(notify));
    }
    if !defaults.is_empty() {
        let texts: Vec<String> = defaults.iter().map(|guard| format!("`{}`", guard.text)).collect();
        page.say(
            INDENT,
            &format!(
                "For a target that is not this machine {} too: the script states no such bound on all of its load.",
                match texts.as_slice() {
                    [one] => format!("{one} holds"),
                    _ => format!("{} hold", and(&texts)),
                }
            ),
        );
    }
    if !plan.expectations.is_empty() {
        page.heading("Expectations");
        page.say(INDENT, "At the end the exit code is 0 only if all of these hold, and else 1:");
    }
    for expectation in &plan.expectations {
        page.say(2 * INDENT, &format!("{}.", expect::expectation(expectation)));
    }
    if !plan.notes.is_empty() {
        page.heading("Notes");
    }
    for note in &plan.notes {
        page.say(INDENT, &format!("{}.", show::clean(note)));
    }
    page.lines.join("\n")
}

/// A file of definitions alone, in a sentence.
pub fn library(source: &SourceFile, script: &Script) -> String {
    let mut names = Vec::new();
    for statement in &script.statements {
        match &statement.kind {
            StatementKind::Let(definition) => names.push(format!("`{}`", definition.name.node)),
            StatementKind::Use(path) => names.push(format!("what `{}` defines", path.node)),
            StatementKind::Shape(shape) => names.push(format!("the shape `{}`", shape.name.node)),
            StatementKind::Flow(flow) => names.push(format!("the flow `{}`", flow.name.node)),
            StatementKind::Job(job) => names.push(format!("the job `{}`", job.name.node)),
            _ => {}
        }
    }
    let name = show::clean(&source.name);
    match names.as_slice() {
        [] => format!("{name} says nothing."),
        _ => format!("{name} is a library: it defines {}, and sends nothing.", and(&names)),
    }
}

/// How many jobs, in which time and how fast.
fn totals(load: &Load<'_>) -> String {
    let jobs = show::plural(load.jobs, "job");
    if load.end_ns == 0 {
        return format!("{jobs} at once");
    }
    format!(
        "{jobs} in {}, {} in the mean and {} at the peak",
        show::duration(load.end_ns),
        show::rate(load.mean_per_s()),
        show::rate(load.peak_per_s)
    )
}

/// The seed and the target.
fn whole(plan: &Plan) -> String {
    let target = match &plan.target {
        Some(url) => {
            // What was checked can be read; a password in it is never shown.
            let shown = Target::parse(url).map_or_else(|_| "its target".to_owned(), |t| t.to_string());
            format!("They go to {}, unless `--target` names another.", show::clean(&shown))
        }
        None => "It names no target: they go to `--target`, to REDIS_URL, or to the server inside loadc.".to_owned(),
    };
    let starts =
        plan.starts.as_ref().map_or_else(String::new, |starts| format!(" It starts at {starts}."));
    format!("{target}{starts} All that is drawn follows from seed {}.", plan.seed)
}

/// That the hours of the day change the rate, and in which range.
fn hours(curve: &Curve) -> Option<String> {
    match curve {
        Curve::Hours { steps, .. } => {
            let factors = || steps.iter().map(|step| to_f64(&step.factor));
            let (low, high) =
                (factors().fold(f64::INFINITY, f64::min), factors().fold(0.0, f64::max));
            if low == high {
                let by = show::number(low);
                return (low != 1.0).then(|| {
                    format!("The rate is multiplied by {by}, by the hour of the local day.")
                });
            }
            Some(format!(
                "The rate is multiplied by the hour of the local day: by {} to {}.",
                show::number(low),
                show::number(high)
            ))
        }
        Curve::Speed { body, .. } | Curve::Cut { body, .. } => hours(body),
        _ => None,
    }
}

/// How the jobs lie along the curve, where that is not evenly.
fn arrivals(arrivals: Arrivals) -> Option<String> {
    Some(match arrivals {
        Arrivals::Even => return None,
        Arrivals::Poisson { exact: false } => {
            "They arrive by chance, each without regard to the others (a Poisson process); how many there are was drawn as well.".to_owned()
        }
        Arrivals::Poisson { exact: true } => {
            "They arrive by chance, each without regard to the others, and are exactly as many as the curve says.".to_owned()
        }
        Arrivals::Gamma { cv } => {
            let than = match cv {
                cv if cv > 1.0 => "in clusters and gaps, burstier than a Poisson process",
                cv if cv < 1.0 => "more evenly than a Poisson process",
                _ => "like a Poisson process",
            };
            format!("They arrive by chance, {than}: the times between them vary by {cv} of their mean.")
        }
    })
}

/// What becomes of overdue jobs, where they are not sent at once.
fn late(late: Late) -> Option<String> {
    Some(match late {
        Late::Send => return None,
        Late::SkipAfter(after_ns) => format!(
            "One that can't be sent within {} of being due, because of a stall, is given up and counted.",
            show::duration(after_ns)
        ),
        Late::SpreadOver(over_ns) => format!(
            "What a stall leaves overdue is sent evenly over {} beside what falls due.",
            show::duration(over_ns)
        ),
    })
}

fn title(stream: &Stream, streams: usize) -> String {
    let name = match &stream.name {
        Some(name) => format!("Load {}", show::clean(name)),
        None if streams == 1 => "Load".to_owned(),
        None => "Outside any load".to_owned(),
    };
    let mut title = name;
    if streams > 1 {
        title.push_str(&format!(": {}", totals(&Load::of_stream(stream))));
    }
    if stream.after_ns > 0 {
        title.push_str(&format!(", after {}", show::duration(stream.after_ns)));
    }
    title
}

/// `a`, `a and b`, `a, b and c`
fn and(items: &[String]) -> String {
    match items {
        [] => String::new(),
        [one] => one.clone(),
        [rest @ .., last] => format!("{} and {last}", rest.join(", ")),
    }
}

/// Sentences as they are laid out.
struct Page {
    look: Look,
    lines: Vec<String>,
}

impl Page {
    fn heading(&mut self, text: &str) {
        self.lines.push(String::new());
        self.lines.push(self.look.bold(&show::cut(text, self.look.width)));
    }

    fn say(&mut self, indent: usize, sentence: &str) {
        let width = self.look.width.saturating_sub(indent + INDENT).max(20);
        for (at, line) in show::wrap(sentence, width).into_iter().enumerate() {
            let indent = if at == 0 { indent } else { indent + INDENT };
            self.lines.push(format!("{:indent$}{line}", ""));
        }
    }
}
