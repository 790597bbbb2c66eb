//! The machine's own clock.

use super::{Clock, give_way};
use std::io;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

/// The machine's monotonic clock. Sleeps end to the accuracy of the kernel's timers (a timerfd on
/// Linux), not to the millisecond of a runtime's timer wheel.
#[derive(Debug)]
pub struct RealClock {
    /// The run's start on the monotonic clock; before its own start for a run that is gone on with.
    origin_ns: AtomicI64,
    start_unix_ns: AtomicU64,
    timer: timer::Timer,
}

impl RealClock {
    /// A clock that starts now. To be called within a tokio runtime with I/O and time enabled.
    ///
    /// # Errors
    ///
    /// If the kernel refuses a timer, or the runtime to watch it.
    pub fn new() -> io::Result<RealClock> {
        let clock = RealClock {
            origin_ns: AtomicI64::new(0),
            start_unix_ns: AtomicU64::new(0),
            timer: timer::Timer::new()?,
        };
        clock.start();
        Ok(clock)
    }
}

impl Clock for RealClock {
    fn start_at(&self, run_ns: u64) {
        let origin_ns = signed(self.timer.monotonic_ns()).saturating_sub(signed(run_ns));
        self.origin_ns.store(origin_ns, Ordering::Relaxed);
        self.start_unix_ns.store(self.wall_ns().saturating_sub(run_ns), Ordering::Relaxed);
    }

    fn now_ns(&self) -> u64 {
        let origin_ns = self.origin_ns.load(Ordering::Relaxed);
        let run_ns = signed(self.timer.monotonic_ns()).saturating_sub(origin_ns);
        u64::try_from(run_ns).unwrap_or(0)
    }

    fn start_unix_ns(&self) -> u64 {
        self.start_unix_ns.load(Ordering::Relaxed)
    }

    fn wall_ns(&self) -> u64 {
        let unix = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        u64::try_from(unix.as_nanos()).unwrap_or(u64::MAX)
    }

    async fn sleep_until(&self, run_ns: u64) {
        let until_ns = self.origin_ns.load(Ordering::Relaxed).saturating_add(signed(run_ns));
        let until_ns = u64::try_from(until_ns).unwrap_or(0);
        if until_ns <= self.timer.monotonic_ns() {
            return give_way().await;
        }
        self.timer.sleep_until(until_ns).await;
    }
}

/// Nanoseconds as a signed number, as far as it goes: 292 years.
fn signed(ns: u64) -> i64 {
    i64::try_from(ns).unwrap_or(i64::MAX)
}

#[cfg(target_os = "linux")]
mod timer {
    use rustix::fd::OwnedFd;
    use rustix::time::{
        ClockId, Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, Timespec,
        clock_gettime, timerfd_create, timerfd_settime,
    };
    use std::io;
    use std::sync::atomic::{AtomicU64, Ordering};
    use tokio::io::unix::AsyncFd;

    /// A timer of the kernel, set to absolute instants of a clock that runs on while the machine is
    /// suspended: jobs that fall due in that time are overdue when it wakes.
    #[derive(Debug)]
    pub(super) struct Timer {
        fd: AsyncFd<OwnedFd>,
        /// What it is set to, or 0: sleeping again for the same instant costs no call.
        armed_ns: AtomicU64,
    }

    impl Timer {
        #[expect(
            deprecated,
            reason = "the constructor that replaces it is unsafe; what makes this one unsound is a \
                      type whose descriptor changes or closes under it, and an OwnedFd's cannot"
        )]
        pub(super) fn new() -> io::Result<Timer> {
            let flags = TimerfdFlags::NONBLOCK | TimerfdFlags::CLOEXEC;
            let fd = timerfd_create(TimerfdClockId::Boottime, flags)?;
            Ok(Timer { fd: AsyncFd::new(fd)?, armed_ns: AtomicU64::new(0) })
        }

        pub(super) fn monotonic_ns(&self) -> u64 {
            let now = clock_gettime(ClockId::Boottime);
            let seconds = u64::try_from(now.tv_sec).unwrap_or(0);
            let nanoseconds = u64::try_from(now.tv_nsec).unwrap_or(0);
            seconds.saturating_mul(1_000_000_000).saturating_add(nanoseconds)
        }

        /// Returns at or after an instant of the monotonic clock. Should the kernel refuse the
        /// timer, the runtime's own serves.
        pub(super) async fn sleep_until(&self, until_ns: u64) {
            if self.wait(until_ns).await.is_err() {
                let left = until_ns.saturating_sub(self.monotonic_ns());
                tokio::time::sleep(std::time::Duration::from_nanos(left)).await;
            }
        }

        /// The clock tells whether the timer has gone off, so that nothing is read from it: setting
        /// it anew takes back what it had to say.
        async fn wait(&self, until_ns: u64) -> io::Result<()> {
            if self.armed_ns.load(Ordering::Relaxed) != until_ns {
                self.arm(until_ns)?;
            }
            loop {
                let mut ready = self.fd.readable().await?;
                ready.clear_ready();
                // Or else it was of a setting before this one.
                if self.monotonic_ns() >= until_ns {
                    self.armed_ns.store(0, Ordering::Relaxed);
                    return Ok(());
                }
            }
        }

        fn arm(&self, until_ns: u64) -> io::Result<()> {
            let out_of_range = |_| io::Error::from(io::ErrorKind::InvalidInput);
            let it_value = Timespec {
                tv_sec: i64::try_from(until_ns / 1_000_000_000).map_err(out_of_range)?,
                tv_nsec: i64::try_from(until_ns % 1_000_000_000).map_err(out_of_range)?,
            };
            let it_interval = Timespec { tv_sec: 0, tv_nsec: 0 };
            let setting = Itimerspec { it_interval, it_value };
            timerfd_settime(self.fd.get_ref(), TimerfdTimerFlags::ABSTIME, &setting)?;
            self.armed_ns.store(until_ns, Ordering::Relaxed);
            Ok(())
        }
    }
}

#[cfg(not(target_os = "linux"))]
mod timer {
    use std::io;
    use std::time::{Duration, Instant};

    /// The runtime's own timers.
    #[derive(Debug)]
    pub(super) struct Timer {
        origin: Instant,
    }

    impl Timer {
        pub(super) fn new() -> io::Result<Timer> {
            Ok(Timer { origin: Instant::now() })
        }

        pub(super) fn monotonic_ns(&self) -> u64 {
            u64::try_from(self.origin.elapsed().as_nanos()).unwrap_or(u64::MAX)
        }

        pub(super) async fn sleep_until(&self, until_ns: u64) {
            let until = self.origin.checked_add(Duration::from_nanos(until_ns));
            match until {
                Some(until) => tokio::time::sleep_until(until.into()).await,
                None => std::future::pending().await,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn sleeps_never_end_early() {
        let clock = RealClock::new().unwrap();
        for step_ns in [1, 1_000, 50_000, 2_000_000] {
            let until = clock.now_ns() + step_ns;
            clock.sleep_until(until).await;
            assert!(clock.now_ns() >= until);
        }
        clock.sleep_until(0).await;
    }

    #[tokio::test]
    async fn a_sleep_given_up_does_not_end_the_next_one() {
        let clock = RealClock::new().unwrap();
        for _ in 0..20 {
            let short = clock.now_ns() + 100_000;
            tokio::select! {
                biased;
                () = clock.sleep_until(short) => {}
                () = give_way() => {}
            }
            // The short one fires unread meanwhile; only its readiness is left behind.
            while clock.now_ns() < short + 200_000 {
                tokio::task::yield_now().await;
            }
            let long = clock.now_ns() + 1_000_000;
            clock.sleep_until(long).await;
            assert!(clock.now_ns() >= long);
        }
    }

    #[tokio::test]
    async fn starting_again_moves_the_origin() {
        let clock = RealClock::new().unwrap();
        clock.sleep_until(1_000_000).await;
        let before = signed(clock.timer.monotonic_ns());
        clock.start();
        assert!(clock.origin_ns.load(Ordering::Relaxed) >= before);
        // Of a run that has lasted longer than the machine is up.
        let long_ns = u64::MAX / 4;
        clock.start_at(long_ns);
        assert!((long_ns..long_ns + 60_000_000_000).contains(&clock.now_ns()));
        clock.sleep_until(long_ns + 1_000_000).await;
        assert!(clock.now_ns() >= long_ns + 1_000_000);
    }
}
