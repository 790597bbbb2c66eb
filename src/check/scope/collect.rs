//! The statements of a script and of the files it uses, sorted into the file and its loads.

use super::{Scope, Scopes, body_of};
use crate::ast::{Name, Phrase, Script, Setting, Statement, StatementKind};
use crate::check::value::State;
use crate::check::{Checker, call};
use crate::source::Span;
use std::collections::BTreeMap;

impl Checker<'_> {
    /// Sorts the statements of a script.
    pub(in crate::check) fn collect<'s>(&mut self, scripts: &'s [Script]) -> Scopes<'s> {
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
                        self.shapes.insert(shape.name.node.clone(), call::Known::new(shape));
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
        // So a `starts` is called that could not be read.
        self.calendar_missed |= name.node == "starts";
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
                self.calendar_missed |= matches!(setting, Setting::Starts(_));
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
}
