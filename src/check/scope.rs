//! Who belongs where: statements sorted into the file and its loads, names defined, settings read.

mod collect;
mod defined;
mod places;

pub(super) use defined::set_spans;

use super::Checker;
use crate::ast::{
    Arrival, Expectation, Expr, Flow, GuardRule, Hours, Job, Lateness, MixItem, Name, PhraseKind,
    Starts, Statement,
};
use crate::calendar::Start;
use crate::problem::{Code, Problem};
use crate::source::Span;

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

impl Checker<'_> {
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
