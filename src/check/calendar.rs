//! The plan in the calendar: `starts`, and what `hours` make of a stream.

use super::lower::is_endless;
use super::{Checker, Entry, StartsAt};
use crate::ast::{HourLine, Hours, Name, Starts};
use crate::calendar::{self, CalendarError, HourRule, Start, hours_steps};
use crate::exact::{Exact, NANOS_PER_SECOND, checked, to_f64, whole};
use crate::plan::Stream;
use crate::problem::{Code, Problem};
use crate::source::Span;
use crate::timeline::curve::{Curve, FactorStep};
use std::sync::Arc;

/// For how long the hours of what has no end are told, in seconds: a year and a month.
const ENDLESS_S: f64 = 400.0 * 86_400.0;

impl Checker<'_> {
    /// Where the plan stands: by the flag, else by the script.
    pub(super) fn starts(&mut self, written: Option<(&Starts, Span)>) -> Option<Start> {
        let start = self.found_start(written);
        // One that is there and wrong has been told.
        self.calendar_missed |=
            start.is_none() && (written.is_some() || self.options.starts.is_some());
        start
    }

    /// Where the run enters the plan, in seconds from its start.
    pub(super) fn entry(&mut self, starts: Option<&Start>) -> Option<Exact> {
        let clock_s = match self.options.from {
            None => return Some(whole(0)),
            Some(Entry::Offset(offset)) => return Some(offset),
            Some(Entry::Clock(clock_s)) => clock_s,
        };
        let seconds = match starts {
            Some(start) => start.until_clock(clock_s)?,
            None => i64::from(clock_s),
        };
        // The clock is that of the plan before it is sped up.
        let speed = self.options.speed.unwrap_or_else(|| whole(1));
        checked('/', &whole(i128::from(seconds)), &speed)
    }

    fn found_start(&mut self, written: Option<(&Starts, Span)>) -> Option<Start> {
        let own = written.and_then(|(starts, _)| self.written_start(starts));
        let Some(flag) = self.options.starts.clone() else {
            let (date, clock_s, zone) = own?;
            return self.start(&date.node, clock_s, &zone, date.span);
        };
        let StartsAt { date, clock_s, zone } = flag;
        let zone = zone.or(own.map(|(.., zone)| zone.node));
        let zone = zone.unwrap_or_else(|| "UTC".to_owned());
        let zone = Name::new(zone, Span::default());
        self.start(&date, clock_s, &zone, Span::default())
    }

    fn written_start(&mut self, starts: &Starts) -> Option<(Name, u32, Name)> {
        let clock_s = match &starts.clock {
            Some(clock) => self.clock(clock, 86_399)?,
            None => 0,
        };
        let utc = || Name::new("UTC".to_owned(), starts.date.span);
        Some((starts.date.clone(), clock_s, starts.zone.clone().unwrap_or_else(utc)))
    }

    fn start(&mut self, date: &str, clock_s: u32, zone: &Name, place: Span) -> Option<Start> {
        let error = match Start::new(date, clock_s, &zone.node) {
            Ok(start) => return Some(start),
            Err(error) => error,
        };
        let (span, help) = match &error {
            CalendarError::UnknownZone(name) => {
                let help = match calendar::similar_zone(name) {
                    Some(meant) => format!("did you mean `\"{meant}\"`?"),
                    None => "zones are named as `\"Europe/Berlin\"`, or `\"UTC\"`".to_owned(),
                };
                (zone.span, help)
            }
            CalendarError::OutOfRange => (place, "a plan starts in 1970 or later".to_owned()),
            _ => (place, "write a date such as `2026-03-29`".to_owned()),
        };
        self.report(Problem::error(Code::Calendar, span, error.to_string()).help(help));
        None
    }

    /// The second of the day that a clock shows.
    pub(super) fn clock(&mut self, text: &Name, most: u32) -> Option<u32> {
        let seconds = calendar::clock(&text.node).filter(|seconds| *seconds <= most);
        if seconds.is_none() {
            let ends = calendar::clock(&text.node) == Some(86_400);
            let (message, help) = match ends {
                true => (
                    format!("nothing begins at `{}`: there the day ends", text.node),
                    "write `00:00`, where the next day begins",
                ),
                false => (
                    format!("no clock shows `{}`", text.node),
                    match most {
                        86_400 => "a day goes from `00:00` to `24:00`",
                        _ => "a day goes from `00:00` to `23:59:59`",
                    },
                ),
            };
            self.report(Problem::error(Code::Calendar, text.span, message).help(help));
        }
        seconds
    }

    /// A stream's curve times the factors of its hours.
    pub(super) fn by_hours(
        &mut self,
        curve: Curve,
        hours: &[(&Hours, Span)],
        after: Exact,
        starts: Option<&Start>,
    ) -> Option<Curve> {
        let Some((_, first)) = hours.first() else { return Some(curve) };
        let rules = self.hour_rules(hours);
        let Some(starts) = starts else {
            if !self.calendar_missed {
                self.calendar_missed = true;
                self.report(
                    Problem::error(
                        Code::Calendar,
                        *first,
                        "`hours` needs to know when the plan starts",
                    )
                    .help("add `starts 2026-03-29 00:00 in \"Europe/Berlin\"`, or give `--starts`"),
                );
            }
            return None;
        };
        let after_s = to_f64(&after);
        let length_s = reach(&curve).min(MAX_S);
        let begin_s = starts.unix_s.saturating_add(after_s as i64);
        let part_ns = (after_s.fract() * 1e9) as u64;
        let length_ns = ((length_s + 1.0) * 1e9) as u64;
        match hours_steps(&starts.zone, begin_s, length_ns, &rules?) {
            Ok(steps) => {
                let step = |step: &calendar::HourStep| FactorStep {
                    t_ns: step.offset_ns.saturating_sub(part_ns),
                    factor: step.factor,
                };
                let steps: Arc<[FactorStep]> = steps.iter().map(step).collect();
                Some(Curve::Hours { steps, body: Box::new(curve) })
            }
            Err(error) => {
                let problem = Problem::error(Code::Calendar, *first, error.to_string());
                self.report(problem.help("start earlier, or let it run for less long"));
                None
            }
        }
    }

    fn hour_rules(&mut self, hours: &[(&Hours, Span)]) -> Option<Vec<HourRule>> {
        let mut rules = Some(Vec::new());
        for (block, _) in hours {
            for line in &block.rules {
                match (self.hour_rule(line, block.on.unwrap_or([true; 7])), rules.as_mut()) {
                    (Some(rule), Some(rules)) => rules.push(rule),
                    _ => rules = None,
                }
            }
        }
        rules
    }

    fn hour_rule(&mut self, line: &HourLine, days: [bool; 7]) -> Option<HourRule> {
        let (from, to) = (self.clock(&line.from, 86_399), self.clock(&line.to, 86_400));
        let factor = self.factor(&line.factor);
        let (from_s, to_s) = (from?, to?);
        if from_s == to_s {
            self.report(
                Problem::error(Code::Calendar, line.to.span, "these hours end when they begin")
                    .help("a whole day is `00:00-24:00`"),
            );
            return None;
        }
        Some(HourRule { days, from_s, to_s, factor: factor? })
    }

    /// The hours of what has no end are told for a time only: it must end before.
    pub(super) fn within_known_hours(&mut self, stream: &Stream) {
        let length_s = stream.timeline.length_ns().map(|length| length as f64 / 1e9);
        let told = hours_of_endless(&stream.curve);
        if told && length_s.is_some_and(|length| length > ENDLESS_S) {
            self.report(
                Problem::error(
                    Code::TooIntricate,
                    Span::default(),
                    "`hours` over something without an end are told for 400 days, and this runs longer",
                )
                .help("give the phrases a length in place of `forever`"),
            );
        }
    }
}

/// The longest any plan may last, in seconds.
const MAX_S: f64 = 100.0 * 366.0 * 86_400.0;

fn hours_of_endless(curve: &Curve) -> bool {
    match curve {
        Curve::Hours { body, .. } => is_endless(body),
        Curve::Cut { body, .. } | Curve::Speed { body, .. } => hours_of_endless(body),
        _ => false,
    }
}

/// How long a curve lasts before any speed, in seconds, or longer.
fn reach(curve: &Curve) -> f64 {
    let of = |length: &Option<Exact>| length.as_ref().map_or(ENDLESS_S, to_f64);
    match curve {
        Curve::Constant { length, .. }
        | Curve::Sine { length, .. }
        | Curve::Walk { length, .. }
        | Curve::Chaos { length, .. }
        | Curve::Replay { length, .. } => of(length),
        Curve::Ramp { over, .. } => to_f64(over),
        Curve::Moments { at_ns } => {
            at_ns.last().map_or(0.0, |last| *last as f64 / NANOS_PER_SECOND as f64)
        }
        Curve::AtOnce { .. } => 0.0,
        Curve::Sequence(parts) => parts.iter().map(reach).sum(),
        Curve::Together(parts) => parts.iter().map(reach).fold(0.0, f64::max),
        Curve::Repeat { times, body } => match times {
            Some(times) => *times as f64 * reach(body),
            None => ENDLESS_S,
        },
        Curve::Cut { body, length } if is_endless(body) => to_f64(length),
        Curve::Scale { body, .. }
        | Curve::Cap { body, .. }
        | Curve::Floor { body, .. }
        | Curve::Speed { body, .. }
        | Curve::Total { body, .. }
        | Curve::Hours { body, .. }
        | Curve::Jitter { body, .. }
        | Curve::Arrivals { body, .. }
        | Curve::Cut { body, .. }
        | Curve::Mark { body, .. } => reach(body),
    }
}
