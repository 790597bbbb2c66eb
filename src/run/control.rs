//! The one handle by which a run is told anything from outside.

use std::sync::Arc;
use tokio::sync::watch;

/// Who ends a run before its time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Why {
    /// Somebody asked for it.
    ByHand,
    /// A signal.
    Interrupt,
}

/// How a run is to end before its time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// Nothing more falls due or is sent; what is in flight is waited for, within a bound.
    Drain(Why),
    /// At once: what is in flight counts as unknown.
    Now(Why),
}

/// What is wished of a run. Later fields (a new plan, a factor) join here.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Wishes {
    /// Whether and how to end it.
    pub end: Option<End>,
    /// Whether to stand still.
    pub paused: bool,
}

/// Steers a run. Clones steer the same one; wishes made before it starts hold from its start.
#[derive(Clone, Debug)]
pub struct Control {
    wishes: Arc<watch::Sender<Wishes>>,
}

impl Default for Control {
    fn default() -> Control {
        Control::new()
    }
}

impl Control {
    /// A handle that wishes nothing yet.
    pub fn new() -> Control {
        Control { wishes: Arc::new(watch::Sender::new(Wishes::default())) }
    }

    /// Ends the run gracefully: nothing more falls due, what is in flight is waited for.
    pub fn stop(&self, why: Why) {
        self.wishes.send_modify(|wishes| {
            wishes.end.get_or_insert(End::Drain(why));
        });
    }

    /// Ends the run at once.
    pub fn abort(&self, why: Why) {
        self.wishes.send_modify(|wishes| wishes.end = Some(End::Now(why)));
    }

    /// Stops the clocks of all streams, until [`Control::resume`].
    pub fn pause(&self) {
        self.wishes.send_modify(|wishes| wishes.paused = true);
    }

    /// Lets them go on. A pause by a guard stays.
    pub fn resume(&self) {
        self.wishes.send_modify(|wishes| wishes.paused = false);
    }

    /// Whether it is wished to stand still.
    pub fn is_paused(&self) -> bool {
        self.wishes.borrow().paused
    }

    /// What is wished, now and later.
    pub(crate) fn watch(&self) -> watch::Receiver<Wishes> {
        self.wishes.subscribe()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_second_wish_to_end_is_at_once() {
        let control = Control::new();
        let wishes = control.watch();
        control.stop(Why::Interrupt);
        control.stop(Why::ByHand);
        assert_eq!(wishes.borrow().end, Some(End::Drain(Why::Interrupt)));
        control.clone().abort(Why::Interrupt);
        control.stop(Why::ByHand);
        assert_eq!(wishes.borrow().end, Some(End::Now(Why::Interrupt)));
    }
}
