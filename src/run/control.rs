//! The one handle by which a run is told anything from outside.

use super::status::Status;
use crate::notify::Notifier;
use crate::plan::Plan;
use crate::schedule::Entry;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::{mpsc, oneshot, watch};

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

/// Where the answer to an order goes.
type Answer<T> = oneshot::Sender<Result<T, String>>;

/// Something that a run is told to do and answers to.
#[derive(Debug)]
pub(crate) enum Order {
    /// Say how it is.
    Status(Answer<Box<Status>>),
    /// From here on so many times the jobs of the plan.
    Scale(f64, Answer<()>),
    /// Go on at another time of the plan, in nanoseconds from its start.
    Seek(u64, Answer<()>),
    /// Where a clock first shows a second of the day.
    SeekClock(u32, Answer<()>),
    /// Go on with another plan.
    Reload(Box<Change>, Answer<()>),
    /// Tell that a script was not taken, and why.
    Reject(String, Answer<()>),
}

/// Another plan for a run under way.
#[derive(Clone, Debug)]
pub struct Change {
    /// The plan, with every guard that is to hold.
    pub plan: Arc<Plan>,
    /// Where in it the run goes on.
    pub entry: Entry,
    /// Who is told of its guards.
    pub notifier: Option<Arc<Notifier>>,
}

/// What is wished of a run.
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
    orders: mpsc::UnboundedSender<Order>,
    /// Taken by the run when it starts.
    waiting: Arc<Mutex<Option<mpsc::UnboundedReceiver<Order>>>>,
}

impl Default for Control {
    fn default() -> Control {
        Control::new()
    }
}

impl Control {
    /// A handle that wishes nothing yet.
    pub fn new() -> Control {
        let (orders, waiting) = mpsc::unbounded_channel();
        let waiting = Arc::new(Mutex::new(Some(waiting)));
        Control { wishes: Arc::new(watch::Sender::new(Wishes::default())), orders, waiting }
    }

    /// The orders given, for the run that obeys them; a second run gets none.
    pub(crate) fn take_orders(&self) -> mpsc::UnboundedReceiver<Order> {
        let taken = self.waiting.lock().unwrap_or_else(PoisonError::into_inner).take();
        taken.unwrap_or_else(|| mpsc::unbounded_channel().1)
    }

    async fn give<T>(&self, order: impl FnOnce(Answer<T>) -> Order) -> Result<T, String> {
        let (answer, answered) = oneshot::channel();
        let over = || "the run is over".to_owned();
        self.orders.send(order(answer)).map_err(|_| over())?;
        answered.await.unwrap_or_else(|_| Err(over()))
    }

    /// How the run is.
    ///
    /// # Errors
    ///
    /// If it is over.
    pub async fn status(&self) -> Result<Box<Status>, String> {
        self.give(Order::Status).await
    }

    /// From here on `factor` times as many jobs as the plan has: 1 is the plan itself.
    ///
    /// # Errors
    ///
    /// In words, if that can't be done.
    pub async fn scale(&self, factor: f64) -> Result<(), String> {
        self.give(|answer| Order::Scale(factor, answer)).await
    }

    /// Goes on at another time of the plan, in nanoseconds from its start.
    ///
    /// # Errors
    ///
    /// In words, if that can't be done.
    pub async fn seek(&self, script_ns: u64) -> Result<(), String> {
        self.give(|answer| Order::Seek(script_ns, answer)).await
    }

    /// Goes on where a clock on the wall first shows a second of the day, as `--from 14:00` has it:
    /// from where the plan stands in the calendar, or from midnight.
    ///
    /// # Errors
    ///
    /// In words, if that can't be done.
    pub async fn seek_clock(&self, clock_s: u32) -> Result<(), String> {
        self.give(|answer| Order::SeekClock(clock_s, answer)).await
    }

    /// Goes on with another plan.
    ///
    /// # Errors
    ///
    /// In words, if that can't be done: then the run is as it was.
    pub async fn reload(&self, change: Change) -> Result<(), String> {
        self.give(|answer| Order::Reload(Box::new(change), answer)).await
    }

    /// Lets the run tell that a script was not taken.
    ///
    /// # Errors
    ///
    /// If it is over.
    pub async fn reject(&self, why: String) -> Result<(), String> {
        self.give(|answer| Order::Reject(why, answer)).await
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
