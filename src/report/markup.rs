//! Texts that stand in HTML, SVG and XML, and numbers as the page shows them.

use crate::show;

/// A text in markup.
pub(super) fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            '\n' | '\t' => out.push(c),
            c if show::is_hidden(c) => out.push('\u{fffd}'),
            c => out.push(c),
        }
    }
    out
}

/// A coordinate, short.
pub(super) fn number(value: f64) -> String {
    show::decimal(value, 1)
}

/// Seconds of a run as people read them: `1m30s`, `2.5s`.
pub(super) fn seconds(seconds: f64) -> String {
    show::duration((seconds.max(0.0) * 1e3).round() as u64 * 1_000_000)
}

/// A share as a percentage.
pub(super) fn percent(share: f64) -> String {
    format!("{}%", show::decimal(share * 100.0, 3))
}

/// A number of jobs that may not be known.
pub(super) fn known(count: Option<u64>) -> String {
    count.map_or_else(|| "–".to_owned(), show::count)
}

/// What an expectation or a guard measured, in its own unit, by its first word.
pub(super) fn measured(text: &str, value: f64) -> String {
    let first = text.split(|c: char| !c.is_ascii_alphabetic()).next().unwrap_or_default();
    match first {
        "errors" | "deviation" | "cpu" => percent(value),
        "jobs" | "depth" | "rate" => show::number(value),
        "server" if text.contains('%') => percent(value),
        "memory" | "server" => show::bytes(value as u64),
        "time" => seconds(value),
        "file" => "there".to_owned(),
        _ => show::micros(value),
    }
}
