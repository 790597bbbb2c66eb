//! Mistakes whose cause is known: habits from other tools, words left out, words mixed up.
//!
//! Each function looks at where reading a statement stopped and, if it knows the mistake, says
//! what is wrong and what to write.

mod blocks;
mod shapes;
mod values;

use super::Rule;
use super::tokens::{Token, is_duration};
use super::words;

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
    /// What it is a part of, where its first word does not say how it is written.
    pub within: Option<&'static str>,
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
        self.within.unwrap_or_else(|| self.tokens.first().map_or("", |token| token.text))
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
        values::no_blank_before_text,
        blocks::no_shape_word,
        shapes::no_arrow,
        values::other_dash,
        values::positive_sign,
        blocks::no_after,
        values::two_durations,
        values::loose_unit,
        values::number_with_comma,
        values::number_from_point,
        values::other_quotes,
        shapes::points_with_marks,
        blocks::brackets,
        blocks::no_braces,
        colon_behind_word,
        mixed_up_words,
        values::loose_per,
        values::no_quotes,
        blocks::no_time_kind,
        blocks::no_action_word,
        shapes::half_a_send,
        blocks::suffix_before_block,
        blocks::repeat_times,
        blocks::after_outside,
        shapes::positional_sine,
        values::dollar,
        values::arithmetic_in_body,
        values::range_mark,
        values::pick_weights,
        given_twice,
        missing_word,
        comma_between,
        statement_behind,
        values::blank_on_one_side,
    ];
    KNOWN.iter().find_map(|known| known(look))
}

/// `load: orders`, `let peak: 500`
fn colon_behind_word(look: &Look<'_>) -> Option<Slip> {
    let (before, token) = (look.before()?, look.token()?);
    if !matches!(token.text, ":" | "=") || look.statement() == "body" {
        return None;
    }
    if look.index == 1 && look.statement() == "let" {
        let value = look.line_from(token.end());
        let help = format!("write `let name = {}`", value.trim_start());
        return Slip::new("`let` does not say which name", help);
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
    if token.is_number() && look.expects("cv") {
        let help = format!("write `cv {}`", token.text);
        return Slip::new(format!("`cv` is missing before `{}`", token.text), help);
    }
    if token.is_number() && look.rules.contains(&Rule::comparison) {
        let help = format!("write `< {}`", token.text);
        return Slip::new(format!("`<` is missing before `{}`", token.text), help);
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
