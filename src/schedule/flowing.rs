//! A stream whose jobs begin things that go on by themselves.
//!
//! Nothing is kept of a thing: its steps follow from its number, so that any stretch of time can be
//! worked out from the jobs that may reach into it. That is done for one window after another, the
//! next by a thread of its own while the present one is played; what is kept is a window's entries and
//! one count for each window gone by.

use super::Schedule;
use super::entries::{Entries, Entry};
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

/// Windows that are kept.
const KEPT: usize = 3;
/// A window has about so many entries, unless it would be shorter than a part of the longest delay.
const ENTRIES: u64 = 1 << 17;
/// That part: shorter windows would look at the same things too often.
const PARTS: u64 = 16;
/// There are no more windows than this.
const MOST_WINDOWS: u64 = 1 << 16;

/// The jobs of a stream and the steps of the things that they begin, in the order in which they are
/// due.
pub struct Flowing {
    core: Arc<Core>,
    cache: Mutex<Cache>,
    from_ns: u64,
    /// Entries due before the run enters the plan.
    skipped: u64,
    /// All entries, those too.
    all: u64,
    end_ns: u64,
    first_window: u64,
}

/// What the windows are worked out from.
struct Core {
    entries: Entries,
    width_ns: u64,
}

impl Core {
    /// The entries of a window, in order.
    fn window(&self, window: u64) -> Vec<Entry> {
        let start_ns = window.saturating_mul(self.width_ns);
        self.entries.between(start_ns, start_ns.saturating_add(self.width_ns - 1))
    }
}

type Window = Arc<Vec<Entry>>;

#[derive(Default)]
struct Cache {
    /// Entries due before each window, from the first on.
    before: Vec<u64>,
    kept: VecDeque<(u64, Window)>,
    next: Option<(u64, JoinHandle<Vec<Entry>>)>,
}

impl Flowing {
    /// Some entries; from `from_ns` of the plan on, where the run enters it.
    pub fn new(entries: Entries, from_ns: u64) -> Flowing {
        let (all, end_ns) = (entries.count_by(u64::MAX), entries.end_ns());
        let windows = (all / ENTRIES).clamp(1, MOST_WINDOWS);
        let (shortest, longest) = entries.reach_ns;
        let width_ns = (end_ns / windows + 1).max((longest - shortest) / PARTS);
        let core = Core { entries, width_ns };
        let first_window = from_ns / core.width_ns;
        let before = |t_ns: u64| t_ns.checked_sub(1).map_or(0, |t| core.entries.count_by(t));
        let skipped = before(from_ns);
        let cache =
            Cache { before: vec![before(first_window * core.width_ns)], ..Cache::default() };
        let end_ns = end_ns.saturating_sub(from_ns);
        let flowing = Flowing {
            core: Arc::new(core),
            cache: Mutex::new(cache),
            from_ns,
            skipped,
            all,
            end_ns,
            first_window,
        };
        // The first window is there before the run begins.
        flowing.look(first_window);
        flowing
    }

    /// A window and the number of entries before it.
    fn look(&self, window: u64) -> (Window, u64) {
        let mut cache = self.cache.lock().unwrap_or_else(PoisonError::into_inner);
        let place = |window: u64| (window - self.first_window) as usize;
        let mut known = self.first_window + cache.before.len() as u64 - 1;
        // All before it are counted on the way.
        while known < window {
            let entries = cache.get(&self.core, known).len() as u64;
            let before = cache.before[place(known)] + entries;
            cache.before.push(before);
            known += 1;
        }
        (cache.get(&self.core, window), cache.before[place(window)])
    }

    /// Entries due at or before an instant of the plan.
    fn count_by(&self, t_ns: u64) -> u64 {
        if t_ns >= self.end_ns.saturating_add(self.from_ns) {
            return self.all;
        }
        let window = t_ns / self.core.width_ns;
        if window < self.first_window {
            return 0;
        }
        let (entries, before) = self.look(window);
        before + entries.partition_point(|entry| entry.due_ns <= t_ns) as u64
    }

    /// The `index`-th entry of the run.
    fn entry(&self, index: u64) -> Entry {
        let rank = index.saturating_add(self.skipped);
        if rank > self.all || index == 0 {
            return Entry { due_ns: u64::MAX, number: u64::MAX };
        }
        let mut window = {
            let cache = self.cache.lock().unwrap_or_else(PoisonError::into_inner);
            let at = cache.before.partition_point(|before| *before < rank).max(1) - 1;
            self.first_window + at as u64
        };
        loop {
            let (entries, before) = self.look(window);
            match entries.get((rank - before - 1) as usize) {
                Some(entry) => return *entry,
                None => window += 1,
            }
        }
    }
}

impl Cache {
    /// A window's entries; the one behind it is begun.
    fn get(&mut self, core: &Arc<Core>, window: u64) -> Window {
        if let Some((_, entries)) = self.kept.iter().find(|(known, _)| *known == window) {
            return Arc::clone(entries);
        }
        let made = match self.next.take() {
            Some((next, thread)) if next == window => thread.join().ok(),
            other => {
                self.next = other;
                None
            }
        };
        let entries = Arc::new(made.unwrap_or_else(|| core.window(window)));
        self.kept.push_back((window, Arc::clone(&entries)));
        if self.kept.len() > KEPT {
            self.kept.pop_front();
        }
        let newest = self.kept.iter().map(|(known, _)| *known).max() == Some(window);
        if self.next.is_none() && newest {
            let (core, next) = (Arc::clone(core), window + 1);
            let thread = std::thread::Builder::new().name("loadc-flow".to_owned());
            let thread = thread.spawn(move || core.window(next));
            self.next = thread.ok().map(|thread| (next, thread));
        }
        entries
    }
}

impl Schedule for Flowing {
    fn len(&self) -> u64 {
        self.all - self.skipped
    }

    fn due_by(&self, t_ns: u64) -> u64 {
        self.count_by(t_ns.saturating_add(self.from_ns)).saturating_sub(self.skipped)
    }

    fn time_of(&self, index: u64) -> u64 {
        self.entry(index).due_ns.saturating_sub(self.from_ns)
    }

    /// See [`thing_and_step`](super::thing_and_step).
    fn number_of(&self, index: u64) -> u64 {
        self.entry(index).number
    }

    /// That of the curve: the steps come as they fall.
    fn rate(&self, t_ns: u64) -> f64 {
        self.core.entries.due.rate(t_ns.saturating_add(self.from_ns))
    }

    fn end_ns(&self) -> u64 {
        self.end_ns
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exact::whole;
    use crate::job::{Flow, Mix, Paths, State, Way};
    use crate::schedule::{Placed, Shard, Things};
    use crate::timeline::Timeline;
    use crate::timeline::curve::Curve;
    use allocation_counter::measure;

    const SECOND: u64 = 1_000_000_000;
    const MB: u64 = 1_000_000;

    /// A thousand a second, each of which takes 1,000 s in the mean for its step.
    fn a_million_live_things() -> Arc<Core> {
        let curve = Curve::Constant { rate: whole(1_000), length: Some(whole(2_000)) };
        let due = Placed::new(Timeline::new(&curve).unwrap(), 0, Shard::WHOLE, 0);
        let way = Way { to: 1, share: 1.0, delay_ns: (600 * SECOND, 1_400 * SECOND) };
        let states = [("begun", vec![way]), ("done", Vec::new())];
        let states = states.map(|(name, ways)| State { name: name.to_owned(), ways });
        let flow = Flow { name: "order".to_owned(), states: states.into() };
        let things = Things {
            entry: 0,
            paths: Paths::new(&flow, 7, None),
            reach_ns: flow.reach_ns(),
            paces: Arc::default(),
        };
        let (due, mix) = (Box::new(due), Mix::new(&[1], 7, None));
        let flowing = Flowing::new(Entries::new(due, (mix, 1), vec![things], None), 0);
        assert_eq!(flowing.len(), 4_000_000);
        Arc::clone(&flowing.core)
    }

    /// What is kept of a flow are windows: those kept, the one that is played, and the one that is worked
    /// out meanwhile. Measured is one where a million things are under way, as it is worked out.
    #[test]
    fn a_million_live_things_take_little_memory() {
        let core = a_million_live_things();
        let window = 1_500 * SECOND / core.width_ns;
        let done = |number: u64, begun_ns: u64| {
            let mut done_ns = 0;
            core.entries.flows[0].walk(number, begun_ns, |_, due_ns| done_ns = due_ns);
            done_ns
        };
        let begun = core.entries.due.due_by(1_500 * SECOND);
        let live =
            (1..=begun).filter(|k| done(*k, core.entries.due.time_of(*k)) > 1_500 * SECOND).count();
        assert!(live.abs_diff(1_000_000) < 10_000, "{live} things are under way");
        let mut entries = 0;
        let one = measure(|| entries = core.window(window).len());
        assert!(entries > 50_000, "{entries} in the window");
        let all = one.bytes_max * (KEPT as u64 + 2);
        assert!(all < 80 * MB, "{} bytes for a window, {all} for all", one.bytes_max);
    }
}
