//! `replay`: a recording becomes a curve.

use super::Checker;
use crate::ast::{Column, Name, Replay};
use crate::exact::nanos_to_seconds;
use crate::files;
use crate::problem::{Code, Problem};
use crate::recording::{self, Columns, Recording, TimeColumn, TimeUnit};
use crate::source::Span;
use crate::timeline::curve::Curve;

impl Checker<'_> {
    pub(super) fn replay(&mut self, replay: &Replay, limit: Option<Span>) -> Option<Curve> {
        let scale = replay.scale.as_ref().map(|scale| self.factor(scale));
        let speed = replay.speed.as_ref().map(|speed| {
            let value = self.factor(speed)?;
            self.positive(speed, value, "a speed")
        });
        let body = self.recorded(replay, limit);
        let mut curve = body?;
        if let Some(factor) = scale {
            curve = Curve::Scale { factor: factor?, body: Box::new(curve) };
        }
        if let Some(factor) = speed {
            curve = Curve::Speed { factor: factor?, body: Box::new(curve) };
        }
        Some(curve)
    }

    fn recorded(&mut self, replay: &Replay, limit: Option<Span>) -> Option<Curve> {
        if let (Some(at), Some(other)) = (
            &replay.at,
            replay.rate.as_ref().or_else(|| replay.time.as_ref().map(|time| &time.name)),
        ) {
            self.report(
                Problem::error(
                    Code::Recording,
                    other.span,
                    "a row is an instant or a rate, not both",
                )
                .label("a column of a rate over time")
                .and(at.name.span, "one job at each instant")
                .help("leave one of the two out"),
            );
            return None;
        }
        let at = replay.at.as_ref().map(|column| self.time_column(column));
        let time = replay.time.as_ref().map(|column| self.time_column(column));
        let columns = match at {
            Some(at) => Columns::Moments(at?),
            None => {
                let time = match time {
                    Some(time) => Some(time?),
                    None => None,
                };
                match (time, &replay.rate) {
                    (None, None) => Columns::Usual,
                    (time, rate) => {
                        Columns::Rate(time, rate.as_ref().map(|rate| rate.node.clone()))
                    }
                }
            }
        };
        let recording = self.recording(&replay.file, &columns)?;
        match recording {
            Recording::Rates(points) => {
                let last = points.last().map_or(0, |point| point.t_ns);
                let length = Some(nanos_to_seconds(last));
                Some(Curve::Replay { points, held: replay.held, length })
            }
            Recording::Moments(at_ns) => {
                if let Some(limit) = limit {
                    self.report(
                        Problem::error(
                            Code::AtOnceInside,
                            replay.file.span,
                            "jobs at recorded instants have no rate to limit",
                        )
                        .label("one job at each of its instants")
                        .and(limit, "limits the rate of what is inside")
                        .help("move it out of the block"),
                    );
                    return None;
                }
                Some(Curve::Moments { at_ns })
            }
        }
    }

    fn time_column(&mut self, column: &Column) -> Option<TimeColumn> {
        let name = column.name.node.clone();
        let Some(word) = &column.unit else { return Some(TimeColumn { name, unit: None }) };
        match TimeUnit::of(&word.node) {
            Some(unit) => Some(TimeColumn { name, unit: Some(unit) }),
            None => {
                let message = format!("there is no unit of time `{}` here", word.node);
                self.report(
                    Problem::error(Code::UnknownUnit, word.span, message)
                        .help("a column of times is in `s`, `ms`, `us` or `ns`"),
                );
                None
            }
        }
    }

    fn recording(&mut self, file: &Name, columns: &Columns) -> Option<Recording> {
        let path = self.source.path_from(file.span.start, &file.node);
        self.rows.note(&path);
        let read = files::read(&path)
            .map_err(|what| {
                let help = "its path begins at the folder of the script".to_owned();
                (format!("the recording cannot be used: {what}"), help)
            })
            .and_then(|bytes| {
                recording::read(&bytes, columns).map_err(|error| {
                    let place = error.row.map_or(String::new(), |row| format!(", row {row}"));
                    (format!("{}{place}: {}", file.node, error.message), error.help)
                })
            });
        match read {
            Ok(recording) => Some(recording),
            Err((message, help)) => {
                self.report(Problem::error(Code::Recording, file.span, message).help(help));
                None
            }
        }
    }
}
