//! A clock without time: it stands still while anything can be done, then jumps to the next
//! instant that somebody sleeps for. A run on it takes no longer than its work and comes out the
//! same every time.

use super::{Clock, give_way};
use std::collections::BTreeMap;
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Wake, Waker};

/// The hands of a [`Rehearsal`]. Clones show the same time.
#[derive(Clone, Debug, Default)]
pub struct RehearsalClock {
    shared: Arc<Mutex<Shared>>,
}

#[derive(Debug, Default)]
struct Shared {
    now_ns: u64,
    origin_ns: u64,
    start_unix_ns: u64,
    tickets: u64,
    sleepers: BTreeMap<(u64, u64), Waker>,
}

impl RehearsalClock {
    fn shared(&self) -> MutexGuard<'_, Shared> {
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lets time pass without anybody being woken meanwhile, as when the whole process is stopped.
    pub fn stall(&self, by_ns: u64) {
        let mut shared = self.shared();
        shared.now_ns = shared.now_ns.saturating_add(by_ns);
    }

    /// Jumps to the earliest sleeper's instant and wakes everybody due there. False if nobody
    /// sleeps.
    fn jump(&self) -> bool {
        let mut shared = self.shared();
        let Some((&(until_ns, _), _)) = shared.sleepers.first_key_value() else {
            return false;
        };
        shared.now_ns = shared.now_ns.max(until_ns);
        let after_now = (shared.now_ns.saturating_add(1), 0);
        let later = shared.sleepers.split_off(&after_now);
        let due = std::mem::replace(&mut shared.sleepers, later);
        drop(shared);
        due.into_values().for_each(Waker::wake);
        true
    }
}

/// A sleeper's place; leaving it empties it.
struct Ticket<'a> {
    clock: &'a RehearsalClock,
    key: (u64, u64),
}

impl Drop for Ticket<'_> {
    fn drop(&mut self) {
        self.clock.shared().sleepers.remove(&self.key);
    }
}

impl Clock for RehearsalClock {
    fn start_at(&self, run_ns: u64) {
        let mut shared = self.shared();
        let wall_ns = shared.start_unix_ns + (shared.now_ns - shared.origin_ns);
        shared.start_unix_ns = wall_ns.saturating_sub(run_ns);
        shared.origin_ns = shared.now_ns;
        shared.now_ns = shared.now_ns.saturating_add(run_ns);
    }

    fn now_ns(&self) -> u64 {
        let shared = self.shared();
        shared.now_ns - shared.origin_ns
    }

    fn start_unix_ns(&self) -> u64 {
        self.shared().start_unix_ns
    }

    /// Unlike other clocks, any number of sleepers at a time.
    async fn sleep_until(&self, run_ns: u64) {
        let ticket = {
            let mut shared = self.shared();
            shared.tickets += 1;
            let until_ns = shared.origin_ns.saturating_add(run_ns);
            Ticket { clock: self, key: (until_ns, shared.tickets) }
        };
        if self.shared().now_ns >= ticket.key.0 {
            return give_way().await;
        }
        poll_fn(|context| {
            let mut shared = self.shared();
            if shared.now_ns >= ticket.key.0 {
                return Poll::Ready(());
            }
            shared.sleepers.insert(ticket.key, context.waker().clone());
            Poll::Pending
        })
        .await;
    }
}

/// Runs one future and all that lives in it on a [`RehearsalClock`].
#[derive(Debug, Default)]
pub struct Rehearsal {
    clock: RehearsalClock,
}

struct Flag(AtomicBool);

impl Wake for Flag {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::Release);
    }
}

impl Rehearsal {
    /// A rehearsal whose clock reads 0, at this time since the Unix epoch.
    pub fn starting_at(start_unix_ns: u64) -> Rehearsal {
        let rehearsal = Rehearsal::default();
        rehearsal.clock.shared().start_unix_ns = start_unix_ns;
        rehearsal
    }

    /// The clock to hand to whatever runs.
    pub fn clock(&self) -> RehearsalClock {
        self.clock.clone()
    }

    /// Polls until the future is done. `None` if it never will be: it waits, and nobody sleeps.
    pub fn play<T>(&self, future: impl Future<Output = T>) -> Option<T> {
        let mut future = pin!(future);
        let flag = Arc::new(Flag(AtomicBool::new(true)));
        let waker = Waker::from(flag.clone());
        let mut context = Context::from_waker(&waker);
        loop {
            if flag.0.swap(false, Ordering::Acquire) {
                if let Poll::Ready(value) = future.as_mut().poll(&mut context) {
                    return Some(value);
                }
            } else if !self.clock.jump() {
                return None;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::future::join;

    #[test]
    fn jumps_to_the_next_sleeper_and_no_further() {
        let rehearsal = Rehearsal::starting_at(500);
        let clock = rehearsal.clock();
        let seen = Mutex::new(Vec::new());
        let sleeper = async |until_ns: u64| {
            clock.sleep_until(until_ns).await;
            seen.lock().unwrap().push((until_ns, clock.now_ns()));
        };
        rehearsal
            .play(join(join(sleeper(30), sleeper(10)), join(sleeper(20), sleeper(0))))
            .unwrap();
        assert_eq!(*seen.lock().unwrap(), [(0, 0), (10, 10), (20, 20), (30, 30)]);
        assert_eq!(clock.start_unix_ns(), 500);
    }

    #[test]
    fn a_stall_makes_sleepers_late() {
        let rehearsal = Rehearsal::default();
        let clock = rehearsal.clock();
        let woken = rehearsal.play(async {
            clock.sleep_until(5).await;
            clock.stall(100);
            clock.sleep_until(50).await;
            clock.now_ns()
        });
        assert_eq!(woken, Some(105));
    }

    #[test]
    fn starting_moves_the_origin_and_the_calendar() {
        let rehearsal = Rehearsal::starting_at(1_000);
        let clock = rehearsal.clock();
        rehearsal.play(clock.sleep_until(7)).unwrap();
        clock.start();
        assert_eq!((clock.now_ns(), clock.start_unix_ns()), (0, 1_007));
    }

    #[test]
    fn sees_when_nothing_will_ever_happen() {
        assert_eq!(Rehearsal::default().play(std::future::pending::<()>()), None);
        let rehearsal = Rehearsal::default();
        let clock = rehearsal.clock();
        // A sleep that was given up wakes nobody.
        let outcome = rehearsal.play(async {
            tokio::select! {
                biased;
                () = clock.sleep_until(10) => {}
                () = give_way() => {}
            }
            std::future::pending::<()>().await;
        });
        assert_eq!((outcome, clock.now_ns()), (None, 0));
    }
}
