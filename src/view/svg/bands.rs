//! The phrases along the time axis: one band for each stream, above the curve.

use super::canvas::{Canvas, fit, text_width};
use super::{MAX_LINES, Scene};
use crate::plan::{Phrase, Plan, Stream};
use crate::show;
use crate::view::table;

/// Where the first band begins.
pub(super) const TOP: f64 = 78.0;
const BAND: f64 = 22.0;
const GAP: f64 = 4.0;
/// More borders than this would be a hatching.
const MAX_BORDER_LINES: usize = 60;

/// The height of all bands.
pub(super) fn height(plan: &Plan) -> f64 {
    match plan.streams.len() {
        count @ ..=MAX_LINES => count as f64 * (BAND + GAP),
        _ => 0.0,
    }
}

/// Draws the bands, and for a lone stream the borders of its phrases across the curve.
pub(super) fn draw(scene: &Scene<'_>, canvas: &mut Canvas) {
    if scene.plan.streams.len() > MAX_LINES {
        return;
    }
    for (row, stream) in scene.plan.streams.iter().enumerate() {
        let y = TOP + row as f64 * (BAND + GAP);
        if scene.plan.streams.len() > 1 {
            let name = stream.name.as_deref().unwrap_or("unnamed");
            let name = fit(name, scene.left - super::MARGIN + 10.0).unwrap_or_default();
            canvas.text(scene.left - 8.0, y + 15.0, "soft end", &name);
        }
        for (i, phrase) in stream.phrases.iter().enumerate() {
            band(scene, canvas, (row, y), stream, (i, phrase));
        }
    }
    if let [stream] = scene.plan.streams.as_slice() {
        let starts = stream.phrases.iter().skip(1).map(|phrase| at(stream, phrase.start_ns));
        let mut starts: Vec<u64> = starts.collect();
        starts.dedup();
        for t_ns in starts.iter().take_while(|_| starts.len() <= MAX_BORDER_LINES) {
            let x = scene.x(*t_ns);
            canvas.line((x, TOP + BAND), (x, scene.bottom()), "border");
        }
    }
}

fn at(stream: &Stream, t_ns: u64) -> u64 {
    t_ns.saturating_add(stream.after_ns)
}

fn band(
    scene: &Scene<'_>,
    canvas: &mut Canvas,
    (row, y): (usize, f64),
    stream: &Stream,
    (i, phrase): (usize, &Phrase),
) {
    let (from, to) = (scene.x(at(stream, phrase.start_ns)), scene.x(at(stream, phrase.end_ns)));
    let width = (to - from - 1.0).max(0.5);
    let is_alone = scene.plan.streams.len() == 1;
    let class = match (is_alone, i % 2) {
        (true, 0) => "band".to_owned(),
        (true, _) => "other".to_owned(),
        (false, _) => format!("tint f{row}"),
    };
    canvas.rectangle((from, y), (width, BAND), &class, &hint(phrase, stream));
    let text = table::named(phrase);
    let order = (i + 1).to_string();
    let full = if is_alone { format!("{order}  {text}") } else { text };
    let room = width - 10.0;
    // Half a phrase tells something; less is better looked up in the key by its number.
    let label = fit(&full, room).filter(|label| label.len() >= 12 || *label == full);
    if let Some(label) = label {
        canvas.text(from + 6.0, y + 15.0, "", &label);
    } else if is_alone && text_width(&order) <= width {
        canvas.text(from + width / 2.0, y + 15.0, "middle", &order);
    }
}

fn hint(phrase: &Phrase, stream: &Stream) -> String {
    format!(
        "{}: {} to {}, {} jobs",
        table::named(phrase),
        show::duration(at(stream, phrase.start_ns)),
        show::duration(at(stream, phrase.end_ns)),
        table::jobs(phrase.jobs)
    )
}
