//! Who belongs where: statements sorted into the file and its loads, names defined, settings read.

use super::Checker;
use super::value::State;
use crate::ast::Flow;
use crate::ast::{
    Arrival, Expectation, Expr, GuardRule, Hours, Job, Lateness, MixItem, Name, Phrase, PhraseKind,
    Script, Setting, Starts, Statement, StatementKind,
};
use crate::calendar::Start;
use crate::parse::table;
use crate::problem::{Code, Problem, did_you_mean};
use crate::source::Span;
use std::collections::BTreeMap;

/// The file or a load.
pub(super) struct Scope<'s> {
    /// The load's name; `None` is the file.
    pub name: Option<&'s Name>,
    /// Its phrases, and what could not be read among them.
    pub phrases: Vec<&'s Statement>,
    /// `after`
    pub after: Option<&'s Expr>,
    /// `batch`
    pub batch: Option<&'s Expr>,
    /// `arrivals`
    pub arrivals: Option<(&'s Arrival, Span)>,
    /// `late`
    pub late: Option<&'s Lateness>,
    /// `hours`
    pub hours: Vec<(&'s Hours, Span)>,
    /// `send order 40, ping 60`
    pub mix: Option<&'s [MixItem]>,
    /// Its guards.
    pub guards: Vec<&'s GuardRule>,
    /// Names of the jobs defined in it.
    pub jobs: Vec<String>,
}

/// Everything a script says, sorted.
pub(super) struct Scopes<'s> {
    /// The file first, then its loads.
    pub scopes: Vec<Scope<'s>>,
    /// Every job, in order.
    pub jobs: Vec<&'s Job>,
    /// Every flow, in order.
    pub flows: Vec<&'s Flow>,
    /// Expectations.
    pub expectations: Vec<&'s Expectation>,
    /// `seed`: an expression, or `random`.
    seed: Option<Option<&'s Expr>>,
    /// `target`
    target: Option<&'s Expr>,
    /// `starts`
    pub starts: Option<(&'s Starts, Span)>,
    /// Whether any statement could not be read: it may have been a job.
    pub any_broken: bool,
    /// Names that a statement defines which could not be read.
    pub broken: Vec<String>,
}

impl<'s> Scopes<'s> {
    /// Of guards alone, as a policy has them.
    pub(super) fn of_guards(rules: &'s [GuardRule]) -> Scopes<'s> {
        let mut file = Scope::new(None);
        file.guards.extend(rules);
        Scopes {
            scopes: vec![file],
            jobs: Vec::new(),
            flows: Vec::new(),
            expectations: Vec::new(),
            seed: None,
            starts: None,
            target: None,
            any_broken: false,
            broken: Vec::new(),
        }
    }
}

/// What the file's settings come to.
pub(super) struct Settings {
    /// The seed.
    pub seed: u64,
    /// Nobody chose it.
    pub is_seed_drawn: bool,
    /// Where the plan stands in the calendar.
    pub starts: Option<Start>,
    /// The target.
    pub target: Option<String>,
}

impl<'s> Scope<'s> {
    fn new(name: Option<&'s Name>) -> Self {
        Scope {
            name,
            phrases: vec![],
            after: None,
            arrivals: None,
            late: None,
            batch: None,
            hours: vec![],
            mix: None,
            guards: vec![],
            jobs: vec![],
        }
    }
}

impl Checker<'_> {
    /// Sorts the statements of a script.
    pub(super) fn collect<'s>(&mut self, scripts: &'s [Script]) -> Scopes<'s> {
        let mut scopes = Scopes {
            scopes: vec![Scope::new(None)],
            jobs: Vec::new(),
            flows: Vec::new(),
            expectations: Vec::new(),
            seed: None,
            target: None,
            starts: None,
            any_broken: false,
            broken: Vec::new(),
        };
        let mut firsts = BTreeMap::new();
        for (part, script) in scripts.iter().enumerate() {
            if part == 0 {
                self.collect_from(&script.statements, 0, &mut scopes, &mut firsts);
            } else {
                self.definitions(&script.statements, true, &mut scopes, &mut firsts);
            }
        }
        self.override_names();
        scopes
    }

    /// What a used file defines; the rest of it stays where it is. A job that stands within a load
    /// there is sent only by its name here.
    fn definitions<'s>(
        &mut self,
        statements: &'s [Statement],
        outermost: bool,
        scopes: &mut Scopes<'s>,
        firsts: &mut BTreeMap<String, Span>,
    ) {
        for statement in statements {
            match &statement.kind {
                StatementKind::Job(job) if !outermost => {
                    let first = self.first_of("job", &job.name, firsts);
                    scopes.jobs.extend(first.then_some(job));
                }
                StatementKind::Flow(flow) if !outermost => {
                    let first = self.first_of("job", &flow.name, firsts);
                    scopes.flows.extend(first.then_some(flow));
                }
                StatementKind::Let(_)
                | StatementKind::Job(_)
                | StatementKind::Flow(_)
                | StatementKind::Shape(_) => {
                    self.collect_from(std::slice::from_ref(statement), 0, scopes, firsts);
                }
                StatementKind::Load(load) => self.definitions(&load.body, false, scopes, firsts),
                StatementKind::Phrase(phrase) => {
                    self.definitions(body_of(&phrase.kind), outermost, scopes, firsts);
                }
                StatementKind::Broken(name) => self.broken(name.as_ref(), scopes),
                _ => {}
            }
        }
    }

    fn collect_from<'s>(
        &mut self,
        statements: &'s [Statement],
        at: usize,
        scopes: &mut Scopes<'s>,
        firsts: &mut BTreeMap<String, Span>,
    ) {
        for statement in statements {
            match &statement.kind {
                StatementKind::Let(definition) => {
                    let name = &definition.name;
                    if self.first_of("let", name, firsts) && self.allowed(name) {
                        let state = State::Waiting(definition.value.clone());
                        self.names.insert(name.node.clone(), state);
                        self.lets.insert(name.node.clone(), name.span);
                    }
                }
                StatementKind::Job(job) => {
                    if self.first_of("job", &job.name, firsts) {
                        scopes.jobs.push(job);
                        scopes.scopes[at].jobs.push(job.name.node.clone());
                    }
                }
                StatementKind::Flow(flow) => {
                    // It stands in a mix like a job, so the two share their names.
                    if self.first_of("job", &flow.name, firsts) {
                        self.flows.insert(flow.name.node.clone(), flow.name.span);
                        scopes.flows.push(flow);
                        scopes.scopes[at].jobs.push(flow.name.node.clone());
                    }
                }
                StatementKind::Shape(shape) => {
                    if self.first_of("shape", &shape.name, firsts) {
                        // A name that cannot be is wrong, and its calls follow from it.
                        self.is_free(&shape.name);
                        self.shapes.insert(shape.name.node.clone(), super::call::Known::new(shape));
                    }
                }
                StatementKind::Load(load) if at == 0 => {
                    self.first_of("load", &load.name, firsts);
                    scopes.scopes.push(Scope::new(Some(&load.name)));
                    let inner = scopes.scopes.len() - 1;
                    self.collect_from(&load.body, inner, scopes, firsts);
                }
                StatementKind::Load(load) => {
                    self.out_of_place(
                        load.name.span,
                        "a load within a load",
                        "write loads one after another; they start together, or `after` a time",
                    );
                }
                StatementKind::Use(path) if at > 0 => {
                    self.out_of_place(
                        path.span,
                        "a `use` within a load",
                        "what it brings holds for the whole file: move it out of the load",
                    );
                }
                StatementKind::Use(_) => {}
                StatementKind::Mix(items) => {
                    let first = scopes.scopes[at].mix.is_none();
                    if self.only_once(first, "send", statement.span) {
                        scopes.scopes[at].mix = Some(items);
                    }
                }
                StatementKind::Guard(rules) => scopes.scopes[at].guards.extend(rules),
                StatementKind::Expect(_) if at > 0 => {
                    self.out_of_place(
                        statement.span,
                        "an `expect` within a load",
                        "expectations are judged over the whole run: move it out of the load",
                    );
                }
                StatementKind::Expect(rules) => scopes.expectations.extend(rules),
                StatementKind::Setting(setting) => {
                    self.setting(setting, statement.span, at, scopes)
                }
                StatementKind::Hours(hours) => {
                    let all = &mut scopes.scopes[at].hours;
                    let first = hours.on.is_some() || all.iter().all(|(own, _)| own.on.is_some());
                    all.push((hours, statement.span));
                    self.only_once(first, "hours", statement.span);
                }
                StatementKind::Phrase(phrase) => {
                    scopes.scopes[at].phrases.push(statement);
                    self.hoist(phrase, at, scopes, firsts);
                }
                StatementKind::Broken(name) => {
                    scopes.scopes[at].phrases.push(statement);
                    self.broken(name.as_ref(), scopes);
                }
            }
        }
    }

    /// What a statement that could not be read would have defined is no unknown name.
    fn broken(&mut self, name: Option<&Name>, scopes: &mut Scopes<'_>) {
        scopes.any_broken = true;
        let Some(name) = name else { return };
        scopes.broken.push(name.node.clone());
        self.names.or_insert(name.node.replace('-', "_"), State::Done(None));
        // Where it is used, `peak-rate` is `peak` minus `rate`.
        for part in name.node.split('-') {
            self.names.or_insert(part.to_owned(), State::Done(None));
        }
    }

    fn setting<'s>(
        &mut self,
        setting: &'s Setting,
        span: Span,
        at: usize,
        scopes: &mut Scopes<'s>,
    ) {
        match setting {
            Setting::After(after) => {
                let first = scopes.scopes[at].after.is_none();
                if self.only_once(first, "after", span) {
                    scopes.scopes[at].after = Some(after);
                }
            }
            Setting::Batch(size) => {
                let first = scopes.scopes[at].batch.is_none();
                if self.only_once(first, "batch", span) {
                    scopes.scopes[at].batch = Some(size);
                }
            }
            Setting::Arrivals(arrival) => {
                let first = scopes.scopes[at].arrivals.is_none();
                if self.only_once(first, "arrivals", span) {
                    scopes.scopes[at].arrivals = Some((arrival, span));
                }
            }
            Setting::Late(late) => {
                let first = scopes.scopes[at].late.is_none();
                if self.only_once(first, "late", span) {
                    scopes.scopes[at].late = Some(late);
                }
            }
            Setting::Seed(_) | Setting::Target(_) | Setting::Starts(_) if at > 0 => {
                self.out_of_place(span, "a setting of the whole file", "move it out of the load");
            }
            Setting::Seed(seed) => {
                if self.only_once(scopes.seed.is_none(), "seed", span) {
                    scopes.seed = Some(seed.as_ref());
                }
            }
            Setting::Starts(starts) => {
                if self.only_once(scopes.starts.is_none(), "starts", span) {
                    scopes.starts = Some((starts, span));
                }
            }
            Setting::Target(target) => {
                if self.only_once(scopes.target.is_none(), "target", span) {
                    scopes.target = Some(target);
                }
            }
        }
    }

    /// `let` and `job` hold for the whole file wherever they stand.
    fn hoist<'s>(
        &mut self,
        phrase: &'s Phrase,
        at: usize,
        scopes: &mut Scopes<'s>,
        firsts: &mut BTreeMap<String, Span>,
    ) {
        for statement in body_of(&phrase.kind) {
            match &statement.kind {
                StatementKind::Let(_)
                | StatementKind::Job(_)
                | StatementKind::Flow(_)
                | StatementKind::Shape(_) => {
                    self.collect_from(std::slice::from_ref(statement), at, scopes, firsts);
                }
                StatementKind::Phrase(inner) => self.hoist(inner, at, scopes, firsts),
                StatementKind::Broken(name) => self.broken(name.as_ref(), scopes),
                _ => {}
            }
        }
    }

    /// Reports what cannot stand in a block of phrases.
    pub(super) fn misplaced(&mut self, body: &[Statement]) {
        for statement in body {
            let what = match &statement.kind {
                StatementKind::Load(_) => "a load within a block",
                StatementKind::Guard(_) => "a guard within a block",
                StatementKind::Expect(_) => "an `expect` within a block",
                StatementKind::Mix(_) => "a choice of jobs within a block",
                StatementKind::Use(_) => "a `use` within a block",
                StatementKind::Setting(Setting::Arrivals(_)) => {
                    self.out_of_place(
                        statement.span,
                        "a setting within a block",
                        "write it around what it is for: `arrivals poisson { … }`",
                    );
                    continue;
                }
                StatementKind::Setting(_) | StatementKind::Hours(_) => "a setting within a block",
                _ => continue,
            };
            self.out_of_place(
                statement.span,
                what,
                "move it out of the block, to the load or the file it belongs to",
            );
        }
    }

    pub(super) fn out_of_place(&mut self, span: Span, what: &str, help: &str) {
        if self.shaky {
            return;
        }
        let message = format!("{what} does not belong here");
        self.report(Problem::error(Code::Misplaced, span, message).help(help));
    }

    fn only_once(&mut self, first: bool, word: &str, span: Span) -> bool {
        if !first && !self.shaky {
            self.report(
                Problem::error(Code::Twice, span, format!("`{word}` is given twice"))
                    .label("the second time")
                    .help("a setting stands once in its scope: remove one of the two"),
            );
        }
        first
    }

    fn first_of(&mut self, kind: &str, name: &Name, firsts: &mut BTreeMap<String, Span>) -> bool {
        let key = format!("{kind} {}", name.node);
        if let Some(first) = firsts.get(&key).filter(|_| !self.shaky) {
            self.report(
                Problem::error(
                    Code::DuplicateName,
                    name.span,
                    format!("there are two of `{kind} {}`", name.node),
                )
                .label("defined again here")
                .and(*first, "defined first here")
                .help("give one of them another name"),
            );
            // Which of the two is meant cannot be told, nor whether it is seen from where it is used.
            self.misused.insert(format!("{} unseen", name.node));
            return false;
        }
        firsts.insert(key, name.span);
        true
    }

    fn allowed(&mut self, name: &Name) -> bool {
        let free = self.is_free(name);
        if !free {
            self.names.insert(name.node.clone(), State::Done(None));
        }
        free
    }

    /// Whether a name is no word of the language.
    pub(super) fn is_free(&mut self, name: &Name) -> bool {
        let factor = name
            .node
            .strip_prefix('x')
            .is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()));
        if !factor && !table::leads(&name.node, table::RESERVED) {
            return true;
        }
        let message = match factor {
            true => format!("`{}` would be read as a factor", name.node),
            false => format!("`{}` is a word of the language", name.node),
        };
        self.report(
            Problem::error(Code::ReservedName, name.span, message)
                .help(format!("choose another name, such as `my_{}`", name.node)),
        );
        false
    }

    /// `--set NAME=VALUE`
    fn override_names(&mut self) {
        for (name, value) in self.options.set.clone() {
            let top = Span::default();
            if !self.names.contains_key(&name) {
                let known = self.names.keys().map(String::as_str).collect::<Vec<_>>();
                let help = match did_you_mean(&name, known.iter().copied()) {
                    Some(meant) => format!("did you mean `--set {meant}={value}`?"),
                    None if known.is_empty() => "the script has no `let`".to_owned(),
                    None => format!("the script's names are {}", known.join(", ")),
                };
                let message = format!("--set {name}={value}: the script has no `let {name}`");
                self.report(Problem::error(Code::UnknownName, top, message).help(help));
                continue;
            }
            match crate::parse::expression(&value) {
                Some(mut expr) => {
                    // Its place is the command line, which has none in the file.
                    set_spans(&mut expr, Span::default());
                    self.names.insert(name, State::Waiting(expr));
                }
                None => {
                    let message = format!("--set {name}={value}: `{value}` is not a value");
                    self.report(
                        Problem::error(Code::Expected, top, message)
                            .help("write a value as in the script: `--set peak=500/s`"),
                    );
                }
            }
        }
    }

    /// Works out every name, so that mistakes in unused ones are found too.
    pub(super) fn unused_names(&mut self) {
        let names = self.names.keys().cloned().collect::<Vec<_>>();
        for name in names {
            self.work_out(&name);
        }
    }

    /// The file's settings.
    pub(super) fn settings(&mut self, scopes: &Scopes<'_>) -> Settings {
        let seed = match (self.options.seed, scopes.seed) {
            (Some(seed), _) => Some(seed),
            (None, Some(None)) => None,
            (None, Some(Some(expr))) => self.count(expr, "a seed").or(Some(0)),
            (None, None) => Some(0),
        };
        let target = scopes.target.filter(|_| !self.options.target_given).and_then(|expr| {
            let url = self.text(expr, "redis://127.0.0.1:6379")?;
            match crate::target::Target::parse(&url) {
                Ok(_) => Some(url),
                Err(error) => {
                    self.report(
                        Problem::error(Code::BadTarget, expr.span, error.to_string())
                            .help(error.help()),
                    );
                    None
                }
            }
        });
        let (seed, is_seed_drawn) = match seed {
            Some(seed) => (seed, false),
            None => (super::random_seed(), true),
        };
        let starts = self.starts(scopes.starts);
        Settings { seed, is_seed_drawn, starts, target }
    }
}

/// The statements in a block.
pub(super) fn body_of(kind: &PhraseKind) -> &[Statement] {
    kind.body()
}

/// Gives every part of an expression one place.
pub(super) fn set_spans(expr: &mut Expr, span: Span) {
    use crate::ast::ExprKind as K;
    expr.span = span;
    match &mut expr.kind {
        K::Negate(inner) | K::Factor(inner) | K::Parens(inner) | K::Per(inner, _) => {
            set_spans(inner, span);
        }
        K::Binary(left, operator, right) => {
            operator.span = span;
            set_spans(left, span);
            set_spans(right, span);
        }
        K::Call(name, args) => {
            name.span = span;
            args.iter_mut().for_each(|arg| set_spans(arg, span));
        }
        K::Env(name) => name.span = span,
        K::Literal(_) | K::Text(_) | K::Name(_) => {}
    }
}
