//! A run that is gone on with: where its streams stand, and what became of the jobs before.

use super::dispatcher::Task;
use super::jobs::Jobs;
use super::options::RunOptions;
use super::placed;
use crate::journal::{Account, Base, Settled, StreamBase};
use crate::schedule::{Entry, Schedule, Spliced};
use std::sync::Arc;

/// One of the counts of an account.
type Count = fn(&mut Account) -> &mut u64;

/// Where a run is to go on.
#[derive(Clone, Debug, Default)]
pub struct Resumption {
    /// Where its streams stand, their accounts whole.
    pub base: Base,
    /// The run's time when this process takes it up, in nanoseconds: [`Base::run_ns`], or later if
    /// the plan did not wait meanwhile.
    pub at_ns: u64,
    /// The target lost what it had acknowledged.
    pub forgot: bool,
    /// What each stream follows; none for those that follow the plan.
    pub splices: Vec<Option<Spliced>>,
}

impl Resumption {
    /// Lets the streams of the task follow what they followed then, and tells what that is of those
    /// that had left the plan; none if they can't have.
    pub fn follow<J: Jobs>(
        base: &Base,
        task: &mut Task<J>,
        options: &RunOptions,
    ) -> Option<Vec<Option<Spliced>>> {
        let mut all = Vec::new();
        for (stream, of_stream) in base.streams.iter().enumerate() {
            if of_stream.left.is_some() {
                all.push(None);
                continue;
            }
            if of_stream.seams.is_empty() && of_stream.joint.is_none() {
                all.push(None);
                continue;
            }
            let source = task.sources.get(stream)?.clone();
            let mut spliced = match &of_stream.joint {
                Some(joint) => Spliced::from_joint(source.clone(), joint)?,
                None => Spliced::new(source.clone()),
            };
            for seam in &of_stream.seams {
                let entry = seam.to_ns.map_or(Entry::Elapsed, Entry::At);
                spliced = spliced.then(seam.at_ns, source.clone(), entry, seam.factor);
            }
            task.streams[stream].1 = placed(&spliced, options);
            all.push(Some(spliced));
        }
        Some(all)
    }

    /// Adds to the accounts what a journal tells beyond its base, and lets the streams of the task
    /// follow what they followed then. None if the plan has not the streams, jobs or kinds of the
    /// journal's.
    pub fn of<J: Jobs>(
        settled: Settled,
        task: &mut Task<J>,
        options: &RunOptions,
    ) -> Option<Resumption> {
        let Settled { mut base, acked, failed, unknown, skipped, forgot } = settled;
        let own = base.streams.iter().take_while(|stream| stream.left.is_none()).count();
        if own != task.streams.len() || base.streams[own..].iter().any(|one| one.left.is_none()) {
            return None;
        }
        let splices = Resumption::follow(&base, task, options)?;
        base.streams[own..].iter().try_for_each(|stream| take_in(stream, task))?;
        let mut later_ns = 0;
        for (stream, (of_stream, (_, schedule))) in
            base.streams.iter_mut().zip(&task.streams).enumerate()
        {
            let names = task.jobs.kinds(stream).iter().map(|kind| kind.name.clone());
            if !name_kinds(of_stream, names.collect()) {
                return None;
            }
            // What has been ended follows nothing any more.
            if of_stream.left.is_some() || of_stream.stopped {
                continue;
            }
            if of_stream.next > schedule.len().saturating_add(1) {
                return None;
            }
            // It had come to its last seam, whatever time was noted last.
            if let Some(seam) = of_stream.seams.last() {
                let seam_ns = seam.at_ns.saturating_sub(options.from_ns);
                later_ns = later_ns.max(seam_ns.saturating_sub(of_stream.stream_ns));
            }
            // The last that went out was due, so it was at least so much later than was noted.
            if of_stream.next > 1 {
                let due_ns = schedule.time_of(of_stream.next - 1);
                later_ns = later_ns.max(due_ns.saturating_sub(of_stream.stream_ns));
            }
        }
        base.run_ns = base.run_ns.saturating_add(later_ns);
        for of_stream in &mut base.streams {
            of_stream.stream_ns = of_stream.stream_ns.saturating_add(later_ns);
        }
        let counts: [(_, Count); 4] = [
            (acked, |account| &mut account.acked),
            (failed, |account| &mut account.failed),
            (unknown, |account| &mut account.unknown),
            (skipped, |account| &mut account.skipped),
        ];
        for (lists, count) in counts {
            for (stream, index) in lists.iter().flat_map(|spans| spans.jobs()) {
                let schedule = &task.streams.get(stream)?.1;
                let of_stream = base.streams.get_mut(stream)?;
                let ended = of_stream.left.is_some() || of_stream.stopped;
                if index > schedule.len() && !ended {
                    return None;
                }
                let kind = if of_stream.left.is_some() {
                    0
                } else {
                    let kind = task.jobs.choose(stream, schedule.number_of(index)).job;
                    let name = &task.jobs.kinds(stream).get(kind)?.name;
                    of_stream.kinds.iter().position(|known| known == name)?
                };
                for account in [&mut of_stream.account, of_stream.by_job.get_mut(kind)?] {
                    let count = count(account);
                    *count = count.saturating_add(1);
                }
            }
        }
        let at_ns = base.run_ns;
        Some(Resumption { base, at_ns, forgot, splices })
    }
}

/// Gives the kinds of a stream's account their names, those of its script and what others had. False
/// if there are not as many as the account has.
fn name_kinds(of_stream: &mut StreamBase, names: Vec<String>) -> bool {
    if of_stream.kinds.is_empty() && of_stream.left.is_none() {
        of_stream.kinds.clone_from(&names);
        if of_stream.by_job.is_empty() {
            of_stream.by_job = vec![Account::default(); names.len()];
        }
    }
    if of_stream.kinds.len() != of_stream.by_job.len() {
        return false;
    }
    for name in names {
        if !of_stream.kinds.contains(&name) {
            of_stream.kinds.push(name);
            of_stream.by_job.push(Account::default());
        }
    }
    true
}

/// Takes a load in that the script has no more: nothing falls due in it, and its account stands.
fn take_in<J: Jobs>(stream: &StreamBase, task: &mut Task<J>) -> Option<()> {
    let name = stream.left.as_ref()?.name.clone();
    let jobs = stream.next.saturating_sub(1);
    task.streams.push((name, Arc::new(Past { jobs })));
    task.places.push(Vec::new());
    let source = task.sources.first()?.clone();
    task.sources.push(source);
    Some(())
}

/// Jobs that were all due long ago.
struct Past {
    jobs: u64,
}

impl Schedule for Past {
    fn len(&self) -> u64 {
        self.jobs
    }

    fn due_by(&self, _: u64) -> u64 {
        self.jobs
    }

    fn time_of(&self, index: u64) -> u64 {
        if index <= self.jobs { 0 } else { u64::MAX }
    }

    fn number_of(&self, index: u64) -> u64 {
        index
    }

    fn rate(&self, _: u64) -> f64 {
        0.0
    }

    fn end_ns(&self) -> u64 {
        0
    }
}
