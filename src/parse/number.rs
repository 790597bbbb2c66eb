//! Numbers and what is glued to them: `1_000`, `2.5M`, `1h30m`, `4KiB`, `5%`, `90deg`.

use crate::ast::{Literal, Unit};
use crate::exact::{Exact, checked, fraction, times, whole};
use crate::problem::{Code, Problem};
use crate::source::Span;

/// Digits a number may have, decimals included: more would not fit exact arithmetic.
const MAX_DIGITS: usize = 24;

/// A ratio close to π: the difference is below 10⁻¹⁷.
const PI: (i128, i128) = (3_141_592_653_589_793_238, 1_000_000_000_000_000_000);

/// Reads a number as it was written.
pub(super) fn read(text: &str, span: Span) -> Result<Literal, Problem> {
    if let Some((value, unit)) = plain(text) {
        return Ok(Literal { value, unit, text: text.to_owned() });
    }
    let mut rest = text;
    let mut parts = Vec::new();
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !(c.is_ascii_digit() || c == '_' || c == '.'));
        let (number, tail) = rest.split_at(digits.unwrap_or(rest.len()));
        let letters = tail.find(|c: char| c.is_ascii_digit()).unwrap_or(tail.len());
        let (unit, tail) = tail.split_at(letters);
        parts.push((number, unit));
        rest = tail;
    }
    let (value, unit) = match parts.as_slice() {
        [(number, unit)] => one(digits(number, span)?, unit, text, span)?,
        _ => (joined(&parts, text, span)?, Unit::Duration),
    };
    Ok(Literal { value, unit, text: text.to_owned() })
}

/// Digits with at most one unit behind them, as nearly all numbers are.
fn plain(text: &str) -> Option<(Exact, Unit)> {
    let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    // So many fit 64 bits, and with a unit 128.
    if digits > 18 {
        return None;
    }
    let number = whole(i128::from(number.parse::<u64>().ok()?));
    if unit.is_empty() {
        return Some((number, Unit::Plain));
    }
    let (factor, kind) = unit_of(unit)?;
    Some((times(&number, &factor)?, kind))
}

/// The digits of a number, with `_` between and at most one point.
fn digits(text: &str, span: Span) -> Result<Exact, Problem> {
    let bad = |message: String, help: &str| {
        Err(Problem::error(Code::BadNumber, span, message).help(help))
    };
    let (integer, decimals) = text.split_once('.').unwrap_or((text, ""));
    if decimals.contains('.') {
        return bad(format!("`{text}` has two points"), "a number has one decimal point: `2.5`");
    }
    if text.ends_with(['_', '.']) || integer.ends_with('_') || decimals.starts_with('_') {
        return bad(
            format!("`{text}` is not a number"),
            "`_` stands between two digits: `1_000_000`",
        );
    }
    let joined: String = integer.chars().chain(decimals.chars()).filter(|c| *c != '_').collect();
    let significant = joined.trim_start_matches('0');
    let places = decimals.chars().filter(|c| *c != '_').count();
    if significant.len() > MAX_DIGITS || places > MAX_DIGITS {
        return bad(
            format!("this number has more than {MAX_DIGITS} digits"),
            "loadc counts exactly, to 24 digits; write fewer",
        );
    }
    let numerator = if significant.is_empty() { Ok(0) } else { significant.parse::<i128>() };
    match (numerator, u32::try_from(places)) {
        (Ok(numerator), Ok(places)) => Ok(fraction(numerator, 10_i128.pow(places))),
        _ => bad(format!("`{text}` is not a number"), "write digits, as in `1_000` or `2.5`"),
    }
}

/// A factor and what it measures, of a unit as it is written.
fn unit_of(unit: &str) -> Option<(Exact, Unit)> {
    let power = |base: i128, exponent: u32| whole(base.pow(exponent));
    let (factor, kind) = match unit {
        "" => (whole(1), Unit::Plain),
        "k" => (power(10, 3), Unit::Plain),
        "M" => (power(10, 6), Unit::Plain),
        "ms" => (fraction(1, 1000), Unit::Duration),
        "s" => (whole(1), Unit::Duration),
        "m" => (whole(60), Unit::Duration),
        "h" => (whole(3600), Unit::Duration),
        "d" => (whole(86_400), Unit::Duration),
        "w" => (whole(604_800), Unit::Duration),
        "B" => (whole(1), Unit::Size),
        "KB" => (power(10, 3), Unit::Size),
        "MB" => (power(10, 6), Unit::Size),
        "GB" => (power(10, 9), Unit::Size),
        "KiB" => (power(1024, 1), Unit::Size),
        "MiB" => (power(1024, 2), Unit::Size),
        "GiB" => (power(1024, 3), Unit::Size),
        "%" => (fraction(1, 100), Unit::Share),
        "deg" => (fraction(1, 360), Unit::Angle),
        "rad" => (fraction(PI.1, 2 * PI.0), Unit::Angle),
        "turn" => (whole(1), Unit::Angle),
        _ => return None,
    };
    Some((factor, kind))
}

/// What was probably meant by a unit that does not exist.
fn slip(unit: &str) -> Option<&'static str> {
    Some(match unit {
        "sec" | "secs" | "second" | "seconds" | "S" => "s",
        "min" | "mins" | "minute" | "minutes" => "m",
        "hr" | "hrs" | "hour" | "hours" | "H" => "h",
        "day" | "days" | "D" => "d",
        "week" | "weeks" | "W" => "w",
        "msec" | "msecs" | "millis" | "milliseconds" | "millisecond" | "mS" => "ms",
        "K" | "thousand" => "k",
        "mio" | "million" | "mil" => "M",
        "b" | "byte" | "bytes" | "Bytes" => "B",
        "kb" | "Kb" | "kB" => "KB",
        "mb" | "Mb" | "mB" => "MB",
        "gb" | "Gb" | "gB" => "GB",
        "kib" | "Kib" | "kiB" => "KiB",
        "mib" | "Mib" | "miB" => "MiB",
        "gib" | "Gib" | "giB" => "GiB",
        "degree" | "degrees" | "Deg" => "deg",
        "radian" | "radians" | "Rad" => "rad",
        "turns" => "turn",
        "percent" | "pct" => "%",
        _ => return None,
    })
}

fn one(value: Exact, unit: &str, text: &str, span: Span) -> Result<(Exact, Unit), Problem> {
    if let Some((factor, kind)) = unit_of(unit) {
        let value = checked('*', &value, &factor).ok_or_else(|| {
            Problem::error(Code::BadNumber, span, "this number is too large")
                .help("numbers are exact, to about 38 digits")
        })?;
        return Ok((value, kind));
    }
    let number = &text[..text.len() - unit.len()];
    let help = match unit {
        "rps" | "ps" | "qps" | "tps" | "hz" | "Hz" => {
            format!("a rate is written `{number}/s`, or plain `{number}`")
        }
        "us" | "µs" | "ns" => {
            "the shortest unit of time is `ms`; write a fraction: `0.5ms`".to_owned()
        }
        "min" | "mins" => format!("write `{number}m`; a rate is `{number}/min`"),
        "x" => format!("a factor is written `x{number}`"),
        _ => match slip(unit) {
            Some(meant) => format!("write `{number}{meant}`"),
            None => {
                "units are `ms s m h d w` for time, `k M` for counts, `B KB MB GB KiB MiB GiB` \
                     for sizes, `%` for shares, `deg rad turn` for angles"
                    .to_owned()
            }
        },
    };
    let message = format!("there is no unit `{unit}`");
    Err(Problem::error(Code::UnknownUnit, span, message).help(help))
}

/// `1h30m`: durations in falling order of unit, each unit once.
fn joined(parts: &[(&str, &str)], text: &str, span: Span) -> Result<Exact, Problem> {
    let bad = |message: String, help: String| {
        Err(Problem::error(Code::BadNumber, span, message).help(help))
    };
    let mut total = whole(0);
    let mut above: Option<Exact> = None;
    for (number, unit) in parts {
        let value = digits(number, span)?;
        let factor = match unit_of(unit) {
            Some((factor, Unit::Duration)) => factor,
            _ if unit.is_empty() => {
                return bad(
                    format!("the last number of `{text}` has no unit"),
                    format!("write it with one, such as `{text}m` or `{text}s`"),
                );
            }
            _ if matches!(*unit, "e" | "E") => {
                return bad(
                    format!("`{text}` is not written so here"),
                    "write the digits, or a unit: `1k` is 1,000, `1M` a million".to_owned(),
                );
            }
            _ => {
                return bad(
                    format!("`{text}` is not a number with a unit"),
                    match slip(unit) {
                        Some(meant) => format!("write `{meant}` for `{unit}`"),
                        None => "only durations are joined, as in `1h30m`".to_owned(),
                    },
                );
            }
        };
        if above.is_some_and(|above| above <= factor) {
            return bad(
                format!("`{text}` has its units out of order"),
                "join durations from the longest unit to the shortest, each once: `1h30m10s`"
                    .to_owned(),
            );
        }
        above = Some(factor);
        let sum = checked('*', &value, &factor).and_then(|v| checked('+', &total, &v));
        total = match sum {
            Some(sum) => sum,
            None => {
                return bad(format!("`{text}` is too large"), "write a shorter time".to_owned());
            }
        };
    }
    Ok(total)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn good(text: &str) -> (String, Unit) {
        let literal = read(text, Span::default()).unwrap();
        (literal.value.to_string(), literal.unit)
    }

    #[test]
    fn numbers_are_exact() {
        let cases = [
            ("0", "0", Unit::Plain),
            ("007", "7", Unit::Plain),
            ("1_000_000", "1000000", Unit::Plain),
            ("0.1", "1/10", Unit::Plain),
            ("2.5M", "2500000", Unit::Plain),
            ("10k", "10000", Unit::Plain),
            ("250ms", "1/4", Unit::Duration),
            ("1h30m", "5400", Unit::Duration),
            ("1w2d3h4m5s6ms", "394322503/500", Unit::Duration),
            ("4KiB", "4096", Unit::Size),
            ("1.5KB", "1500", Unit::Size),
            ("5%", "1/20", Unit::Share),
            ("90deg", "1/4", Unit::Angle),
            ("0.25turn", "1/4", Unit::Angle),
        ];
        for (text, value, unit) in cases {
            assert_eq!(good(text), (value.to_owned(), unit), "{text}");
        }
    }

    #[test]
    fn slips_name_the_right_unit() {
        let cases = [
            ("5sec", "write `5s`"),
            ("2min", "write `2m`; a rate is `2/min`"),
            ("5kb", "write `5KB`"),
            ("10K", "write `10k`"),
            ("2x", "a factor is written `x2`"),
            ("500rps", "a rate is written `500/s`, or plain `500`"),
        ];
        for (text, help) in cases {
            let problem = read(text, Span::default()).unwrap_err();
            assert_eq!(problem.help.as_deref(), Some(help), "{text}");
        }
    }

    #[test]
    fn what_is_no_number_is_refused() {
        for text in
            ["1.2.3", "1_", "1h30", "30m1h", "1h1h", "5x", "1k5", "9999999999999999999999999"]
        {
            assert!(read(text, Span::default()).is_err(), "{text}");
        }
    }
}
