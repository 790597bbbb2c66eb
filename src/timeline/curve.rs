//! What a curve is made of, as plain data in exact numbers: what `check` writes and the timeline
//! compiles, what the digest is taken of, and what the tests' oracle reads.

use crate::ast::RampCurve;
use crate::exact::Exact;
use serde::Serialize;

/// A rate over a length of time. Rates are in jobs per second, lengths in seconds.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub enum Curve {
    /// One rate throughout.
    Constant {
        /// The rate.
        #[serde(serialize_with = "exact")]
        rate: Exact,
        /// How long; `None` is forever.
        #[serde(serialize_with = "maybe_exact")]
        length: Option<Exact>,
    },
    /// From one rate to another.
    Ramp {
        /// The rate at the start (at the end if mirrored).
        #[serde(serialize_with = "exact")]
        from: Exact,
        /// The rate at the end (at the start if mirrored).
        #[serde(serialize_with = "exact")]
        to: Exact,
        /// How long.
        #[serde(serialize_with = "exact")]
        over: Exact,
        /// The way between.
        curve: RampCurve,
        /// Mirrored in time: r(t) = way(T − t).
        mirrored: bool,
    },
    /// `max(0, base + amp·sin(2π(t/period + phase)))`
    Sine {
        /// The middle.
        #[serde(serialize_with = "exact")]
        base: Exact,
        /// Height above and below it; may be negative.
        #[serde(serialize_with = "exact")]
        amp: Exact,
        /// Length of a wave.
        #[serde(serialize_with = "exact")]
        period: Exact,
        /// Where the wave starts, in turns.
        #[serde(serialize_with = "exact")]
        phase: Exact,
        /// How long; `None` is forever.
        #[serde(serialize_with = "maybe_exact")]
        length: Option<Exact>,
    },
    /// Jobs all due at one instant: a jump in Λ of no length.
    AtOnce {
        /// How many.
        jobs: u64,
    },
    /// One after another.
    Sequence(Vec<Curve>),
    /// The same again and again.
    Repeat {
        /// How often, or `None` for ever.
        times: Option<u64>,
        /// What.
        body: Box<Curve>,
    },
    /// The sum of its members, which start together; as long as the longest.
    Together(Vec<Curve>),
    /// Every rate (and every jump) times a factor.
    Scale {
        /// The factor, at least 0.
        #[serde(serialize_with = "exact")]
        factor: Exact,
        /// Of what.
        body: Box<Curve>,
    },
    /// `min(r(t), rate)`. A jump inside is a mistake that `check` refuses.
    Cap {
        /// The highest rate.
        #[serde(serialize_with = "exact")]
        rate: Exact,
        /// Of what.
        body: Box<Curve>,
    },
    /// `max(r(t), rate)`
    Floor {
        /// The lowest rate.
        #[serde(serialize_with = "exact")]
        rate: Exact,
        /// Of what.
        body: Box<Curve>,
    },
    /// The same jobs in 1/factor of the time: `factor·r(factor·t)`.
    Speed {
        /// The factor, above 0.
        #[serde(serialize_with = "exact")]
        factor: Exact,
        /// Of what.
        body: Box<Curve>,
    },
    /// Rates and jumps scaled so that the whole holds exactly this many jobs.
    Total {
        /// How many.
        jobs: u64,
        /// Of what; it must not be forever, nor hold no job at all.
        body: Box<Curve>,
    },
    /// Ends after a length, whatever is left.
    Cut {
        /// The length.
        #[serde(serialize_with = "exact")]
        length: Exact,
        /// Of what.
        body: Box<Curve>,
    },
    /// A place that is reported by [`crate::timeline::Timeline::marks`].
    Mark {
        /// Whatever the writer wants to find it by; unique in a curve.
        #[serde(skip)]
        id: u32,
        /// The marked part.
        body: Box<Curve>,
    },
}

fn exact<S: serde::Serializer>(value: &Exact, out: S) -> Result<S::Ok, S::Error> {
    out.collect_str(value)
}

fn maybe_exact<S: serde::Serializer>(value: &Option<Exact>, out: S) -> Result<S::Ok, S::Error> {
    match value {
        Some(value) => out.collect_str(value),
        None => out.serialize_none(),
    }
}
