//! Where a plan stands in the calendar, and the hours of its days.

use super::{Pair, Reader, Rule};
use crate::ast::{HourLine, Hours, Name, Setting, Starts, StatementKind};
use crate::problem::{Code, Problem};

/// The days of the week, in order.
const DAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];

impl Reader {
    pub(super) fn starts(&mut self, pair: Pair<'_>) -> StatementKind {
        let (mut date, mut clock, mut zone) = (None, None, None);
        for part in pair.into_inner() {
            match part.as_rule() {
                Rule::date => date = Some(self.written(&part)),
                Rule::clock => clock = Some(self.written(&part)),
                Rule::string | Rule::bare_text => zone = Some(self.quoted(&part, "a time zone")),
                _ => {}
            }
        }
        match date {
            Some(date) => StatementKind::Setting(Setting::Starts(Starts { date, clock, zone })),
            None => StatementKind::Broken(None),
        }
    }

    pub(super) fn hours(&mut self, pair: Pair<'_>) -> StatementKind {
        let mut hours = Hours { on: None, rules: Vec::new() };
        for part in pair.into_inner() {
            match part.as_rule() {
                Rule::days => hours.on = Some(days(part)),
                Rule::hours_block => hours.rules = self.hour_rules(part),
                Rule::excess => self.excess(&part),
                _ => {}
            }
        }
        StatementKind::Hours(hours)
    }

    pub(super) fn hour_rules(&mut self, pair: Pair<'_>) -> Vec<HourLine> {
        let rules = self.parted(pair);
        rules.into_iter().filter_map(|rule| self.hour_rule(rule)).collect()
    }

    fn hour_rule(&mut self, pair: Pair<'_>) -> Option<HourLine> {
        let span = self.trimmed(&pair);
        if pair.as_rule() == Rule::broken_rule {
            if !self.is_full() && !self.is_blamed(span) {
                self.push(
                    Problem::error(Code::Expected, span, "`hours` cannot read this")
                        .help("write `07:00-09:00 x1.5`: from, to, and what multiplies the rate"),
                );
            }
            return None;
        }
        let (mut clocks, mut factor) = (Vec::new(), None);
        for part in pair.into_inner() {
            match part.as_rule() {
                Rule::clock => clocks.push(self.written(&part)),
                Rule::expr => factor = Some(self.expr(part)),
                _ => {}
            }
        }
        let mut clocks = clocks.into_iter();
        Some(HourLine { from: clocks.next()?, to: clocks.next()?, factor: factor?, span })
    }

    fn written(&self, pair: &Pair<'_>) -> Name {
        Name::new(pair.as_str().to_owned(), self.span(pair))
    }
}

/// `sat..sun, wed`: a range may go over the end of the week.
fn days(pair: Pair<'_>) -> [bool; 7] {
    let mut on = [false; 7];
    let (mut last, mut through) = (None, false);
    for part in pair.into_inner() {
        match part.as_rule() {
            Rule::dots => through = true,
            Rule::day => {
                let Some(day) = DAYS.iter().position(|day| *day == part.as_str()) else { continue };
                on[day] = true;
                if let (Some(first), true) = (last, through) {
                    let passed = (first..first + 7).take_while(|at| at % 7 != day);
                    passed.for_each(|at| on[at % 7] = true);
                }
                (last, through) = (Some(day), false);
            }
            _ => {}
        }
    }
    on
}
