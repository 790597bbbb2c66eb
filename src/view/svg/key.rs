//! The key under the curve: the phrases of a lone stream, or the streams.

use super::canvas::{Canvas, fit, text_width};
use super::{MARGIN, Scene, WIDTH};
use crate::plan::{Phrase, Stream};
use crate::show;
use crate::view::{Load, table};

const ROW: f64 = 20.0;
/// From the curve's lower edge to the first row's baseline.
const BELOW: f64 = 54.0;
/// More entries than this are set in two columns.
const ONE_COLUMN: usize = 12;
/// More are not shown.
const MAX_ENTRIES: usize = 60;

struct Entry {
    lead: String,
    /// The class of a colour, in place of the lead.
    color: Option<String>,
    text: String,
    times: String,
    jobs: String,
}

/// Draws the key; gives the lower edge of everything.
pub(super) fn draw(scene: &Scene<'_>, canvas: &mut Canvas, has_band: bool) -> f64 {
    let mut entries = entries(scene);
    let total = entries.len();
    let columns = if total > ONE_COLUMN { 2 } else { 1 };
    entries.truncate(MAX_ENTRIES);
    let rows = entries.len().div_ceil(columns);
    let width = (WIDTH - 2.0 * MARGIN - 32.0 * (columns - 1) as f64) / columns as f64;
    let first = scene.bottom() + BELOW;
    let widest = |cell: fn(&Entry) -> &String| {
        entries.iter().map(|entry| text_width(cell(entry))).fold(60.0, f64::max)
    };
    let rooms = (widest(|entry| &entry.times), widest(|entry| &entry.jobs));
    for (i, entry) in entries.iter().enumerate() {
        let x = MARGIN + (i / rows) as f64 * (width + 32.0);
        let y = first + (i % rows) as f64 * ROW;
        line(canvas, entry, (x, y), (width, rooms));
    }
    let last = first + rows.saturating_sub(1) as f64 * ROW;
    let mut y = last;
    let mut notes = Vec::new();
    if total > entries.len() {
        notes.push(format!("… and {} more", total - entries.len()));
    }
    if has_band {
        notes.push("band: from the lowest to the highest rate; line within: the mean".to_owned());
    }
    notes.extend(scene.jumps.caption());
    for note in notes {
        y += if y == last { 1.3 * ROW } else { ROW };
        canvas.text(MARGIN, y, "soft number", &note);
    }
    y
}

fn entries(scene: &Scene<'_>) -> Vec<Entry> {
    match scene.plan.streams.as_slice() {
        [stream] => {
            stream.phrases.iter().enumerate().map(|(i, entry)| phrase(i, entry, stream)).collect()
        }
        streams => {
            let has_lines = !scene.lines().is_empty();
            let entry = |(i, stream)| {
                let color = has_lines.then(|| format!("f{i}"));
                self::stream(stream, color)
            };
            streams.iter().enumerate().map(entry).collect()
        }
    }
}

fn phrase(i: usize, phrase: &Phrase, stream: &Stream) -> Entry {
    let at = |t_ns: u64| show::duration(t_ns.saturating_add(stream.after_ns));
    Entry {
        lead: (i + 1).to_string(),
        color: None,
        text: table::named(phrase),
        times: times(&at(phrase.start_ns), &at(phrase.end_ns)),
        jobs: format!("{} jobs", table::jobs(phrase.jobs)),
    }
}

fn stream(stream: &Stream, color: Option<String>) -> Entry {
    let load = Load::of_stream(stream);
    Entry {
        lead: String::new(),
        color,
        text: format!(
            "{}: peak {}",
            stream.name.as_deref().unwrap_or("unnamed"),
            show::rate(load.peak_per_s)
        ),
        times: times(&show::duration(stream.after_ns), &show::duration(load.end_ns)),
        jobs: show::plural(load.jobs, "job"),
    }
}

fn times(start: &str, end: &str) -> String {
    if start == end { start.to_owned() } else { format!("{start} – {end}") }
}

fn line(
    canvas: &mut Canvas,
    entry: &Entry,
    (x, y): (f64, f64),
    (width, (times, jobs)): (f64, (f64, f64)),
) {
    match &entry.color {
        Some(class) => canvas.rectangle((x + 8.0, y - 9.0), (12.0, 10.0), class, ""),
        None => canvas.text(x + 22.0, y, "soft end number", &entry.lead),
    }
    let room = width - 30.0 - jobs - times - 24.0;
    canvas.text(x + 30.0, y, "", &fit(&entry.text, room).unwrap_or_default());
    canvas.text(x + width - jobs - 12.0, y, "soft end number", &entry.times);
    canvas.text(x + width, y, "end number", &entry.jobs);
}
