//! Commands that jobs of one queue share, as they are written: first those of single jobs (bodies),
//! behind them those that many jobs share (pushes).

use super::Args;

/// Commands under construction. A worker must never see a job whose body is not there yet, so what
/// belongs to a single job goes ahead of what shows it to workers.
#[derive(Debug, Default)]
pub struct Unit {
    own: Args,
    shared: Vec<Args>,
}

impl Unit {
    /// Begins a command of a single job, and takes its words.
    pub fn command(&mut self) -> &mut Args {
        self.own.begin_command();
        &mut self.own
    }

    /// The command of a single job that was begun last.
    pub fn last(&mut self) -> &mut Args {
        &mut self.own
    }

    /// The command of a place that jobs share; `begin` writes its first words where no job has
    /// come to it yet. Commands are sent in the order of their places.
    pub fn shared(&mut self, place: usize, begin: impl FnOnce(&mut Args)) -> &mut Args {
        if self.shared.len() <= place {
            self.shared.resize_with(place + 1, Args::default);
        }
        let args = &mut self.shared[place];
        if args.is_empty() {
            begin(args);
        }
        args
    }

    /// The bytes of all arguments so far.
    pub fn byte_len(&self) -> usize {
        self.own.byte_len() + self.shared.iter().map(Args::byte_len).sum::<usize>()
    }

    /// The commands in the order to send them. The unit is empty afterwards and keeps its room.
    pub fn take(&mut self) -> Args {
        let mut taken = std::mem::take(&mut self.own);
        for shared in &mut self.shared {
            if taken.is_empty() {
                // Nothing to stand behind: no need to copy it.
                std::mem::swap(&mut taken, shared);
            } else {
                taken.append(shared);
                shared.clear();
            }
        }
        taken
    }

    /// Adds a job to a list, for tests of what knows no formats.
    #[cfg(test)]
    pub(crate) fn push_to(&mut self, key: &str, job: &[u8]) {
        let begin = |args: &mut Args| ["LPUSH", key].iter().for_each(|w| args.push(w.as_bytes()));
        self.shared(0, begin).push(job);
    }

    /// Gives the room of commands that were sent back.
    pub(super) fn refill(&mut self, mut room: Args) {
        room.clear();
        self.own = room;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(args: &mut Args, text: &str) {
        text.split(' ').for_each(|word| args.push(word.as_bytes()));
    }

    fn told(args: &Args) -> Vec<String> {
        let mut all = args.iter().map(|word| String::from_utf8_lossy(word).into_owned());
        args.lengths()
            .map(|length| all.by_ref().take(length).collect::<Vec<_>>().join(" "))
            .collect()
    }

    #[test]
    fn bodies_come_first_and_pushes_are_shared() {
        let mut unit = Unit::default();
        for id in ["a", "b"] {
            words(unit.command(), &format!("HSET job:{id} n 1"));
            unit.shared(1, |args| words(args, "ZADD marker")).push(b"0");
            unit.shared(0, |args| words(args, "LPUSH q")).push(id.as_bytes());
        }
        let taken = unit.take();
        assert_eq!(
            told(&taken),
            ["HSET job:a n 1", "HSET job:b n 1", "LPUSH q a b", "ZADD marker 0 0"]
        );
        assert_eq!((unit.byte_len(), unit.take().len()), (0, 0));
    }

    #[test]
    fn a_lone_push_is_moved_and_not_copied() {
        let mut unit = Unit::default();
        unit.shared(0, |args| words(args, "LPUSH q")).push(&[b'x'; 100]);
        let taken = unit.take();
        assert_eq!((taken.commands(), taken.len(), taken.byte_len()), (1, 3, 106));
        unit.refill(taken);
        unit.shared(0, |args| words(args, "LPUSH q")).push(b"y");
        assert_eq!(told(&unit.take()), ["LPUSH q y"]);
    }
}
