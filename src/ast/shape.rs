//! What the shapes of the language are told.

use super::{Expr, Length, Name};
use crate::source::Spanned;

/// `ramp FROM->TO CURVE over LENGTH hold H back over B`
#[derive(Clone, Debug, PartialEq)]
pub struct Ramp {
    /// First rate.
    pub from: Expr,
    /// Last rate.
    pub to: Expr,
    /// How long.
    pub over: Expr,
    /// The way between; a straight line if none is named.
    pub curve: Spanned<RampCurve>,
    /// `hold 3m`
    pub hold: Option<Expr>,
    /// `back`, or `back over 30s`
    pub back: Option<Option<Expr>>,
}

/// The way a ramp takes between its ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum RampCurve {
    /// A straight line.
    Linear,
    /// `a·(b/a)^(t/T)`
    Exponential,
    /// `a + (b−a)·log10(1+9t/T)`
    Logarithmic,
    /// `a + (b−a)·(3u² − 2u³)`, u = t/T
    Smooth,
}

/// `sine base B amp A period P phase F for L`
#[derive(Clone, Debug, PartialEq)]
pub struct Sine {
    /// The middle.
    pub base: Expr,
    /// Height above and below it.
    pub amp: Expr,
    /// Length of a wave; the phrase's length if not given.
    pub period: Option<Expr>,
    /// Where the wave starts.
    pub phase: Option<Expr>,
    /// How long.
    pub length: Length,
}

/// `burst RATE for ON every PERIOD over LENGTH`
#[derive(Clone, Debug, PartialEq)]
pub struct Burst {
    /// The rate in a burst, or a factor of the base.
    pub rate: Expr,
    /// How long a burst lasts.
    pub on: Expr,
    /// From the start of one to the start of the next.
    pub every: Expr,
    /// The rate between.
    pub base: Option<Expr>,
    /// `over 2m`
    pub over: Option<Length>,
    /// `times 10`
    pub times: Option<Expr>,
}

/// `steps 10 for 30s, 50 each 1m over 5m`
#[derive(Clone, Debug, PartialEq)]
pub struct Steps {
    /// The levels, each with its own length or none.
    pub levels: Vec<(Expr, Option<Expr>)>,
    /// The length of those without one.
    pub each: Option<Expr>,
    /// Goes round until then.
    pub over: Option<Length>,
}

/// `points smooth 0s 10, 30s 100 loop for 10m`
#[derive(Clone, Debug, PartialEq)]
pub struct Points {
    /// What happens between two points.
    pub between: Between,
    /// Times from the phrase's start, and rates.
    pub points: Vec<(Expr, Expr)>,
    /// `loop for 10m`
    pub repeat: Option<Length>,
}

/// What happens between two points.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Between {
    /// Straight lines.
    Linear,
    /// Each level holds to the next time.
    Held,
    /// Smoothstep from level to level.
    Smooth,
}

/// `walk from RATE by STEP every TIME within LOW..HIGH for LENGTH`
#[derive(Clone, Debug, PartialEq)]
pub struct Walk {
    /// The first level.
    pub from: Expr,
    /// How far up or down.
    pub by: Expr,
    /// How long each level is held.
    pub every: Expr,
    /// The lowest and the highest level; without them it turns back at 0 alone.
    pub within: Option<(Expr, Expr)>,
    /// How long.
    pub length: Length,
}

/// `chaos LOW..HIGH every SHORTEST..LONGEST for LENGTH`
#[derive(Clone, Debug, PartialEq)]
pub struct Chaos {
    /// The lowest level.
    pub low: Expr,
    /// The highest.
    pub high: Expr,
    /// The shortest time from level to level, and the longest if it is another.
    pub every: (Expr, Option<Expr>),
    /// How long.
    pub length: Length,
}

/// `replay FILE time COLUMN in UNIT rate COLUMN scale xF speed xF`
#[derive(Clone, Debug, PartialEq)]
pub struct Replay {
    /// The recording.
    pub file: Name,
    /// `at "created"`: one job for each row, at the instant in this column.
    pub at: Option<Column>,
    /// `time "t"`: the column of the times of a rate.
    pub time: Option<Column>,
    /// `rate "rps"`: the column of the rate.
    pub rate: Option<Name>,
    /// Each rate holds until the next.
    pub held: bool,
    /// `scale x2`
    pub scale: Option<Expr>,
    /// `speed x10`
    pub speed: Option<Expr>,
}

/// A column of times.
#[derive(Clone, Debug, PartialEq)]
pub struct Column {
    /// Its name in the file.
    pub name: Name,
    /// `in ms`: the unit of its numbers.
    pub unit: Option<Name>,
}
