//! Jobs in a list: `LPUSH key job job …`, taken by the worker at the other end (`RPOP`, `BRPOP`).

use super::Args;

/// The words before the first job; every further argument is one job. A push of several takes them
/// in order, so the worker sees them in the order they were added.
pub(super) fn begin(key: &str, args: &mut Args) {
    args.push(b"LPUSH");
    args.push(key.as_bytes());
}
