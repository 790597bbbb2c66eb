//! Text becomes a tree: `grammar/load.pest` reads it, this room turns what it read into
//! [`crate::ast`], and words what it could not read for a reader.
//!
//! Every error of a file is found in one pass: a statement that cannot be read is noted and the
//! next one goes on.

mod arguments;
mod blame;
mod brackets;
mod broken;
mod calendar;
mod expr;
mod flow;
mod guard;
mod job;
mod lexicon;
mod number;
mod phrase;
mod pieces;
mod policy;
mod shape;
mod slips;
pub(crate) mod table;
mod text;
mod tokens;
mod tree;
mod words;

use crate::ast::{
    Arrival, Lateness, Let, Load, MixItem, Name, Script, Setting, Statement, StatementKind,
};
use crate::problem::{Code, Problem};
use crate::source::{SourceFile, Span};
use tree::Pair;

pub use pieces::uses;
pub use policy::policy;

/// The parser that pest makes of the grammar.
mod grammar {
    #[derive(pest_derive::Parser)]
    #[grammar = "../grammar/load.pest"]
    pub struct Grammar;
}

use grammar::Rule;

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

/// Reads a script, without the files it uses. What could be read is in the tree, what could not is
/// in the list, in the order of the file.
pub fn parse(source: &SourceFile) -> (Script, Vec<Problem>) {
    parse_part(source, 0)
}

/// Reads one of the files of a source; 0 is the script.
pub fn parse_part(source: &SourceFile, part: usize) -> (Script, Vec<Problem>) {
    parse_in_pieces(source, part, pieces::BYTES)
}

/// The same in pieces of so many bytes or more.
fn parse_in_pieces(source: &SourceFile, part: usize, least: usize) -> (Script, Vec<Problem>) {
    let whole = source.part_span(part);
    let base = whole.start;
    if whole.len() > MAX_BYTES {
        let message = format!("the script is larger than {} MiB", MAX_BYTES >> 20);
        let at = Span { start: base, end: base };
        let problem = Problem::error(Code::TooLarge, at, message)
            .help("a script says how load is shaped; payload files and recordings stay outside it");
        return (Script::default(), vec![problem]);
    }
    let text = source.slice(whole);
    let mut scan = brackets::scan(text);
    let text = edited(text, &scan.edits);
    scan.shift(base);
    let mut script = Script { statements: Vec::new(), comments: scan.comments };
    if scan.too_deep {
        let first = scan.problems.into_iter().find(|problem| problem.code == Code::TooDeep);
        return (script, first.into_iter().collect());
    }
    let shaky = scan.problems.iter().any(|problem| problem.code == Code::Bracket);
    let mut reader = Reader {
        offset: base as usize,
        problems: scan.problems,
        blamed: scan.blamed,
        shaky,
        ..Reader::default()
    };
    for piece in pieces::pieces(text.len(), &scan.cuts, least) {
        match tree::read_part(Rule::file, &text, piece) {
            Ok(tree) => {
                let read = tree.root().map(|file| reader.statements(file));
                script.statements.extend(read.into_iter().flatten());
            }
            Err(tree::Stopped { at, .. }) => {
                let span = Span::new(at, at + 1).shifted(base);
                reader.problems.push(
                    Problem::error(Code::Expected, span, "this cannot be read")
                        .label("nothing is understood from here on"),
                );
                break;
            }
        }
    }
    let mut problems = reader.problems;
    // The brace that would have closed such a block is not one too many.
    for unopened in reader.unopened {
        let stray = |problem: &Problem| {
            problem.code == Code::Bracket
                && problem.place.0.start > unopened
                && source.slice(problem.place.0) == "}"
        };
        if let Some(found) = problems.iter().position(stray) {
            problems.remove(found);
        }
    }
    problems.sort_by_key(|problem| problem.place.0);
    (script, problems)
}

/// The text as the grammar is to see it; of the same length, so that places stay what they are.
fn edited(text: &str, edits: &[brackets::Edit]) -> String {
    let mut bytes = text.as_bytes().to_vec();
    for edit in edits {
        for byte in bytes.get_mut(edit.span.range()).into_iter().flatten() {
            if !matches!(byte, b'\n' | b'\r') {
                *byte = edit.with;
            }
        }
    }
    // An edit takes whole characters, so what is left is as good UTF-8 as it was.
    String::from_utf8(bytes).unwrap_or_default()
}

/// Turns pairs into the tree; knows where in the file its text stands.
#[derive(Default)]
struct Reader {
    offset: usize,
    problems: Vec<Problem>,
    /// Operators of the expressions around the one in hand.
    operators: usize,
    /// Unpaired brackets and open quotes, in the order of the file: what cannot be read around one
    /// follows from it.
    blamed: Vec<Span>,
    /// An `env()` may stand here.
    env_stands: bool,
    /// A brace is missing or one too many, so a line may have got into the wrong block.
    shaky: bool,
    /// Statements that lack their opening brace: where each begins.
    unopened: Vec<u32>,
    /// Where a statement ended before it was complete, and its problem: the next line may be meant to
    /// go on with it.
    unfinished: Option<(usize, usize)>,
}

impl Reader {
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
        Span::new(pair.start() + self.offset, pair.end() + self.offset)
    }

    /// The span without the blanks behind it.
    fn trimmed(&self, pair: &Pair<'_>) -> Span {
        let start = pair.start() + self.offset;
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
            Rule::use_statement => self.use_statement(pair),
            Rule::seed | Rule::target | Rule::after | Rule::batch => self.setting(pair),
            Rule::arrivals => self.arrivals(pair),
            Rule::late => self.late(pair),
            Rule::starts => self.starts(pair),
            Rule::hours => self.hours(pair),
            Rule::mix => self.mix(pair),
            Rule::job => self.job(pair),
            Rule::flow => self.flow(pair),
            Rule::load => self.load(pair),
            Rule::guard => self.guard(pair),
            Rule::expect => self.expect(pair),
            Rule::shape_definition => self.shape_definition(pair),
            Rule::shape_phrase | Rule::at_once_phrase => self.shape_phrase(pair),
            Rule::block_phrase => self.block_phrase(pair),
            _ => self.broken_statement(pair),
        };
        Statement { kind, span }
    }

    fn let_statement(&mut self, pair: Pair<'_>) -> StatementKind {
        let mut inner = pair.into_inner();
        let name = inner.find(|p| matches!(p.as_rule(), Rule::ident | Rule::hyphened));
        if let Some(name) = name.as_ref().filter(|name| name.as_rule() == Rule::hyphened) {
            return self.hyphened(name);
        }
        let value = inner.find(|p| p.as_rule() == Rule::expr);
        match (name, value) {
            (Some(name), Some(value)) => {
                let name = Name::new(name.as_str().to_owned(), self.span(&name));
                self.env_stands = true;
                let value = self.expr(value);
                self.env_stands = false;
                StatementKind::Let(Let { name, value })
            }
            _ => StatementKind::Broken(None),
        }
    }

    /// A name of a definition that holds a `-`.
    fn hyphened(&mut self, name: &Pair<'_>) -> StatementKind {
        let span = self.span(name);
        let better = name.as_str().replace('-', "_");
        self.push(
            Problem::error(Code::Expected, span, "`-` is minus: it stands in no name")
                .help(format!("write `{better}`, here and where it is used")),
        );
        StatementKind::Broken(Some(Name::new(name.as_str().to_owned(), span)))
    }

    fn use_statement(&mut self, pair: Pair<'_>) -> StatementKind {
        match pair.into_inner().last() {
            Some(path) => StatementKind::Use(self.quoted(&path, "the path of a file")),
            None => StatementKind::Broken(None),
        }
    }

    fn setting(&mut self, pair: Pair<'_>) -> StatementKind {
        let rule = pair.as_rule();
        self.env_stands = rule == Rule::target;
        let value =
            pair.into_inner().find(|p| p.as_rule() == Rule::expr).map(|expr| self.expr(expr));
        self.env_stands = false;
        StatementKind::Setting(match (rule, value) {
            (Rule::seed, value) => Setting::Seed(value),
            (Rule::target, Some(value)) => Setting::Target(value),
            (Rule::batch, Some(value)) => Setting::Batch(value),
            (_, Some(value)) => Setting::After(value),
            (_, None) => return StatementKind::Broken(None),
        })
    }

    fn arrivals(&mut self, pair: Pair<'_>) -> StatementKind {
        let arrival = pair.into_inner().find(|part| part.as_rule() == Rule::arrival);
        match arrival.and_then(|arrival| self.arrival(arrival)) {
            Some(arrival) => StatementKind::Setting(Setting::Arrivals(arrival)),
            None => StatementKind::Broken(None),
        }
    }

    /// `late send`, `late skip after 1s`, `late spread over 5s`.
    fn late(&mut self, pair: Pair<'_>) -> StatementKind {
        let lateness = pair.into_inner().find(|part| part.as_rule() == Rule::lateness);
        let mut skips = false;
        let mut found = None;
        for part in lateness.into_iter().flat_map(Pair::into_inner) {
            match part.as_rule() {
                Rule::kw_send => found = Some(Lateness::Send),
                Rule::kw_skip => skips = true,
                Rule::expr if skips => found = Some(Lateness::Skip(self.expr(part))),
                Rule::expr => found = Some(Lateness::Spread(self.expr(part))),
                _ => {}
            }
        }
        match found {
            Some(lateness) => StatementKind::Setting(Setting::Late(lateness)),
            None => StatementKind::Broken(None),
        }
    }

    /// `even`, `poisson exact`, `gamma cv 2`.
    pub(super) fn arrival(&mut self, pair: Pair<'_>) -> Option<Arrival> {
        let mut found = None;
        for part in pair.into_inner() {
            match part.as_rule() {
                Rule::kw_even => found = Some(Arrival::Even),
                Rule::kw_poisson => found = Some(Arrival::Poisson { exact: false }),
                Rule::kw_exact => found = Some(Arrival::Poisson { exact: true }),
                Rule::expr => found = Some(Arrival::Gamma(self.expr(part))),
                _ => {}
            }
        }
        found
    }

    fn mix(&mut self, pair: Pair<'_>) -> StatementKind {
        let mut items = Vec::new();
        let span = self.trimmed(&pair);
        if pair.as_str().split_whitespace().eq(["send", "at", "once"]) {
            self.push(
                Problem::error(Code::Expected, span, "`send` does not say how many")
                    .help("write `send 50k at once`"),
            );
            return StatementKind::Broken(None);
        }
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
        let inner = pair.into_inner().next().unwrap_or(pair);
        match inner.as_rule() {
            Rule::string => self.plain_string(&inner),
            Rule::hyphened => {
                self.unquoted(span, inner.as_str(), "a name with `-` stands in quotes");
                Name::new(inner.as_str().to_owned(), span)
            }
            _ => Name::new(inner.as_str().to_owned(), span),
        }
    }

    /// A text in quotes, or one that should stand in them.
    fn quoted(&mut self, pair: &Pair<'_>, what: &str) -> Name {
        if pair.as_rule() == Rule::string {
            return self.plain_string(pair);
        }
        let span = self.span(pair);
        self.unquoted(span, pair.as_str(), &format!("{what} stands in quotes"));
        Name::new(pair.as_str().to_owned(), span)
    }

    fn unquoted(&mut self, span: Span, text: &str, message: &str) {
        let help = format!("write `\"{text}\"`");
        self.push(Problem::error(Code::Expected, span, message).help(help));
    }

    /// What stands behind a block and does not belong there.
    fn excess(&mut self, pair: &Pair<'_>) {
        let span = self.trimmed(pair);
        let lead = pair.as_str().len() - pair.as_str().trim_start().len();
        let span = Span::new(span.start as usize + lead, span.end as usize);
        // Where a brace is missing, what stands behind another one may be right where it was meant.
        let first = pair.as_str().split_whitespace().next().unwrap_or_default();
        if self.is_blamed(span) || self.shaky && broken::is_suffix(first) {
            return;
        }
        self.push(
            Problem::error(Code::Excess, span, "this does not belong behind a block")
                .label("not expected here")
                .help("begin the next statement on a line of its own, or put `;` before it"),
        );
    }

    /// The same as [`Reader::is_blamed`] for a statement as it stands in a text, with the blanks behind it: a brace that
    /// was taken out may be among them.
    fn is_blamed_before(&self, span: Span, behind: &str) -> bool {
        let blanks = behind.len() - behind.trim_start_matches([' ', '\t']).len();
        self.is_blamed(Span::new(span.start as usize, span.end as usize + blanks))
    }

    /// Whether a bracket or quote in this span has been found wrong already.
    fn is_blamed(&self, span: Span) -> bool {
        let next = self.blamed.partition_point(|blamed| blamed.end <= span.start);
        self.blamed.get(next).is_some_and(|blamed| blamed.start < span.end)
    }
}

/// How a statement of another tool, or one that is spelled nearly so, is written here.
pub fn likely_form(word: &str) -> Option<&'static str> {
    let word = word.to_lowercase();
    let elsewhere = lexicon::ELSEWHERE.iter().find(|(other, _)| *other == word);
    elsewhere.map(|(_, example)| *example).or_else(|| {
        let meant = crate::problem::did_you_mean(&word, table::leading(table::STATEMENT))?;
        words::form(meant)
    })
}

/// Reads one value, as a flag gives it: `500/s`, `30s`.
pub fn expression(text: &str) -> Option<crate::ast::Expr> {
    let scan = brackets::scan(text);
    if !scan.problems.is_empty() {
        return None;
    }
    let tree = tree::read(Rule::lone_expr, text).ok()?;
    let expr = tree.root()?.into_inner().find(|pair| pair.as_rule() == Rule::expr)?;
    let mut reader = Reader::default();
    let expr = reader.expr(expr);
    reader.problems.is_empty().then_some(expr)
}
