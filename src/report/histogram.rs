//! How times are distributed, as bars over a logarithmic axis.

use super::markup::{escape, number};
use super::model::Histogram;
use crate::show;
use std::fmt::Write as _;

const WIDTH: f64 = 306.0;
const HEIGHT: f64 = 170.0;
const TOP: f64 = 8.0;
const BOTTOM: f64 = 24.0;
/// Bars to an octave.
const BARS: f64 = 6.0;

/// Bars: octaves of microseconds in [`BARS`] parts each, and the samples in them.
fn bars(histogram: &Histogram) -> (i64, Vec<u64>) {
    let place = |us: u64| ((us.max(1) as f64).log2() * BARS).ceil() as i64;
    let places = || histogram.steps.iter().map(|(us, _)| place(*us));
    let (Some(first), Some(last)) = (places().min(), places().max()) else {
        return (0, Vec::new());
    };
    let mut counts = vec![0; (last - first + 1).clamp(1, 400) as usize];
    for (us, count) in &histogram.steps {
        if let Some(bar) = counts.get_mut((place(*us) - first) as usize) {
            *bar += count;
        }
    }
    (first, counts)
}

/// The figure; nothing if there is nothing to show.
pub(super) fn draw(title: &str, histogram: &Histogram) -> String {
    let (first, counts) = bars(histogram);
    let total: u64 = counts.iter().sum();
    let Some(most) = counts.iter().copied().max().filter(|most| *most > 0) else {
        return String::new();
    };
    let width = (WIDTH / counts.len() as f64).min(16.0);
    let left = (WIDTH - width * counts.len() as f64) / 2.0;
    let inner = HEIGHT - TOP - BOTTOM;
    let upper = |bar: usize| 2f64.powf((first + bar as i64) as f64 / BARS);
    let mut out = format!(
        "<figure class=\"histogram\"><figcaption><b>{}</b></figcaption>\n<svg viewBox=\"0 0 {WIDTH} {HEIGHT}\" role=\"img\" aria-label=\"{}\">\n",
        escape(title),
        escape(&format!(
            "{title}: {} from {} to {}",
            show::plural(total, "time"),
            show::micros(upper(0)),
            show::micros(upper(counts.len() - 1))
        ))
    );
    for (bar, count) in counts.iter().enumerate().filter(|(_, count)| **count > 0) {
        // The least there is stays visible.
        let height = (inner * *count as f64 / most as f64).max(1.0);
        let share = *count as f64 / total as f64 * 100.0;
        let _ = writeln!(
            out,
            "<rect class=\"bar\" x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\"><title>up to {}: {} ({}%)</title></rect>",
            number(left + width * bar as f64),
            number(TOP + inner - height),
            number((width - 1.0).max(0.6)),
            number(height),
            show::micros(upper(bar)),
            show::plural(*count, "job"),
            show::decimal(share, 2)
        );
    }
    let base = TOP + inner;
    let _ =
        writeln!(out, "<line class=\"grid\" x1=\"0\" x2=\"{WIDTH}\" y1=\"{base}\" y2=\"{base}\"/>");
    let labels = [
        (0, "start", 0.0),
        (counts.len() / 2, "middle", WIDTH / 2.0),
        (counts.len() - 1, "end", WIDTH),
    ];
    for (bar, anchor, x) in labels.into_iter().take(if counts.len() < 3 { 1 } else { 3 }) {
        let x = if counts.len() < 3 { WIDTH / 2.0 } else { x };
        let anchor = if counts.len() < 3 { "middle" } else { anchor };
        let _ = writeln!(
            out,
            "<text class=\"{anchor}\" x=\"{x}\" y=\"{}\">{}</text>",
            HEIGHT - 6.0,
            show::micros(upper(bar))
        );
    }
    out.push_str("</svg></figure>\n");
    out
}
