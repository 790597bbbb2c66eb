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
}

impl QueueDepth {
    /// Notes a reading during the run.
    pub fn seen(&mut self, depth: u64) {
        self.latest = Some(depth);
        self.max = self.max.max(Some(depth));
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
