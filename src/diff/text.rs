//! What changed, for people.

use super::words::{ARROW, arrow, compared, facts, sign, title};
use super::{Diff, Pair, PhraseChange, Rule, Side, StreamChange};
use crate::diff::jobs::JobLine;
use crate::plan::Stream;
use crate::show;
use crate::view::chart::{chart, overlay};
use crate::view::text::{queues, totals};
use crate::view::{Load, Look};

/// What changed between two files, with both curves drawn over each other. Ends without a newline.
pub fn text(diff: &Diff<'_>, names: (&str, &str), look: Look) -> String {
    let mut page = Page { look, lines: Vec::new() };
    let Pair { old, new, same } = &diff.sides;
    if *same {
        let what = new.as_ref().map_or_else(
            || "neither holds a load".to_owned(),
            |side| format!("{}, digest {}", totals(&side.load), side.plan.digest),
        );
        return format!("the load is the same: {what}");
    }
    page.file("---", "31", names.0, old.as_ref());
    page.file("+++", "32", names.1, new.as_ref());
    page.totals(old.as_ref(), new.as_ref());
    for stream in &diff.streams {
        page.stream(stream, diff.streams.len());
    }
    page.rules("guards", &diff.guards);
    page.rules("expectations", &diff.expectations);
    let drawn = match (old, new) {
        (Some(old), Some(new)) if old.plan.digest == new.plan.digest => Vec::new(),
        (Some(old), Some(new)) => overlay(&old.load, &new.load, look),
        (Some(one), None) | (None, Some(one)) => chart(&one.load, "rate, jobs/s", look),
        (None, None) => Vec::new(),
    };
    if !drawn.is_empty() {
        page.lines.push(String::new());
        page.lines.extend(drawn);
    }
    page.lines.join("\n")
}

struct Page {
    look: Look,
    lines: Vec<String>,
}

impl Page {
    fn file(&mut self, sign: &str, color: &str, name: &str, side: Option<&Side<'_>>) {
        let facts = side
            .map_or_else(|| "no load".to_owned(), |side| format!("digest {}", side.plan.digest));
        let name = show::cut(&show::clean(name), self.look.width.saturating_sub(30));
        let name = self.look.paint(color, &format!("{sign} {name}"));
        self.lines.push(format!("{name}  {}", self.look.dim(&facts)));
    }

    fn heading(&mut self, text: &str) {
        self.lines.push(String::new());
        self.lines.push(self.look.bold(&show::cut(text, self.look.width)));
    }

    /// A line that begins with a sign, in its colour.
    fn signed(&mut self, sign: char, depth: usize, text: &str) {
        let indent = 2 * depth + 4;
        let color = match sign {
            '+' => "32",
            '-' => "31",
            _ => "33",
        };
        for (at, part) in
            show::wrap(text, self.look.width.saturating_sub(indent)).iter().enumerate()
        {
            let lead = if at == 0 { sign } else { ' ' };
            let blanks = 2 * depth;
            self.lines.push(format!(
                "  {:blanks$}{} {}",
                "",
                self.look.paint(color, &lead.to_string()),
                self.look.paint(color, part)
            ));
        }
    }

    /// A remark under a signed line.
    fn under(&mut self, depth: usize, text: &str) {
        let indent = 2 * depth + 6;
        for part in show::wrap(text, self.look.width.saturating_sub(indent)) {
            self.lines.push(format!("{:indent$}{part}", ""));
        }
    }

    fn totals(&mut self, old: Option<&Side<'_>>, new: Option<&Side<'_>>) {
        self.lines.push(String::new());
        let change = |old: u64, new: u64| {
            let sign = if new >= old { '+' } else { '-' };
            let share = if old == 0 {
                String::new()
            } else {
                format!(", {sign}{}", show::percent(new.abs_diff(old) as f64 / old as f64))
            };
            format!("  ({sign}{}{share})", show::count(new.abs_diff(old)))
        };
        let jobs = match (old, new) {
            (Some(a), Some(b)) if a.load.jobs != b.load.jobs => change(a.load.jobs, b.load.jobs),
            _ => String::new(),
        };
        let both =
            |of: &dyn Fn(&Side<'_>) -> Option<String>| arrow(old.and_then(of), new.and_then(of));
        let load = |of: fn(&Load<'_>) -> String| both(&|side| Some(of(&side.load)));
        let rows = [
            ("jobs", load(|load| show::count(load.jobs)), jobs),
            ("length", load(|load| show::duration(load.end_ns)), String::new()),
            ("peak", load(|load| show::rate(load.peak_per_s)), String::new()),
            ("mean", load(|load| show::rate(load.mean_per_s())), String::new()),
            (
                "payload",
                both(&|side| {
                    let bytes = side.mean_payload_bytes?;
                    Some(show::bytes(bytes.round() as u64))
                }),
                " in the mean".to_owned(),
            ),
            ("seed", both(&|side| Some(side.plan.seed.to_string())), String::new()),
            (
                "starts",
                both(&|side| side.plan.starts.as_ref().map(ToString::to_string)),
                String::new(),
            ),
            (
                "target",
                both(&|side| {
                    Some(side.target.clone().map_or("none".to_owned(), |url| show::clean(&url)))
                }),
                String::new(),
            ),
        ];
        let both_there = old.is_some() && new.is_some();
        for (name, value, behind) in rows {
            let is_setting = matches!(name, "seed" | "starts" | "target");
            if value.is_empty() || is_setting && both_there && !value.contains(ARROW) {
                continue;
            }
            let line = format!("{name:<9} {value}{behind}");
            let line = if value.contains(ARROW) { line } else { self.look.dim(&line) };
            self.lines.push(line);
        }
    }

    fn stream(&mut self, change: &StreamChange<'_>, streams: usize) {
        let Pair { old, new, same } = &change.pair;
        if *same {
            return;
        }
        let stream = new.or(*old);
        let name = stream.and_then(|stream| stream.name.as_deref());
        let title = match name {
            Some(name) => format!("load {}", show::clean(name)),
            None if streams == 1 => "load".to_owned(),
            None => "outside any load".to_owned(),
        };
        let load = |stream: &Stream| totals(&Load::of_stream(stream));
        match (old, new) {
            (None, Some(new)) => self.heading(&format!("{title}  added: {}", load(new))),
            (Some(old), None) => self.heading(&format!("{title}  removed: {}", load(old))),
            _ => self.heading(&title),
        }
        if let (Some(old), Some(new)) = (old, new)
            && old.after_ns != new.after_ns
        {
            let after =
                |stream: &Stream| Some(format!("after {}", show::duration(stream.after_ns)));
            self.signed('~', 0, &arrow(after(old), after(new)));
        }
        if let (Some(old), Some(new)) = (old, new)
            && old.arrivals != new.arrivals
        {
            let arrivals = |stream: &Stream| Some(format!("arrivals {}", stream.arrivals));
            self.signed('~', 0, &arrow(arrivals(old), arrivals(new)));
        }
        if let (Some(old), Some(new)) = (old, new)
            && old.late != new.late
        {
            let late = |stream: &Stream| Some(format!("late {}", stream.late));
            self.signed('~', 0, &arrow(late(old), late(new)));
        }
        if let (Some(old), Some(new)) = (old, new)
            && old.batch != new.batch
        {
            let batch = |stream: &Stream| Some(format!("batch {}", stream.batch));
            self.signed('~', 0, &arrow(batch(old), batch(new)));
        }
        if let (Some(old), Some(new)) = (old, new) {
            self.flows(old, new);
        }
        self.phrases(&change.phrases, 0);
        for job in change.jobs.iter().filter(|job| !job.same) {
            self.job(job);
        }
    }

    /// What is expected of the flows that are not what they were.
    fn flows(&mut self, old: &Stream, new: &Stream) {
        let said = |stream: &Stream| {
            let one = |steps: &crate::plan::Steps| {
                let count = show::plural(steps.jobs(), "job");
                let how = if steps.counted { "" } else { " expected" };
                format!("flow {}: {count} more{how}", show::clean(&steps.jobs.flow.name))
            };
            let all: Vec<String> = stream.steps.iter().map(one).collect();
            (!all.is_empty()).then(|| all.join(", "))
        };
        let same = old.steps.iter().map(|steps| &steps.jobs).eq(new.steps.iter().map(|s| &s.jobs));
        if !same {
            let text = arrow(said(old), said(new));
            self.signed('~', 0, &text);
        }
    }

    fn phrases(&mut self, changes: &[PhraseChange<'_>], depth: usize) {
        let mut kept = 0;
        for change in changes {
            if change.is_same() {
                kept += 1;
                continue;
            }
            let Pair { old, new, same } = &change.pair;
            match (old, new) {
                (Some(old), Some(new)) => {
                    let sign = if *same { ' ' } else { '~' };
                    self.signed(sign, depth, &title(old));
                    if title(old) != title(new) {
                        self.under(depth, &format!("{ARROW} {}", title(new)));
                    }
                    if !*same {
                        self.under(depth, &compared(old, new));
                    }
                }
                (Some(phrase), None) => {
                    self.signed('-', depth, &title(phrase));
                    self.under(depth, &facts(phrase));
                }
                (None, Some(phrase)) => {
                    self.signed('+', depth, &title(phrase));
                    self.under(depth, &facts(phrase));
                }
                (None, None) => {}
            }
            self.phrases(&change.inner, depth + 1);
        }
        if kept > 0 && kept < changes.len() {
            let text = format!("and {} as before", show::plural(kept as u64, "phrase"));
            let indent = 2 * depth + 4;
            self.lines.push(self.look.dim(&format!("{:indent$}{text}", "")));
        }
    }

    fn job(&mut self, pair: &Pair<JobLine<'_>>) {
        let size = |line: &JobLine<'_>| {
            let bytes = line.mean_bytes?;
            Some(format!("{} each", show::bytes(bytes.round() as u64)))
        };
        let share = |line: &JobLine<'_>| Some(format!("{} of the jobs", show::percent(line.share)));
        let to = |line: &JobLine<'_>| Some(format!("to {}", queues(line.spec)));
        let (old, new) = (pair.old.as_ref(), pair.new.as_ref());
        let mut facts = Vec::new();
        for of in [&share as &dyn Fn(&JobLine<'_>) -> Option<String>, &to, &size] {
            let (before, after) = (old.and_then(of), new.and_then(of));
            if before != after {
                facts.push(arrow(before, after));
            }
        }
        if old.zip(new).is_some_and(|(old, new)| old.spec.payload != new.spec.payload) {
            facts.push("other contents".to_owned());
        }
        let sign = sign(pair);
        if let Some(line) = new.or(old) {
            self.signed(
                sign,
                0,
                &format!("job {}: {}", show::clean(&line.spec.name), facts.join(", ")),
            );
        }
    }

    fn rules(&mut self, head: &str, pairs: &[Pair<Rule>]) {
        if pairs.iter().all(|pair| pair.same) {
            return;
        }
        self.heading(head);
        let said = |rule: &Rule| match &rule.load {
            Some(load) => format!("{} (load {})", show::clean(&rule.text), show::clean(load)),
            None => show::clean(&rule.text),
        };
        for pair in pairs.iter().filter(|pair| !pair.same) {
            match (&pair.old, &pair.new) {
                (Some(old), Some(new)) if said(old) == said(new) => {
                    self.signed('~', 0, &format!("{}, of other values", said(new)));
                }
                (old, new) => {
                    self.signed(
                        sign(pair),
                        0,
                        &arrow(old.as_ref().map(said), new.as_ref().map(said)),
                    );
                }
            }
        }
    }
}
