//! One tick's jobs made into commands: jobs of a queue share their pushes where its format lets
//! them, entries of a stream are one command each.

use super::{Args, Command, Outcome, Queue, Unit, formats};

/// How big one command may grow. A server runs one command at a time, so a bound on a command is a
/// bound on how long everybody else waits for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Jobs in one push, 1 or more; 1 sends a command per job.
    pub jobs: u32,
    /// Bytes of arguments at which a push takes no further job. A single job may be larger.
    pub bytes: usize,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits { jobs: 512, bytes: 1 << 20 }
    }
}

/// Collects the jobs of one tick. `M` is what the caller wants back for each job with its outcome:
/// its number, its intended time.
///
/// Jobs of one queue keep their order. Between queues the order may change, since a push is as old
/// as its first job.
#[derive(Debug)]
pub struct BatchBuilder<M> {
    queues: Vec<Head>,
    limits: Limits,
    commands: Vec<Filling<M>>,
    spare_units: Vec<Unit>,
    spare_args: Vec<Args>,
    spare_metas: Vec<Vec<M>>,
    spare_lists: Vec<Vec<Command>>,
    jobs: u64,
}

/// A queue and the push that still takes its jobs.
#[derive(Debug)]
struct Head {
    queue: Queue,
    /// Whether its jobs share commands.
    shares: bool,
    open: Option<usize>,
}

impl Head {
    fn new(queue: Queue) -> Head {
        Head { shares: formats::shares(&queue.format), queue, open: None }
    }
}

#[derive(Debug)]
struct Filling<M> {
    queue: usize,
    unit: Unit,
    metas: Vec<M>,
}

impl<M> BatchBuilder<M> {
    /// A builder for these queues; [`BatchBuilder::add`] names them by their place here.
    pub fn new(queues: Vec<Queue>, limits: Limits) -> BatchBuilder<M> {
        BatchBuilder {
            queues: queues.into_iter().map(Head::new).collect(),
            limits,
            commands: Vec::new(),
            spare_units: Vec::new(),
            spare_args: Vec::new(),
            spare_metas: Vec::new(),
            spare_lists: Vec::new(),
            jobs: 0,
        }
    }

    /// The queues, by index.
    pub fn queue(&self, index: usize) -> Option<&Queue> {
        self.queues.get(index).map(|head| &head.queue)
    }

    /// Takes in one more queue and returns its index.
    pub fn add_queue(&mut self, queue: Queue) -> usize {
        self.queues.push(Head::new(queue));
        self.queues.len() - 1
    }

    /// Adds a job. `write` appends it to commands of the queue's format.
    ///
    /// # Panics
    ///
    /// If there is no queue `queue`: an index is the caller's own, never input.
    pub fn add(&mut self, queue: usize, meta: M, write: impl FnOnce(&mut Unit)) {
        self.jobs += 1;
        let at = match self.room_in(queue) {
            Some(at) => at,
            None => self.open(queue),
        };
        let filling = &mut self.commands[at];
        write(&mut filling.unit);
        filling.metas.push(meta);
    }

    /// The command that takes the next job of a queue, if one is open and not full.
    fn room_in(&self, queue: usize) -> Option<usize> {
        let at = self.queues[queue].open?;
        let filling = &self.commands[at];
        let fits = filling.metas.len() < self.limits.jobs as usize
            && filling.unit.byte_len() < self.limits.bytes;
        fits.then_some(at)
    }

    fn open(&mut self, queue: usize) -> usize {
        let mut unit = self.spare_units.pop().unwrap_or_default();
        if let Some(room) = self.spare_args.pop() {
            unit.refill(room);
        }
        let metas = self.spare_metas.pop().unwrap_or_default();
        let at = self.commands.len();
        let head = &mut self.queues[queue];
        if head.shares {
            head.open = Some(at);
        }
        self.commands.push(Filling { queue, unit, metas });
        at
    }

    /// Jobs added since the last [`BatchBuilder::finish`].
    pub fn jobs(&self) -> u64 {
        self.jobs
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.commands.is_empty()
    }

    /// The bytes of the arguments so far.
    pub fn byte_len(&self) -> usize {
        self.commands.iter().map(|filling| filling.unit.byte_len()).sum()
    }

    /// The commands in the order to send them, and the ledger that knows whose they are. The
    /// builder is empty afterwards.
    pub fn finish(&mut self) -> (Vec<Command>, Ledger<M>) {
        let jobs = usize::try_from(self.jobs).unwrap_or_default();
        self.finish_some(self.commands.len(), jobs, 0)
    }

    /// The same lane by lane, by what `lane_of` says of each queue: lanes, commands, ledgers.
    pub fn finish_by(
        &mut self,
        lane_of: impl Fn(usize) -> usize,
    ) -> Vec<(usize, Vec<Command>, Ledger<M>)> {
        // The lanes of the highest numbers first: they are taken from the end.
        self.commands.sort_by_key(|filling| std::cmp::Reverse(lane_of(filling.queue)));
        let mut parts = Vec::new();
        while let Some(lane) = self.commands.last().map(|filling| lane_of(filling.queue)) {
            let start = self.commands.partition_point(|filling| lane_of(filling.queue) > lane);
            let jobs = self.commands[start..].iter().map(|filling| filling.metas.len()).sum();
            let (commands, ledger) = self.finish_some(self.commands.len() - start, jobs, start);
            parts.push((lane, commands, ledger));
        }
        parts
    }

    /// The commands from a place on, in their order: so many, of so many jobs.
    fn finish_some(&mut self, count: usize, jobs: usize, from: usize) -> (Vec<Command>, Ledger<M>) {
        let mut commands = self.spare_lists.pop().unwrap_or_default();
        let mut ledger =
            Ledger { counts: Vec::with_capacity(count), metas: Vec::with_capacity(jobs) };
        for mut filling in self.commands.drain(from..) {
            let jobs = u32::try_from(filling.metas.len()).unwrap_or(u32::MAX);
            ledger.counts.push(jobs);
            ledger.metas.append(&mut filling.metas);
            self.spare_metas.push(filling.metas);
            commands.push(Command { args: filling.unit.take(), jobs });
            self.spare_units.push(filling.unit);
        }
        for head in &mut self.queues {
            head.open = None;
        }
        self.jobs -= jobs as u64;
        (commands, ledger)
    }

    /// Takes commands back that [`super::Sink::send_ref`] has read, so that the next tick writes
    /// into their room.
    pub fn recycle(&mut self, mut commands: Vec<Command>) {
        self.spare_args.extend(commands.drain(..).map(|command| command.args));
        self.spare_lists.push(commands);
    }
}

/// Whose jobs the commands of a batch carry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ledger<M> {
    counts: Vec<u32>,
    metas: Vec<M>,
}

impl<M> Ledger<M> {
    /// All jobs, in the order of their commands.
    pub fn metas(&self) -> &[M] {
        &self.metas
    }

    /// Each outcome with the jobs it holds for. Outcomes come as [`super::Sink::send`] gave them:
    /// one per command, in order.
    pub fn settle<'a>(
        &'a self,
        outcomes: &'a [Outcome],
    ) -> impl Iterator<Item = (&'a Outcome, &'a [M])> {
        let mut rest = self.metas.as_slice();
        outcomes.iter().zip(&self.counts).map(move |(outcome, jobs)| {
            let (mine, others) = rest.split_at(*jobs as usize);
            rest = others;
            (outcome, mine)
        })
    }
}

#[cfg(test)]
mod tests;
