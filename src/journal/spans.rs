//! Sets of jobs, as ranges of their indices by streams.

use std::fmt::{self, Write as _};

/// Jobs of a stream that stand in a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Span {
    /// The stream.
    pub stream: usize,
    /// The first index.
    pub first: u64,
    /// The last.
    pub last: u64,
}

/// A list of spans.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Spans(Vec<Span>);

impl Spans {
    /// Adds a job, to the last span if it follows on that.
    pub fn push(&mut self, stream: usize, index: u64) {
        match self.0.last_mut() {
            Some(last) if last.stream == stream && last.last.checked_add(1) == Some(index) => {
                last.last = index;
            }
            _ => self.0.push(Span { stream, first: index, last: index }),
        }
    }

    /// Adds jobs in a row, if there are any.
    pub fn push_range(&mut self, stream: usize, first: u64, last: u64) {
        if first > last {
            return;
        }
        self.push(stream, first);
        if let Some(span) = self.0.last_mut() {
            span.last = last;
        }
    }

    /// The spans.
    pub fn iter(&self) -> impl Iterator<Item = Span> {
        self.0.iter().copied()
    }

    /// Every job: stream and index.
    pub fn jobs(&self) -> impl Iterator<Item = (usize, u64)> {
        self.iter().flat_map(|span| (span.first..=span.last).map(move |index| (span.stream, index)))
    }

    /// How many jobs.
    pub fn len(&self) -> u64 {
        self.iter().fold(0, |sum, span| sum.saturating_add(span.last - span.first + 1))
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Takes all out and keeps the room they had.
    pub fn clear(&mut self) {
        self.0.clear();
    }

    /// Reads what `Display` writes, of at most `most` jobs.
    pub(super) fn parse(text: &str, most: u64) -> Option<Spans> {
        let mut spans = Vec::new();
        let mut jobs = 0_u64;
        for part in text.split(';') {
            let (stream, range) = part.split_once(':')?;
            let (first, last) = range.split_once('-')?;
            let (first, last): (u64, u64) = (first.parse().ok()?, last.parse().ok()?);
            jobs = jobs.checked_add(last.checked_sub(first)?.checked_add(1)?)?;
            spans.push(Span { stream: stream.parse().ok()?, first, last });
        }
        (jobs <= most && spans.iter().all(|span| span.first > 0)).then_some(Spans(spans))
    }
}

impl fmt::Display for Spans {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, Span { stream, first, last }) in self.iter().enumerate() {
            if place > 0 {
                f.write_char(';')?;
            }
            write!(f, "{stream}:{first}-{last}")?;
        }
        Ok(())
    }
}
