//! A run that is gone on with: where its streams stand, and what became of the jobs before.

use super::dispatcher::Task;
use super::jobs::Jobs;
use super::options::RunOptions;
use super::placed;
use crate::journal::{Account, Base, Settled};
use crate::schedule::{Entry, Spliced};

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
            if of_stream.seams.is_empty() {
                all.push(None);
                continue;
            }
            let source = task.sources.get(stream)?.clone();
            let mut spliced = Spliced::new(source.clone());
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
        if base.streams.len() != task.streams.len() {
            return None;
        }
        let splices = Resumption::follow(&base, task, options)?;
        let mut later_ns = 0;
        for (stream, (of_stream, (_, schedule))) in
            base.streams.iter_mut().zip(&task.streams).enumerate()
        {
            let kinds = task.jobs.kinds(stream).len();
            if of_stream.by_job.is_empty() {
                of_stream.by_job = vec![Account::default(); kinds];
            }
            let last = schedule.len();
            let fits = of_stream.by_job.len() == kinds && of_stream.next <= last.saturating_add(1);
            if !fits {
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
                if index > schedule.len() {
                    return None;
                }
                let kind = task.jobs.choose(stream, schedule.number_of(index)).job;
                let of_stream = &mut base.streams[stream];
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
