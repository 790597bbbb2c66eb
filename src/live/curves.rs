//! The charts.

use super::Picture;
use crate::show;
use crate::stats::history::Slice;
use crate::view::ticks::{RateAxis, time_step};
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::symbols::Marker;
use ratatui::text::{Line, Span};
use ratatui::widgets::{Axis, Block, Chart, Dataset, GraphType};

/// What a chart shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Target and achieved rate, and the plan ahead.
    Rate,
    /// Percentiles of the response time.
    Response,
    /// How full the queues are.
    Depth,
    /// Jobs that failed, are unknown, overdue.
    Errors,
    /// Processor and memory of loadc.
    Own,
}

impl Kind {
    /// All, in the order of their keys.
    pub const ALL: [Kind; 5] = [Kind::Rate, Kind::Response, Kind::Depth, Kind::Errors, Kind::Own];

    /// The one after it.
    pub(super) fn next(self) -> Kind {
        let place = Kind::ALL.iter().position(|kind| *kind == self).unwrap_or(0);
        Kind::ALL[(place + 1) % Kind::ALL.len()]
    }

    pub(super) fn name(self) -> &'static str {
        match self {
            Kind::Rate => "rate",
            Kind::Response => "response",
            Kind::Depth => "depth",
            Kind::Errors => "errors",
            Kind::Own => "loadc itself",
        }
    }
}

type Points = Vec<(f64, f64)>;

/// A curve of a chart.
struct Curve {
    label: &'static str,
    style: Style,
    points: Points,
    dotted: bool,
}

/// How the slices of one column of dots become one value.
#[derive(Clone, Copy)]
enum Join {
    /// Jobs of all by the time of all.
    Rate(fn(&Slice) -> u64),
    /// The mean by time.
    Mean(fn(&Slice) -> f64),
    /// The largest, where there is any.
    Most(fn(&Slice) -> Option<f64>),
}

impl Picture {
    /// A chart with its frame, its key in the title.
    pub(super) fn chart(&self, frame: &mut Frame<'_>, area: Rect, kind: Kind) {
        let (from, now, to) = self.span();
        let columns = usize::from(area.width.saturating_sub(10).max(10)) * 2;
        let column_s = (to - from) / columns as f64;
        let join = |join| self.joined(join, from, column_s);
        let curves = self.curves(kind, join, (now, to, column_s));
        let log = kind == Kind::Response;
        let axis = YAxis::of(kind, &curves, log);
        let mut title = vec![Span::styled(format!(" {} ", kind.name()), self.ink.strong())];
        for curve in &curves {
            let sign = if curve.dotted { "⋯" } else { "━" };
            title.push(Span::styled(format!("{sign} {} ", curve.label), curve.style));
        }
        let block = Block::bordered().title(Line::from(title)).border_style(self.ink.soft());
        let scaled: Vec<Points> = curves
            .iter()
            .map(|curve| curve.points.iter().map(|(t, v)| (*t, axis.scaled(*v))).collect())
            .collect();
        let now_line: Points = (0..=40)
            .map(|i| (now, axis.low + (axis.high - axis.low) * f64::from(i) / 40.0))
            .collect();
        let mut sets =
            vec![Dataset::default().marker(Marker::Braille).style(self.ink.soft()).data(&now_line)];
        for (curve, points) in curves.iter().zip(&scaled) {
            let kind = if curve.dotted { GraphType::Scatter } else { GraphType::Line };
            sets.push(
                Dataset::default()
                    .marker(Marker::Braille)
                    .graph_type(kind)
                    .style(curve.style)
                    .data(points),
            );
        }
        let x = ratatui::widgets::Axis::default()
            .bounds([from, to])
            .labels(time_labels(from, to, area.width))
            .style(self.ink.soft());
        let y = Axis::default()
            .bounds([axis.low, axis.high])
            .labels(axis.labels(area.height))
            .style(self.ink.soft());
        frame.render_widget(
            Chart::new(sets).block(block).x_axis(x).y_axis(y).legend_position(None),
            area,
        );
    }

    fn curves(
        &self,
        kind: Kind,
        join: impl Fn(Join) -> Points,
        ahead: (f64, f64, f64),
    ) -> Vec<Curve> {
        let ink = self.ink;
        let curve = |label, style, points| Curve { label, style, points, dotted: false };
        match kind {
            Kind::Rate => vec![
                Curve { dotted: true, ..curve("plan", ink.plan(), self.ahead(ahead)) },
                curve("target", ink.target(), join(Join::Mean(|slice| slice.target_per_s))),
                curve("achieved", ink.achieved(), join(Join::Rate(|slice| slice.sent))),
            ],
            Kind::Response => {
                let most = |pick: fn(&Slice) -> Option<f64>| join(Join::Most(pick));
                vec![
                    curve("max", ink.soft(), most(|slice| Some(f64::from(slice.response?.max)))),
                    curve("p99", ink.warn(), most(|slice| Some(f64::from(slice.response?.p99)))),
                    curve("p50", ink.good(), most(|slice| Some(f64::from(slice.response?.p50)))),
                ]
            }
            Kind::Depth => {
                let depth = |slice: &Slice| slice.depth().map(|depth| depth as f64);
                vec![curve("jobs waiting", ink.other(), join(Join::Most(depth)))]
            }
            Kind::Errors => vec![
                curve("overdue", ink.plan(), join(Join::Most(|slice| Some(slice.overdue as f64)))),
                curve("unknown/s", ink.other(), join(Join::Rate(|slice| slice.unknown))),
                curve("failed/s", ink.bad(), join(Join::Rate(|slice| slice.failed))),
            ],
            Kind::Own => {
                vec![curve(
                    "% of a processor",
                    ink.good(),
                    join(Join::Mean(|slice| slice.cpu * 100.0)),
                )]
            }
        }
    }

    /// One point for each column of dots that has any slice.
    fn joined(&self, join: Join, from: f64, column_s: f64) -> Points {
        let column = |slice: &Slice| {
            let middle_s = (slice.end_ns - slice.length_ns / 2) as f64 / 1e9;
            ((middle_s - from) / column_s.max(1e-9)).floor()
        };
        let first = self.slices.partition_point(|slice| (slice.end_ns as f64 / 1e9) <= from);
        let groups = self.slices[first..].chunk_by(|a, b| column(a) == column(b));
        let point = |group: &[Slice]| {
            let length_s: f64 = group.iter().map(|slice| slice.length_ns as f64 / 1e9).sum();
            let value = match join {
                Join::Rate(count) => {
                    group.iter().map(|slice| count(slice) as f64).sum::<f64>() / length_s
                }
                Join::Mean(value) => {
                    let sum = group.iter().map(|slice| value(slice) * slice.length_ns as f64 / 1e9);
                    sum.sum::<f64>() / length_s
                }
                Join::Most(value) => group.iter().filter_map(value).reduce(f64::max)?,
            };
            let middle =
                group.iter().map(|slice| slice.end_ns as f64 / 1e9 - slice.length_ns as f64 / 2e9);
            Some((middle.sum::<f64>() / group.len() as f64, value))
        };
        groups.filter_map(point).collect()
    }

    /// The plan from now on, if nothing pauses it.
    fn ahead(&self, (now, to, column_s): (f64, f64, f64)) -> Points {
        let mut points = Points::new();
        if self.outdated {
            return points;
        }
        let mut after_s = column_s;
        while now + after_s < to {
            points.push((now + after_s, self.planned_rate(after_s)));
            after_s += column_s;
        }
        points
    }

    fn planned_rate(&self, after_s: f64) -> f64 {
        let streams = self.plan.streams.iter().zip(&self.now.streams);
        let rate = |(stream, state): (&crate::plan::Stream, &crate::run::events::StreamState)| {
            let at_ns = ((state.place_s + after_s) * 1e9) as u64;
            let own_ns = at_ns.checked_sub(stream.after_ns)?;
            (own_ns < stream.timeline.length_ns()?).then(|| stream.timeline.rate(own_ns))
        };
        streams.filter_map(rate).sum::<f64>() * self.scale
    }
}

struct YAxis {
    low: f64,
    high: f64,
    log: bool,
    ticks: Vec<f64>,
    kind: Kind,
}

impl YAxis {
    fn of(kind: Kind, curves: &[Curve], log: bool) -> YAxis {
        let values =
            || curves.iter().flat_map(|curve| curve.points.iter().map(|(_, value)| *value));
        let most = values().fold(0.0, f64::max);
        if log {
            let least = values().filter(|value| *value > 0.0).fold(f64::INFINITY, f64::min);
            let low = if least.is_finite() { least.max(1.0).log10().floor() } else { 2.0 };
            let high = most.max(10.0).log10().ceil().max(low + 1.0);
            let ticks = (low as i32..=high as i32).map(f64::from).collect();
            return YAxis { low, high, log, ticks, kind };
        }
        let axis = RateAxis::new(most, 4);
        YAxis { low: 0.0, high: axis.top, log, ticks: axis.ticks().collect(), kind }
    }

    fn scaled(&self, value: f64) -> f64 {
        if self.log { value.max(1.0).log10() } else { value }
    }

    /// Labels from the bottom to the top, at even distances.
    fn labels(&self, height: u16) -> Vec<String> {
        let text = |tick: f64| match self.kind {
            Kind::Response => show::micros(10f64.powf(tick)),
            Kind::Own => format!("{}%", show::number(tick)),
            _ => show::number(tick),
        };
        let room = usize::from(height.saturating_sub(4) / 2).max(1);
        let mut step = 1;
        while (self.ticks.len() - 1) / step > room || !(self.ticks.len() - 1).is_multiple_of(step) {
            step += 1;
        }
        self.ticks.iter().step_by(step).map(|tick| text(*tick)).collect()
    }
}

/// Labels at even distances from the left to the right edge; the middle ones where they are round.
fn time_labels(from: f64, to: f64, width: u16) -> Vec<String> {
    let round_ns = time_step(((to - from) * 1e9) as u64, 100);
    let text = |t: f64| {
        let ns = ((t * 1e9) as u64).next_multiple_of(round_ns.max(1));
        show::duration(if t == from || t == to { (t.round() * 1e9) as u64 } else { ns })
    };
    let count = if width >= 60 { 4 } else { 2 };
    (0..=count).map(|i| text(from + (to - from) * f64::from(i) / f64::from(count))).collect()
}
