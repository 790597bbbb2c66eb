//! The digest: a short name for exactly this schedule and exactly these payloads.

use crate::calendar::Start;
use crate::plan::Stream;
use crate::timeline::curve::Arrivals;
use sha2::{Digest as _, Sha256};
use std::fmt::Write as _;

/// Bytes of the hash that are kept: enough that two scripts never share one by chance.
const BYTES: usize = 8;

/// The digest of some streams under a seed. Names of loads and jobs are part of it, since what is
/// drawn is keyed by them; comments, labels, guards, expectations and the target are not.
pub(super) fn digest(seed: u64, starts: Option<&Start>, streams: &[Stream]) -> String {
    let mut hash = Sha256::new();
    hash.update(concat!("loadc ", env!("CARGO_PKG_VERSION"), "\n"));
    hash.update(seed.to_le_bytes());
    if let Some(starts) = starts {
        hash.update(starts.unix_s.to_le_bytes());
    }
    for stream in streams {
        let jobs = stream.mix.iter().map(|entry| (&*entry.job, entry.weight)).collect::<Vec<_>>();
        let parts = serde_json::to_vec(&(&stream.name, stream.after_ns, &stream.curve, jobs));
        // Plain data with string keys always serialises.
        let parts = parts.unwrap_or_default();
        hash.update((parts.len() as u64).to_le_bytes());
        hash.update(parts);
        if let (Some(until), false) = (stream.until, stream.steps.is_empty()) {
            hash.update(until.at_ns.to_le_bytes());
            hash.update(until.last.to_le_bytes());
        }
        for flow in stream.mix.iter().filter_map(|entry| entry.flow.as_ref()) {
            // Plain data, as above.
            hash.update(serde_json::to_vec(&(&flow.flow, &flow.jobs)).unwrap_or_default());
        }
        if let Some(jobs) = stream.timeline.held_to().or(stream.held_to) {
            hash.update(jobs.to_le_bytes());
        }
        for wait in &stream.waits {
            hash.update(format!("{:?} {}-{}", wait.kind, wait.start_ns, wait.end_ns));
        }
        if stream.batch > 1 {
            hash.update(stream.batch.to_le_bytes());
        }
        if stream.arrivals != Arrivals::Even {
            hash.update(stream.arrivals.to_string());
        }
    }
    let mut out = String::with_capacity(2 * BYTES);
    for byte in &hash.finalize()[..BYTES] {
        // Writing into a String cannot fail.
        let _ = write!(out, "{byte:02x}");
    }
    out
}
