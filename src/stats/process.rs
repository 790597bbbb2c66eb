//! What the tool itself used.

use rustix::time::{ClockId, clock_gettime};
use std::fmt;
use std::sync::Arc;

/// What this process uses at an instant.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Used {
    /// Processor time so far, in seconds.
    pub cpu_s: f64,
    /// Memory that is resident, in bytes, where the system tells.
    pub rss_bytes: Option<u64>,
}

/// Reads what this process uses.
#[derive(Clone)]
pub struct Meter(Arc<dyn Fn(u64) -> Used + Send + Sync>);

impl fmt::Debug for Meter {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("Meter")
    }
}

impl Default for Meter {
    /// The one that asks the system.
    fn default() -> Meter {
        Meter::new(|_| Used { cpu_s: cpu_s(), rss_bytes: rss_bytes() })
    }
}

impl Meter {
    /// One that says what a function of the run's time says, in nanoseconds.
    pub fn new(read: impl Fn(u64) -> Used + Send + Sync + 'static) -> Meter {
        Meter(Arc::new(read))
    }

    /// What is used now.
    pub fn read(&self, now_ns: u64) -> Used {
        (self.0)(now_ns)
    }
}

/// The processor time this process has used so far, user and system, in seconds.
pub fn cpu_s() -> f64 {
    let used = clock_gettime(ClockId::ProcessCPUTime);
    used.tv_sec as f64 + used.tv_nsec as f64 / 1e9
}

/// The most memory this process has had resident, in bytes; `None` where the system does not tell.
pub fn rss_max_bytes() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kib: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    kib.checked_mul(1_024)
}

/// The memory this process has resident now, in bytes; `None` where the system does not tell.
pub fn rss_bytes() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/statm").ok()?;
    let pages: u64 = status.split(' ').nth(1)?.parse().ok()?;
    pages.checked_mul(u64::try_from(rustix::param::page_size()).ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn processor_time_never_falls() {
        let before = cpu_s();
        let sum: u64 = (0..100_000).sum();
        assert!(sum > 0 && cpu_s() >= before && before >= 0.0);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn resident_memory_is_told() {
        assert!(rss_max_bytes().is_some_and(|bytes| bytes > 100_000));
        let now = Meter::default().read(0).rss_bytes;
        assert!(now.is_some_and(|bytes| bytes > 100_000));
    }
}
