//! Phrases: a shape or a block, and what may follow either.

use super::{
    Arg, Arrival, Burst, Chaos, Comparison, Expr, Name, Points, Ramp, Replay, Sine, Statement,
    Steps, Walk,
};
use crate::source::{Span, Spanned};

/// A shape or a block, with what may follow either.
#[derive(Clone, Debug, PartialEq)]
pub struct Phrase {
    /// What it is.
    pub kind: PhraseKind,
    /// `total 15k`
    pub total: Option<Expr>,
    /// `as "night"`
    pub label: Option<Name>,
    /// `until depth < 100`
    pub until: Option<Until>,
    /// For a block the words before its brace, for a shape the whole of it.
    pub head: Span,
}

/// `until depth "orders" < 100`: the phrase ends when that holds, or at its own end.
#[derive(Clone, Debug, PartialEq)]
pub struct Until {
    /// Of which queue; of all that are written to if not given.
    pub queue: Option<Name>,
    /// How the depth is compared.
    pub comparison: Spanned<Comparison>,
    /// With what.
    pub limit: Expr,
    /// Its place.
    pub span: Span,
}

/// `hold depth "orders" 5k at most 200/s for 10m`: as many jobs as bring the depth up to a level.
#[derive(Clone, Debug, PartialEq)]
pub struct Hold {
    /// Of which queue; of all that are written to if not given.
    pub queue: Option<Name>,
    /// The level.
    pub depth: Expr,
    /// How fast at most.
    pub most: Option<Expr>,
    /// How long.
    pub length: Length,
}

/// What a phrase is.
#[derive(Clone, Debug, PartialEq)]
pub enum PhraseKind {
    /// `constant 100 for 5m`
    Constant {
        /// The rate.
        rate: Expr,
        /// How long.
        length: Length,
    },
    /// `pause 30s`
    Pause(Length),
    /// `drain within 5m`: nothing until the queues are empty, but no longer than that.
    Drain(Expr),
    /// `hold depth "orders" 5k at most 200/s for 10m`
    Hold(Hold),
    /// `ramp 10->500 over 60s`
    Ramp(Ramp),
    /// `sine base 100 amp 30 period 1h for 8h`
    Sine(Sine),
    /// `burst 500 for 5s every 15s over 2m`
    Burst(Burst),
    /// `steps 10, 50, 100 each 30s`
    Steps(Steps),
    /// `stairs 10->200 by 10 every 30s`
    Stairs {
        /// First level.
        from: Expr,
        /// Last level.
        to: Expr,
        /// Height of a step.
        by: Expr,
        /// Length of a step.
        every: Expr,
    },
    /// `points 0s 10, 30s 100`
    Points(Points),
    /// `walk from 60 by 5 every 1s within 20..120 for 150s`
    Walk(Walk),
    /// `chaos 10..1500 every 30s..3m for 30m`
    Chaos(Chaos),
    /// `replay "monday.csv" scale x2`
    Replay(Replay),
    /// `send 50k at once`
    AtOnce(Expr),
    /// `lunch(800, up = 2m)`: a shape of one's own.
    Call {
        /// The shape's name.
        name: Name,
        /// What it is given, in order.
        args: Vec<Arg>,
    },
    /// `{ … }`
    Group(Vec<Statement>),
    /// `repeat 3 { … }`; `None` is `repeat forever`.
    Repeat(Option<Expr>, Vec<Statement>),
    /// `together { … }`
    Together(Vec<Statement>),
    /// `scale x1.5 { … }`
    Scale(Expr, Vec<Statement>),
    /// `cap 800 { … }`
    Cap(Expr, Vec<Statement>),
    /// `floor 5 { … }`
    Floor(Expr, Vec<Statement>),
    /// `speed x60 { … }`
    Speed(Expr, Vec<Statement>),
    /// `arrivals poisson { … }`
    Arrivals(Arrival, Vec<Statement>),
    /// `jitter 5% { … }`
    Jitter(Expr, Vec<Statement>),
    /// `warmup { … }`
    Warmup(Vec<Statement>),
    /// `at 02:00 { … }`
    At(Name, Vec<Statement>),
}

impl PhraseKind {
    /// Whether it is a block of statements, and no shape.
    pub fn is_block(&self) -> bool {
        matches!(
            self,
            PhraseKind::Group(_)
                | PhraseKind::Repeat(..)
                | PhraseKind::Together(_)
                | PhraseKind::Scale(..)
                | PhraseKind::Cap(..)
                | PhraseKind::Floor(..)
                | PhraseKind::Jitter(..)
                | PhraseKind::Arrivals(..)
                | PhraseKind::Warmup(_)
                | PhraseKind::At(..)
                | PhraseKind::Speed(..)
        )
    }

    /// The statements within a block; none of a shape.
    pub fn body(&self) -> &[Statement] {
        match self {
            PhraseKind::Group(body)
            | PhraseKind::Repeat(_, body)
            | PhraseKind::Together(body)
            | PhraseKind::Scale(_, body)
            | PhraseKind::Cap(_, body)
            | PhraseKind::Floor(_, body)
            | PhraseKind::Jitter(_, body)
            | PhraseKind::Arrivals(_, body)
            | PhraseKind::Warmup(body)
            | PhraseKind::At(_, body)
            | PhraseKind::Speed(_, body) => body,
            _ => &[],
        }
    }
}

/// How long a shape lasts.
#[derive(Clone, Debug, PartialEq)]
pub enum Length {
    /// `for 5m`
    For(Expr),
    /// `forever`
    Forever(Span),
}
