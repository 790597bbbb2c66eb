//! Used files: what came of each `use`, circles among the files, and which file sees which.

use super::Checker;
use super::circles::{circles, round};
use crate::ast::{Name, Script, StatementKind};
use crate::problem::{Code, Problem};
use crate::source::{Span, Used};
use std::collections::{BTreeMap, BTreeSet};

impl Checker<'_> {
    /// Reports every `use` that leads nowhere or round in a circle, and works out which file sees the
    /// names of which.
    pub(super) fn uses(&mut self, scripts: &[Script]) {
        let mut leads: BTreeMap<String, Vec<Name>> = BTreeMap::new();
        let mut sees: Vec<BTreeSet<usize>> = vec![BTreeSet::new(); scripts.len()];
        for (part, script) in scripts.iter().enumerate() {
            let mut firsts: BTreeMap<usize, Span> = BTreeMap::new();
            let mut names = Vec::new();
            for statement in &script.statements {
                let StatementKind::Use(path) = &statement.kind else { continue };
                let Some(used) = self.use_of(path) else { continue };
                if let Some(first) = firsts.insert(used, path.span) {
                    self.report(
                        Problem::error(Code::Twice, path.span, "this file is used twice")
                            .label("the second time")
                            .and(first, "used first here")
                            .help("remove one of the two"),
                    );
                    continue;
                }
                sees[part].insert(used);
                names.push(Name::new(used.to_string(), path.span));
            }
            leads.insert(part.to_string(), names);
        }
        for circle in circles(&leads) {
            self.circle_of_files(&circle);
        }
        self.sees = reach(sees);
    }

    /// The file that a `use` leads to.
    fn use_of(&mut self, path: &Name) -> Option<usize> {
        let (what, help) = match self.source.used(path.span) {
            Some(Used::Part(part)) => return Some(*part),
            Some(Used::Unread { what, help, .. }) => (what.clone(), help.clone()),
            None => (
                "this script stands alone".to_owned(),
                "save it as a file beside those that it uses".to_owned(),
            ),
        };
        let message = format!("`{}` cannot be used: {what}", path.node);
        self.report(Problem::error(Code::BadUse, path.span, message).help(help));
        self.lacks_file = true;
        None
    }

    fn circle_of_files(&mut self, circle: &[Name]) {
        let Some((first, rest)) = circle.split_first() else { return };
        let file = |name: &Name| {
            let part = name.node.parse().unwrap_or(0);
            format!("`{}`", self.source.name_at(self.source.part_span(part).start))
        };
        let names: Vec<String> = circle.iter().map(file).collect();
        let message = match rest {
            [] => format!("{} uses itself", names[0]),
            _ => format!("files use each other in a circle: {}", round(&names)),
        };
        let mut problem = Problem::error(Code::Cycle, first.span, message)
            .label(format!("{} is used here", names[0]));
        for (used, name) in rest.iter().zip(&names[1..]) {
            problem = problem.and(used.span, format!("and {name} here"));
        }
        self.report(problem.help("put what both need into a file of its own"));
    }

    /// Whether the file that holds a place may use what is defined at another: it does, if that is
    /// its own, or one that it uses.
    pub(super) fn is_seen(&self, from: Span, defined: Span) -> bool {
        if self.sees.len() < 2 || from == Span::default() {
            return true;
        }
        let [from, to] = [from, defined].map(|span| self.source.part_of(span.start));
        from == to || self.sees.get(from).is_some_and(|seen| seen.contains(&to))
    }

    /// Notes that the script itself uses what is defined at a place.
    pub(super) fn reach(&mut self, from: Span, defined: Option<Span>) {
        if let Some(defined) = defined.filter(|_| self.source.part_of(from.start) == 0) {
            self.reached.insert(self.source.part_of(defined.start));
        }
    }

    /// A name that stands in a file which this one does not use.
    pub(super) fn out_of_sight(&mut self, name: &str, span: Span, defined: Span) {
        if !self.misused.insert(format!("{name} unseen")) {
            return;
        }
        let [here, there] = [span, defined].map(|span| self.source.name_at(span.start).to_owned());
        let message = format!("there is no `{name}` in `{here}`");
        self.report(
            Problem::error(Code::UnknownName, span, message)
                .label("a file sees its own names and those of files it uses")
                .and(defined, format!("this one is of `{there}`"))
                .help(format!("define it in `{here}`, or in a file that it uses")),
        );
    }
}

/// From each file all that it leads to, by way of others too.
fn reach(direct: Vec<BTreeSet<usize>>) -> Vec<BTreeSet<usize>> {
    let mut all = Vec::with_capacity(direct.len());
    for start in 0..direct.len() {
        let mut seen = BTreeSet::new();
        let mut left: Vec<usize> = direct[start].iter().copied().collect();
        while let Some(part) = left.pop() {
            if seen.insert(part) {
                left.extend(direct.get(part).into_iter().flatten());
            }
        }
        all.push(seen);
    }
    all
}
