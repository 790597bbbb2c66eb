//! Telling others that a guard was hit: a command that is run, an address that is posted to.
//!
//! Each has a thread of its own and a short queue, so that one that hangs holds up neither the run
//! nor the others. What could not be told is said once it is given up.

mod deliver;

use crate::plan::Notify;
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Messages that wait for one to be told at the most.
const WAITING: usize = 64;

/// Tells everybody whom a script names.
#[derive(Debug)]
pub struct Notifier {
    told: Vec<Told>,
    shared: Arc<Shared>,
}

/// Somebody to tell.
#[derive(Debug)]
struct Told {
    text: String,
    messages: SyncSender<String>,
}

#[derive(Debug, Default)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    /// Messages accepted and not yet told or given up.
    open: usize,
    troubles: Vec<String>,
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn settle(&self, trouble: Option<String>) {
        let mut state = self.state();
        state.open = state.open.saturating_sub(1);
        state.troubles.extend(trouble);
        self.changed.notify_all();
    }
}

impl Notifier {
    /// Ready to tell these, or `None` if there is nobody.
    pub fn start(notify: &[Notify]) -> Option<Notifier> {
        if notify.is_empty() {
            return None;
        }
        let shared = Arc::new(Shared::default());
        let told = notify.iter().map(|notify| {
            let (messages, waiting) = sync_channel(WAITING);
            let (own, state) = (notify.clone(), Arc::clone(&shared));
            let work = move || tell_all(&own, &waiting, &state);
            // Without a thread to be had the queue is closed, which is said when it is used.
            let _ = std::thread::Builder::new().name("notify".to_owned()).spawn(work);
            Told { text: notify.text.clone(), messages }
        });
        let told = told.collect();
        Some(Notifier { told, shared })
    }

    /// Tells everybody, without waiting for any of them.
    pub fn tell(&self, message: &str) {
        for told in &self.told {
            self.shared.state().open += 1;
            let why = match told.messages.try_send(message.to_owned()) {
                Ok(()) => continue,
                Err(TrySendError::Full(_)) => "too many messages wait already",
                Err(TrySendError::Disconnected(_)) => "no thread for it",
            };
            self.shared.settle(Some(format!("`{}` was not told: {why}", told.text)));
        }
    }

    /// What could not be told since the last call.
    pub fn troubles(&self) -> Vec<String> {
        std::mem::take(&mut self.shared.state().troubles)
    }

    /// Waits until everything is told, but no longer than this; says what was not.
    pub fn finish(&self, within: Duration) -> Vec<String> {
        let state = self.shared.state();
        let waited = self.shared.changed.wait_timeout_while(state, within, |state| state.open > 0);
        let (mut state, _) = waited.unwrap_or_else(PoisonError::into_inner);
        let mut troubles = std::mem::take(&mut state.troubles);
        if state.open > 0 {
            let left = crate::show::plural(state.open as u64, "message");
            troubles.push(format!(
                "{left} to those who are to be told of guards did not get through in time"
            ));
        }
        troubles
    }
}

fn tell_all(notify: &Notify, messages: &Receiver<String>, shared: &Shared) {
    while let Ok(message) = messages.recv() {
        let outcome = deliver::deliver(notify, &message);
        shared.settle(outcome.err().map(|why| format!("`{}` was not told: {why}", notify.text)));
    }
}

#[cfg(test)]
mod tests;
