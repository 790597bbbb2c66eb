//! `docs/grammar.md` is the grammar itself, in the notation that people read. `LOADC_UPDATE_DOCS=1`
//! writes it anew.
//!
//! What the grammar says is read here and not by pest's own crate for that: with it among the crates of
//! the tests, pest would look at the stack before every rule in them, and in the benches, as it does
//! not in loadc.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

/// Sections of the grammar that tell of errors, and of how the text is entered: no part of the language.
const LEFT_OUT: &[&str] =
    &["Entry points", "Spacing", "What is understood though it is wrong", "What could not be read"];

const HEAD: &str = "# The grammar

This page is made from [`grammar/load.pest`](../grammar/load.pest), the only grammar there is, by a test that also checks that it is current. What the grammar says of
blanks and of mistakes is left out here.

In the notation of the W3C, `x?` is an `x` or nothing, `x*` any number, `x+` at least one, `a | b` the first of the two that fits, and what stands in quotes is written
as it is. Blanks stand between words wherever two would run together. A statement (and a rule of a block) ends at the end of its line, at `;`, at the `}` around it, or
at the `#` of a comment; a line goes on behind `,`, `->` and an operator. Within `( )`, `[ ]` and the braces of a body the ends of lines are blanks.

";

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// The grammar: its rules, and the section in which each stands, in order.
struct Grammar {
    rules: Vec<Rule>,
    sections: Vec<(String, Vec<String>)>,
    /// What a keyword or a mark is written as.
    words: BTreeMap<String, String>,
}

impl Grammar {
    fn read(path: &Path) -> Grammar {
        let text = std::fs::read_to_string(path).unwrap();
        let rules = Meta::rules(&text);
        let mut sections: Vec<(String, Vec<String>)> = Vec::new();
        for line in text.lines() {
            if let Some(title) = line.strip_prefix("// ── ") {
                sections.push((title.trim_end_matches(['─', ' ']).to_owned(), Vec::new()));
            } else if let Some((name, _)) = line.split_once('=')
                && name.trim_end().chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
                && !line.starts_with([' ', '/'])
                && let Some((_, names)) = sections.last_mut()
            {
                names.push(name.trim().to_owned());
            }
        }
        let words = rules.iter().filter_map(|rule| Some((rule.name.clone(), word(&rule.expr)?)));
        Grammar { words: words.collect(), rules, sections }
    }

    fn is_left_out(&self, name: &str) -> bool {
        let of = self.sections.iter().find(|(_, names)| names.iter().any(|other| other == name));
        of.is_some_and(|(title, _)| LEFT_OUT.contains(&title.as_str()))
            || matches!(name, "EOI" | "SOI")
    }

    /// Whether a rule leaves no trace.
    fn is_nothing(&self, name: &str) -> bool {
        let rule = self.rules.iter().find(|rule| rule.name == name);
        rule.is_some_and(|rule| matches!(rule.expr, Expr::PosPred | Expr::NegPred(_)))
    }

    /// The page.
    fn page(&self) -> String {
        let mut page = HEAD.to_owned();
        for (title, names) in &self.sections {
            if LEFT_OUT.contains(&title.as_str()) {
                continue;
            }
            let lines: Vec<(String, String)> = names
                .iter()
                .filter(|name| !self.words.contains_key(*name))
                .filter_map(|name| self.rules.iter().find(|rule| rule.name == *name))
                .filter_map(|rule| Some((rule.name.clone(), self.shown(rule)?)))
                .collect();
            let width = lines.iter().map(|(name, _)| name.len()).max().unwrap_or(0);
            let _ = write!(page, "## {title}\n\n```ebnf\n");
            for (name, body) in lines {
                let _ = writeln!(page, "{name:<width$} ::= {body}");
            }
            page.push_str("```\n\n");
        }
        page.truncate(page.trim_end().len());
        page.push('\n');
        page
    }

    fn shown(&self, rule: &Rule) -> Option<String> {
        let inner = self.expr(&rule.expr, 0)?;
        // Marks have no blanks between their characters: worth saying only of what is no single word.
        Some(match rule.is_atomic {
            true if is_joined(&rule.expr) && inner.contains(' ') => {
                format!("{inner}   /* without blanks */")
            }
            _ => inner,
        })
    }

    /// An expression as it is written; `None` for what leaves no trace. `level` is 0 in a choice, 1 in a
    /// sequence, 2 before a sign of repetition.
    fn expr(&self, expr: &Expr, level: u8) -> Option<String> {
        let group = |text: String, own: u8| if own < level { format!("({text})") } else { text };
        let repeated =
            |inner: &Expr, sign: &str| self.expr(inner, 2).map(|text| format!("{text}{sign}"));
        match expr {
            Expr::Str(text) => Some(quoted(text)),
            Expr::Range(only, to) if only == to => Some(quoted(&only.to_string())),
            Expr::Range(from, to) => Some(format!("[{from}-{to}]")),
            Expr::Ident(name) if self.is_left_out(name) => None,
            Expr::Ident(name) => match self.words.get(name) {
                Some(word) => Some(quoted(word)),
                None if self.is_nothing(name) => None,
                None => Some(match name.as_str() {
                    "ANY" => "/* any character */".to_owned(),
                    "LETTER" => "/* any letter */".to_owned(),
                    _ => name.clone(),
                }),
            },
            // What is not meant is said by what is.
            Expr::PosPred | Expr::NegPred(_) => None,
            Expr::Seq(parts) => {
                let mut shown: Vec<String> = Vec::new();
                for (at, part) in parts.iter().enumerate() {
                    let any = matches!(part, Expr::Ident(name) if name == "ANY");
                    match at.checked_sub(1).map(|before| &parts[before]) {
                        Some(Expr::NegPred(but)) if any => {
                            let but =
                                self.expr(but, 0).unwrap_or_else(|| "the end of the line".into());
                            shown.push(format!("/* any character but {but} */"));
                        }
                        _ => shown.extend(self.expr(part, 1)),
                    }
                }
                match shown.as_slice() {
                    [] => None,
                    [one] if one.starts_with("/*") => Some(one.clone()),
                    [_] => parts.iter().find_map(|part| self.expr(part, level)),
                    _ => Some(group(shown.join(" "), 1)),
                }
            }
            Expr::Choice(parts) => {
                let nothing = |part: &Expr| matches!(part, Expr::Ident(n) if self.is_nothing(n));
                let mut shown: Vec<String> =
                    parts.iter().filter_map(|part| self.expr(part, 0)).collect();
                if parts.iter().any(nothing) {
                    shown.push("/* nothing */".to_owned());
                }
                shown.dedup();
                match shown.as_slice() {
                    [] => None,
                    [_] => parts.iter().find_map(|part| self.expr(part, level)),
                    _ => Some(group(shown.join(" | "), 0)),
                }
            }
            Expr::Opt(inner) => repeated(inner, "?"),
            Expr::Rep(inner) => repeated(inner, "*"),
            Expr::RepOnce(inner) => repeated(inner, "+"),
        }
    }
}

/// What a rule is written as, if it is one word or mark.
fn word(expr: &Expr) -> Option<String> {
    match expr {
        Expr::Str(text) => Some(text.clone()),
        Expr::Seq(parts) => parts[1..].iter().all(Expr::is_edge).then(|| word(&parts[0])).flatten(),
        _ => None,
    }
}

/// Whether an expression joins others, rather than choosing among words.
fn is_joined(expr: &Expr) -> bool {
    match expr {
        Expr::Seq(parts) => !parts[1..].iter().all(Expr::is_edge) || is_joined(&parts[0]),
        Expr::Choice(parts) => parts.iter().any(is_joined),
        Expr::Rep(_) | Expr::RepOnce(_) => true,
        _ => false,
    }
}

/// A rule of the grammar.
struct Rule {
    name: String,
    is_atomic: bool,
    expr: Expr,
}

/// What a rule says. Sequences and choices hold none of their own kind.
enum Expr {
    Str(String),
    Range(char, char),
    Ident(String),
    PosPred,
    NegPred(Box<Expr>),
    Seq(Vec<Expr>),
    Choice(Vec<Expr>),
    Opt(Box<Expr>),
    Rep(Box<Expr>),
    /// At least one, or a number of them.
    RepOnce(Box<Expr>),
}

impl Expr {
    /// Whether it only says where a word ends.
    fn is_edge(&self) -> bool {
        matches!(self, Expr::NegPred(_)) || matches!(self, Expr::Ident(name) if name == "edge")
    }
}

/// The notation of pest, as far as the grammar uses it, token by token.
struct Meta {
    tokens: std::iter::Peekable<std::vec::IntoIter<String>>,
}

impl Meta {
    fn rules(text: &str) -> Vec<Rule> {
        let mut meta = Meta { tokens: tokens(text).into_iter().peekable() };
        let mut rules = Vec::new();
        while let Some(name) = meta.tokens.next() {
            meta.takes("=");
            let is_atomic = meta.is_next("@");
            let _ = is_atomic || meta.is_next("$") || meta.is_next("_") || meta.is_next("!");
            meta.takes("{");
            let expr = meta.choice();
            meta.takes("}");
            rules.push(Rule { name, is_atomic, expr });
        }
        rules
    }

    fn takes(&mut self, token: &str) {
        assert_eq!(self.tokens.next().as_deref(), Some(token));
    }

    fn is_next(&mut self, token: &str) -> bool {
        self.tokens.next_if(|next| next == token).is_some()
    }

    fn choice(&mut self) -> Expr {
        let mut parts = Vec::new();
        loop {
            match self.sequence() {
                Expr::Choice(inner) => parts.extend(inner),
                other => parts.push(other),
            }
            if !self.is_next("|") {
                return if parts.len() == 1 { parts.remove(0) } else { Expr::Choice(parts) };
            }
        }
    }

    fn sequence(&mut self) -> Expr {
        let mut parts = Vec::new();
        loop {
            match self.term() {
                Expr::Seq(inner) => parts.extend(inner),
                other => parts.push(other),
            }
            if !self.is_next("~") {
                return if parts.len() == 1 { parts.remove(0) } else { Expr::Seq(parts) };
            }
        }
    }

    fn term(&mut self) -> Expr {
        if self.is_next("!") {
            return Expr::NegPred(Box::new(self.term()));
        }
        if self.is_next("&") {
            self.term();
            return Expr::PosPred;
        }
        let mut term = self.atom();
        loop {
            term = if self.is_next("*") {
                Expr::Rep(Box::new(term))
            } else if self.is_next("+") {
                Expr::RepOnce(Box::new(term))
            } else if self.is_next("?") {
                Expr::Opt(Box::new(term))
            } else if self.is_next("{") {
                while !self.is_next("}") {
                    self.tokens.next();
                }
                Expr::RepOnce(Box::new(term))
            } else {
                return term;
            };
        }
    }

    fn atom(&mut self) -> Expr {
        let token = self.tokens.next().unwrap();
        if token == "(" {
            let inner = self.choice();
            self.takes(")");
            return inner;
        }
        match token.split_at(1) {
            ("\"", text) => Expr::Str(text.to_owned()),
            ("'", from) => {
                self.takes(".");
                self.takes(".");
                let to = self.tokens.next().unwrap();
                Expr::Range(from.chars().next().unwrap(), to.chars().nth(1).unwrap())
            }
            _ => Expr::Ident(token),
        }
    }
}

/// Names, marks, and texts that stand behind the quote that opened them.
fn tokens(text: &str) -> Vec<String> {
    let mut tokens = Vec::new();
    let mut chars = text.chars().peekable();
    while let Some(first) = chars.next() {
        let mut token = first.to_string();
        match first {
            '/' if chars.peek() == Some(&'/') => {
                while chars.next_if(|c| *c != '\n').is_some() {}
                continue;
            }
            '"' | '\'' => {
                while let Some(c) = chars.next().filter(|c| *c != first) {
                    token.push(if c == '\\' { escaped(&mut chars) } else { c });
                }
            }
            c if c.is_whitespace() => continue,
            c if c.is_ascii_alphanumeric() || c == '_' => {
                while let Some(c) = chars.next_if(|c| c.is_ascii_alphanumeric() || *c == '_') {
                    token.push(c);
                }
            }
            _ => {}
        }
        tokens.push(token);
    }
    tokens
}

fn escaped(chars: &mut impl Iterator<Item = char>) -> char {
    match chars.next().unwrap() {
        'n' => '\n',
        'r' => '\r',
        't' => '\t',
        'u' => {
            let digits: String = chars.skip(1).take_while(|c| *c != '}').collect();
            char::from_u32(u32::from_str_radix(&digits, 16).unwrap()).unwrap()
        }
        c => c,
    }
}

fn quoted(text: &str) -> String {
    if text.contains('"') { format!("'{text}'") } else { format!("\"{text}\"") }
}

#[test]
fn the_grammar_page_is_current() {
    let page = Grammar::read(&root().join("grammar/load.pest")).page();
    let path = root().join("docs/grammar.md");
    if std::env::var_os("LOADC_UPDATE_DOCS").is_some() {
        std::fs::write(&path, &page).unwrap();
    }
    let written = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        written == page,
        "write it anew: LOADC_UPDATE_DOCS=1 cargo test --test main grammar_page"
    );
}

#[test]
fn every_name_on_the_grammar_page_is_defined_on_it() {
    let page = std::fs::read_to_string(root().join("docs/grammar.md")).unwrap();
    let rules = page.lines().filter_map(|line| line.split_once(" ::= "));
    let defined: Vec<&str> = rules.clone().map(|(name, _)| name.trim()).collect();
    assert!(defined.len() > 60, "{defined:?}");
    for (name, body) in rules {
        let mut text = body.to_owned();
        // Quoted texts and remarks hold no names.
        for (open, close) in [("/*", "*/"), ("\"", "\""), ("'", "'")] {
            while let Some(start) = text.find(open) {
                let behind = start + open.len();
                let end =
                    text[behind..].find(close).map_or(text.len(), |at| behind + at + close.len());
                text.replace_range(start..end, " ");
            }
        }
        for word in text.split(|c: char| !(c.is_alphanumeric() || c == '_' || c == '-' || c == '['))
        {
            let is_name = word.starts_with(|c: char| c.is_ascii_lowercase());
            assert!(!is_name || defined.contains(&word), "{name}: `{word}` is not defined");
        }
    }
}
