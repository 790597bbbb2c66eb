//! What a curve is made of, as plain data in exact numbers: what `check` writes and the timeline
//! compiles, what the digest is taken of, and what the tests' oracle reads.

use crate::ast::RampCurve;
use crate::exact::Exact;
use serde::Serialize;
use std::fmt;
use std::sync::Arc;

/// How the jobs of a stream lie along its curve.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub enum Arrivals {
    /// Job k at Λ⁻¹(k − ½).
    Even,
    /// A Poisson process of rate λ(t).
    Poisson {
        /// As many jobs as `Even`, placed as those of a Poisson process of known count are; else
        /// their number is a Poisson number of mean Λ(T).
        exact: bool,
    },
    /// A renewal process in Λ-space, of gamma intervals with mean 1.
    Gamma {
        /// Coefficient of variation of the intervals, above 0: 1 is a Poisson process, 0 would be
        /// even.
        cv: f64,
    },
}

impl fmt::Display for Arrivals {
    /// As the language writes them.
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Arrivals::Even => out.write_str("even"),
            Arrivals::Poisson { exact: false } => out.write_str("poisson"),
            Arrivals::Poisson { exact: true } => out.write_str("poisson exact"),
            Arrivals::Gamma { cv } => write!(out, "gamma cv {cv}"),
        }
    }
}

/// From a time on, this is what the rate is multiplied by.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct FactorStep {
    /// Nanoseconds from the start.
    pub t_ns: u64,
    /// The factor, at least 0.
    #[serde(serialize_with = "exact")]
    pub factor: Exact,
}

/// A point of a record.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct RatePoint {
    /// Nanoseconds from the start of the record.
    pub t_ns: u64,
    /// Jobs per second, at least 0.
    #[serde(serialize_with = "exact")]
    pub rate: Exact,
}

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
    /// A seeded walk: at `from` for the first `every`, and after each `every` up or down by `by`
    /// with equal chance, reflected at its bounds, held between.
    Walk {
        /// The first level, within the bounds.
        #[serde(serialize_with = "exact")]
        from: Exact,
        /// How far up or down, at least 0.
        #[serde(serialize_with = "exact")]
        by: Exact,
        /// How long each level is held; above 0.
        #[serde(serialize_with = "exact")]
        every: Exact,
        /// The lowest and highest level; without them it is reflected at 0 alone.
        #[serde(serialize_with = "maybe_exact_pair")]
        within: Option<(Exact, Exact)>,
        /// How long; `None` is forever.
        #[serde(serialize_with = "maybe_exact")]
        length: Option<Exact>,
        /// What it is drawn by: [`crate::random::Key::value`] of the seed, the load's name, the kind
        /// and the ordinal of the walk among those of its load (and the call, where a `shape` is
        /// called more than once). Passes of a `repeat` around it are mixed in when it is compiled.
        key: u64,
    },
    /// Seeded levels after seeded times, with straight lines between. It starts at a level, which is
    /// uniform as all the others, and its last line is cut.
    Chaos {
        /// The lowest level.
        #[serde(serialize_with = "exact")]
        low: Exact,
        /// The highest.
        #[serde(serialize_with = "exact")]
        high: Exact,
        /// The shortest and the longest time from level to level, above 0; a time is uniform among
        /// the whole nanoseconds between, both ends included.
        #[serde(serialize_with = "exact_pair")]
        every: (Exact, Exact),
        /// How long; `None` is forever.
        #[serde(serialize_with = "maybe_exact")]
        length: Option<Exact>,
        /// What it is drawn by, as for a walk.
        key: u64,
    },
    /// A recorded rate.
    Replay {
        /// The record, shared: what is read once from a file. The first point is at 0, times do not
        /// fall, and two points at one time are a jump of the rate. After the last point its rate
        /// is held.
        #[serde(serialize_with = "all")]
        points: Arc<[RatePoint]>,
        /// Each rate is held to the next point; else straight lines lie between.
        held: bool,
        /// How long; most often the time of the last point. `None` is forever.
        #[serde(serialize_with = "maybe_exact")]
        length: Option<Exact>,
    },
    /// Recorded instants, at each of which one job is due; as long as to the last of them.
    Moments {
        /// Nanoseconds from the start of the record, in order, shared.
        #[serde(serialize_with = "all")]
        at_ns: Arc<[u64]>,
    },
    /// Jobs all due at one instant: a jump in Λ of no length.
    AtOnce {
        /// How many.
        jobs: u64,
    },
    /// One after another.
    Sequence(Vec<Curve>),
    /// The same again and again; but what is drawn in it is drawn anew in each pass, up to a limit
    /// (see `timeline/drawn.rs`) after which the same passes come round.
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
    /// Jobs that lie along the curve in a way of their own; the curve itself is that of the body.
    Arrivals {
        /// How they lie.
        arrivals: Arrivals,
        /// Of what.
        body: Box<Curve>,
    },
    /// A seeded factor for each second, so that each two seconds keep their jobs: see
    /// `timeline/jitter.rs`.
    Jitter {
        /// How far from 1 a factor may be, from 0 to 1.
        #[serde(serialize_with = "exact")]
        amount: Exact,
        /// What it is drawn by, as for a walk.
        key: u64,
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
    /// Rates and jumps times a factor that changes at some times, which are those of the curve before
    /// any `Speed` within. What a `Total`, `Cap` or `Floor` within says holds all the same: the factors
    /// are those of the shapes.
    Hours {
        /// From these times on, the first at 0, in order.
        #[serde(serialize_with = "all")]
        steps: Arc<[FactorStep]>,
        /// Of what.
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

fn all<T: Serialize, S: serde::Serializer>(points: &Arc<[T]>, out: S) -> Result<S::Ok, S::Error> {
    out.collect_seq(points.iter())
}

fn exact_pair<S: serde::Serializer>(pair: &(Exact, Exact), out: S) -> Result<S::Ok, S::Error> {
    (pair.0.to_string(), pair.1.to_string()).serialize(out)
}

fn maybe_exact_pair<S: serde::Serializer>(
    pair: &Option<(Exact, Exact)>,
    out: S,
) -> Result<S::Ok, S::Error> {
    pair.map(|(low, high)| (low.to_string(), high.to_string())).serialize(out)
}

fn maybe_exact<S: serde::Serializer>(value: &Option<Exact>, out: S) -> Result<S::Ok, S::Error> {
    match value {
        Some(value) => out.collect_str(value),
        None => out.serialize_none(),
    }
}
