//! Slips in the arguments of shapes.

use super::{Look, Slip};
use crate::parse::words::form;

/// `ramp 10 to 500`, `ramp from 10 to 500`, `ramp 10-500`, `stairs 10..200`
pub(super) fn no_arrow(look: &Look<'_>) -> Option<Slip> {
    let shape = look.statement();
    if !matches!(shape, "ramp" | "stairs") {
        return None;
    }
    let first = if look.tokens.get(1)?.text == "from" { 2 } else { 1 };
    let from = look.tokens.get(first)?;
    // A rate may have a unit glued to it.
    let mark = look.tokens.iter().skip(first + 1).take(3).position(|token| {
        matches!(token.text, "to" | "-" | ".." | "=>" | "→" | "–" | "—" | "until" | "," | "->")
    })?;
    let (mark, to) = (first + 1 + mark, look.tokens.get(first + 2 + mark)?);
    let stopped = look.index <= mark + 2;
    if !stopped || look.tokens[mark].text == "->" && first == 1 || !to.is_number() && !to.is_word()
    {
        return None;
    }
    let from = &look.text[from.start..look.tokens[mark - 1].end()];
    let who = if shape == "ramp" { "a ramp goes" } else { "stairs go" };
    let help = format!("write `{shape} {from}->{}`", to.text);
    Slip::new(format!("{who} from one rate to another by `->`"), help)
        .map(|slip| slip.at(look.tokens[1], *to))
}

/// `points (0s, 10)`, `points 0s:10`
pub(super) fn points_with_marks(look: &Look<'_>) -> Option<Slip> {
    let strange = look.statement() == "points" && matches!(look.tokens.get(1)?.text, "(" | "[");
    if strange || look.statement() == "points" && matches!(look.token()?.text, ":" | "=" | "->") {
        let place = if strange { look.tokens.get(1)? } else { look.tokens.get(look.index)? };
        return Slip::new(
            "a point is a time and a rate with a blank between, and a comma behind",
            format!("write it as `{}`", form("points")?),
        )
        .map(|slip| slip.at(*place, *place));
    }
    None
}

/// `sine 100 30 period 1h for 8h`
pub(super) fn positional_sine(look: &Look<'_>) -> Option<Slip> {
    let token = look.token()?;
    if look.statement() != "sine" || !token.is_number() {
        return None;
    }
    let second = look.behind(1).filter(|next| next.is_number()).map_or("30", |next| next.text);
    (look.index == 1).then(|| {
        let help = format!("write `sine base {} amp {second} …`", token.text);
        Slip::new("each number of a sine has a word before it", help)
    })?
}

/// `send 50k`
pub(super) fn half_a_send(look: &Look<'_>) -> Option<Slip> {
    let count = look.tokens.get(1).filter(|count| count.is_number())?;
    (look.statement() == "send" && look.index >= 2).then(|| {
        Slip::new(
            "jobs without a shape are sent `at once`",
            format!("write `send {0} at once`, or a shape: `constant {0} for 1s`", count.text),
        )
    })?
}
