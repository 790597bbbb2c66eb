//! Shapes of one's own: their definitions and calls.

use super::{Pair, Reader, Rule};
use crate::ast::{Arg, Name, Param, PhraseKind, Shape, StatementKind};

impl Reader {
    pub(super) fn shape_definition(&mut self, pair: Pair<'_>) -> StatementKind {
        let (mut name, mut params, mut body, mut slip) = (None, Vec::new(), Vec::new(), None);
        for part in pair.into_inner() {
            match part.as_rule() {
                Rule::hyphened => slip = Some(self.hyphened(&part)),
                Rule::ident => name = Some(Name::new(part.as_str().to_owned(), self.span(&part))),
                Rule::params => params = self.params(part),
                Rule::block => body = self.statements(part),
                Rule::excess => self.excess(&part),
                _ => {}
            }
        }
        match (slip, name) {
            (Some(slip), _) => slip,
            (None, Some(name)) => StatementKind::Shape(Shape { name, params, body }),
            (None, None) => StatementKind::Broken(None),
        }
    }

    fn params(&mut self, pair: Pair<'_>) -> Vec<Param> {
        let params = pair.into_inner().filter(|part| part.as_rule() == Rule::param);
        let params = params.collect::<Vec<_>>();
        params.into_iter().filter_map(|param| self.param(param)).collect()
    }

    fn param(&mut self, pair: Pair<'_>) -> Option<Param> {
        let mut inner = pair.into_inner();
        let name = inner.next()?;
        let name = Name::new(name.as_str().to_owned(), self.span(&name));
        self.seize(&name);
        let default = inner.find(|part| part.as_rule() == Rule::inner);
        Some(Param { name, default: default.map(|default| self.expr(default)) })
    }

    pub(super) fn shape_call(&mut self, pair: Pair<'_>) -> Option<PhraseKind> {
        let mut inner = pair.into_inner();
        let name = inner.next()?;
        let name = Name::new(name.as_str().to_owned(), self.span(&name));
        let args = inner.filter(|part| part.as_rule() == Rule::shape_arg).collect::<Vec<_>>();
        let args = args.into_iter().filter_map(|arg| self.shape_arg(arg)).collect();
        Some(PhraseKind::Call { name, args })
    }

    fn shape_arg(&mut self, pair: Pair<'_>) -> Option<Arg> {
        let mut arg = Arg { name: None, value: super::expr::unreadable(self.span(&pair)) };
        for part in pair.into_inner() {
            match part.as_rule() {
                Rule::ident => {
                    arg.name = Some(Name::new(part.as_str().to_owned(), self.span(&part)));
                }
                Rule::inner => arg.value = self.expr(part),
                _ => {}
            }
        }
        Some(arg)
    }
}
