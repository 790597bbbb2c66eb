//! What goes over one connection: everything where the target is one server, and in a cluster the
//! queues of one hash slot, since a transaction must keep to one.

use super::control::Control;
use super::cursor::Cursor;
use super::link::Link;
use super::route::{Way, slot};
use super::{Options, broken};
use crate::sink::{Args, Command, Failure, Outcome, Queue, formats};
use futures_util::future::{Either, join_all};
use std::collections::BTreeMap;
use std::future::Future;
use std::sync::{Arc, Mutex, PoisonError};

/// A connection for jobs, one for questions, and the proof of what went over the first.
pub(super) struct Lane {
    pub(super) link: Link,
    pub(super) control: Control,
    pub(super) cursor: Option<Cursor>,
}

/// One lane, or one a slot.
pub(super) enum Lanes {
    One(Arc<Lane>),
    BySlot(Box<Slots>),
}

/// Lanes of a cluster, by slot. One that is not there yet is made when it is first needed.
pub(super) struct Slots {
    way: Way,
    /// The name of the run, where batches carry their proof.
    run: Option<String>,
    options: Options,
    lanes: Mutex<BTreeMap<u16, Arc<Lane>>>,
    /// The slots by the numbers of their lanes, as they were first asked for.
    numbers: Mutex<Vec<u16>>,
}

/// Lanes that one run may have: each is two connections.
const MOST_LANES: usize = 512;

/// The key that says in which slot a queue is.
pub(super) fn key_of(queue: &Queue) -> String {
    formats::home(queue).map_or_else(|| queue.name.clone(), |(key, _)| key)
}

impl Slots {
    pub(super) fn new(way: Way, run: Option<String>, options: Options) -> Slots {
        Slots { way, run, options, lanes: Mutex::default(), numbers: Mutex::default() }
    }

    /// The way to a slot, and the proof that batches to it carry.
    pub(super) fn parts(&self, key: &[u8]) -> (Arc<Way>, Option<Cursor>) {
        let name = String::from_utf8_lossy(key);
        let slot = slot::of_key(key);
        let cursor = self.run.as_ref().map(|run| Cursor::beside_key(&name, run).of_slot(slot));
        (Arc::new(self.way.to_slot(slot)), cursor)
    }

    pub(super) fn put(&self, key: &[u8], lane: Lane) {
        self.lock().insert(slot::of_key(key), Arc::new(lane));
    }

    pub(super) fn has(&self, key: &[u8]) -> bool {
        self.lock().contains_key(&slot::of_key(key))
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, BTreeMap<u16, Arc<Lane>>> {
        self.lanes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The lane that a key's commands go over; none beyond the bound.
    fn lane(&self, key: &[u8]) -> Option<Arc<Lane>> {
        let mut lanes = self.lock();
        let slot = slot::of_key(key);
        if let Some(lane) = lanes.get(&slot) {
            return Some(lane.clone());
        }
        if lanes.len() >= MOST_LANES {
            return None;
        }
        let (way, cursor) = self.parts(key);
        let control = Control::new(way.clone(), self.options.ask_timeout);
        let link = Link::start_later(way, cursor.clone(), self.options);
        let lane = Arc::new(Lane { link, control, cursor });
        lanes.insert(slot, lane.clone());
        Some(lane)
    }

    /// Sends each command over its lane.
    fn send(
        &self,
        commands: &[Command],
        mark: u64,
    ) -> impl Future<Output = Vec<Outcome>> + Send + 'static + use<> {
        let mut by_slot: BTreeMap<u16, (Vec<usize>, Vec<Command>)> = BTreeMap::new();
        for (place, command) in commands.iter().enumerate() {
            let slot = slot::of_key(slot::first_key(&command.args).unwrap_or_default());
            let (places, own) = by_slot.entry(slot).or_default();
            places.push(place);
            own.push(command.clone());
        }
        let sent: Vec<_> = by_slot
            .into_values()
            .map(|(places, own)| {
                let key = own.first().and_then(|command| slot::first_key(&command.args));
                let lane = self.lane(key.unwrap_or_default());
                let answer = lane.map(|lane| lane.link.send(&own, mark));
                let count = own.len();
                async move {
                    let outcomes = match answer {
                        Some(answer) => answer.await,
                        None => vec![Outcome::Failed(too_many()); count],
                    };
                    (places, outcomes)
                }
            })
            .collect();
        let count = commands.len();
        async move {
            let lost = Outcome::Unknown(broken("no outcome for a command"));
            let mut all = vec![lost; count];
            for (places, outcomes) in join_all(sent).await {
                for (place, outcome) in places.into_iter().zip(outcomes) {
                    all[place] = outcome;
                }
            }
            all
        }
    }
}

fn too_many() -> Failure {
    Failure {
        kind: "lanes".to_owned(),
        message: format!("queues in more than {MOST_LANES} hash slots of a cluster"),
        lasting: true,
    }
}

impl Lanes {
    pub(super) fn send(
        &self,
        commands: &[Command],
        mark: u64,
    ) -> impl Future<Output = Vec<Outcome>> + Send + 'static + use<> {
        match self {
            Lanes::One(lane) => Either::Left(lane.link.send(commands, mark)),
            Lanes::BySlot(slots) => Either::Right(slots.send(commands, mark)),
        }
    }

    pub(super) fn all(&self) -> Vec<Arc<Lane>> {
        match self {
            Lanes::One(lane) => vec![lane.clone()],
            Lanes::BySlot(slots) => slots.lock().values().cloned().collect(),
        }
    }

    /// The lane of a queue.
    ///
    /// # Errors
    ///
    /// When there are too many already.
    pub(super) fn of_queue(&self, queue: &Queue) -> Result<Arc<Lane>, Failure> {
        match self {
            Lanes::One(lane) => Ok(lane.clone()),
            Lanes::BySlot(slots) => slots.lane(key_of(queue).as_bytes()).ok_or_else(too_many),
        }
    }

    /// The lane of commands.
    ///
    /// # Errors
    ///
    /// When there are too many already.
    pub(super) fn of_commands(&self, args: &Args) -> Result<Arc<Lane>, Failure> {
        match self {
            Lanes::One(lane) => Ok(lane.clone()),
            Lanes::BySlot(slots) => {
                slots.lane(slot::first_key(args).unwrap_or_default()).ok_or_else(too_many)
            }
        }
    }

    /// What a command that needs keys of several slots has, if there is such a one: those of the
    /// first two, the cursor's among them.
    pub(super) fn crossing(&self, args: &Args) -> Option<[String; 2]> {
        let Lanes::BySlot(slots) = self else { return None };
        let first = slot::first_key(args)?.to_vec();
        let (_, cursor) = slots.parts(&first);
        let mut keys = slot::all_keys(args);
        keys.extend(cursor.map(|cursor| cursor.key().as_bytes().to_vec()));
        let other = keys.into_iter().find(|key| slot::of_key(key) != slot::of_key(&first))?;
        Some([first, other].map(|key| String::from_utf8_lossy(&key).into_owned()))
    }

    /// For each queue the number of its lane, which stays the same.
    pub(super) fn numbers(&self, queues: &[Queue]) -> Vec<usize> {
        let Lanes::BySlot(slots) = self else { return vec![0; queues.len()] };
        let mut numbers = slots.numbers.lock().unwrap_or_else(PoisonError::into_inner);
        let number = |queue: &Queue| {
            let slot = slot::of_key(key_of(queue).as_bytes());
            numbers.iter().position(|known| *known == slot).unwrap_or_else(|| {
                numbers.push(slot);
                numbers.len() - 1
            })
        };
        queues.iter().map(number).collect()
    }

    /// The lane of a number, if it has been made: that is done when it is first needed.
    pub(super) fn numbered(&self, number: usize) -> Option<Arc<Lane>> {
        match self {
            Lanes::One(lane) => Some(lane.clone()),
            Lanes::BySlot(slots) => {
                let numbers = slots.numbers.lock().unwrap_or_else(PoisonError::into_inner);
                let slot = *numbers.get(number)?;
                slots.lock().get(&slot).cloned()
            }
        }
    }

    /// The first key of commands, as a name.
    pub(super) fn first_key(&self, args: &Args) -> String {
        String::from_utf8_lossy(slot::first_key(args).unwrap_or_default()).into_owned()
    }

    /// Two keys that both stand for a queue, if they lie in different slots.
    pub(super) fn apart(&self, one: &str, other: &str) -> Option<[String; 2]> {
        let Lanes::BySlot(_) = self else { return None };
        let differ = slot::of_key(one.as_bytes()) != slot::of_key(other.as_bytes());
        differ.then(|| [one.to_owned(), other.to_owned()])
    }
}
