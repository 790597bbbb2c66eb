//! A tree becomes a proven plan: names, units, ranges, jobs, curves, guards.
//!
//! Every error is collected; a value that was found wrong is not looked at again, so that no
//! finding is caused by another.

mod args;
mod assemble;
mod calendar;
mod call;
mod chance;
mod circles;
mod commands;
mod defaults;
mod digest;
mod drawn;
mod draws;
mod echoes;
mod ends;
mod envelope;
mod expect;
mod fields;
mod flows;
mod guards;
mod jobs;
mod lints;
mod lower;
mod names;
mod overlay;
mod parentheses;
mod payload;
mod policy;
mod proof;
mod replay;
mod rows;
mod scope;
mod shapes;
mod steps;
mod stretches;
mod tuning;
mod units;
mod used;
mod value;

use crate::ast::Script;
use crate::exact::{Exact, whole};
use crate::lint;
use crate::plan::Plan;
use crate::problem::{Code, Problem, Severity, did_you_mean};
use crate::schedule::{Block, Shard};
use crate::source::{SourceFile, Span};
use drawn::Draws;
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

pub use assemble::random_seed;
pub use defaults::{default_guards, prove_defaults};
pub use policy::{Policy, policy, prove_policy};

/// What the command line adds to a script.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// `--seed`
    pub seed: Option<u64>,
    /// `--set NAME=VALUE`: the value's text replaces the one of `let NAME`.
    pub set: Vec<(String, String)>,
    /// `--speed x60`: everything that much faster.
    pub speed: Option<Exact>,
    /// `--for 5m`: the plan ends there, in seconds from its start.
    pub for_length: Option<Exact>,
    /// An `env()` that is not set is no error: nothing is going to be sent.
    pub lenient_env: bool,
    /// `--starts`: goes before the script's own.
    pub starts: Option<StartsAt>,
    /// `--from`: where the run enters the plan.
    pub from: Option<Entry>,
    /// `--shard 1/4`: which part of the jobs the run sends.
    pub shard: Option<Shard>,
    /// `--target`: the script's own target is not used, so it need not be to be had.
    pub target_given: bool,
}

/// A place in the calendar, as the command line names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StartsAt {
    /// `2026-03-29`
    pub date: String,
    /// The second of the day.
    pub clock_s: u32,
    /// The zone; none is the script's.
    pub zone: Option<String>,
}

/// Where a run enters a plan.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Entry {
    /// So many seconds after its start.
    Offset(Exact),
    /// When a clock on the wall first shows this second of the day. Without a place in the calendar
    /// a plan starts at midnight.
    Clock(u32),
}

/// What `check` found.
#[derive(Debug)]
pub struct Checked {
    /// The plan, if there is no error and the file holds a load.
    pub plan: Option<Plan>,
    /// Every finding, in the order of the file.
    pub problems: Vec<Problem>,
    /// What is right, and yet may not be meant: lints besides those that are among the problems, less
    /// those that a comment in the script allows. None where there are errors.
    pub lints: Vec<Problem>,
    /// Every file that was read for it, or asked for and not found: what to watch.
    pub files: Vec<PathBuf>,
}

impl Checked {
    /// Whether anything is wrong enough to refuse the script.
    pub fn has_errors(&self) -> bool {
        self.problems.iter().any(|problem| problem.severity == Severity::Error)
    }
}

/// Reads and checks a script, with the files that were gathered for it.
pub fn check(source: &SourceFile, options: &Options) -> Checked {
    let (mut scripts, mut problems) = (Vec::new(), Vec::new());
    for part in 0..source.parts() {
        let (script, mut found) = crate::parse::parse_part(source, part);
        scripts.push(script);
        problems.append(&mut found);
    }
    let mut checker = Checker::new(source, options, problems);
    let plan = checker.script(&scripts);
    let (allows, mut directives) = lint::directives::read(source, &scripts[0]);
    checker.problems.append(&mut directives);
    let mut problems = echoes::without_echoes(source, checker.problems);
    parentheses::without_parentheses(source, &checker.shapes, &mut problems);
    let plan = plan.filter(|_| problems.iter().all(|p| p.severity != Severity::Error));
    let files = source.files().into_iter().chain(checker.rows.paths()).collect();
    let mut lints = checker.lints;
    if problems.iter().any(|problem| problem.severity == Severity::Error) {
        lints.clear();
    } else {
        lints.extend(plan.iter().flat_map(|plan| lint::plan(&scripts[0], plan)));
        // What is to be said of a used file is said where that file is checked.
        lints.retain(|lint| source.part_of(lint.place.0.start) == 0);
        let warned = problems.len();
        problems.append(&mut lints);
        let (kept, found) = lint::directives::apply(problems, warned, &allows);
        (problems, lints) = (kept, found);
    }
    problems.sort_by_key(|problem| problem.place.0);
    lints.sort_by_key(|problem| problem.place.0);
    Checked { plan, problems, lints, files }
}

/// The work in hand.
struct Checker<'a> {
    source: &'a SourceFile,
    options: &'a Options,
    problems: Vec<Problem>,
    /// Lints that the value of an expression shows.
    lints: Vec<Problem>,
    /// How often each `let` is used, and how often as a rate.
    uses: BTreeMap<String, (usize, usize)>,
    /// Shapes and jobs that are used, as `shape lunch`, `job order`.
    used: BTreeSet<String>,
    /// Files that the script itself uses something of.
    reached: BTreeSet<usize>,
    /// Calls around what is worked out.
    calls: usize,
    /// A shape is checked by itself.
    alone: bool,
    names: names::Names,
    /// The shapes of the script.
    shapes: BTreeMap<String, call::Known>,
    /// Of each file the others that it sees.
    sees: Vec<BTreeSet<usize>>,
    /// A used file is not to be had: what it defines is not known.
    lacks_file: bool,
    /// Calls worked out so far.
    called: usize,
    marks: Vec<Span>,
    /// Where each `let` stands.
    lets: BTreeMap<String, Span>,
    /// Names that were found where their unit does not belong: said once.
    misused: BTreeSet<String>,
    /// What the phrases in hand are drawn by.
    draws: Draws,
    /// Where each flow stands.
    flows: BTreeMap<String, Span>,
    /// The blocks of the stream in hand that have arrivals of their own.
    blocks: Vec<Block>,
    /// The marks of what only warms up in it.
    warmups: Vec<u32>,
    /// The marks of its `speed` blocks, and how fast they are.
    speeds: Vec<(u32, f64)>,
    /// What of it may end before its time.
    waits: Vec<stretches::Waiting>,
    /// The mark of the phrase in hand.
    mark_in_hand: u32,
    /// Steps of all stairs so far.
    steps: i128,
    /// Rows of files that the job in hand has, and files read so far.
    rows: rows::Files,
    /// A bracket is missing somewhere, so what belongs to what cannot be told.
    shaky: bool,
    /// Where the run enters the plan, in seconds from its start.
    from: Exact,
    /// The seed of everything drawn.
    seed: u64,
    /// That `hours` lack a start has been said, or the start itself is wrong.
    calendar_missed: bool,
    /// Every job could be read and is right.
    jobs_sound: bool,
}

impl<'a> Checker<'a> {
    fn new(source: &'a SourceFile, options: &'a Options, problems: Vec<Problem>) -> Self {
        let shaky = problems.iter().any(|problem| problem.code == Code::Bracket);
        Checker {
            source,
            options,
            problems,
            lints: Vec::new(),
            uses: BTreeMap::new(),
            used: BTreeSet::new(),
            reached: BTreeSet::new(),
            calls: 0,
            alone: false,
            names: names::Names::default(),
            shapes: BTreeMap::new(),
            sees: Vec::new(),
            lacks_file: false,
            called: 0,
            marks: Vec::new(),
            lets: BTreeMap::new(),
            misused: BTreeSet::new(),
            draws: Draws::default(),
            flows: BTreeMap::new(),
            blocks: Vec::new(),
            warmups: Vec::new(),
            speeds: Vec::new(),
            waits: Vec::new(),
            mark_in_hand: 0,
            steps: 0,
            rows: rows::Files::default(),
            shaky,
            from: whole(0),
            seed: 0,
            calendar_missed: false,
            jobs_sound: true,
        }
    }

    fn report(&mut self, problem: Problem) {
        if self.problems.len() < crate::parse::MAX_PROBLEMS {
            self.problems.push(problem);
        }
    }

    /// The candidate that was probably meant; nobody needs it for the hundredth mistake.
    fn meant<'c>(&self, word: &str, known: impl IntoIterator<Item = &'c str>) -> Option<String> {
        let few = self.problems.len() < 100;
        few.then(|| did_you_mean(word, known).map(str::to_owned)).flatten()
    }

    fn has_errors(&self) -> bool {
        self.problems.iter().any(|problem| problem.severity == Severity::Error)
    }

    fn next_mark(&mut self, span: Span) -> u32 {
        let mark = u32::try_from(self.marks.len()).unwrap_or(u32::MAX);
        self.marks.push(span);
        mark
    }

    /// A piece of the source on one line.
    fn one_line(&self, span: Span) -> String {
        self.source.slice(span).split_whitespace().collect::<Vec<_>>().join(" ")
    }

    fn script(&mut self, scripts: &[Script]) -> Option<Plan> {
        let script = scripts.first()?;
        if script.statements.is_empty() && self.problems.is_empty() {
            let nothing = Problem::error(Code::NoLoad, Span::default(), "this script says nothing");
            self.report(nothing.help("write a shape, such as `constant 100 for 5m`"));
            return None;
        }
        self.uses(scripts);
        let scopes = self.collect(scripts);
        let settings = self.settings(&scopes);
        self.from = self.entry(settings.starts.as_ref())?;
        self.seed = settings.seed;
        let jobs = self.jobs(&scopes);
        self.shapes_alone();
        let streams = self.streams(&scopes, &jobs, &settings);
        self.waits_can_be_kept(&streams);
        let guards = self.guards(&scopes, &streams);
        let notify = self.notifications(&scopes);
        let expectations = self.expectations(&scopes, &streams);
        self.unused_names();
        if self.has_errors() {
            return None;
        }
        if !streams.is_empty() {
            self.unused(scripts, &scopes, &streams);
        }
        let plan = self.assemble(settings, streams, guards, expectations)?;
        Some(Plan { notify, ..plan })
    }
}
