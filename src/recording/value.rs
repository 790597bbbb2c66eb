//! Numbers and instants as recordings write them.

use crate::exact::{Exact, NANOS_PER_SECOND, checked, fraction, from_f64, whole};
use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

/// What the numbers of a column of times are in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TimeUnit {
    /// `s`
    Seconds,
    /// `ms`
    Milliseconds,
    /// `us`
    Microseconds,
    /// `ns`
    Nanoseconds,
}

impl TimeUnit {
    /// The unit of a word.
    pub fn of(word: &str) -> Option<TimeUnit> {
        Some(match word {
            "s" => TimeUnit::Seconds,
            "ms" => TimeUnit::Milliseconds,
            "us" => TimeUnit::Microseconds,
            "ns" => TimeUnit::Nanoseconds,
            _ => return None,
        })
    }

    fn nanos(self) -> i128 {
        match self {
            TimeUnit::Seconds => NANOS_PER_SECOND,
            TimeUnit::Milliseconds => 1_000_000,
            TimeUnit::Microseconds => 1_000,
            TimeUnit::Nanoseconds => 1,
        }
    }
}

/// A decimal number, exact where it has no exponent.
pub fn number(text: &str) -> Option<Exact> {
    let text = text.trim();
    let (sign, digits) = match text.strip_prefix('-') {
        Some(rest) => (-1, rest),
        None => (1, text),
    };
    let (before, after) = digits.split_once('.').unwrap_or((digits, ""));
    let plain = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    let few = before.len() + after.len() <= 30 && after.len() <= 20;
    if plain(before) && plain(after) && few && !(before.is_empty() && after.is_empty()) {
        let numerator: i128 = format!("{before}{after}").parse().ok()?;
        return Some(fraction(sign * numerator, 10_i128.pow(after.len() as u32)));
    }
    let numeric =
        |byte: u8| byte.is_ascii_digit() || matches!(byte, b'.' | b'-' | b'+' | b'e' | b'E');
    let value: f64 = text.bytes().all(numeric).then(|| text.parse().ok())??;
    // What is neither tiny nor huge keeps its exactness in 128 bits.
    let sensible = value == 0.0 || (1e-15..1e18).contains(&value.abs());
    sensible.then(|| from_f64(value))?
}

/// An instant in nanoseconds, of whatever origin the column has: a number, or a date and time.
pub fn time(text: &str, unit: Option<TimeUnit>) -> Result<i128, (String, String)> {
    let text = text.trim();
    if let Some(value) = number(text) {
        let nanos = whole(unit.unwrap_or(TimeUnit::Seconds).nanos());
        let rounded = checked('*', &value, &nanos).map(|nanos| nanos.round().to_integer());
        return rounded.filter(|nanos| nanos.abs() < 1 << 100).ok_or_else(|| wrong(text));
    }
    if let Ok(at) = text.parse::<Timestamp>() {
        return Ok(at.as_nanosecond());
    }
    let civil = text.parse::<DateTime>().ok().and_then(|at| at.to_zoned(TimeZone::UTC).ok());
    civil.map(|at| at.timestamp().as_nanosecond()).ok_or_else(|| wrong(text))
}

fn wrong(text: &str) -> (String, String) {
    let message = match text {
        "" => "it has no time".to_owned(),
        text => format!("`{text}` is no time"),
    };
    (message, "a time is a number, or a date such as `2026-11-21T13:40:00Z`".to_owned())
}
