//! Mistakes whose cause is known: habits from other tools, words left out, words mixed up.
//!
//! Each function looks at where reading a statement stopped and, if it knows the mistake, says
//! what is wrong and what to write.

use super::Rule;
use super::tokens::{Token, is_duration};
use super::words::{self, form};

/// Where reading a statement stopped.
pub(super) struct Look<'t> {
    /// The statement as written.
    pub text: &'t str,
    /// Its words.
    pub tokens: &'t [Token<'t>],
    /// The word that reading stopped at; past the last where the statement ended too early.
    pub index: usize,
    /// What could have stood there, as the grammar calls it.
    pub rules: &'t [Rule],
    /// The same in words.
    pub expected: &'t [&'static str],
    /// Whether everything before would have been a statement.
    pub complete: bool,
}

/// A mistake that is known.
pub(super) struct Slip {
    /// What is wrong.
    pub message: String,
    /// What to write.
    pub help: String,
    /// The words it is about, if not the one that reading stopped at.
    pub place: Option<(usize, usize)>,
}

impl Slip {
    fn new(message: impl Into<String>, help: impl Into<String>) -> Option<Slip> {
        Some(Slip { message: message.into(), help: help.into(), place: None })
    }

    fn at(mut self, from: Token<'_>, to: Token<'_>) -> Slip {
        self.place = Some((from.start, to.end()));
        self
    }
}

impl<'t> Look<'t> {
    fn token(&self) -> Option<Token<'t>> {
        self.tokens.get(self.index).copied()
    }

    fn before(&self) -> Option<Token<'t>> {
        self.index.checked_sub(1).and_then(|index| self.tokens.get(index)).copied()
    }

    fn behind(&self, count: usize) -> Option<Token<'t>> {
        self.tokens.get(self.index + count).copied()
    }

    fn statement(&self) -> &'t str {
        self.tokens.first().map_or("", |token| token.text)
    }

    fn expects(&self, word: &str) -> bool {
        self.expected.iter().any(|expected| expected.trim_matches('`') == word)
    }

    /// The rest of the line from a word on.
    fn line_from(&self, start: usize) -> &'t str {
        let rest = &self.text[start..];
        let rest = &rest[..rest.find(['\n', '\r', '#']).unwrap_or(rest.len())];
        rest.trim_end().trim_end_matches(';').trim_end()
    }
}

/// The first slip that is recognised.
pub(super) fn slip(look: &Look<'_>) -> Option<Slip> {
    const KNOWN: &[fn(&Look<'_>) -> Option<Slip>] = &[
        no_arrow,
        two_durations,
        loose_unit,
        number_with_comma,
        number_from_point,
        other_quotes,
        points_with_marks,
        brackets,
        no_braces,
        colon_behind_word,
        mixed_up_words,
        loose_per,
        no_quotes,
        no_time_kind,
        no_action_word,
        half_a_send,
        suffix_before_block,
        repeat_times,
        after_outside,
        positional_sine,
        dollar,
        arithmetic_in_body,
        range_mark,
        pick_weights,
        given_twice,
        missing_word,
        comma_between,
        statement_behind,
        blank_on_one_side,
    ];
    KNOWN.iter().find_map(|known| known(look))
}

/// `ramp 10 to 500`, `ramp from 10 to 500`, `ramp 10-500`, `stairs 10..200`
fn no_arrow(look: &Look<'_>) -> Option<Slip> {
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

/// `1h 30m`
fn two_durations(look: &Look<'_>) -> Option<Slip> {
    let (before, token) = (look.before()?, look.token()?);
    (is_duration(before.text) && is_duration(token.text))
        .then(|| {
            let help = format!("write `{}{}`", before.text, token.text);
            Slip::new("a duration is written in one word", help)
        })?
        .map(|slip| slip.at(before, token))
}

/// `5 minutes`, `100 rps`, `100 per second`, `4 KB`
fn loose_unit(look: &Look<'_>) -> Option<Slip> {
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
fn number_with_comma(look: &Look<'_>) -> Option<Slip> {
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
fn number_from_point(look: &Look<'_>) -> Option<Slip> {
    let (token, next) = (look.token()?, look.behind(1)?);
    if token.text != "." || !next.is_number() || next.start != token.end() {
        return None;
    }
    Slip::new("a number begins with a digit", format!("write `0.{}`", next.text))
        .map(|slip| slip.at(token, next))
}

/// Quotes that are none.
fn other_quotes(look: &Look<'_>) -> Option<Slip> {
    matches!(look.token()?.text, "'" | "`" | "“" | "”" | "„" | "‘" | "’" | "«" | "»")
        .then(|| Slip::new("texts stand in double quotes", "write `\"…\"`"))?
}

/// `points (0s, 10)`, `points 0s:10`
fn points_with_marks(look: &Look<'_>) -> Option<Slip> {
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

/// `repeat(3)`, `steps [10, 50]`
fn brackets(look: &Look<'_>) -> Option<Slip> {
    let (before, token) = (look.before()?, look.token()?);
    if !matches!(token.text, "(" | "[") || look.statement() == "body" || look.index != 1 {
        return None;
    }
    let message = format!("no brackets stand behind `{}`", before.text);
    Slip::new(message, format!("write it as `{}`", form(look.statement())?))
}

/// `guard rate <= 100`
fn no_braces(look: &Look<'_>) -> Option<Slip> {
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

/// `load: orders`, `let peak: 500`
fn colon_behind_word(look: &Look<'_>) -> Option<Slip> {
    let (before, token) = (look.before()?, look.token()?);
    if !matches!(token.text, ":" | "=") || look.statement() == "body" {
        return None;
    }
    if look.expects("=") {
        return Slip::new(
            "a name gets its value by `=`",
            format!("write `let {} = …`", before.text),
        );
    }
    if token.text == ":" && look.statement() == "target" {
        let address = look.line_from(look.tokens.get(1)?.start);
        let help = format!("write `target \"{}\"`", address.trim_matches('"'));
        return Slip::new("an address stands in quotes", help);
    }
    if !before.is_word() {
        return None;
    }
    let next = look.behind(1).filter(|next| !matches!(next.text, "{" | "[" | "("));
    let message = format!("no `{}` stands behind `{}`", token.text, before.text);
    Slip::new(
        message,
        match next {
            Some(next) => format!("leave it out: `{} {}`", before.text, next.text),
            None => "leave it out".to_owned(),
        },
    )
}

/// `ramp 10->500 for 60s`, `steps 10, 50 every 30s`
fn mixed_up_words(look: &Look<'_>) -> Option<Slip> {
    const PAIRS: &[(&str, &str)] = &[
        ("for", "over"),
        ("over", "for"),
        ("in", "over"),
        ("during", "over"),
        ("in", "for"),
        ("during", "for"),
        ("every", "each"),
        ("each", "every"),
        ("amplitude", "amp"),
        ("cycle", "period"),
        ("offset", "phase"),
        ("x", "times"),
        ("within", "over"),
        ("step", "by"),
        ("return", "back"),
        ("down", "back"),
        ("named", "as"),
        ("name", "as"),
        ("cubic", "smooth"),
    ];
    let token = look.token()?;
    let known = |(wrong, right): &&(&str, &str)| token.text == *wrong && look.expects(right);
    let (_, right) = PAIRS.iter().find(known)?;
    let behind = look.behind(1).map_or("…", |next| next.text);
    Slip::new(
        format!("`{}` takes `{right}` here, not `{}`", look.statement(), token.text),
        format!("write `{right} {behind}`"),
    )
}

/// `100 /s`, `100 / min`
fn loose_per(look: &Look<'_>) -> Option<Slip> {
    let (before, token) = (look.before()?, look.token()?);
    let unit = look.behind(1).and_then(|next| per_unit(next.text))?;
    (token.text == "/" && look.statement() != "body").then(|| {
        let help = format!("write `{}/{unit}`", before.text);
        Slip::new("the unit of a rate is glued to its number", help)
    })?
}

/// `as night`, `file /tmp/stop`
fn no_quotes(look: &Look<'_>) -> Option<Slip> {
    let token = look.token()?;
    let wanted = look.rules.contains(&Rule::string) && !look.rules.contains(&Rule::number);
    if !wanted || token.text.starts_with('"') || matches!(token.text, "{" | "<=" | "<") {
        return None;
    }
    let rest = look.line_from(token.start);
    let word = rest.split_whitespace().next().unwrap_or(rest).trim_end_matches(['}', ';', ',']);
    Slip::new("a text stands in quotes", format!("write `\"{word}\"`"))
}

/// `p99 < 20ms`
fn no_time_kind(look: &Look<'_>) -> Option<Slip> {
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
        format!("`{statistic}` of what? There are `send delay`, `service` and `response`"),
        format!("write `{statistic} response {}`", rest.trim_end_matches('}').trim_end()),
    )
}

/// `rate <= 100 stop`, `then pause`
fn no_action_word(look: &Look<'_>) -> Option<Slip> {
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

/// `send 50k`
fn half_a_send(look: &Look<'_>) -> Option<Slip> {
    let count = look.tokens.get(1).filter(|count| count.is_number())?;
    (look.statement() == "send" && look.index >= 2).then(|| {
        Slip::new(
            "jobs without a shape are sent `at once`",
            format!("write `send {0} at once`, or a shape: `constant {0} for 1s`", count.text),
        )
    })?
}

/// `repeat 3 times {`
fn repeat_times(look: &Look<'_>) -> Option<Slip> {
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
fn suffix_before_block(look: &Look<'_>) -> Option<Slip> {
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
fn after_outside(look: &Look<'_>) -> Option<Slip> {
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

/// `sine 100 30 period 1h for 8h`
fn positional_sine(look: &Look<'_>) -> Option<Slip> {
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

/// `$peak`
fn dollar(look: &Look<'_>) -> Option<Slip> {
    let (token, next) = (look.token()?, look.behind(1)?);
    (matches!(token.text, "$" | "@" | "&") && next.is_word()).then(|| {
        let message = format!("a name is written without `{}`", token.text);
        Slip::new(message, format!("write `{}`", next.text))
    })?
}

/// `n: 5 + 3`
fn arithmetic_in_body(look: &Look<'_>) -> Option<Slip> {
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
fn range_mark(look: &Look<'_>) -> Option<Slip> {
    if look.statement() != "body" || !look.rules.contains(&Rule::dots) || look.expects(",") {
        return None;
    }
    Slip::new("a range is missing here", "write it as `1..6`")
}

/// `pick("a": 70, "b": 30)`
fn pick_weights(look: &Look<'_>) -> Option<Slip> {
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

/// `constant 100 for 5m for 6m`
fn given_twice(look: &Look<'_>) -> Option<Slip> {
    let token = look.token()?;
    let earlier = look.tokens[..look.index].iter().skip(1).any(|t| t.text == token.text);
    // Behind the word that leads it, a value is missing, not a word too many.
    let leads = look.before().is_some_and(|before| words::is_argument(before.text));
    (earlier && !leads && words::is_argument(token.text) && !look.expects(token.text))
        .then(|| Slip::new(format!("`{}` is given twice", token.text), "remove one of the two"))?
}

/// `constant 100 5m`: the word before a value is missing.
fn missing_word(look: &Look<'_>) -> Option<Slip> {
    let token = look.token()?;
    if token.is_number() && is_duration(token.text) {
        let leads = ["for", "over", "each", "every", "period", "hold"];
        let lead = leads.into_iter().find(|lead| look.expects(lead))?;
        return Slip::new(
            format!("`{lead}` is missing before `{}`", token.text),
            format!("write `{lead} {}`", token.text),
        );
    }
    if token.is_number() && look.expects("<=") {
        let word = look.statement();
        return Slip::new(
            format!("`<=` is missing before `{}`", token.text),
            format!("write `{word} <= {}`", token.text),
        );
    }
    if token.text.starts_with('"') && look.expects("as") {
        return Slip::new("a name stands behind `as`", format!("write `as {}`", token.text));
    }
    if token.text == "hold" && look.tokens.iter().any(|token| token.text == "back") {
        return Slip::new(
            "`hold` comes before `back`",
            "write it as `ramp 10->500 over 60s hold 3m back`",
        );
    }
    (token.is_number() && look.expects(",") && look.statement() == "steps").then(|| {
        let before = look.before().map_or("", |before| before.text);
        let help = format!("write `{before}, {}`", token.text);
        Slip::new(format!("a comma is missing before `{}`", token.text), help)
    })?
}

/// `ramp 10->500 over 60s, hold 5s`
fn comma_between(look: &Look<'_>) -> Option<Slip> {
    let (before, token) = (look.before()?, look.token()?);
    if token.text != "," || look.statement() == "body" || look.expects(",") {
        return None;
    }
    match look.behind(1) {
        Some(next) if words::is_argument(next.text) => Slip::new(
            "arguments are parted by blanks, not by commas",
            format!("write `{} {}`", before.text, next.text),
        ),
        _ if look.complete => {
            Slip::new("no comma stands behind a statement", "leave it out, or write `;`")
        }
        _ => None,
    }
}

/// `queue "orders" body { … }`: two statements with nothing between.
fn statement_behind(look: &Look<'_>) -> Option<Slip> {
    let token = look.token()?;
    (look.complete && words::begins_statement(token.text)).then(|| {
        Slip::new(
            format!("`{}` begins a new statement", token.text),
            format!("begin it on a new line, or write `; {}`", token.text),
        )
    })?
}

/// `a +b`
fn blank_on_one_side(look: &Look<'_>) -> Option<Slip> {
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
