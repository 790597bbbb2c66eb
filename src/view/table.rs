//! The table of phrases.

use super::Look;
use crate::plan::{Phrase, PhraseJobs};
use crate::show;
use std::path::Path;

/// Blanks between columns.
const GAP: usize = 2;
/// With less room for the phrases than this, each takes two lines.
const LEAST_TEXT: usize = 24;

/// A phrase as cells. Those of numbers are set to the right.
struct Row {
    line: String,
    depth: usize,
    text: String,
    start: String,
    end: String,
    from: String,
    to: String,
    peak: String,
    jobs: String,
}

/// One line for each phrase, nested ones indented, under a line of headings; two for each where the
/// terminal is narrow.
pub(super) fn phrases(phrases: &[Phrase], after_ns: u64, look: Look) -> Vec<String> {
    let mut rows = Vec::new();
    collect(phrases, after_ns, 0, &mut rows);
    if rows.is_empty() {
        return Vec::new();
    }
    let widths = Widths::of(&rows);
    match look.width.checked_sub(widths.numbers()) {
        Some(room) if room >= LEAST_TEXT => wide(&rows, &widths, room, look),
        _ => rows.iter().flat_map(|row| narrow(row, widths.line, look)).collect(),
    }
}

fn collect(phrases: &[Phrase], after_ns: u64, depth: usize, rows: &mut Vec<Row>) {
    for phrase in phrases {
        rows.push(row(phrase, after_ns, depth));
        collect(&phrase.phrases, after_ns, depth + 1, rows);
    }
}

fn row(phrase: &Phrase, after_ns: u64, depth: usize) -> Row {
    let (from, to) = (phrase.rate_start_per_s, phrase.rate_end_per_s);
    let peak = phrase.peak_per_s;
    let shown = |rate: f64| show::number(rate);
    let is_steady = shown(from) == shown(to);
    // Of what takes no time, there is no rate to show.
    let lasts = phrase.end_ns > phrase.start_ns;
    let at = |t_ns: u64| show::duration(t_ns.saturating_add(after_ns));
    Row {
        line: line(phrase),
        depth,
        text: named(phrase),
        start: at(phrase.start_ns),
        end: at(phrase.end_ns),
        from: if lasts && !is_steady { shown(from) } else { String::new() },
        to: if lasts { shown(to) } else { String::new() },
        peak: if lasts && shown(peak) != shown(from.max(to)) { shown(peak) } else { String::new() },
        jobs: jobs(phrase.jobs),
    }
}

/// The line, behind the name of its file where that is not the script.
fn line(phrase: &Phrase) -> String {
    let line = phrase.line;
    let stem = phrase.file.as_deref().and_then(|file| Path::new(file).file_stem());
    stem.map_or_else(
        || line.to_string(),
        |stem| format!("{}:{line}", show::clean(&stem.to_string_lossy())),
    )
}

/// The phrase as written, with its name.
pub(super) fn named(phrase: &Phrase) -> String {
    let text = show::clean(&phrase.text);
    match &phrase.label {
        Some(label) if !text.contains(&format!("as \"{label}\"")) => {
            format!("{text} as \"{}\"", show::clean(label))
        }
        _ => text,
    }
}

/// Jobs of a phrase: an exact count, or a share of a sum.
pub(super) fn jobs(jobs: PhraseJobs) -> String {
    match jobs {
        PhraseJobs::Exact(jobs) => show::count(jobs),
        PhraseJobs::Share(share) => show::share_of_jobs(share),
    }
}

struct Widths {
    line: usize,
    start: usize,
    end: usize,
    from: usize,
    to: usize,
    peak: usize,
    jobs: usize,
}

impl Widths {
    fn of(rows: &[Row]) -> Widths {
        let widest = |heading: &str, cell: fn(&Row) -> &String| {
            let cells = rows.iter().map(|row| show::width(cell(row))).max().unwrap_or(0);
            cells.max(show::width(heading))
        };
        let any_peak = rows.iter().any(|row| !row.peak.is_empty());
        Widths {
            line: widest("line", |row| &row.line),
            start: widest("start", |row| &row.start),
            end: widest("end", |row| &row.end),
            from: widest("", |row| &row.from),
            to: widest("rate/s", |row| &row.to),
            peak: if any_peak { widest("peak/s", |row| &row.peak) } else { 0 },
            jobs: widest("jobs", |row| &row.jobs),
        }
    }

    /// Of `from → to`.
    fn rate(&self) -> usize {
        if self.from == 0 { self.to } else { self.from + 3 + self.to }
    }

    /// Everything but the text.
    fn numbers(&self) -> usize {
        let peak = if self.peak > 0 { self.peak + GAP } else { 0 };
        self.line
            + GAP
            + GAP
            + self.start
            + GAP
            + self.end
            + GAP
            + self.rate()
            + peak
            + GAP
            + self.jobs
    }

    fn line(&self, cells: [&str; 6], text: &str) -> String {
        let [line, start, end, rate, peak, jobs] = cells;
        let gap = " ".repeat(GAP);
        let mut out = format!(
            "{line:>0$}{gap}{text}{gap}{start:>1$}{gap}{end:>2$}{gap}{rate:>3$}",
            self.line,
            self.start,
            self.end,
            self.rate()
        );
        if self.peak > 0 {
            out.push_str(&format!("{gap}{peak:>0$}", self.peak));
        }
        out.push_str(&format!("{gap}{jobs:>0$}", self.jobs));
        out
    }
}

fn wide(rows: &[Row], widths: &Widths, room: usize, look: Look) -> Vec<String> {
    let indented = |row: &Row| " ".repeat((2 * row.depth).min(room / 2)) + &row.text;
    let longest = rows.iter().map(|row| show::width(&indented(row))).max().unwrap_or(0);
    let room = room.min(longest.max("phrase".len()));
    let text = |text: &str| {
        let text = show::cut(text, room);
        let rest = room - show::width(&text);
        text + &" ".repeat(rest)
    };
    let heading =
        widths.line(["line", "start", "end", "rate/s", "peak/s", "jobs"], &text("phrase"));
    let mut lines = vec![look.dim(&heading)];
    for row in rows {
        let rate = match row.from.as_str() {
            "" => row.to.clone(),
            from => format!("{from} → {:>1$}", row.to, widths.to),
        };
        let cells = [&row.line, &row.start, &row.end, &rate, &row.peak, &row.jobs];
        lines.push(widths.line(cells.map(String::as_str), &text(&indented(row))));
    }
    lines
}

fn narrow(row: &Row, line_width: usize, look: Look) -> Vec<String> {
    let indent = line_width + GAP + (2 * row.depth).min(look.width / 4);
    let room = look.width.saturating_sub(indent);
    let mut facts = vec![if row.start == row.end {
        row.start.clone()
    } else {
        format!("{}–{}", row.start, row.end)
    }];
    facts.push(format!("{} jobs", row.jobs));
    match (row.from.as_str(), row.to.as_str()) {
        (_, "") => {}
        ("", rate) => facts.push(format!("{rate}/s")),
        (from, to) => facts.push(format!("{from} → {to}/s")),
    }
    if !row.peak.is_empty() {
        facts.push(format!("peak {}/s", row.peak));
    }
    let text = show::cut(&row.text, room);
    let mut lines = vec![format!("{:>line_width$}{:2$}{text}", row.line, "", indent - line_width)];
    let facts = show::wrap_parts(&facts, " · ", room);
    lines.extend(facts.iter().map(|part| format!("{:indent$}{}", "", look.dim(part))));
    lines
}
