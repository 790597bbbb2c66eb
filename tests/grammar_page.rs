//! `docs/grammar.md` is the grammar itself, in the notation that people read. `LOADC_UPDATE_DOCS=1`
//! writes it anew.

use pest_meta::ast::{Expr, Rule, RuleType};
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
        let pairs =
            pest_meta::parser::parse(pest_meta::parser::Rule::grammar_rules, &text).unwrap();
        let rules = pest_meta::parser::consume_rules(pairs).unwrap();
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
        rule.is_some_and(|rule| matches!(rule.expr, Expr::PosPred(_) | Expr::NegPred(_)))
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
        Some(match rule.ty {
            RuleType::Atomic if is_joined(&rule.expr) && inner.contains(' ') => {
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
            Expr::Str(text) | Expr::Insens(text) => Some(quoted(text)),
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
            Expr::PosPred(_) | Expr::NegPred(_) => None,
            Expr::Seq(..) => {
                let mut parts = Vec::new();
                flat(expr, &mut parts, |expr| match expr {
                    Expr::Seq(left, right) => Some((left, right)),
                    _ => None,
                });
                let mut shown: Vec<String> = Vec::new();
                for (at, part) in parts.iter().enumerate() {
                    let any = matches!(part, Expr::Ident(name) if name == "ANY");
                    match at.checked_sub(1).map(|before| parts[before]) {
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
            Expr::Choice(..) => {
                let mut parts = Vec::new();
                flat(expr, &mut parts, |expr| match expr {
                    Expr::Choice(left, right) => Some((left, right)),
                    _ => None,
                });
                let nothing = |part: &&Expr| matches!(part, Expr::Ident(n) if self.is_nothing(n));
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
            Expr::Rep(inner) | Expr::RepMax(inner, _) => repeated(inner, "*"),
            Expr::RepOnce(inner)
            | Expr::RepExact(inner, _)
            | Expr::RepMin(inner, _)
            | Expr::RepMinMax(inner, _, _) => repeated(inner, "+"),
            _ => None,
        }
    }
}

/// What a rule is written as, if it is one word or mark.
fn word(expr: &Expr) -> Option<String> {
    match expr {
        Expr::Str(text) => Some(text.clone()),
        Expr::Seq(left, right) if matches!(**right, Expr::NegPred(_)) => word(left),
        _ => None,
    }
}

/// Whether an expression joins others, rather than choosing among words.
fn is_joined(expr: &Expr) -> bool {
    match expr {
        Expr::Seq(left, right) => !matches!(**right, Expr::NegPred(_)) || is_joined(left),
        Expr::Choice(left, right) => is_joined(left) || is_joined(right),
        Expr::Rep(_) | Expr::RepOnce(_) => true,
        _ => false,
    }
}

fn flat<'e>(
    expr: &'e Expr,
    parts: &mut Vec<&'e Expr>,
    pair: impl Fn(&'e Expr) -> Option<(&'e Expr, &'e Expr)> + Copy,
) {
    match pair(expr) {
        Some((left, right)) => {
            flat(left, parts, pair);
            flat(right, parts, pair);
        }
        None => parts.push(expr),
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
