//! Shapes of one's own: each checked by itself, then wherever it is called, with what it is given.
//!
//! A call becomes the curve of the shape's body with the parameters bound. What is wrong with a body
//! whatever it is given is said once, in the body; what is wrong with what it is given is said at the
//! call.

use super::Checker;
use super::args::Bound;
use super::circles::{circles, round};
use super::lower::{Inside, Node};
use super::names::Frame;
use super::scope::body_of;
use super::value::{State, Val};
use crate::ast::{Arg, Expr, Name, PhraseKind, Shape, Statement, StatementKind};
use crate::problem::{Code, Problem};
use crate::source::Span;
use crate::timeline::curve::Curve;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

/// Calls and blocks may stand in one another so deep: what is walked by recursion has an end.
const MAX_DEPTH: usize = 64;
/// Calls that a script may come to.
const MAX_CALLED: usize = 100_000;

/// A shape of the script.
#[derive(Debug)]
pub(super) struct Known {
    shape: Rc<Shape>,
    /// What was found wrong with it by itself.
    own: Rc<BTreeSet<(Code, Span)>>,
    /// It calls itself, by way of others or not.
    circular: bool,
}

impl Known {
    pub(super) fn new(shape: &Shape) -> Known {
        Known { shape: Rc::new(shape.clone()), own: Rc::default(), circular: false }
    }

    /// Where its name stands.
    pub(super) fn place(&self) -> Span {
        self.shape.name.span
    }
}

impl Checker<'_> {
    /// Checks every shape by itself, called or not: what a parameter without a default will be is
    /// not known then, and says nothing.
    pub(super) fn shapes_alone(&mut self) {
        if self.shapes.is_empty() {
            return;
        }
        // The names of the script must not see those of a call.
        self.unused_names();
        self.circles();
        let names: Vec<String> = self.shapes.keys().cloned().collect();
        for name in names {
            let Some(Known { shape, circular, .. }) = self.shapes.get(&name) else { continue };
            let (shape, circular) = (shape.clone(), *circular);
            let before = self.problems.len();
            self.parameters(&shape);
            if !circular {
                let (marks, steps) = (self.marks.len(), self.steps);
                let inside = Inside { alone: true, ..Inside::default() };
                let frame = frame(&shape, Bound::default());
                self.alone = true;
                self.within(frame, |checker| checker.body_curve(&shape, inside));
                self.alone = false;
                self.marks.truncate(marks);
                self.steps = steps;
            }
            let own = self.problems[before..].iter().map(|problem| (problem.code, problem.place.0));
            let own = Rc::new(own.collect());
            if let Some(known) = self.shapes.get_mut(&name) {
                known.own = own;
            }
        }
        self.called = 0;
    }

    /// Judges the names of a shape's parameters and of the `let`s in its body, and what its body
    /// must not hold.
    fn parameters(&mut self, shape: &Shape) {
        let mut firsts: BTreeMap<&str, Span> = BTreeMap::new();
        let mut lets = Vec::new();
        lets_of(&shape.body, &mut lets);
        let names = shape.params.iter().map(|param| &param.name);
        for name in names.chain(lets.into_iter().map(|(name, _)| name)) {
            if let Some(first) = firsts.insert(&name.node, name.span) {
                let message = format!("there are two of `{}` in this shape", name.node);
                self.report(
                    Problem::error(Code::DuplicateName, name.span, message)
                        .label("defined again here")
                        .and(first, "defined first here")
                        .help("give one of them another name"),
                );
            }
            self.is_free(name);
            self.shadow_lint(name, "in this shape");
        }
        self.only_phrases(&shape.body);
    }

    /// A shape holds phrases and `let`s.
    fn only_phrases(&mut self, body: &[Statement]) {
        for statement in body {
            let (what, span) = match &statement.kind {
                StatementKind::Job(job) => ("a job within a shape", job.name.span),
                StatementKind::Flow(flow) => ("a flow within a shape", flow.name.span),
                StatementKind::Shape(shape) => ("a shape within a shape", shape.name.span),
                StatementKind::Phrase(phrase) => {
                    self.only_phrases(body_of(&phrase.kind));
                    continue;
                }
                _ => continue,
            };
            self.out_of_place(span, what, "move it out of the shape: it holds for the whole file");
        }
    }

    /// Finds shapes that call themselves, and shows each circle whole.
    fn circles(&mut self) {
        let mut calls: BTreeMap<String, Vec<Name>> = BTreeMap::new();
        for (name, known) in &self.shapes {
            let mut found = Vec::new();
            calls_of(&known.shape.body, &mut found);
            calls.insert(name.clone(), found);
        }
        for circle in circles(&calls) {
            for call in &circle {
                if let Some(known) = self.shapes.get_mut(&call.node) {
                    known.circular = true;
                }
            }
            let names: Vec<String> = circle.iter().map(|call| format!("`{}`", call.node)).collect();
            let Some((first, rest)) = circle.split_first() else { continue };
            let message = match rest {
                [] => format!("the shape `{}` calls itself", first.node),
                _ => format!("shapes call each other in a circle: {}", round(&names)),
            };
            let mut problem = Problem::error(Code::Cycle, first.span, message)
                .label(format!("`{}` is called here", first.node));
            for call in rest {
                problem = problem.and(call.span, format!("and `{}` here", call.node));
            }
            self.report(problem.help("to do a thing again and again, write `repeat 3 { … }`"));
        }
    }

    /// The curve of a call.
    pub(super) fn call_curve(
        &mut self,
        name: &Name,
        args: &[Arg],
        head: Span,
        inside: Inside,
        children: &mut Vec<Node>,
    ) -> Option<Curve> {
        // What it is given is checked whatever becomes of the call.
        let values: Vec<Option<Val>> = args.iter().map(|arg| self.value(&arg.value)).collect();
        let Some(known) = self.shapes.get(&name.node) else {
            self.unknown_shape(name);
            return None;
        };
        let (shape, own, circular) = (known.shape.clone(), known.own.clone(), known.circular);
        let defined = shape.name.span;
        if !self.is_seen(name.span, defined) {
            self.out_of_sight(&name.node, name.span, defined);
            return None;
        }
        self.used.insert(format!("shape {}", name.node));
        self.reach(name.span, Some(defined));
        let bound = self.bind(&shape, args, values, (name, &own))?;
        if circular || !self.has_room(head, inside) {
            return None;
        }
        let before = self.problems.len();
        let frame = frame(&shape, bound);
        let inside = Inside { depth: inside.depth + 1, ..inside };
        let inner = self.draws.of_call(&name.node);
        let outer = std::mem::replace(&mut self.draws, inner);
        let (curve, nodes) = self.within(frame, |checker| checker.body_curve(&shape, inside));
        self.draws = outer;
        *children = nodes;
        self.blame_call(before, &own, head, &shape);
        curve.map(Curve::Sequence)
    }

    fn body_curve(&mut self, shape: &Shape, inside: Inside) -> (Option<Vec<Curve>>, Vec<Node>) {
        let mut nodes = Vec::new();
        let curve = self.block(&shape.body, Inside { together: false, ..inside }, &mut nodes);
        (curve, nodes)
    }

    /// Works something out with the names of a call.
    fn within<T>(&mut self, frame: Frame, work: impl FnOnce(&mut Self) -> T) -> T {
        let local: Vec<String> = frame.names.keys().cloned().collect();
        let outer = self.names.swap(Some(frame));
        // Every `let` of the body, so that mistakes in unused ones are found too.
        for name in &local {
            self.work_out(name);
        }
        self.calls += 1;
        let done = work(self);
        self.calls -= 1;
        self.names.swap(outer);
        // A name of another call is another name.
        self.misused.retain(|name| !local.contains(name));
        done
    }

    /// Whether calls may go on: deeper, and at all.
    fn has_room(&mut self, head: Span, inside: Inside) -> bool {
        self.called += 1;
        if inside.depth < MAX_DEPTH && self.called <= MAX_CALLED {
            return true;
        }
        // A shape by itself need not be worked out to its end.
        if inside.alone || !self.misused.insert("too many calls".to_owned()) {
            return false;
        }
        let (code, message) = match inside.depth < MAX_DEPTH {
            false => (Code::TooDeep, "shapes and blocks stand in one another too deep"),
            true => (Code::TooIntricate, "this script calls shapes too often"),
        };
        let help = match code {
            Code::TooDeep => format!("calls and blocks may be {MAX_DEPTH} deep"),
            _ => format!(
                "it may do so {} times: write `repeat` for what comes again",
                crate::show::count(MAX_CALLED as u64)
            ),
        };
        self.report(Problem::error(code, head, message).help(help));
        false
    }

    /// Problems that a call has brought about are the call's; the rest has been said.
    fn blame_call(
        &mut self,
        before: usize,
        own: &BTreeSet<(Code, Span)>,
        head: Span,
        shape: &Shape,
    ) {
        let before = before.min(self.problems.len());
        let mut new = self.problems.split_off(before);
        new.retain(|problem| !own.contains(&(problem.code, problem.place.0)));
        // What else goes wrong with a wrong argument follows from it.
        if new.iter().any(|problem| head.contains(problem.place.0)) {
            new.retain(|problem| head.contains(problem.place.0));
        }
        for mut problem in new {
            let (place, label) = problem.place.clone();
            let here = format!("in this call of `{}`", shape.name.node);
            // What is wrong with an argument is said at the argument.
            let whole = matches!(problem.code, Code::TooDeep | Code::TooIntricate);
            if !head.contains(place) && !whole {
                // The same call again has the same mistake.
                let again = format!("{} {:?} {place:?}", self.one_line(head), problem.code);
                if !self.misused.insert(again) {
                    continue;
                }
                problem.place = (head, here);
                problem.others.insert(0, (place, label));
            }
            self.problems.push(problem);
        }
    }

    fn unknown_shape(&mut self, name: &Name) {
        if matches!(self.names.get(&name.node), Some(State::Done(None)))
            || self.lacks_file
            || !self.misused.insert(format!("shape {}", name.node))
        {
            return;
        }
        let message = format!("there is no shape `{}`", name.node);
        let meant = self.meant(&name.node, self.shapes.keys().map(String::as_str));
        let help = match (meant, crate::parse::likely_form(&name.node)) {
            _ if self.names.contains_key(&name.node) => {
                format!(
                    "`{}` is a value, and a phrase is a shape: `constant {0} for 5m`",
                    name.node
                )
            }
            (Some(meant), _) => format!("did you mean `{meant}`?"),
            (None, Some(form)) => format!("did you mean `{form}`?"),
            (None, None) => format!("define it: `shape {}(…) {{ … }}`", name.node),
        };
        self.report(Problem::error(Code::UnknownName, name.span, message).help(help));
    }
}

/// The names of a call: parameters with what they are given or their defaults, and the `let`s of
/// the body. A parameter without either stands for nothing known.
fn frame(shape: &Shape, bound: Bound) -> Frame {
    let Bound { values: mut bound, mut given } = bound;
    let mut names = BTreeMap::new();
    for param in &shape.params {
        let state = match (bound.remove(&param.name.node), &param.default) {
            (Some(value), _) => State::Done(value),
            (None, Some(default)) => {
                given.insert(param.name.node.clone(), default.span);
                State::Waiting(default.clone())
            }
            (None, None) => State::Done(None),
        };
        names.insert(param.name.node.clone(), state);
    }
    let mut lets = Vec::new();
    lets_of(&shape.body, &mut lets);
    for (name, value) in lets {
        names.entry(name.node.clone()).or_insert_with(|| State::Waiting(value.clone()));
    }
    let mut broken = Vec::new();
    broken_of(&shape.body, &mut broken);
    for name in broken {
        names.entry(name.node.clone()).or_insert(State::Done(None));
    }
    Frame { names, given }
}

/// Every `let` in a body.
fn lets_of<'s>(body: &'s [Statement], found: &mut Vec<(&'s Name, &'s Expr)>) {
    for statement in body {
        match &statement.kind {
            StatementKind::Let(definition) => found.push((&definition.name, &definition.value)),
            StatementKind::Phrase(phrase) => lets_of(body_of(&phrase.kind), found),
            _ => {}
        }
    }
}

/// What a body would define by statements that could not be read.
fn broken_of<'s>(body: &'s [Statement], found: &mut Vec<&'s Name>) {
    for statement in body {
        match &statement.kind {
            StatementKind::Broken(name) => found.extend(name),
            StatementKind::Phrase(phrase) => broken_of(body_of(&phrase.kind), found),
            _ => {}
        }
    }
}

/// Every call in a body.
fn calls_of(body: &[Statement], found: &mut Vec<Name>) {
    for statement in body {
        let StatementKind::Phrase(phrase) = &statement.kind else { continue };
        match &phrase.kind {
            PhraseKind::Call { name, .. } => found.push(name.clone()),
            kind => calls_of(body_of(kind), found),
        }
    }
}
