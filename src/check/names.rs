//! What names stand for: those of the whole script, and those of the shape whose call is worked out.

use super::value::State;
use crate::source::Span;
use std::collections::BTreeMap;

/// Names and how far their definitions have been worked out.
///
/// Within a call of a shape its parameters and its own `let`s go before the names of the script, and
/// those of the shape that called it are out of sight.
#[derive(Debug, Default)]
pub(super) struct Names {
    script: BTreeMap<String, State>,
    frame: Option<Frame>,
}

/// The names of one call.
#[derive(Debug, Default)]
pub(super) struct Frame {
    /// Parameters, and each `let` of the body.
    pub names: BTreeMap<String, State>,
    /// Where what a parameter stands for was written: the argument, or the default.
    pub given: BTreeMap<String, Span>,
}

impl Names {
    /// What a name stands for here.
    pub fn get(&self, name: &str) -> Option<&State> {
        self.frame
            .as_ref()
            .and_then(|frame| frame.names.get(name))
            .or_else(|| self.script.get(name))
    }

    /// Whether a name stands for anything here.
    pub fn contains_key(&self, name: &str) -> bool {
        self.get(name).is_some()
    }

    /// Changes a name where it is defined; one that is new is the script's.
    pub fn insert(&mut self, name: String, state: State) -> Option<State> {
        match &mut self.frame {
            Some(frame) if frame.names.contains_key(&name) => frame.names.insert(name, state),
            _ => self.script.insert(name, state),
        }
    }

    /// Gives a name of the script a meaning, unless it has one.
    pub fn or_insert(&mut self, name: String, state: State) {
        self.script.entry(name).or_insert(state);
    }

    /// Every name that can be used here.
    pub fn iter(&self) -> impl Iterator<Item = (&String, &State)> {
        let own = self.frame.iter().flat_map(|frame| &frame.names);
        own.chain(&self.script)
    }

    /// The same without their meanings.
    pub fn keys(&self) -> impl Iterator<Item = &String> {
        self.iter().map(|(name, _)| name)
    }

    /// Whether a name is one of the shape whose call is worked out.
    pub fn is_local(&self, name: &str) -> bool {
        self.frame.as_ref().is_some_and(|frame| frame.names.contains_key(name))
    }

    /// Where the value of a parameter was written.
    pub fn given(&self, name: &str) -> Option<Span> {
        self.frame.as_ref().and_then(|frame| frame.given.get(name)).copied()
    }

    /// Puts other names in the place of the call's; what was there comes back.
    pub fn swap(&mut self, frame: Option<Frame>) -> Option<Frame> {
        std::mem::replace(&mut self.frame, frame)
    }
}
