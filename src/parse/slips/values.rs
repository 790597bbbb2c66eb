//! Slips in numbers, texts and other values.

use super::{Look, Slip};
use crate::parse::Rule;
use crate::parse::tokens::is_duration;
use crate::parse::words::{self};

/// `1h 30m`
pub(super) fn two_durations(look: &Look<'_>) -> Option<Slip> {
    let (before, token) = (look.before()?, look.token()?);
    (is_duration(before.text) && is_duration(token.text))
        .then(|| {
            let help = format!("write `{}{}`", before.text, token.text);
            Slip::new("a duration is written in one word", help)
        })?
        .map(|slip| slip.at(before, token))
}

/// `5 minutes`, `100 rps`, `100 per second`, `4 KB`
pub(super) fn loose_unit(look: &Look<'_>) -> Option<Slip> {
    let (before, token) = (look.before()?, look.token()?);
    let bare = before.text.chars().all(|c| c.is_ascii_digit() || matches!(c, '.' | '_'));
    if !before.is_number() || !bare || !token.is_word() && token.text != "%" {
        return None;
    }
    let number = before.text;
    let meant = match token.text.to_lowercase().as_str() {
        "per" => format!("{number}/{}", per_unit(look.behind(1)?.text)?),
        "rps" | "qps" | "tps" | "ps" | "hz" => format!("{number}/s"),
        "jobs" | "requests" | "messages" => number.to_owned(),
        "rpm" => format!("{number}/min"),
        "ms" | "millis" | "milliseconds" => format!("{number}ms"),
        "s" | "sec" | "secs" | "second" | "seconds" => format!("{number}s"),
        "m" | "min" | "mins" | "minute" | "minutes" => format!("{number}m"),
        "h" | "hr" | "hrs" | "hour" | "hours" => format!("{number}h"),
        "d" | "day" | "days" => format!("{number}d"),
        "w" | "week" | "weeks" => format!("{number}w"),
        "kb" | "mb" | "gb" => format!("{number}{}", token.text.to_uppercase()),
        "b" | "byte" | "bytes" => format!("{number}B"),
        "k" | "thousand" => format!("{number}k"),
        "million" => format!("{number}M"),
        "%" | "percent" => format!("{number}%"),
        "deg" | "degrees" => format!("{number}deg"),
        _ => return None,
    };
    let message = match meant == number {
        true => format!("a number of jobs stands without `{}`", token.text),
        false => "a unit is glued to its number".to_owned(),
    };
    Slip::new(message, format!("write `{meant}`")).map(|slip| slip.at(before, token))
}

fn per_unit(word: &str) -> Option<&'static str> {
    Some(match word {
        "s" | "sec" | "second" | "seconds" => "s",
        "m" | "min" | "minute" | "minutes" => "min",
        "h" | "hr" | "hour" | "hours" => "h",
        "d" | "day" | "days" => "day",
        _ => return None,
    })
}

/// `1,000`
pub(super) fn number_with_comma(look: &Look<'_>) -> Option<Slip> {
    let (before, token, next) = (look.before()?, look.token()?, look.behind(1)?);
    let thousands = next.text.len() == 3 && next.text.bytes().all(|byte| byte.is_ascii_digit());
    let glued = before.end() == token.start && token.end() == next.start;
    if token.text != "," || !before.is_number() || !thousands || !glued {
        return None;
    }
    let help = format!("write `{0}{1}` or `{0}_{1}`", before.text, next.text);
    Slip::new("a number has no commas", help).map(|slip| slip.at(before, next))
}

/// `.5`
pub(super) fn number_from_point(look: &Look<'_>) -> Option<Slip> {
    let (token, next) = (look.token()?, look.behind(1)?);
    if token.text != "." || !next.is_number() || next.start != token.end() {
        return None;
    }
    Slip::new("a number begins with a digit", format!("write `0.{}`", next.text))
        .map(|slip| slip.at(token, next))
}

/// `100 /s`, `100 / min`
pub(super) fn loose_per(look: &Look<'_>) -> Option<Slip> {
    let (before, token) = (look.before()?, look.token()?);
    let unit = look.behind(1).and_then(|next| per_unit(next.text))?;
    (token.text == "/" && look.statement() != "body").then(|| {
        let help = format!("write `{}/{unit}`", before.text);
        Slip::new("the unit of a rate is glued to its number", help)
    })?
}

/// Quotes that are none.
pub(super) fn other_quotes(look: &Look<'_>) -> Option<Slip> {
    matches!(look.token()?.text, "'" | "`" | "“" | "”" | "„" | "‘" | "’" | "«" | "»")
        .then(|| Slip::new("texts stand in double quotes", "write `\"…\"`"))?
}

/// `as"night"`
pub(super) fn no_blank_before_text(look: &Look<'_>) -> Option<Slip> {
    let (before, token) = (look.before()?, look.token()?);
    let glued = before.is_word() && before.end() == token.start;
    if !glued || !token.text.starts_with('"') {
        return None;
    }
    let help = format!("write `{} {}`", before.text, token.text);
    Slip::new(format!("a blank is missing behind `{}`", before.text), help)
}

/// `5 – 3`, `08:00–18:00`: what print has for `-`.
pub(super) fn other_dash(look: &Look<'_>) -> Option<Slip> {
    let mark = look.token()?.text;
    let name = match mark {
        "–" | "—" => "a dash",
        "−" => "a minus of print",
        "→" | "⇒" => {
            return Slip::new(format!("`{mark}` is not of the language"), "write `->`");
        }
        _ => return None,
    };
    Slip::new(format!("`{mark}` is {name}, not `-`"), "write `-`")
}

/// `v: +5`
pub(super) fn positive_sign(look: &Look<'_>) -> Option<Slip> {
    let (token, number) = (look.token()?, look.behind(1)?);
    let begins = look.before().is_none_or(|before| !before.is_number() && !before.is_word());
    if token.text != "+" || !number.is_number() || !begins {
        return None;
    }
    let help = format!("write `{}`", number.text);
    Slip::new("a number above 0 has no sign", help).map(|slip| slip.at(token, number))
}

/// `as night`, `file /tmp/stop`
pub(super) fn no_quotes(look: &Look<'_>) -> Option<Slip> {
    let token = look.token()?;
    let wanted = look.rules.contains(&Rule::string) && !look.rules.contains(&Rule::number);
    if !wanted || token.text.starts_with('"') || matches!(token.text, "{" | "<=" | "<") {
        return None;
    }
    let compared = look.expects("<=") || look.rules.contains(&Rule::comparison);
    if token.is_number() && compared {
        return None;
    }
    if token.text == "env" && look.behind(1).is_some_and(|next| next.text == "(") {
        let before = look.before().map_or("", |before| before.text);
        let help = format!("write the text itself: `{before} \"…\"`");
        return Slip::new("`env` stands only in `target` and `let`", help);
    }
    let rest = look.line_from(token.start);
    let word = rest.split_whitespace().next().unwrap_or(rest).trim_end_matches(['}', ';', ',']);
    if word.is_empty() {
        return None;
    }
    Slip::new("a text stands in quotes", format!("write `\"{word}\"`"))
}

/// `$peak`
pub(super) fn dollar(look: &Look<'_>) -> Option<Slip> {
    let (token, next) = (look.token()?, look.behind(1)?);
    (matches!(token.text, "$" | "@" | "&") && next.is_word()).then(|| {
        let message = format!("a name is written without `{}`", token.text);
        Slip::new(message, format!("write `{}`", next.text))
    })?
}

/// `a +b`
pub(super) fn blank_on_one_side(look: &Look<'_>) -> Option<Slip> {
    let token = look.token()?;
    let (before, next) = (look.before()?, look.behind(1)?);
    let operator = matches!(token.text, "+" | "-" | "*" | "/");
    let glued = (before.end() == token.start, token.end() == next.start);
    (operator && glued.0 != glued.1 && !words::is_argument(next.text)).then(|| {
        Slip::new(
            format!("`{}` has a blank on one side only", token.text),
            format!("write `{0} {1} {2}` or `{0}{1}{2}`", before.text, token.text, next.text),
        )
    })?
}

/// `n: 5 + 3`
pub(super) fn arithmetic_in_body(look: &Look<'_>) -> Option<Slip> {
    let (before, token) = (look.before()?, look.token()?);
    if look.statement() != "body" || !matches!(token.text, "+" | "-" | "*" | "/") {
        return None;
    }
    if before.text.starts_with('"') || look.behind(1).is_some_and(|t| t.text.starts_with('"')) {
        return Slip::new(
            "texts are not added in a body",
            "put values in braces into one text: `\"order {seq()} of {user}\"`",
        );
    }
    Slip::new("a body has no arithmetic", "name the value first: `let sum = 5 + 3`, then `n: sum`")
}

/// `int(1-6)`
pub(super) fn range_mark(look: &Look<'_>) -> Option<Slip> {
    if look.statement() != "body" || !look.rules.contains(&Rule::dots) || look.expects(",") {
        return None;
    }
    Slip::new("a range is missing here", "write it as `1..6`")
}

/// `pick("a": 70, "b": 30)`
pub(super) fn pick_weights(look: &Look<'_>) -> Option<Slip> {
    let (before, token) = (look.before()?, look.token()?);
    if look.statement() != "body" || token.text != ":" || !before.text.starts_with('"') {
        return None;
    }
    let weight = look.behind(1).map_or("70%", |next| next.text);
    Slip::new(
        "a weight stands behind its value without `:`",
        format!("write `{} {weight}`", before.text),
    )
}
