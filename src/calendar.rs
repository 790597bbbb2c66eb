//! The calendar: where a plan stands in it, and what its hours make of the rate.
//!
//! Zones come with the program and not from the machine it runs on, so that a script gives the same
//! plan everywhere. What an hour says holds for every instant at which a clock on the wall there
//! shows it: an hour that summer time leaves out has no effect, one that comes twice has it twice.

use crate::exact::{Exact, NANOS_PER_SECOND, whole};
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use std::fmt;

/// Seconds in a day of the wall's clock.
const DAY: i64 = 86_400;
/// How many steps there may be.
const MAX_STEPS: usize = 1_000_000;

/// Why there are no hours.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CalendarError {
    /// A zone that the time zone database does not have.
    #[error("there is no time zone `{0}`")]
    UnknownZone(String),
    /// No date, or no time of the day.
    #[error("`{0}` is not in the calendar")]
    NoDate(String),
    /// A time outside of the years −9999 to 9999.
    #[error("outside of the calendar")]
    OutOfRange,
    /// More than a million changes.
    #[error("too many changes")]
    TooMany,
}

/// Where a plan stands in the calendar.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Start {
    /// Seconds since 1970, at least 0.
    pub unix_s: i64,
    /// The zone in which its hours are told.
    pub zone: String,
    /// The second of its day at which it starts, by the clock on the wall.
    pub clock_s: u32,
}

impl Start {
    /// A date such as `2026-03-29` and a second of that day, by the clock on the wall of a zone. What
    /// summer time leaves out is as much later, and what comes twice is the first of the two.
    ///
    /// # Errors
    ///
    /// An unknown zone, no such date, or one before 1970.
    pub fn new(date: &str, clock_s: u32, zone: &str) -> Result<Start, CalendarError> {
        let known = TimeZone::get(zone).map_err(|_| CalendarError::UnknownZone(zone.to_owned()))?;
        let no_date = || CalendarError::NoDate(date.to_owned());
        let day: Date = date.parse().map_err(|_| no_date())?;
        let (hour, minute) = (clock_s / 3600, clock_s / 60 % 60);
        let at = day.at(hour as i8, minute as i8, (clock_s % 60) as i8, 0);
        let unix_s = at.to_zoned(known).map_err(|_| no_date())?.timestamp().as_second();
        if unix_s < 0 {
            return Err(CalendarError::OutOfRange);
        }
        Ok(Start { unix_s, zone: zone.to_owned(), clock_s })
    }

    /// Seconds from here until a clock on the wall next shows a second of the day.
    pub fn until_clock(&self, clock_s: u32) -> Option<i64> {
        self.when_shown(clock_s, 0)
    }

    /// When, in seconds from here, a clock on the wall first shows a second of the day, but not before
    /// `from_s` seconds have passed.
    pub fn when_shown(&self, clock_s: u32, from_s: i64) -> Option<i64> {
        let zone = TimeZone::get(&self.zone).ok()?;
        let from = self.unix_s.checked_add(from_s)?;
        let day = Timestamp::from_second(from).ok()?.to_zoned(zone.clone()).date();
        let (hour, minute) = (clock_s / 3600, clock_s / 60 % 60);
        let days = [day, day.tomorrow().ok()?];
        let seconds = days.into_iter().filter_map(|day| {
            let at = day.at(hour as i8, minute as i8, (clock_s % 60) as i8, 0);
            let at = at.to_zoned(zone.clone()).ok()?.timestamp().as_second();
            Some(at - self.unix_s)
        });
        seconds.filter(|seconds| *seconds >= from_s).min()
    }

    /// Nanoseconds since 1970.
    pub fn unix_ns(&self) -> u64 {
        u64::try_from(self.unix_s).unwrap_or(0).saturating_mul(NANOS_PER_SECOND as u64)
    }
}

impl fmt::Display for Start {
    /// `2026-03-29T00:00:00+01:00[Europe/Berlin]`
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let zoned = Timestamp::from_second(self.unix_s).ok().zip(TimeZone::get(&self.zone).ok());
        match zoned {
            Some((at, zone)) => write!(out, "{}", at.to_zoned(zone)),
            None => write!(out, "{} s after 1970", self.unix_s),
        }
    }
}

/// The seconds of a day that a clock shows: `07:00`, `23:59:59`, and at the end `24:00`.
pub fn clock(text: &str) -> Option<u32> {
    let mut parts = text.split(':').map(|part| part.parse::<u32>().ok());
    let (hour, minute) = (parts.next()??, parts.next()??);
    let second = parts.next().unwrap_or(Some(0))?;
    let seconds = hour * 3600 + minute * 60 + second;
    let fits = minute < 60 && second < 60 && i64::from(seconds) <= DAY && parts.next().is_none();
    fits.then_some(seconds)
}

/// The zone that somebody has probably meant.
pub fn similar_zone(name: &str) -> Option<String> {
    let names = jiff::tz::db().available().map(|zone| zone.as_str().to_owned());
    let names = names.collect::<Vec<_>>();
    let end = |name: &str| name.rsplit('/').next().unwrap_or(name).to_lowercase();
    let same_city = names.iter().find(|known| end(known) == end(name));
    let meant = || crate::problem::did_you_mean(name, names.iter().map(String::as_str));
    same_city.cloned().or_else(|| meant().map(str::to_owned))
}

/// `22:00-06:00 x0.3`, on some days of the week.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HourRule {
    /// The days on which it begins, from Monday on.
    pub days: [bool; 7],
    /// When it begins, in seconds of the day, below 86,400.
    pub from_s: u32,
    /// When it ends, in seconds of the day, at most 86,400; if not above `from_s`, on the next day.
    pub to_s: u32,
    /// What it multiplies the rate by.
    pub factor: Exact,
}

/// From an offset on, this is what the rate is multiplied by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HourStep {
    /// Nanoseconds from the start.
    pub offset_ns: u64,
    /// The product of the factors of all rules that hold, 1 if none does.
    pub factor: Exact,
}

impl HourRule {
    /// Whether it holds at a second of a day, the day being counted from a Monday.
    fn holds(&self, day: i64, second: i64) -> bool {
        let on = |day: i64| self.days[day.rem_euclid(7) as usize];
        let (from, to) = (i64::from(self.from_s), i64::from(self.to_s));
        if from < to {
            return on(day) && (from..to).contains(&second);
        }
        (on(day) && second >= from) || (on(day - 1) && second < to)
    }
}

/// The steps of the factor from `start_s`, in seconds since 1970, for a length: the first at 0, each
/// further one where the factor changes. Their number grows with the days and not with the jobs.
///
/// # Errors
///
/// An unknown zone, a time outside of the calendar, or too many steps.
pub fn hours_steps(
    zone: &str,
    start_s: i64,
    length_ns: u64,
    rules: &[HourRule],
) -> Result<Vec<HourStep>, CalendarError> {
    let zone = TimeZone::get(zone).map_err(|_| CalendarError::UnknownZone(zone.to_owned()))?;
    let length_s = length_ns.div_ceil(NANOS_PER_SECOND as u64) as i64;
    let end_s = start_s.checked_add(length_s).ok_or(CalendarError::OutOfRange)?;
    let start = Timestamp::from_second(start_s).map_err(|_| CalendarError::OutOfRange)?;
    let end = Timestamp::from_second(end_s).map_err(|_| CalendarError::OutOfRange)?;
    let mut steps = Steps { rules, start_s, found: Vec::new(), borders: borders(rules) };
    let (mut from, mut offset) = (start_s, zone.to_offset(start));
    for change in zone.following(start) {
        if change.timestamp() >= end {
            break;
        }
        steps.stretch(from, change.timestamp().as_second(), offset.seconds())?;
        (from, offset) = (change.timestamp().as_second(), change.offset());
    }
    steps.stretch(from, end_s.max(from + 1), offset.seconds())?;
    Ok(steps.found)
}

/// The seconds of a day at which anything may change, in order.
fn borders(rules: &[HourRule]) -> Vec<i64> {
    let ends = rules.iter().flat_map(|rule| [rule.from_s, rule.to_s]);
    let mut borders: Vec<i64> = ends.map(i64::from).chain([0]).filter(|at| *at < DAY).collect();
    borders.sort_unstable();
    borders.dedup();
    borders
}

struct Steps<'a> {
    rules: &'a [HourRule],
    start_s: i64,
    found: Vec<HourStep>,
    borders: Vec<i64>,
}

impl Steps<'_> {
    /// A stretch of time in which the zone keeps its distance from universal time.
    fn stretch(&mut self, from: i64, to: i64, zone_offset: i32) -> Result<(), CalendarError> {
        let offset = i64::from(zone_offset);
        self.add(from, from + offset)?;
        let first = (from + offset).div_euclid(DAY);
        let last = (to + offset).div_euclid(DAY);
        for day in first..=last {
            for border in 0..self.borders.len() {
                let local = day * DAY + self.borders[border];
                let at = local - offset;
                if from < at && at < to {
                    self.add(at, local)?;
                }
            }
        }
        Ok(())
    }

    /// The factor from a second on, at which the wall's clock shows a second.
    fn add(&mut self, at_s: i64, local_s: i64) -> Result<(), CalendarError> {
        // The first of January 1970 was a Thursday.
        let (day, second) = (local_s.div_euclid(DAY) + 3, local_s.rem_euclid(DAY));
        let mut holding = self.rules.iter().filter(|rule| rule.holds(day, second));
        let factor = holding
            .try_fold(whole(1), |product, rule| crate::exact::checked('*', &product, &rule.factor))
            .ok_or(CalendarError::OutOfRange)?;
        if self.found.last().is_some_and(|last| last.factor == factor) {
            return Ok(());
        }
        if self.found.len() == MAX_STEPS {
            return Err(CalendarError::TooMany);
        }
        let offset_ns = (at_s - self.start_s) as u64 * NANOS_PER_SECOND as u64;
        self.found.push(HourStep { offset_ns, factor });
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exact::fraction;

    const HOUR: i64 = 3600;
    const DAILY: [bool; 7] = [true; 7];

    fn rule(days: [bool; 7], from: u32, to: u32, factor: Exact) -> HourRule {
        HourRule { days, from_s: from * 3600, to_s: to * 3600, factor }
    }

    fn second_of(zone: &str, text: &str) -> i64 {
        let civil: jiff::civil::DateTime = text.parse().unwrap();
        civil.in_tz(zone).unwrap().timestamp().as_second()
    }

    /// Steps as hours and factors.
    fn hours(zone: &str, from: &str, hours: i64, rules: &[HourRule]) -> Vec<(f64, Exact)> {
        let length = (hours * HOUR) as u64 * 1_000_000_000;
        let steps = hours_steps(zone, second_of(zone, from), length, rules).unwrap();
        steps.iter().map(|step| (step.offset_ns as f64 / 3.6e12, step.factor)).collect()
    }

    #[test]
    fn a_plain_day_has_its_hours() {
        let rules = [
            rule(DAILY, 7, 9, fraction(3, 2)),
            rule(DAILY, 11, 13, whole(2)),
            rule(DAILY, 22, 6, fraction(3, 10)),
        ];
        let (one, night) = (whole(1), fraction(3, 10));
        assert_eq!(
            hours("Europe/Berlin", "2026-06-01T00:00", 24, &rules),
            [
                (0.0, night),
                (6.0, one),
                (7.0, fraction(3, 2)),
                (9.0, one),
                (11.0, whole(2)),
                (13.0, one),
                (22.0, night)
            ]
        );
        // What begins amid an hour begins with its factor.
        let morning = hours("Europe/Berlin", "2026-06-01T08:30", 1, &rules);
        assert_eq!(morning, [(0.0, fraction(3, 2)), (0.5, one)]);
        assert_eq!(hours("UTC", "2026-06-01T00:00", 48, &[]), [(0.0, one)]);
    }

    #[test]
    fn the_night_of_summer_time_is_an_hour_shorter_and_that_of_winter_time_longer() {
        let rules = [rule(DAILY, 1, 5, whole(2))];
        let of = |day| hours("Europe/Berlin", day, 24, &rules);
        let expected = |end| vec![(0.0, whole(1)), (1.0, whole(2)), (end, whole(1))];
        assert_eq!(of("2026-03-29T00:00"), expected(4.0));
        assert_eq!(of("2026-10-25T00:00")[..3], expected(6.0));
        assert_eq!(of("2026-07-01T00:00"), expected(5.0));
        // From two to three does not exist in March and comes twice in October.
        let lost = [rule(DAILY, 2, 3, whole(2))];
        assert_eq!(hours("Europe/Berlin", "2026-03-29T00:00", 12, &lost), [(0.0, whole(1))]);
        let twice = hours("Europe/Berlin", "2026-10-25T00:00", 12, &lost);
        assert_eq!(twice, [(0.0, whole(1)), (2.0, whole(2)), (4.0, whole(1))]);
        let earlier = [rule(DAILY, 1, 2, whole(2)), rule(DAILY, 3, 4, whole(3))];
        let around = hours("America/New_York", "2026-11-01T00:00", 6, &earlier);
        assert_eq!(
            around,
            [(0.0, whole(1)), (1.0, whole(2)), (3.0, whole(1)), (4.0, whole(3)), (5.0, whole(1))]
        );
    }

    #[test]
    fn days_of_the_week_are_those_on_which_an_hour_begins() {
        let weekend = [false, false, false, false, false, true, true];
        let rules = [rule(weekend, 20, 4, whole(5))];
        // The fifth of June 2026 is a Friday.
        let steps = hours("Asia/Kolkata", "2026-06-05T00:00", 120, &rules);
        let times: Vec<f64> = steps.iter().map(|(hour, _)| *hour).collect();
        assert_eq!(times, [0.0, 44.0, 52.0, 68.0, 76.0]);
        let all_day = [rule(weekend, 0, 24, whole(5)), rule(DAILY, 23, 1, whole(2))];
        let steps = hours("UTC", "2026-06-05T22:00", 5, &all_day);
        let expected = [(0.0, 1), (1.0, 2), (2.0, 10), (3.0, 5)];
        assert_eq!(steps, expected.map(|(hour, factor)| (hour, whole(factor))));
    }

    #[test]
    fn a_year_has_a_step_for_each_change() {
        let rules = [rule(DAILY, 7, 9, whole(2)), rule(DAILY, 17, 20, whole(3))];
        let steps = hours("Europe/Berlin", "2026-01-01T00:00", 8760, &rules);
        assert_eq!(steps.len(), 1 + 365 * 4);
        let summer = steps.iter().find(|(hour, _)| *hour > 24.0 * 180.0).unwrap();
        assert_eq!(summer.0.rem_euclid(24.0), 6.0);
    }

    #[test]
    fn starts_are_by_the_clock_of_their_zone() {
        let of = |date, clock_s, zone| Start::new(date, clock_s, zone).map(|start| start.unix_s);
        assert_eq!(of("2026-03-29", 0, "Europe/Berlin"), Ok(1_774_738_800));
        assert_eq!(of("2026-03-29", 0, "UTC"), Ok(1_774_742_400));
        // Half past two is left out that night: it is half past three.
        let skipped = of("2026-03-29", 2 * 3600 + 1800, "Europe/Berlin");
        assert_eq!(skipped, of("2026-03-29", 3 * 3600 + 1800, "Europe/Berlin"));
        assert_eq!(of("2026-02-30", 0, "UTC"), Err(CalendarError::NoDate("2026-02-30".to_owned())));
        assert_eq!(of("1969-12-31", 0, "UTC"), Err(CalendarError::OutOfRange));
        assert_eq!(similar_zone("Berlin").as_deref(), Some("Europe/Berlin"));
        assert_eq!(similar_zone("Europe/Berlln").as_deref(), Some("Europe/Berlin"));
        let start = Start::new("2026-10-25", 3600, "Europe/Berlin").unwrap();
        let until = [3600, 4 * 3600, 0].map(|clock_s| start.until_clock(clock_s));
        assert_eq!(
            until,
            [Some(0), Some(4 * 3600), Some(24 * 3600)],
            "that night has an hour more"
        );
        let clocks = ["07:00", "7:05:09", "24:00", "24:01", "12:60", "7", "1:2:3:4"].map(clock);
        let second = [Some(25_200), Some(25_509), Some(86_400), None, None, None, None];
        assert_eq!(clocks, second);
    }

    #[test]
    fn mistakes_are_told() {
        let of = |zone, start| hours_steps(zone, start, 1, &[]).unwrap_err();
        let unknown = CalendarError::UnknownZone("Europe/Nowhere".to_owned());
        assert_eq!(of("Europe/Nowhere", 0), unknown);
        assert_eq!(of("UTC", i64::MAX), CalendarError::OutOfRange);
        assert_eq!(of("UTC", i64::MAX / 2), CalendarError::OutOfRange);
    }
}
