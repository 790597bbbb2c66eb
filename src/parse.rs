//! Text becomes a tree: `grammar/load.pest` reads it, this room turns what it read into
//! [`crate::ast`], and words what it could not read for a reader.
//!
//! Every error of a file is found in one pass: a statement that cannot be read is noted and the
//! next one goes on.

mod brackets;
mod broken;
mod expr;
mod guard;
mod job;
mod number;
mod phrase;
mod text;
mod words;

use crate::ast::{Let, Load, MixItem, Name, Script, Setting, Statement, StatementKind};
use crate::problem::{Code, Problem};
use crate::source::{SourceFile, Span};
use pest::Parser as _;

/// The parser that pest makes of the grammar.
mod grammar {
    #[derive(pest_derive::Parser)]
    #[grammar = "../grammar/load.pest"]
    pub struct Grammar;
}

use grammar::Rule;

type Pair<'s> = pest::iterators::Pair<'s, Rule>;

/// The largest script that is read, in bytes.
pub const MAX_BYTES: usize = 16 << 20;

/// Problems of one file that are kept: nobody reads more, and a file that is no script at all
/// would have millions.
pub const MAX_PROBLEMS: usize = 1000;

/// Takes the bytes of a file as a script's text. Bytes that are no UTF-8 come back as far as they
/// can be shown, with the problem that they are.
pub fn decode(name: &str, bytes: Vec<u8>) -> Result<SourceFile, Box<(SourceFile, Problem)>> {
    match String::from_utf8(bytes) {
        Ok(text) => Ok(SourceFile::new(name, text)),
        Err(error) => {
            let at = error.utf8_error().valid_up_to();
            let text = String::from_utf8_lossy(error.as_bytes()).into_owned();
            // What stands there now is the sign for a character that could not be read.
            let span = Span::new(at, at + char::REPLACEMENT_CHARACTER.len_utf8());
            let problem = Problem::error(Code::NotText, span, "this is not UTF-8 text")
                .label(format!("byte {at} is the first that is none"))
                .help("save the script as UTF-8; a recording or a payload belongs into a file of its own");
            Err(Box::new((SourceFile::new(name, text), problem)))
        }
    }
}

/// Reads a script. What could be read is in the tree, what could not is in the list, in the order
/// of the file.
pub fn parse(source: &SourceFile) -> (Script, Vec<Problem>) {
    if source.text.len() > MAX_BYTES {
        let message = format!("the script is larger than {} MiB", MAX_BYTES >> 20);
        let problem = Problem::error(Code::TooLarge, Span::default(), message)
            .help("a script says how load is shaped; payload files and recordings stay outside it");
        return (Script::default(), vec![problem]);
    }
    let scan = brackets::scan(&source.text);
    let mut script = Script { statements: Vec::new(), comments: scan.comments };
    if scan.too_deep {
        let first = scan.problems.into_iter().find(|problem| problem.code == Code::TooDeep);
        return (script, first.into_iter().collect());
    }
    let text = blanked(&source.text, &scan.blanks);
    let mut reader = Reader::new(scan.problems);
    match grammar::Grammar::parse(Rule::file, &text) {
        Ok(mut pairs) => {
            if let Some(file) = pairs.next() {
                script.statements = reader.statements(file);
            }
        }
        Err(error) => {
            let at = match error.location {
                pest::error::InputLocation::Pos(at) => at,
                pest::error::InputLocation::Span((at, _)) => at,
            };
            let span = Span::new(at, at + 1);
            reader.problems.push(Problem::error(Code::Expected, span, "this cannot be read"));
        }
    }
    let mut problems = reader.problems;
    problems.sort_by_key(|problem| problem.place.0);
    (script, problems)
}

/// The text with some of its (one-byte) brackets made blank.
fn blanked(text: &str, blanks: &[u32]) -> String {
    let mut out = String::with_capacity(text.len());
    let mut from = 0;
    let mut sorted = blanks.to_vec();
    sorted.sort_unstable();
    for at in sorted {
        let at = at as usize;
        out.push_str(text.get(from..at).unwrap_or(""));
        out.push(' ');
        from = at + 1;
    }
    out.push_str(text.get(from..).unwrap_or(""));
    out
}

/// Turns pairs into the tree; knows where in the file its text stands.
#[derive(Default)]
struct Reader {
    offset: usize,
    problems: Vec<Problem>,
    /// Unpaired brackets and open quotes, in the order of the file: what cannot be read around one
    /// follows from it.
    blamed: Vec<Span>,
}

impl Reader {
    fn new(problems: Vec<Problem>) -> Self {
        let blamed = problems.iter().map(|problem| problem.place.0).collect();
        Reader { offset: 0, problems, blamed }
    }

    /// Notes a problem, unless there are too many already for anybody to read.
    fn push(&mut self, problem: Problem) {
        if !self.is_full() {
            self.problems.push(problem);
        }
    }

    fn is_full(&self) -> bool {
        self.problems.len() >= MAX_PROBLEMS
    }

    fn span(&self, pair: &Pair<'_>) -> Span {
        let span = pair.as_span();
        Span::new(span.start() + self.offset, span.end() + self.offset)
    }

    /// The span without the blanks behind it.
    fn trimmed(&self, pair: &Pair<'_>) -> Span {
        let start = pair.as_span().start() + self.offset;
        Span::new(start, start + pair.as_str().trim_end().len())
    }

    fn statements(&mut self, pair: Pair<'_>) -> Vec<Statement> {
        pair.into_inner()
            .filter(|inner| !matches!(inner.as_rule(), Rule::EOI))
            .map(|inner| self.statement(inner))
            .collect()
    }

    fn statement(&mut self, pair: Pair<'_>) -> Statement {
        let span = self.trimmed(&pair);
        let kind = match pair.as_rule() {
            Rule::let_statement => self.let_statement(pair),
            Rule::seed | Rule::target | Rule::after => self.setting(pair),
            Rule::mix => self.mix(pair),
            Rule::job => self.job(pair),
            Rule::load => self.load(pair),
            Rule::guard => self.guard(pair),
            Rule::expect => self.expect(pair),
            Rule::shape_phrase | Rule::at_once_phrase => self.shape_phrase(pair),
            Rule::block_phrase => self.block_phrase(pair),
            _ => self.broken_statement(pair),
        };
        Statement { kind, span }
    }

    fn let_statement(&mut self, pair: Pair<'_>) -> StatementKind {
        let mut inner = pair.into_inner();
        let name = inner.find(|p| p.as_rule() == Rule::ident);
        let value = inner.find(|p| p.as_rule() == Rule::expr);
        match (name, value) {
            (Some(name), Some(value)) => {
                let name = Name::new(name.as_str().to_owned(), self.span(&name));
                StatementKind::Let(Let { name, value: self.expr(value) })
            }
            _ => StatementKind::Broken(None),
        }
    }

    fn setting(&mut self, pair: Pair<'_>) -> StatementKind {
        let rule = pair.as_rule();
        let value =
            pair.into_inner().find(|p| p.as_rule() == Rule::expr).map(|expr| self.expr(expr));
        StatementKind::Setting(match (rule, value) {
            (Rule::seed, value) => Setting::Seed(value),
            (Rule::target, Some(value)) => Setting::Target(value),
            (_, Some(value)) => Setting::After(value),
            (_, None) => return StatementKind::Broken(None),
        })
    }

    fn mix(&mut self, pair: Pair<'_>) -> StatementKind {
        let mut items = Vec::new();
        for item in pair.into_inner().filter(|p| p.as_rule() == Rule::mix_item) {
            let mut inner = item.into_inner();
            if let Some(name) = inner.next() {
                let job = self.name(name);
                let weight = inner.next().map(|weight| self.expr(weight));
                items.push(MixItem { job, weight });
            }
        }
        StatementKind::Mix(items)
    }

    fn load(&mut self, pair: Pair<'_>) -> StatementKind {
        let mut load = None;
        let mut name = None;
        for inner in pair.into_inner() {
            match inner.as_rule() {
                Rule::name => name = Some(self.name(inner)),
                Rule::block => load = Some(self.statements(inner)),
                Rule::excess => self.excess(&inner),
                _ => {}
            }
        }
        match (name, load) {
            (Some(name), Some(body)) => StatementKind::Load(Load { name, body }),
            _ => StatementKind::Broken(None),
        }
    }

    /// A name, quoted or not.
    fn name(&mut self, pair: Pair<'_>) -> Name {
        let span = self.span(&pair);
        match pair.as_str().starts_with('"') {
            true => {
                let string = pair.clone().into_inner().next().unwrap_or(pair);
                self.plain_string(&string)
            }
            false => Name::new(pair.as_str().to_owned(), span),
        }
    }

    /// What stands behind a block and does not belong there.
    fn excess(&mut self, pair: &Pair<'_>) {
        let span = self.trimmed(pair);
        let lead = pair.as_str().len() - pair.as_str().trim_start().len();
        let span = Span::new(span.start as usize + lead, span.end as usize);
        if self.is_blamed(span) {
            return;
        }
        self.push(
            Problem::error(Code::Excess, span, "this does not belong behind a block")
                .label("not expected here")
                .help("begin the next statement on a line of its own, or put `;` before it"),
        );
    }

    /// Whether a bracket or quote in this span has been found wrong already.
    fn is_blamed(&self, span: Span) -> bool {
        let next = self.blamed.partition_point(|blamed| blamed.end <= span.start);
        self.blamed.get(next).is_some_and(|blamed| blamed.start < span.end)
    }
}

/// Reads one value, as a flag gives it: `500/s`, `30s`.
pub fn expression(text: &str) -> Option<crate::ast::Expr> {
    let scan = brackets::scan(text);
    if !scan.problems.is_empty() {
        return None;
    }
    let pairs = grammar::Grammar::parse(Rule::lone_expr, text).ok()?;
    let lone = pairs.into_iter().next()?;
    let expr = lone.into_inner().find(|pair| pair.as_rule() == Rule::expr)?;
    let mut reader = Reader::default();
    let expr = reader.expr(expr);
    reader.problems.is_empty().then_some(expr)
}
