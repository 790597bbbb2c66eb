//! Numbers, times and texts as people read them.

use unicode_width::{UnicodeWidthChar as _, UnicodeWidthStr as _};

/// A count with its thousands apart: `2,895,300`.
pub fn count(n: u64) -> String {
    let digits = n.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// A length of time as the language writes it: `8h1m`, `1.5s`, `250ms`, `0s`. Exact down to the
/// nanosecond below a minute, to the millisecond above.
pub fn duration(nanos: u64) -> String {
    if nanos < 60_000_000_000 {
        return seconds(nanos);
    }
    let millis = nanos.div_euclid(1_000_000) + u64::from(nanos % 1_000_000 >= 500_000);
    let mut out = String::new();
    let mut rest = millis;
    for (unit, size) in [("d", 86_400_000), ("h", 3_600_000), ("m", 60_000)] {
        if rest >= size {
            out.push_str(&format!("{}{unit}", rest / size));
            rest %= size;
        }
    }
    if rest > 0 {
        out.push_str(&seconds(rest * 1_000_000));
    }
    out
}

fn seconds(nanos: u64) -> String {
    let (value, unit) = match nanos {
        0 => return "0s".to_owned(),
        1..1_000_000_000 => (nanos as f64 / 1e6, "ms"),
        _ => (nanos as f64 / 1e9, "s"),
    };
    format!("{}{unit}", decimal(value, 6))
}

/// A rate with at most three significant decimals, in the unit that shows it: `499.5/s`, `1/day`.
pub fn rate(per_s: f64) -> String {
    let (value, unit) = match per_s {
        _ if !(1e-12..0.1).contains(&per_s) => (per_s, "s"),
        _ if per_s * 60.0 >= 0.1 => (per_s * 60.0, "min"),
        _ if per_s * 3600.0 >= 0.1 => (per_s * 3600.0, "h"),
        _ => (per_s * 86_400.0, "day"),
    };
    format!("{}/{unit}", number(value))
}

/// A number with about four significant digits below a thousand, thousands apart above.
pub fn number(value: f64) -> String {
    if !value.is_finite() {
        return value.to_string();
    }
    let size = value.abs();
    if (999.95..1e18).contains(&size) {
        let rounded = (size * 10.0).round() / 10.0;
        let sign = if value < 0.0 { "-" } else { "" };
        let fraction = decimal(rounded.fract(), 1);
        let fraction = fraction.strip_prefix('0').unwrap_or("");
        return format!("{sign}{}{fraction}", count(rounded as u64));
    }
    let places = match size {
        _ if size >= 100.0 => 1,
        _ if size >= 10.0 => 2,
        _ if size >= 1.0 => 3,
        _ => 4,
    };
    decimal(value, places)
}

/// A decimal without zeros at its end.
pub fn decimal(value: f64, places: usize) -> String {
    let text = format!("{value:.places$}");
    if !text.contains('.') {
        return text;
    }
    let text = text.trim_end_matches('0').trim_end_matches('.');
    if text == "-0" { "0".to_owned() } else { text.to_owned() }
}

/// A size in bytes: `4.2 MB`.
pub fn bytes(n: u64) -> String {
    let n = n as f64;
    match n {
        _ if n < 1e3 => format!("{n} B"),
        _ if n < 1e6 => format!("{} KB", number(n / 1e3)),
        _ if n < 1e9 => format!("{} MB", number(n / 1e6)),
        _ => format!("{} GB", number(n / 1e9)),
    }
}

/// A short time in microseconds: `850 µs`, `1.2 ms`, `3.4 s`.
pub fn micros(us: f64) -> String {
    match us {
        _ if us < 1e3 => format!("{} µs", decimal(us, 0)),
        _ if us < 1e6 => format!("{} ms", number(us / 1e3)),
        _ => format!("{} s", number(us / 1e6)),
    }
}

/// `1 job`, `2 jobs`.
pub fn plural(n: u64, word: &str) -> String {
    format!("{} {word}{}", count(n), if n == 1 { "" } else { "s" })
}

/// A number of jobs that is only a part of a sum: `≈ 1,234.5`.
pub fn share_of_jobs(jobs: f64) -> String {
    format!("≈ {}", number(jobs))
}

/// A share from 0 to 1: `66.7%`.
pub fn percent(share: f64) -> String {
    format!("{}%", decimal(share * 100.0, 1))
}

/// A text that cannot command a terminal nor break an XML file: what is not printable becomes `�`.
pub fn clean(text: &str) -> String {
    text.chars().map(|c| if is_hidden(c) { '\u{fffd}' } else { c }).collect()
}

/// Whether a character does something to a terminal or to the order of what stands around it.
pub fn is_hidden(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{fffe}' | '\u{ffff}')
}

/// How many columns a text takes on a terminal.
pub fn width(text: &str) -> usize {
    text.width()
}

/// A text cut to so many columns, with `…` where something is left out.
pub fn cut(text: &str, columns: usize) -> String {
    if text.width() <= columns {
        return text.to_owned();
    }
    let mut left = columns.saturating_sub(1);
    let mut out = String::new();
    for c in text.chars() {
        let Some(rest) = left.checked_sub(c.width().unwrap_or(0)) else { break };
        left = rest;
        out.push(c);
    }
    let mut out = out.trim_end().to_owned();
    if columns > 0 {
        out.push('…');
    }
    out
}

/// A text in lines of so many columns, broken at blanks; a word that is longer is cut.
pub fn wrap(text: &str, columns: usize) -> Vec<String> {
    wrap_parts(&text.split(' ').map(str::to_owned).collect::<Vec<_>>(), " ", columns)
}

/// Parts with something between them, in lines of so many columns; no part is broken.
pub fn wrap_parts(parts: &[String], between: &str, columns: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for part in parts {
        match lines.last_mut() {
            Some(line) if line.width() + between.width() + part.width() <= columns => {
                line.push_str(between);
                line.push_str(part);
            }
            _ => lines.push(cut(part, columns)),
        }
    }
    lines
}

/// To where a connection leads, as words that follow it: the server, where there may be several, and
/// the queues of which alone it carries the jobs.
pub fn whither(server: Option<&str>, queues: &[impl AsRef<str>]) -> String {
    let mut words = server.map(|server| format!(" to {server}")).unwrap_or_default();
    for (place, queue) in queues.iter().enumerate().take(NAMED) {
        words.push_str(if place == 0 { " (" } else { ", " });
        words.push_str(&format!("`{}`", queue.as_ref()));
    }
    match queues.len().checked_sub(NAMED) {
        Some(more) if more > 0 => words.push_str(&format!(" and {more} more)")),
        _ if !queues.is_empty() => words.push(')'),
        _ => {}
    }
    words
}

/// Queues that are named in a line; of the others it says how many they are.
const NAMED: usize = 8;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_and_durations_read_well() {
        assert_eq!(count(0), "0");
        assert_eq!(count(2_895_300), "2,895,300");
        assert_eq!(duration(0), "0s");
        assert_eq!(duration(28_860_000_000_000), "8h1m");
        assert_eq!(duration(1_500_000_000), "1.5s");
        assert_eq!(duration(250_000_000), "250ms");
        assert_eq!(duration(77_470_000_000_000), "21h31m10s");
        assert_eq!(duration(86_400_000_000_000), "1d");
        assert_eq!(duration(61_000_400_000), "1m1s");
        assert_eq!(duration(119_999_900_000), "2m");
    }

    #[test]
    fn rates_read_well() {
        assert_eq!(rate(0.0), "0/s");
        assert_eq!(rate(499.5), "499.5/s");
        assert_eq!(rate(0.25), "0.25/s");
        assert_eq!(rate(1.0 / 60.0), "1/min");
        assert_eq!(rate(0.5 / 3600.0), "0.5/h");
        assert_eq!(rate(1.0 / 86_400.0), "1/day");
    }

    #[test]
    fn numbers_read_well() {
        assert_eq!(number(0.0), "0");
        assert_eq!(number(499.96), "500");
        assert_eq!(number(0.012_345), "0.0123");
        assert_eq!(number(1234.56), "1,234.6");
        assert_eq!(number(999.97), "1,000");
        assert_eq!(number(-5.0), "-5");
        assert_eq!(bytes(999), "999 B");
        assert_eq!(bytes(4_200_000), "4.2 MB");
        assert_eq!(micros(850.4), "850 µs");
    }

    #[test]
    fn texts_are_cut_by_columns_and_cleaned() {
        assert_eq!(cut("ramp 5->100", 11), "ramp 5->100");
        assert_eq!(cut("ramp 5->100", 8), "ramp 5-…");
        assert_eq!(cut("ramp 5->100", 6), "ramp…");
        assert_eq!(cut("日本語", 5), "日本…");
        assert_eq!(cut("日本語", 4), "日…");
        assert_eq!(cut("abc", 0), "");
        assert_eq!(clean("a\x1b[2Jb\tc\u{202e}"), "a�[2Jb�c�");
        assert_eq!(wrap("to be or not", 5), ["to be", "or", "not"]);
        assert_eq!(wrap("a questionable b", 6), ["a", "quest…", "b"]);
        assert_eq!(share_of_jobs(1234.5), "≈ 1,234.5");
        assert_eq!(percent(2.0 / 3.0), "66.7%");
    }
}
