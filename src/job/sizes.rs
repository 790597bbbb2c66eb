//! How much a payload weighs, worked out from its steps.

use crate::job::program::{BlockId, Fill, Op, Program};
use crate::job::{draw, encode, fake, write};
use crate::random::{self, Key};
use std::collections::HashMap;

/// Bytes of a payload.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sizes {
    /// No payload is smaller.
    pub min_bytes: u64,
    /// The expected size; exact but for floats, whose digits are estimated from a sample.
    pub mean_bytes: f64,
    /// No payload is larger; stays at `u64::MAX` where that is passed.
    pub max_bytes: u64,
}

impl Sizes {
    const ZERO: Sizes = Sizes::exactly(0);

    const fn exactly(bytes: u64) -> Sizes {
        Sizes { min_bytes: bytes, mean_bytes: bytes as f64, max_bytes: bytes }
    }

    /// Evenly spread over a range.
    fn between(min: u64, max: u64) -> Sizes {
        Sizes { min_bytes: min, mean_bytes: (min as f64 + max as f64) / 2.0, max_bytes: max }
    }

    /// What it may come to when its quotes and backslashes double once or more.
    fn escaped(self, escapes: u32) -> Sizes {
        let doubled = 1_u64.checked_shl(escapes).unwrap_or(u64::MAX);
        Sizes { max_bytes: self.max_bytes.saturating_mul(doubled), ..self }
    }

    /// One after the other.
    pub(super) fn and(self, other: Sizes) -> Sizes {
        Sizes {
            min_bytes: self.min_bytes.saturating_add(other.min_bytes),
            mean_bytes: self.mean_bytes + other.mean_bytes,
            max_bytes: self.max_bytes.saturating_add(other.max_bytes),
        }
    }

    /// As many as a list has, with commas between.
    fn repeated(self, min: u32, max: u32) -> Sizes {
        let bytes = |each: u64, count: u32| match u64::from(count) {
            0 => 0,
            count => each.saturating_mul(count).saturating_add(count - 1),
        };
        let counts = f64::from(max) - f64::from(min) + 1.0;
        let mean_count = (f64::from(min) + f64::from(max)) / 2.0;
        let empty = if min == 0 { 1.0 / counts } else { 0.0 };
        Sizes {
            min_bytes: bytes(self.min_bytes, min),
            mean_bytes: mean_count * self.mean_bytes + (mean_count - 1.0 + empty),
            max_bytes: bytes(self.max_bytes, max),
        }
    }
}

/// What a block writes for the jobs 1 to `jobs`.
pub fn of_block(program: &Program, block: BlockId, jobs: u64) -> Sizes {
    Measure { program, jobs, known: HashMap::new() }.block(block, 0)
}

struct Measure<'a> {
    program: &'a Program,
    jobs: u64,
    /// Blocks measured, by how many times they are escaped: fields may refer to fields that refer
    /// to fields, so measuring each anew could take for ever.
    known: HashMap<(BlockId, u32), Sizes>,
}

impl Measure<'_> {
    fn block(&mut self, block: BlockId, escapes: u32) -> Sizes {
        if let Some(sizes) = self.known.get(&(block, escapes)) {
            return *sizes;
        }
        let ops = &self.program.blocks[block];
        let sizes = ops.iter().fold(Sizes::ZERO, |sum, op| sum.and(self.op(op, escapes)));
        self.known.insert((block, escapes), sizes);
        sizes
    }

    fn op(&mut self, op: &Op, escapes: u32) -> Sizes {
        match *op {
            Op::Literal { start, end } => literal(&self.program.literals[start..end], escapes),
            Op::Short { at, length } => literal(&self.program.shorts[at][..length], escapes),
            Op::Seq => digits(1, self.jobs.max(1)),
            Op::Now => Sizes::exactly(write::INSTANT_BYTES),
            Op::Uuid(_) => Sizes::exactly(write::UUID_BYTES),
            Op::Int { min, max, .. } => integer(min, max),
            Op::Float { key, min, max } => float(key, min, max),
            Op::Chance { below, .. } => {
                let share = below as f64 / u64::MAX as f64;
                let min_bytes = if below == 0 { 5 } else { 4 };
                Sizes { min_bytes, mean_bytes: 5.0 - share, max_bytes: 5 }
            }
            Op::Normal { key, mean, deviation } => {
                let reach = deviation.abs() * draw::FARTHEST;
                let one = |number| mean + deviation * draw::normal(key.pair(number));
                // The root of the smallest logarithm times the smallest cosine.
                let smallest = deviation.abs() * 1e-8;
                floats(one, [mean.abs(), smallest], mean.abs() + reach)
            }
            Op::Exponential { key, mean } => {
                let one = |number| mean * draw::exponential(key.word(number));
                floats(one, [mean, mean], mean * draw::LARGEST)
            }
            Op::Zipf { key, zipf } => self.zipf(key, zipf),
            Op::Cell { table, column, raw, .. } => {
                let sizes = self.program.tables[table].table.sizes(column);
                let (min_bytes, mean_bytes, max_bytes) = sizes;
                // Unescaped, a cell may be as short as a sixth.
                let min_bytes = if raw { min_bytes / 6 } else { min_bytes };
                Sizes { min_bytes, mean_bytes, max_bytes }.escaped(escapes)
            }
            Op::Ulid(_) => Sizes::exactly(encode::ULID_BYTES),
            Op::Fake { key, fake } => {
                let mean = sample(|number, text| fake.push(text, key.word(number)));
                Sizes { min_bytes: 0, mean_bytes: mean, max_bytes: fake::MAX_BYTES as u64 }
            }
            Op::Fill { fill: Fill::Base64, min, max, .. } => {
                Sizes::between(encode::base64_bytes(min), encode::base64_bytes(max))
            }
            Op::Fill { min, max, .. } => Sizes::between(min, max),
            Op::Pick { choice, .. } => self.pick(choice, escapes),
            Op::List { min, max, item, .. } => self.block(item, escapes).repeated(min, max),
            Op::Call { block, .. } => self.block(block, escapes),
            Op::Escaped(block) => self.block(block, escapes + 1),
        }
    }

    fn zipf(&self, key: Key, zipf: usize) -> Sizes {
        let zipf = &self.program.zipfs[zipf];
        let mean = sample(|number, text| write::push_u64(text, zipf.draw(key, number)));
        Sizes { min_bytes: 1, mean_bytes: mean, max_bytes: length(zipf.highest()) }
    }

    fn pick(&mut self, choice: usize, escapes: u32) -> Sizes {
        let choice = &self.program.choices[choice];
        let mut all = Sizes { min_bytes: u64::MAX, mean_bytes: 0.0, max_bytes: 0 };
        for (block, share) in choice.blocks.iter().zip(&choice.shares) {
            let one = self.block(*block, escapes);
            all.min_bytes = all.min_bytes.min(one.min_bytes);
            all.mean_bytes += one.mean_bytes * share;
            all.max_bytes = all.max_bytes.max(one.max_bytes);
        }
        all
    }
}

/// Each time text is escaped, its quotes and backslashes double.
fn literal(bytes: &[u8], escapes: u32) -> Sizes {
    let specials = bytes.iter().filter(|byte| write::is_special(**byte)).count() as u64;
    let plain = bytes.len() as u64 - specials;
    let doubled = 1_u64.checked_shl(escapes).unwrap_or(u64::MAX);
    Sizes::exactly(plain.saturating_add(specials.saturating_mul(doubled)))
}

/// How many digits a number has.
fn length(value: u64) -> u64 {
    u64::from(value.checked_ilog10().unwrap_or(0)) + 1
}

/// The digits of the numbers 1 to `last`, all together.
fn digits_to(last: u64) -> f64 {
    let mut sum = 0.0;
    let mut first = 1_u64;
    while first <= last {
        let next = first.checked_mul(10);
        let end = next.map_or(last, |next| last.min(next - 1));
        sum += (end - first + 1) as f64 * length(first) as f64;
        let Some(next) = next else { break };
        first = next;
    }
    sum
}

/// The numbers `low` to `high`, neither of them 0.
fn digits(low: u64, high: u64) -> Sizes {
    let count = (high - low) as f64 + 1.0;
    Sizes {
        min_bytes: length(low),
        mean_bytes: (digits_to(high) - digits_to(low - 1)) / count,
        max_bytes: length(high),
    }
}

fn integer(min: i64, max: i64) -> Sizes {
    if min >= max {
        return Sizes::exactly(u64::from(min < 0) + length(min.unsigned_abs()));
    }
    // The negative ones, zero and the positive ones, as (how many, their sizes).
    let mut kinds = Vec::with_capacity(3);
    if min < 0 {
        let (low, high) = (max.min(-1).unsigned_abs(), min.unsigned_abs());
        kinds.push(((high - low) as f64 + 1.0, Sizes::exactly(1).and(digits(low, high))));
    }
    if min <= 0 && max >= 0 {
        kinds.push((1.0, Sizes::exactly(1)));
    }
    if max > 0 {
        let (low, high) = (min.max(1) as u64, max as u64);
        kinds.push(((high - low) as f64 + 1.0, digits(low, high)));
    }
    let count: f64 = kinds.iter().map(|(count, _)| count).sum();
    Sizes {
        min_bytes: kinds.iter().map(|(_, sizes)| sizes.min_bytes).min().unwrap_or(0),
        mean_bytes: kinds.iter().map(|(n, sizes)| n * sizes.mean_bytes).sum::<f64>() / count,
        max_bytes: kinds.iter().map(|(_, sizes)| sizes.max_bytes).max().unwrap_or(0),
    }
}

/// Significant digits that tell any two floats apart.
const FLOAT_DIGITS: f64 = 17.0;

/// The mean size of what the jobs 1 to 256 write.
fn sample(write: impl Fn(u64, &mut Vec<u8>)) -> f64 {
    const SAMPLE: u64 = 256;
    let mut text = Vec::new();
    (1..=SAMPLE).for_each(|number| write(number, &mut text));
    text.len() as f64 / SAMPLE as f64
}

fn float(key: Key, min: f64, max: f64) -> Sizes {
    // Nothing but 0 is nearer to 0 than a step of the smallest of these.
    let magnitudes = [min.abs(), max.abs(), max - min];
    let one = |number| random::float(key.word(number), min, max);
    floats(one, magnitudes, min.abs().max(max.abs()))
}

/// What `one` draws, no more than `largest` from 0.
fn floats<const N: usize>(one: impl Fn(u64) -> f64, magnitudes: [f64; N], largest: f64) -> Sizes {
    let mean_bytes = sample(|number, text| write::push_f64(text, one(number)));
    let smallest = magnitudes.into_iter().filter(|size| *size > 0.0).fold(1.0, f64::min);
    let step = (smallest * f64::EPSILON / 2.0).max(f64::from_bits(1));
    let whole = largest.max(1.0).log10().floor() + 1.0;
    let zeros = (-step.log10()).max(0.0).ceil();
    Sizes {
        min_bytes: 1,
        mean_bytes,
        // Sign, digits before the point, the point, zeros, digits.
        max_bytes: (1.0 + whole + 1.0 + zeros + FLOAT_DIGITS) as u64,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integers_are_counted_exactly() {
        for (min, max) in [(0, 0), (-7, -7), (1, 6), (-15, 120), (98, 1_002), (-1_001, -9)] {
            let lengths: Vec<u64> = (min..=max).map(|n| n.to_string().len() as u64).collect();
            let sizes = integer(min, max);
            assert_eq!(sizes.min_bytes, *lengths.iter().min().unwrap(), "{min}..{max}");
            assert_eq!(sizes.max_bytes, *lengths.iter().max().unwrap(), "{min}..{max}");
            let mean = lengths.iter().sum::<u64>() as f64 / lengths.len() as f64;
            assert!((sizes.mean_bytes - mean).abs() < 1e-9, "{min}..{max}: {mean}, {sizes:?}");
        }
        let all = integer(i64::MIN, i64::MAX);
        assert_eq!((all.min_bytes, all.max_bytes), (1, 20));
    }

    #[test]
    fn job_numbers_are_counted_exactly() {
        let sizes = digits(1, 1_234);
        let mean = (9 + 90 * 2 + 900 * 3 + 235 * 4) as f64 / 1_234.0;
        assert!((sizes.mean_bytes - mean).abs() < 1e-9);
        assert_eq!((sizes.min_bytes, sizes.max_bytes), (1, 4));
        assert_eq!(digits(1, u64::MAX).max_bytes, 20);
    }
}
