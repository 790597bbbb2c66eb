//! How full queues are.

/// The depth of one queue over a run, as far as it could be read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct QueueDepth {
    /// Before the first job.
    pub start: Option<u64>,
    /// After the last.
    pub end: Option<u64>,
    /// The largest seen.
    pub max: Option<u64>,
    /// The last one seen.
    pub latest: Option<u64>,
    /// The largest that is judged, where that is not of all.
    judged: Option<Option<u64>>,
}

impl QueueDepth {
    /// Notes a reading during the run.
    pub fn seen(&mut self, depth: u64) {
        self.latest = Some(depth);
        self.max = self.max.max(Some(depth));
        if let Some(judged) = &mut self.judged {
            *judged = (*judged).max(Some(depth));
        }
    }

    /// Notes a reading while jobs that only warm up go to the queue: no expectation judges it.
    pub fn seen_unjudged(&mut self, depth: u64) {
        let judged = self.judged.unwrap_or(self.max);
        self.seen(depth);
        self.judged = Some(judged);
    }

    /// The largest that expectations judge; none if there was none, or none could be read.
    pub fn judged_max(&self) -> Option<u64> {
        self.judged.unwrap_or(self.max)
    }

    /// Notes the reading before the run.
    pub fn at_start(&mut self, depth: u64) {
        self.start = Some(depth);
        self.seen(depth);
    }

    /// Notes the reading after the run.
    pub fn at_end(&mut self, depth: u64) {
        self.end = Some(depth);
        self.seen(depth);
    }
}
