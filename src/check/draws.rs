//! Generators of other laws than the uniform one.

use super::Checker;
use super::payload::GENERATORS;
use crate::ast::{CallArg, Name};
use crate::exact::{to_f64, whole};
use crate::job::{self, Fake};
use crate::problem::{Code, Problem};
use crate::source::Span;

/// Most ranks of a `zipf`: whole numbers are exact in a float up to here.
const MAX_RANKS: u64 = 1 << 53;
/// The steepest a `zipf` may be: beyond it all but one in 10⁶ are of rank 1.
const MAX_EXPONENT: i128 = 20;

impl Checker<'_> {
    /// `normal(40, 12)`: mean and standard deviation.
    pub(super) fn normal(&mut self, args: &[CallArg], span: Span) -> Option<job::Value> {
        let example = "normal(40, 12)";
        let [mean, deviation] = args else { return self.bad_args(span, "normal", example) };
        let mean = self.one_expr(mean, example)?;
        let place = self.one_expr(deviation, example)?;
        let (mean, deviation) = (self.plain(&mean), self.plain(&place));
        let (mean, deviation) = (mean?, deviation?);
        if deviation < whole(0) {
            self.report(
                Problem::error(
                    Code::OutOfRange,
                    place.span,
                    "a standard deviation is not negative",
                )
                .help("write the mean first, then the deviation: `normal(40, 12)`"),
            );
            return None;
        }
        Some(job::Value::Normal { mean: to_f64(&mean), deviation: to_f64(&deviation) })
    }

    /// `exponential(30)`: the mean.
    pub(super) fn exponential(&mut self, args: &[CallArg], span: Span) -> Option<job::Value> {
        let example = "exponential(30)";
        let [mean] = args else { return self.bad_args(span, "exponential", example) };
        let place = self.one_expr(mean, example)?;
        let mean = self.plain(&place)?;
        if mean <= whole(0) {
            self.report(
                Problem::error(Code::OutOfRange, place.span, "this mean is not above 0")
                    .help("an exponential number is above 0, and so is its mean"),
            );
            return None;
        }
        Some(job::Value::Exponential(to_f64(&mean)))
    }

    /// `zipf(1000)`, `zipf(1000, 1.2)`: how many ranks, and the exponent.
    pub(super) fn zipf(&mut self, args: &[CallArg], span: Span) -> Option<job::Value> {
        let example = "zipf(1000, 1.1)";
        let (ranks, exponent) = match args {
            [ranks] => (ranks, None),
            [ranks, exponent] => (ranks, Some(self.one_expr(exponent, example)?)),
            _ => return self.bad_args(span, "zipf", example),
        };
        let place = self.one_expr(ranks, example)?;
        let ranks = self.count(&place, "a number of ranks")?;
        if !(1..=MAX_RANKS).contains(&ranks) {
            self.report(
                Problem::error(Code::OutOfRange, place.span, "there is no such number of ranks")
                    .help("`zipf(n)` draws from 1 to n, and n is at least 1"),
            );
            return None;
        }
        let Some(place) = exponent else {
            return Some(job::Value::Zipf { ranks, exponent: 1.0 });
        };
        let exponent = self.plain(&place)?;
        if exponent < whole(0) || exponent > whole(MAX_EXPONENT) {
            self.report(
                Problem::error(Code::OutOfRange, place.span, "this exponent is out of range")
                    .help(format!("it lies between 0 (all alike) and {MAX_EXPONENT}; 1 is usual")),
            );
            return None;
        }
        Some(job::Value::Zipf { ranks, exponent: to_f64(&exponent) })
    }

    /// `bytes(16B)`, `bytes(1KB..4KB)`
    pub(super) fn random_bytes(&mut self, args: &[CallArg], span: Span) -> Option<job::Value> {
        let [arg] = args else { return self.bad_args(span, "bytes", "bytes(16B..1KB)") };
        let (min, max) = self.sizes(arg, span, "bytes(16B..1KB)")?;
        Some(job::Value::Bytes { min, max })
    }

    /// Says that there is no generator of a name.
    pub(super) fn no_generator(&mut self, name: &Name) {
        let message = format!("there is no generator `{}`", name.node);
        let known = GENERATORS.iter().chain(Fake::WORDS).copied();
        let help = match self.meant(&name.node, known) {
            Some(meant) => format!("did you mean `{meant}`?"),
            None => {
                let all = GENERATORS.join(", ");
                format!("generators are {all}, and made-up texts {}", Fake::WORDS.join(", "))
            }
        };
        self.report(Problem::error(Code::BadGenerator, name.span, message).help(help));
    }
}
