//! A curve drawn in a terminal: dots of Braille, two columns and four rows to a character, with axes.
//!
//! Each column of dots goes from the lowest to the highest rate that occurs in its time, so nothing
//! is too short to be seen.

mod arrows;
mod overlay;

pub use overlay::overlay;

use super::ticks::{RateAxis, time_step};
use super::{Load, Look, Span};
use crate::show;

/// Rows of characters.
const ROWS: usize = 12;
/// Rows of dots.
const DOT_ROWS: usize = 4 * ROWS;
/// Ticks on the axis of rates.
const MAX_RATE_TICKS: u32 = 5;
/// Dots of a Braille character, by row and column, as bits of its code point.
const DOTS: [[u8; 2]; 4] = [[0x01, 0x08], [0x02, 0x10], [0x04, 0x20], [0x40, 0x80]];

/// The curve of a load with its axes under a title, one line a row; nothing if it has no length.
pub fn chart(load: &Load<'_>, title: &str, look: Look) -> Vec<String> {
    if load.end_ns == 0 {
        return Vec::new();
    }
    let axis = RateAxis::new(load.peak_per_s, MAX_RATE_TICKS);
    let labels: Vec<String> = axis.ticks().map(show::number).collect();
    let margin = labels.iter().map(|label| show::width(label)).max().unwrap_or(0);
    let columns = look.width.saturating_sub(margin + 2).max(10);
    let mut lines = vec![look.dim(title)];
    let jumps = load.jumps();
    lines.extend(
        arrows::row(load, &jumps, columns)
            .map(|row| format!("{:margin$}  {}", "", look.alert(&row))),
    );
    let rows = dots(&load.spans(2 * columns), axis.top);
    for (y, row) in rows.iter().enumerate() {
        let tick = axis.ticks().position(|rate| dot_row(rate, axis.top) / 4 == y);
        let label = tick.and_then(|i| labels.get(i)).map_or("", String::as_str);
        let mark = if tick.is_some() { '┤' } else { '│' };
        lines.push(format!("{label:>margin$} {}{}", look.dim(&mark.to_string()), look.accent(row)));
    }
    let (line, times) = time_axis(load.end_ns, columns);
    lines.push(format!("{:margin$} {}", "", look.dim(&line)));
    lines.push(format!("{:margin$} {times}", ""));
    lines.extend(jumps.caption().iter().flat_map(|caption| show::wrap(caption, look.width)));
    lines
}

/// Rows of Braille characters for columns of dots, from the top; `top` is the rate of the highest.
pub fn dots(spans: &[Span], top: f64) -> Vec<String> {
    let width = spans.len().div_ceil(2);
    let mut cells = vec![[0u8; ROWS]; width];
    let mut before: Option<(usize, usize)> = None;
    for (x, span) in spans.iter().enumerate() {
        let own = (dot_row(span.high, top), dot_row(span.low, top));
        let (mut first, mut last) = own;
        // Where the rate jumps between two columns, the line goes on upright.
        if let Some((above, below)) = before {
            first = first.min(below + 1);
            last = last.max(above.saturating_sub(1));
        }
        before = Some(own);
        for y in first..=last.min(DOT_ROWS - 1) {
            cells[x / 2][y / 4] |= DOTS[y % 4][x % 2];
        }
    }
    let character = |bits: u8| char::from_u32(0x2800 + u32::from(bits)).unwrap_or(' ');
    let row = |y: usize| {
        let row: String = cells.iter().map(|column| character(column[y])).collect();
        row.replace('\u{2800}', " ").trim_end().to_owned()
    };
    (0..ROWS).map(row).collect()
}

/// The row of dots of a rate, counted from the top.
fn dot_row(rate: f64, top: f64) -> usize {
    let height = (rate / top).clamp(0.0, 1.0) * (DOT_ROWS - 1) as f64;
    DOT_ROWS - 1 - (height.round() as usize).min(DOT_ROWS - 1)
}

/// The line under the curve, and the times under it.
fn time_axis(end_ns: u64, columns: usize) -> (String, String) {
    let step = time_step(end_ns, (columns as u64 / 9).max(1));
    let mut line: Vec<char> =
        std::iter::once('└').chain(std::iter::repeat_n('─', columns)).collect();
    let mut times = String::new();
    for t_ns in (0..).map(|i| step.saturating_mul(i)).take_while(|t| *t <= end_ns) {
        let column = u128::from(t_ns) * (columns as u128 - 1) / u128::from(end_ns);
        let column = 1 + usize::try_from(column).unwrap_or(0).min(columns - 1);
        line[column] = '┬';
        let label = show::duration(t_ns);
        let taken = show::width(&times);
        let at =
            column.saturating_sub(label.len() / 2).min((columns + 1).saturating_sub(label.len()));
        if taken == 0 || at > taken {
            times.push_str(&" ".repeat(at - taken));
            times.push_str(&label);
        }
        if step == u64::MAX {
            break;
        }
    }
    (line.into_iter().collect(), times)
}

#[cfg(test)]
mod tests;
