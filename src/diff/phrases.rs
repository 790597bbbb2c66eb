//! Which phrases changed.

use super::Pair;
use super::align::{Key, ordered};
use crate::plan::{Phrase, PhraseJobs, Stream};

/// Rates are compared at so many instants of a phrase, where its words alone differ.
const SAMPLES: u64 = 97;

/// Rates nearer to each other than this, relative to the larger, are the same: those of a phrase that
/// was moved in time may be rounded otherwise.
const TOLERANCE: f64 = 1e-9;

/// A phrase before and after, and those within it.
#[derive(Debug)]
pub(super) struct PhraseChange<'a> {
    /// The phrase itself.
    pub pair: Pair<&'a Phrase>,
    /// What is within, if it is there before and after.
    pub inner: Vec<PhraseChange<'a>>,
}

impl PhraseChange<'_> {
    /// Whether neither it nor anything within has changed.
    pub fn is_same(&self) -> bool {
        self.pair.same && self.inner.iter().all(PhraseChange::is_same)
    }
}

/// The phrases of a stream.
pub(super) fn changes<'a>(
    old: Option<&'a Stream>,
    new: Option<&'a Stream>,
) -> Vec<PhraseChange<'a>> {
    let phrases = |stream: Option<&'a Stream>| stream.map_or(&[][..], |stream| &stream.phrases);
    changed(phrases(old), phrases(new), old, new)
}

fn changed<'a>(
    olds: &'a [Phrase],
    news: &'a [Phrase],
    old_stream: Option<&'a Stream>,
    new_stream: Option<&'a Stream>,
) -> Vec<PhraseChange<'a>> {
    let (olds, news): (Vec<&Phrase>, Vec<&Phrase>) = (olds.iter().collect(), news.iter().collect());
    let exact: Key<'_, &Phrase> = &|phrase| Some(format!("{}\0{:?}", phrase.text, phrase.label));
    let words: Key<'_, &Phrase> = &|phrase| Some(phrase.text.clone());
    let label: Key<'_, &Phrase> = &|phrase| phrase.label.clone();
    let shape: Key<'_, &Phrase> =
        &|phrase| Some(phrase.text.split([' ', '(']).next().unwrap_or_default().to_owned());
    let matched = ordered(&olds, &news, &[exact, words, label, shape]);
    let change = |(old, new): (Option<&'a Phrase>, Option<&'a Phrase>)| {
        let both = old.zip(new).zip(old_stream.zip(new_stream));
        let same = both.is_some_and(|(phrases, streams)| is_same(phrases, streams));
        let inner = both.map_or(Vec::new(), |((old, new), _)| {
            changed(&old.phrases, &new.phrases, old_stream, new_stream)
        });
        PhraseChange { pair: Pair { old, new, same }, inner }
    };
    matched.into_iter().map(change).collect()
}

/// Whether two phrases send the same jobs in the same time, wherever they begin.
fn is_same((old, new): (&Phrase, &Phrase), streams: (&Stream, &Stream)) -> bool {
    let same_text = old.text == new.text;
    let same_jobs = match (old.jobs, new.jobs) {
        // Where a phrase begins decides to which of two the job between them belongs.
        (PhraseJobs::Exact(a), PhraseJobs::Exact(b)) if same_text => a.abs_diff(b) <= 1,
        (PhraseJobs::Exact(a), PhraseJobs::Exact(b)) => a == b,
        (PhraseJobs::Share(a), PhraseJobs::Share(b)) => is_near(a, b),
        _ => false,
    };
    let rates =
        |phrase: &Phrase| [phrase.rate_start_per_s, phrase.rate_end_per_s, phrase.peak_per_s];
    let same_rates = rates(old).iter().zip(rates(new)).all(|(a, b)| is_near(*a, b));
    let length = |phrase: &Phrase| phrase.end_ns - phrase.start_ns;
    let flags = |phrase: &Phrase| [phrase.is_warmup, phrase.is_bound, phrase.is_overlay];
    let in_sum = matches!(old.jobs, PhraseJobs::Share(_));
    same_jobs
        && same_rates
        && flags(old) == flags(new)
        && length(old) == length(new)
        && (same_text || !in_sum && has_same_form((old, new), streams))
}

/// Whether the rates of two phrases of one length are the same throughout.
fn has_same_form((old, new): (&Phrase, &Phrase), streams: (&Stream, &Stream)) -> bool {
    let length = u128::from(old.end_ns - old.start_ns);
    (0..SAMPLES).all(|i| {
        let t = u64::try_from(length * u128::from(i) / u128::from(SAMPLES)).unwrap_or(0);
        let a = streams.0.timeline.rate(old.start_ns + t);
        let b = streams.1.timeline.rate(new.start_ns + t);
        is_near(a, b)
    })
}

fn is_near(a: f64, b: f64) -> bool {
    (a - b).abs() <= TOLERANCE * a.abs().max(b.abs()).max(1e-6)
}
