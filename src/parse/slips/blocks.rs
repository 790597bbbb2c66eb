//! Slips around the blocks of loads, guards and expectations, and in their rules.

use super::{Look, Slip};
use crate::parse::Rule;
use crate::parse::tokens::is_duration;
use crate::parse::words::{self, form};

/// `repeat(3)`, `steps [10, 50]`
pub(super) fn brackets(look: &Look<'_>) -> Option<Slip> {
    let (before, token) = (look.before()?, look.token()?);
    if !matches!(token.text, "(" | "[") || look.statement() == "body" || look.index != 1 {
        return None;
    }
    let message = format!("no brackets stand behind `{}`", before.text);
    Slip::new(message, format!("write it as `{}`", form(look.statement())?))
}

/// `guard rate <= 100`
pub(super) fn no_braces(look: &Look<'_>) -> Option<Slip> {
    let (word, token) = (look.statement(), look.token()?);
    if !matches!(word, "guard" | "expect") || look.index != 1 || !token.is_word() {
        return None;
    }
    let rest = look.line_from(token.start);
    Slip::new(
        format!("what `{word}` says stands in braces"),
        format!("write `{word} {{ {rest} }}`"),
    )
}

/// `repeat 3 times {`
pub(super) fn repeat_times(look: &Look<'_>) -> Option<Slip> {
    let token = look.token()?;
    let count = look.tokens.get(1)?;
    if matches!(token.text, "as" | "total") {
        return None;
    }
    (look.statement() == "repeat" && look.index == 2 && token.is_word()).then(|| {
        let help = format!("write `repeat {} {{ … }}`", count.text);
        Slip::new(format!("`repeat` has no `{}` behind its number", token.text), help)
    })?
}

/// `repeat 3 as "x" { … }`
pub(super) fn suffix_before_block(look: &Look<'_>) -> Option<Slip> {
    let token = look.token()?;
    if !matches!(token.text, "as" | "total") || !look.expected.contains(&words::BLOCK) {
        return None;
    }
    let behind = look.behind(1).map_or("…", |next| next.text);
    Slip::new(
        format!("`{}` stands behind the block", token.text),
        format!("write `{{ … }} {} {behind}`", token.text),
    )
}

/// `load a after 10s { … }`
pub(super) fn after_outside(look: &Look<'_>) -> Option<Slip> {
    let token = look.token()?;
    if look.statement() != "load" || look.index != 2 || !token.is_word() {
        return None;
    }
    let rest = look.text[token.start..].split('{').next().unwrap_or("").trim();
    let name = look.tokens.get(1)?.text;
    Slip::new(
        format!("`{}` stands in the braces of its load", token.text),
        format!("write `load {name} {{ {rest}; … }}`"),
    )
}

/// `p99 < 20ms`
pub(super) fn no_time_kind(look: &Look<'_>) -> Option<Slip> {
    let token = look.token()?;
    if !look.rules.contains(&Rule::kw_response) && !look.rules.contains(&Rule::time_kind) {
        return None;
    }
    let statistic = look.before()?.text;
    let rest = match token.text {
        "<" | "<=" | ">" | ">=" | "=" | "==" => look.line_from(token.start),
        _ => look.line_from(look.behind(1)?.start),
    };
    Slip::new(
        format!(
            "`{statistic}` of what? There are `send delay`, `service`, `response` and `pickup`"
        ),
        format!("write `{statistic} response {}`", rest.trim_end_matches('}').trim_end()),
    )
}

/// `lunch(a) { … }`
pub(super) fn no_shape_word(look: &Look<'_>) -> Option<Slip> {
    let (first, second, token) = (look.tokens.first()?, look.tokens.get(1)?, look.token()?);
    if token.text != "{" || second.text != "(" || !look.complete || !first.is_word() {
        return None;
    }
    let call = look.text.get(first.start..token.start)?.trim_end();
    Slip::new(
        format!("`shape` is missing before `{}`", first.text),
        format!("write `shape {call} {{ … }}`"),
    )
    .map(|slip| slip.at(*first, *first))
}

/// `a -> b 5m..30m`, `a -> b aftr 5m..30m`
pub(super) fn no_after(look: &Look<'_>) -> Option<Slip> {
    let (before, token) = (look.before()?, look.token()?);
    if look.statement() != "flow" || token.text != ".." || !is_duration(before.text) {
        return None;
    }
    let high = look.behind(1)?;
    let help = format!("write `after {}..{}`", before.text, high.text);
    // The name of a state stands behind the arrow or behind `or`.
    let word = look.tokens.get(look.index.checked_sub(2)?)?;
    let ahead = look.tokens.get(look.index.checked_sub(3)?)?;
    if word.is_word() && !matches!(ahead.text, "->" | "or") {
        let message = format!("`{}` is not what a way of a flow needs here", word.text);
        return Slip::new(message, help).map(|slip| slip.at(*word, *word));
    }
    let message = format!("`after` is missing before `{}`", before.text);
    Slip::new(message, help).map(|slip| slip.at(before, high))
}

/// `rate <= 100 stop`, `then pause`
pub(super) fn no_action_word(look: &Look<'_>) -> Option<Slip> {
    let token = look.token();
    match (look.before()?.text, token.map_or("", |token| token.text)) {
        ("pause", _) if look.expects("until") => Slip::new(
            "a pause needs the level at which the run goes on",
            format!("write `{}`", form("depth")?),
        ),
        (_, word @ ("stop" | "pause")) if look.expects("then") => Slip::new(
            "an action stands behind `then`",
            if word == "stop" {
                "write `then stop`".to_owned()
            } else {
                format!("write `{}`", form("depth")?)
            },
        ),
        _ => None,
    }
}
