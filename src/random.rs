//! Randomness without state: every drawn value is a function of a key and a number, such as a job's.
//!
//! The generator is Philox2x64-7, a keyed bijection of 128-bit counters (J. Salmon, M. Moraes,
//! R. Dror, D. Shaw, "Parallel random numbers: as easy as 1, 2, 3", SC 2011, section 3.2). It
//! serves twice:
//!
//! - A [`Key`] is made by absorbing the seed, the load's name, the job's name and the way to a
//!   field, eight bytes at a time, each step keyed by the one before. So a value depends on its own
//!   place only: editing one field changes no other.
//! - The n-th pair of words for job k under a key is `philox(key, [k, n])`. Within one field no
//!   pair comes twice, and any job's values can be had without those before it.
//!
//! The second word of a counter is split: draws count up from 0, all else has a [`Kind`] in the top
//! byte, so that a draw and a derived key never share a counter.
//!
//! These bytes are a contract: a seed stands for a payload, so a change here is a new version.

/// Multiplier of Philox2x64.
const MULTIPLIER: u64 = 0xD2B7_4407_B1CE_6E93;
/// What a round key grows by: the golden ratio's fraction in 64 bits.
const WEYL: u64 = 0x9E37_79B9_7F4A_7C15;
/// One more than the fewest that the authors found to pass all of TestU01's BigCrush (table 2).
const ROUNDS: usize = 7;
/// Distance of neighbouring floats below 1 that have 53 bits after the point.
const FLOAT_STEP: f64 = 1.0 / (1_u64 << 53) as f64;

/// The Philox2x64-7 bijection.
#[inline]
fn philox(key: u64, [mut left, mut right]: [u64; 2]) -> [u64; 2] {
    let mut round_key = key;
    for _ in 0..ROUNDS {
        let product = u128::from(MULTIPLIER) * u128::from(left);
        (left, right) = ((product >> 64) as u64 ^ round_key ^ right, product as u64);
        round_key = round_key.wrapping_add(WEYL);
    }
    [left, right]
}

/// What a step of a key's derivation stands for.
#[derive(Clone, Copy)]
#[repr(u8)]
pub enum Kind {
    /// The stream of a `load`, by its name.
    Load = 1,
    /// The stream of the phrases outside any load.
    Unnamed,
    /// A job, by its name.
    Job,
    /// The choice of a job's queue.
    Queue,
    /// The choice among a stream's jobs.
    Mix,
    /// What a job carries.
    Payload,
    /// A field of an object, by its key.
    Field,
    /// An element of a written array, by its index.
    Element,
    /// A piece of a string, by its index.
    Part,
    /// A value that `pick` chooses among, by its index.
    Alternative,
    /// The items of a `list`, all alike.
    Item,
    /// What sets an item of a `list` apart from the others, by its index.
    Salt,
    /// The id of a job's envelope, by the run.
    Run,
    /// How long a job waits before it may run.
    Delay,
    /// How soon a job is taken.
    Priority,
    /// The named arguments of a job.
    Named,
    /// A word of a job's own commands, by its index.
    Word,
    /// The row of a file, by its name in the body.
    Row,
    /// A `walk`, by its ordinal among those of its stream.
    Walk = 64,
    /// A `chaos`, likewise.
    Chaos,
    /// A `jitter`, likewise.
    Jitter,
    /// `arrivals`, likewise.
    Arrivals,
    /// A pass of a repetition, or a call of a shape, by its index.
    Pass,
    /// The calls of a shape, by its name.
    Call,
}

/// What a place in the script is drawn by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Key(u64);

impl Key {
    /// The key that a number stands for; see [`Key::value`].
    pub fn of(value: u64) -> Key {
        Key(value)
    }

    /// The key as a number.
    pub fn value(self) -> u64 {
        self.0
    }

    /// The key of a stream.
    pub fn stream(seed: u64, load: Option<&str>) -> Key {
        match load {
            Some(name) => Key(seed).named(Kind::Load, name),
            None => Key(seed).derive(Kind::Unnamed, &[]),
        }
    }

    /// The key of a part that bears a name.
    pub fn named(self, kind: Kind, name: &str) -> Key {
        self.derive(kind, name.as_bytes())
    }

    /// The key of the part with an index.
    pub fn indexed(self, kind: Kind, index: usize) -> Key {
        self.derive(kind, &(index as u64).to_le_bytes())
    }

    /// The key of a part of which there is one.
    pub fn derive(self, kind: Kind, bytes: &[u8]) -> Key {
        let mut state = self.0;
        let mut rest = bytes;
        loop {
            let taken = rest.len().min(8);
            let mut word = [0; 8];
            word[..taken].copy_from_slice(&rest[..taken]);
            // The length still to go is part of the counter, so padding can't be mistaken for text.
            let counter = [u64::from_le_bytes(word), tag(kind, rest.len() as u64)];
            state = philox(state, counter)[0];
            rest = &rest[taken..];
            if rest.is_empty() {
                return Key(state);
            }
        }
    }

    /// This key within an item of a list; see [`salt`](Key::salt).
    pub fn salted(self, salt: u64) -> Key {
        Key(self.0 ^ salt)
    }

    /// What sets the `index`-th item of this list apart in job `number`.
    pub fn salt(self, number: u64, index: u32) -> u64 {
        philox(self.0, [number, tag(Kind::Salt, u64::from(index))])[0]
    }

    /// The first two words of a job.
    #[inline]
    pub fn pair(self, number: u64) -> [u64; 2] {
        philox(self.0, [number, 0])
    }

    /// All words of a job, from its first on: for what draws until something fits.
    pub fn draws(self, number: u64) -> Draws {
        Draws { key: self.0, number, block: 0, second: None }
    }

    /// The first word of a job.
    #[inline]
    pub fn word(self, number: u64) -> u64 {
        self.pair(number)[0]
    }

    /// A whole number below `count`, or any if `count` is 0, which stands for 2⁶⁴. Each has the
    /// same probability (D. Lemire, "Fast random integer generation in an interval", 2019).
    /// `word` is the job's first, or its second where a field draws two numbers.
    #[inline]
    pub fn below(self, number: u64, word: u64, count: u64) -> u64 {
        if count == 0 {
            return word;
        }
        let product = u128::from(word) * u128::from(count);
        if (product as u64) < count {
            return self.below_again(number, product, count);
        }
        (product >> 64) as u64
    }

    /// What is left of [`Key::below`] where the word may be one of the few that favour some
    /// numbers: others are drawn in its place, from the job's second pair of words on.
    #[cold]
    fn below_again(self, number: u64, mut product: u128, count: u64) -> u64 {
        let surplus = count.wrapping_neg() % count;
        let mut block = 0;
        while (product as u64) < surplus {
            block += 1;
            let [word, _] = philox(self.0, [number, block]);
            product = u128::from(word) * u128::from(count);
        }
        (product >> 64) as u64
    }

    /// A whole number, both ends included; see [`Key::below`].
    #[inline]
    pub fn within(self, number: u64, word: u64, (min, max): (u64, u64)) -> u64 {
        min.wrapping_add(self.below(number, word, max.wrapping_sub(min).wrapping_add(1)))
    }
}

/// The words of one job under one key, in turn.
#[derive(Clone, Debug)]
pub struct Draws {
    key: u64,
    number: u64,
    block: u64,
    second: Option<u64>,
}

impl Draws {
    /// The next 64 bits.
    #[inline]
    pub fn word(&mut self) -> u64 {
        if let Some(word) = self.second.take() {
            return word;
        }
        let [first, second] = philox(self.key, [self.number, self.block]);
        self.block += 1;
        self.second = Some(second);
        first
    }

    /// A number above 0 and below 1: the middle of one of 2⁵³ equal parts.
    #[inline]
    pub fn unit(&mut self) -> f64 {
        ((self.word() >> 11) as f64 + 0.5) * FLOAT_STEP
    }
}

fn tag(kind: Kind, low: u64) -> u64 {
    (kind as u64) << 56 | low
}

/// The number from `min` to below `max` that a word stands for, in steps of 2⁻⁵³ of the way.
pub fn float(word: u64, min: f64, max: f64) -> f64 {
    let share = (word >> 11) as f64 * FLOAT_STEP;
    let width = max - min;
    let value = if width.is_finite() {
        min + width * share
    } else {
        2.0 * (min / 2.0 + (max / 2.0 - min / 2.0) * share)
    };
    // Rounding may reach the bound, which is not part of the range.
    if value < max { value } else { max.next_down().max(min) }
}

/// The bounds that cut 2⁶⁴ in proportion to `weights`; see [`choose`]. The last is left out.
pub fn thresholds(weights: impl Iterator<Item = f64> + Clone) -> Vec<u64> {
    // Divided by the largest first, so that no sum overflows.
    let largest = weights.clone().fold(0.0, f64::max);
    let total: f64 = weights.clone().map(|weight| weight / largest).sum();
    let mut sum = 0.0;
    let mut bounds: Vec<u64> = weights
        .map(|weight| {
            sum += weight / largest;
            share_of_words(sum / total)
        })
        .collect();
    bounds.pop();
    bounds
}

/// The place of a word among [`thresholds`].
pub fn choose(thresholds: &[u64], word: u64) -> usize {
    thresholds.partition_point(|bound| *bound <= word)
}

/// The number of words below which a draw falls with this probability; what lies outside 0 to 1 is
/// brought to the nearer end.
pub fn share_of_words(probability: f64) -> u64 {
    (probability * (u64::MAX as f64)) as u64
}

/// A fast sequence for filling long texts, seeded with a word: SplitMix64 (G. Steele, D. Lea,
/// C. Flood, "Fast splittable pseudorandom number generators", 2014), here the variant 13 of
/// D. Stafford's mixers.
pub struct Filler(u64);

impl Filler {
    /// The sequence of a seed.
    pub fn new(seed: u64) -> Filler {
        Filler(seed)
    }

    /// The next 64 bits.
    pub fn word(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(WEYL);
        let mut word = self.0;
        word = (word ^ (word >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        word = (word ^ (word >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        word ^ (word >> 31)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // The known answers that the authors publish with Random123 (`kat_vectors`).
    #[test]
    fn philox_gives_the_published_answers() {
        assert_eq!(philox(0, [0, 0]), [0xb41d_a69f_bfef_c666, 0x511e_9ce1_a553_4056]);
        let ones = u64::MAX;
        assert_eq!(philox(ones, [ones, ones]), [0xa469_6cc0_4462_015d, 0x7247_82da_e171_69e9]);
        assert_eq!(
            philox(0xa409_3822_299f_31d0, [0x243f_6a88_85a3_08d3, 0x1319_8a2e_0370_7344]),
            [0x98ed_1534_392b_f372, 0x6752_8b15_6888_2fd5]
        );
    }

    // The first outputs for seed 1234567 of the SplitMix64 in common use.
    #[test]
    fn filler_gives_the_published_sequence() {
        let mut filler = Filler::new(1_234_567);
        let words: Vec<u64> = (0..3).map(|_| filler.word()).collect();
        assert_eq!(
            words,
            [6_457_827_717_110_365_317, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423]
        );
    }

    #[test]
    fn keys_tell_places_apart() {
        let root = Key::stream(1, None);
        let keys = [
            root,
            Key::stream(2, None),
            Key::stream(1, Some("")),
            Key::stream(1, Some("\0")),
            Key::stream(1, Some("a")),
            root.named(Kind::Job, "a"),
            root.named(Kind::Field, "a"),
            root.named(Kind::Field, "a\0"),
            root.named(Kind::Field, "a").named(Kind::Field, "b"),
            root.named(Kind::Field, "b").named(Kind::Field, "a"),
            root.named(Kind::Field, "ab"),
            root.named(Kind::Field, "eight by"),
            root.named(Kind::Field, "eight byte"),
            root.indexed(Kind::Part, 0),
            root.indexed(Kind::Part, 1),
            root.indexed(Kind::Element, 0),
        ];
        for (i, one) in keys.iter().enumerate() {
            for other in &keys[i + 1..] {
                assert_ne!(one, other);
            }
        }
    }

    #[test]
    fn rejection_leaves_no_bias() {
        // Four words go to three values here: without rejection every third value would take two of
        // them and so come half the time.
        let count = 3 << 62;
        let mut low = 0;
        for number in 1..=30_000 {
            let value = Key(7).below(number, Key(7).word(number), count);
            assert!(value < count);
            low += u32::from(value.is_multiple_of(3));
        }
        assert!((9_600..10_400).contains(&low), "{low}");
    }

    #[test]
    fn floats_stay_below_their_bound() {
        let narrow = (1.0, 1.0 + 2.0 * f64::EPSILON);
        let wide = (f64::MIN, f64::MAX);
        for (min, max) in [narrow, wide, (0.0, f64::MIN_POSITIVE), (-1.0, 0.0)] {
            for number in 1..=2_000 {
                let value = float(Key(3).word(number), min, max);
                assert!(min <= value && value < max, "{value} of {min}..{max}");
            }
        }
        assert_eq!(float(7, 2.5, 2.5), 2.5);
    }

    #[test]
    fn thresholds_cut_in_proportion() {
        assert_eq!(thresholds([1.0].into_iter()), Vec::<u64>::new());
        assert_eq!(thresholds([1.0, 1.0].into_iter()), [1 << 63]);
        assert_eq!(thresholds([f64::MAX, f64::MAX].into_iter()), [1 << 63]);
        let bounds = thresholds([1.0, 2.0, 1.0].into_iter());
        assert_eq!(bounds, [1 << 62, 3 << 62]);
        assert_eq!(choose(&bounds, 0), 0);
        assert_eq!(choose(&bounds, (1 << 62) - 1), 0);
        assert_eq!(choose(&bounds, 1 << 62), 1);
        assert_eq!(choose(&bounds, u64::MAX), 2);
    }
}
