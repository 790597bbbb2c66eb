//! What changed, for people.

use super::contents::beside;
use super::definitions::{self, Definition};
use super::facts::Change;
use super::jobs::{self, JobLine};
use super::words::{ARROW, arrow, compared, facts, sign, title, told};
use super::{Diff, Pair, PhraseChange, Rule, Side, StreamChange};
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
            || "neither holds a load, and they define the same".to_owned(),
            |side| format!("{}, digest {}", totals(&side.load), side.plan.digest),
        );
        return format!("the load is the same: {what}");
    }
    page.file("---", "31", names.0, old.as_ref());
    page.file("+++", "32", names.1, new.as_ref());
    page.definitions(&diff.definitions);
    if old.is_none() && new.is_none() {
        return page.lines.join("\n");
    }
    page.totals(old.as_ref(), new.as_ref());
    for stream in &diff.streams {
        page.stream(stream, diff.streams.len());
    }
    if diff.is_of_digest_alone() {
        page.signed('~', 0, "the digest alone: the same rates, made up in another way, so that what is drawn may be another");
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
        for fact in &change.facts {
            self.signed('~', 0, &told(fact));
        }
        self.phrases(&change.phrases, 0);
        for job in change.jobs.iter().filter(|job| !job.same) {
            self.job(job);
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
        let (old, new) = (pair.old.as_ref(), pair.new.as_ref());
        let mut facts = Vec::new();
        for of in [&share as &dyn Fn(&JobLine<'_>) -> Option<String>, &size] {
            let (before, after) = (old.and_then(of), new.and_then(of));
            if before != after {
                facts.push(arrow(before, after));
            }
        }
        let changes = jobs::facts(pair);
        facts.extend(changes.iter().map(told));
        if let (Some(line), true) = (new.or(old), old.is_none() || new.is_none()) {
            facts.push(format!("to {}", queues(line.spec)));
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
            let (old, new) = (pair.old.as_ref(), pair.new.as_ref());
            self.signed(sign(pair), 0, &arrow(old.map(said), new.map(said)));
            if let (Some(old), Some(new)) = (old, new) {
                // What the words show already is not said again.
                let in_words = |change: &&Change| {
                    old.text == new.text
                        || !matches!(change.what.as_str(), "bound" | "limit" | "to")
                };
                for change in old.changes(new).iter().filter(in_words) {
                    self.under(0, &told(change));
                }
            }
        }
    }

    /// What files without a load define.
    fn definitions(&mut self, pairs: &[Pair<Definition>]) {
        if !pairs.is_empty() {
            self.lines.push(String::new());
        }
        for pair in pairs.iter().filter(|pair| !pair.same) {
            match (&pair.old, &pair.new) {
                (Some(old), Some(new)) => {
                    self.signed('~', 0, show::clean(&format!("{} {}", new.kind, new.name)).trim());
                    for (old, new) in definitions::hunks(old, new) {
                        let (old, new) = beside(&old, &new);
                        self.under(0, &format!("{old} {ARROW} {new}"));
                    }
                }
                (old, new) => {
                    if let Some(one) = new.as_ref().or(old.as_ref()) {
                        let text =
                            show::cut(&show::clean(&one.text()), self.look.width.saturating_sub(4));
                        self.signed(sign(pair), 0, &text);
                    }
                }
            }
        }
    }
}
