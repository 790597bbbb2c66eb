//! Servers that hang while their connections stand.

use super::super::route::Turns;
use std::future::Future;
use std::pin::Pin;
use std::time::Duration;
use tokio::time::Instant;

/// Whether another server has taken over: some unit if it has.
pub(super) type Check = Pin<Box<dyn Future<Output = Option<()>> + Send>>;

/// How long a server may leave what was sent unanswered before others are asked whether it is still
/// the one to speak to.
const SILENT_FOR: Duration = Duration::from_secs(2);

/// Looks out for a server that hangs while another has taken over: the connection to it may stand
/// for good.
pub(super) struct Silence<F> {
    /// There are others.
    counts: bool,
    since: Option<Instant>,
    check: F,
    checking: Option<Check>,
}

impl<F: Fn() -> Option<Check>> Silence<F> {
    pub(super) fn new(turns: Turns, check: F) -> Silence<F> {
        Silence { counts: turns != Turns::Never, since: None, check, checking: None }
    }

    pub(super) fn ends(&mut self) {
        self.since = None;
        self.checking = None;
    }

    /// Whether anything is waited for.
    pub(super) fn matters(&mut self, in_flight: bool) -> bool {
        if !self.counts {
            return false;
        }
        if !in_flight {
            self.ends();
        } else if self.since.is_none() {
            self.since = Some(Instant::now());
        }
        in_flight
    }

    /// Resolves when another server has taken over.
    pub(super) async fn is_over(&mut self) {
        loop {
            if self.checking.is_none() {
                let since = self.since.unwrap_or_else(Instant::now);
                tokio::time::sleep_until(since + SILENT_FOR).await;
                self.checking = (self.check)();
            }
            let Some(checking) = &mut self.checking else { return std::future::pending().await };
            let found = checking.await;
            self.checking = None;
            if found.is_some() {
                return;
            }
            self.since = Some(Instant::now());
        }
    }
}
