//! Jobs in a stream: `XADD key [MAXLEN ~ n] * field value …`, one command a job.

use super::Args;

/// The words before the fields. With `max_len` the server trims to about that many entries, at the
/// borders of its own blocks, which costs it nothing.
pub(super) fn begin(key: &str, max_len: Option<u64>, args: &mut Args) {
    args.push(b"XADD");
    args.push(key.as_bytes());
    if let Some(max_len) = max_len {
        args.push(b"MAXLEN");
        args.push(b"~");
        args.push_with(|bytes| bytes.extend_from_slice(max_len.to_string().as_bytes()));
    }
    args.push(b"*");
}
