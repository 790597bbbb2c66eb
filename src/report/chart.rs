//! A chart over the time of a run: an SVG that is whole without scripts, and that the page's script
//! can zoom and read values from.
//!
//! The curves live in a drawing of their own inside the frame, with time from 0 to [`SPAN`] and values
//! from 0 (top) to [`RISE`]: to zoom is to show another part of it.

use super::columns::Columns;
use super::events::Told;
use super::markup::{escape, number, seconds};
use crate::show;
use crate::view::ticks::{RateAxis, time_step};
use std::fmt::Write as _;

const WIDTH: f64 = 960.0;
const LEFT: f64 = 68.0;
const RIGHT: f64 = 14.0;
const TOP: f64 = 10.0;
const BOTTOM: f64 = 26.0;
/// The drawing's units along time and along values.
const SPAN: f64 = 100_000.0;
const RISE: f64 = 1_000.0;
/// More marks than this are not drawn.
const MARKS: usize = 300;

/// What values are counted in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unit {
    /// Jobs per second.
    Rate,
    Jobs,
    Micros,
    Share,
}

impl Unit {
    fn name(self) -> &'static str {
        match self {
            Unit::Rate => "rate",
            Unit::Jobs => "jobs",
            Unit::Micros => "micros",
            Unit::Share => "share",
        }
    }

    pub(super) fn text(self, value: f64) -> String {
        match self {
            Unit::Rate => format!("{}/s", show::number(value)),
            Unit::Jobs => show::number(value),
            Unit::Micros => show::micros(value),
            Unit::Share => format!("{}%", show::number(value * 100.0)),
        }
    }
}

/// A curve.
pub(super) struct Line {
    pub(super) label: String,
    /// Its colour: `target`, `main`, `c0` …
    pub(super) class: String,
    pub(super) values: Vec<Option<f64>>,
    /// Where the script finds the values in the history: names of fields, or places.
    pub(super) path: Vec<String>,
    /// Whether what stands there is a count, shown as a rate.
    pub(super) per_second: bool,
    /// Whether what is under it is tinted.
    pub(super) area: bool,
}

impl Line {
    /// A curve of values as they stand in the history.
    pub(super) fn new(label: &str, class: &str, path: &[&str], values: Vec<Option<f64>>) -> Line {
        Line {
            label: label.to_owned(),
            class: class.to_owned(),
            values,
            path: path.iter().map(|part| (*part).to_owned()).collect(),
            per_second: false,
            area: false,
        }
    }
}

/// A chart.
pub(super) struct Chart<'a> {
    pub(super) title: &'a str,
    pub(super) note: &'a str,
    pub(super) height: f64,
    pub(super) unit: Unit,
    /// Values by their logarithm.
    pub(super) log: bool,
    pub(super) lines: Vec<Line>,
}

/// What all charts of a run share.
pub(super) struct Ground<'a> {
    pub(super) columns: &'a Columns,
    pub(super) end_s: f64,
    pub(super) events: &'a [Told],
}

/// The axis of values: its ends and ticks, in the scale it is drawn in.
struct Axis {
    low: f64,
    high: f64,
    ticks: Vec<f64>,
    log: bool,
}

impl Axis {
    fn of(chart: &Chart<'_>) -> Axis {
        let values = || chart.lines.iter().flat_map(|line| line.values.iter().copied().flatten());
        let high = values().fold(0.0, f64::max);
        if !chart.log {
            let axis = RateAxis::new(high, 4);
            return Axis { low: 0.0, high: axis.top, ticks: axis.ticks().collect(), log: false };
        }
        let low = values().filter(|value| *value > 0.0).fold(f64::INFINITY, f64::min);
        let low = if low.is_finite() { low.max(1.0).log10().floor() } else { 0.0 };
        let high = high.max(10.0).log10().ceil().max(low + 1.0);
        let ticks = (low as i32..=high as i32).map(|power| 10f64.powi(power)).collect();
        Axis { low, high, ticks, log: true }
    }

    /// A value's height in the drawing: 0 at the top.
    fn y(&self, value: f64) -> f64 {
        let value = if self.log { value.max(1e-9).log10() } else { value };
        let share = (value - self.low) / (self.high - self.low).max(f64::MIN_POSITIVE);
        RISE * (1.0 - share.clamp(0.0, 1.0))
    }
}

impl Chart<'_> {
    /// The figure.
    pub(super) fn draw(&self, ground: &Ground<'_>) -> String {
        let axis = Axis::of(self);
        let inner = self.height - TOP - BOTTOM;
        let width = WIDTH - LEFT - RIGHT;
        let mut out = String::new();
        let _ = write!(
            out,
            "<figure class=\"chart\" data-unit=\"{}\" data-lines=\"{}\">\n<figcaption><b>{}</b> <span class=\"soft\">{}</span>{}</figcaption>\n",
            self.unit.name(),
            escape(&self.lines_for_script()),
            escape(self.title),
            escape(self.note),
            self.legend()
        );
        let _ = writeln!(
            out,
            "<svg class=\"frame\" viewBox=\"0 0 {WIDTH} {}\" role=\"img\" aria-label=\"{}\" tabindex=\"0\">",
            self.height,
            escape(&self.described())
        );
        for tick in &axis.ticks {
            let y = TOP + axis.y(*tick) / RISE * inner;
            let _ = writeln!(
                out,
                "<line class=\"grid\" x1=\"{LEFT}\" x2=\"{}\" y1=\"{y:.1}\" y2=\"{y:.1}\"/><text class=\"end\" x=\"{}\" y=\"{:.1}\">{}</text>",
                WIDTH - RIGHT,
                LEFT - 8.0,
                y + 4.0,
                escape(&self.unit.text(*tick))
            );
        }
        out.push_str(&times(ground.end_s, self.height));
        let _ = writeln!(
            out,
            "<svg class=\"plot\" x=\"{LEFT}\" y=\"{TOP}\" width=\"{width}\" height=\"{inner}\" viewBox=\"0 0 {SPAN} {RISE}\" preserveAspectRatio=\"none\">"
        );
        out.push_str(&pauses(ground));
        for line in self.lines.iter().rev() {
            out.push_str(&draw_line(line, &axis, ground));
        }
        out.push_str(&marks(ground));
        out.push_str("</svg>\n</svg>\n</figure>\n");
        out
    }

    fn legend(&self) -> String {
        let entry = |line: &Line| {
            format!(
                "<span class=\"key\"><i class=\"{}\"></i>{}</span>",
                line.class,
                escape(&line.label)
            )
        };
        let entries: Vec<String> = self.lines.iter().map(entry).collect();
        format!("<span class=\"legend\">{}</span>", entries.join(""))
    }

    fn lines_for_script(&self) -> String {
        let line = |line: &Line| serde_json::json!({ "label": line.label, "class": line.class, "path": line.path, "perSecond": line.per_second });
        serde_json::Value::from(self.lines.iter().map(line).collect::<Vec<_>>()).to_string()
    }

    /// What one who can't see it should know.
    fn described(&self) -> String {
        let of = |line: &Line| {
            let known = line.values.iter().copied().flatten();
            let (low, high) =
                known.fold((f64::INFINITY, 0.0_f64), |(low, high), v| (low.min(v), high.max(v)));
            if low.is_finite() {
                format!("{} from {} to {}", line.label, self.unit.text(low), self.unit.text(high))
            } else {
                format!("{}: nothing measured", line.label)
            }
        };
        format!("{}: {}", self.title, self.lines.iter().map(of).collect::<Vec<_>>().join("; "))
    }
}

fn x(t_s: f64, ground: &Ground<'_>) -> f64 {
    SPAN * (t_s / ground.end_s.max(1e-9)).clamp(0.0, 1.0)
}

/// The middle of a slice.
fn middle_s(columns: &Columns, slice: usize) -> f64 {
    let (end, length) = (columns.t_s.get(slice), columns.length_s.get(slice));
    end.copied().unwrap_or(0.0) - length.copied().unwrap_or(0.0) / 2.0
}

/// A curve, broken where nothing is known; of level stretches only the ends are kept.
fn draw_line(line: &Line, axis: &Axis, ground: &Ground<'_>) -> String {
    let columns = ground.columns;
    let slices = line.values.len().min(columns.len());
    let mut points: Vec<Option<(f64, f64)>> = (0..slices)
        .map(|slice| {
            let y = axis.y(line.values[slice]?).round();
            Some((x(middle_s(columns, slice), ground).round(), y))
        })
        .collect();
    // The first and the last slice reach to the ends of the run.
    if let Some(Some(first)) = points.first_mut() {
        first.0 = 0.0;
    }
    if let (Some(Some(last)), Some(end)) = (points.last_mut(), columns.t_s.last()) {
        last.0 = x(*end, ground).round();
    }
    let mut path = String::new();
    for piece in points.split(|point| point.is_none()) {
        let piece: Vec<(f64, f64)> = piece.iter().copied().flatten().collect();
        for (at, (x, y)) in piece.iter().enumerate() {
            let level =
                at > 0 && at + 1 < piece.len() && piece[at - 1].1 == *y && piece[at + 1].1 == *y;
            if !level {
                let _ = write!(path, "{}{x} {y}", if at == 0 { 'M' } else { 'L' });
            }
        }
        if let [(x, y)] = piece.as_slice() {
            let _ = write!(path, "M{} {y}L{} {y}", x - 60.0, x + 60.0);
        }
    }
    if path.is_empty() {
        return String::new();
    }
    let mut out = String::new();
    if line.area
        && let Some(first) = path.strip_prefix('M')
        && !first.contains('M')
        && let (Some(Some(from)), Some(Some(to))) = (points.first(), points.last())
    {
        let (from, to) = (from.0, to.0);
        let _ = writeln!(
            out,
            "<path class=\"area {}\" d=\"M{from} {RISE}L{first}L{to} {RISE}Z\"/>",
            line.class
        );
    }
    let _ = writeln!(out, "<path class=\"line {}\" d=\"{path}\"/>", line.class);
    out
}

/// Where all streams stood still.
fn pauses(ground: &Ground<'_>) -> String {
    let mut out = String::new();
    let columns = ground.columns;
    let mut since: Option<f64> = None;
    for slice in 0..=columns.len() {
        let paused = columns.paused.get(slice).is_some_and(|share| *share > 0.5);
        let end_s = columns.t_s.get(slice).copied().unwrap_or(ground.end_s);
        let start_s = end_s - columns.length_s.get(slice).copied().unwrap_or(0.0);
        match (paused, since) {
            (true, None) => since = Some(start_s),
            (false, Some(from_s)) => {
                let (from, to) = (x(from_s, ground), x(start_s.min(ground.end_s), ground));
                let _ = writeln!(
                    out,
                    "<rect class=\"pause\" x=\"{}\" width=\"{}\" y=\"0\" height=\"{RISE}\"><title>paused from {} to {}</title></rect>",
                    number(from),
                    number((to - from).max(1.0)),
                    seconds(from_s),
                    seconds(start_s)
                );
                since = None;
            }
            _ => {}
        }
    }
    out
}

fn marks(ground: &Ground<'_>) -> String {
    let mut out = String::new();
    for event in ground.events.iter().filter(|event| event.marked).take(MARKS) {
        let x = number(x(event.t_s, ground));
        let _ = writeln!(
            out,
            "<line class=\"mark {}\" x1=\"{x}\" x2=\"{x}\" y1=\"0\" y2=\"{RISE}\"><title>{} {}</title></line>",
            escape(&event.kind),
            seconds(event.t_s),
            escape(&event.words)
        );
    }
    out
}

/// Ticks of time under the plot.
fn times(end_s: f64, height: f64) -> String {
    let end_ns = (end_s * 1e9) as u64;
    let step_ns = time_step(end_ns, 8);
    let mut out = String::from("<g class=\"times\">");
    let width = WIDTH - LEFT - RIGHT;
    let mut at_ns = 0;
    while at_ns <= end_ns {
        let at = LEFT + width * (at_ns as f64 / 1e9 / end_s.max(1e-9)).min(1.0);
        let anchor = if WIDTH - at < 40.0 { "end" } else { "middle" };
        let _ = write!(
            out,
            "<text class=\"{anchor}\" x=\"{}\" y=\"{}\">{}</text>",
            number(if anchor == "end" { WIDTH - RIGHT } else { at }),
            height - 7.0,
            show::duration(at_ns)
        );
        at_ns += step_ns;
    }
    out.push_str("</g>\n");
    out
}
