//! The way to a target that takes jobs. Where one server of several is about to take over from another,
//! that is waited for as it is during a run.

use super::findings;
use super::journal::Recalled;
use super::prepared::connect;
use super::{Args, progress};
use crate::cli::output::Output;
use crate::plan::Plan;
use crate::run::jobs::{Jobs, PlannedJobs};
use crate::sink::redis::{ConnectError, Options, Problem, pause};
use crate::sink::{Failure, RedisSink};
use crate::target::{Address, Target};
use std::fmt::Display;
use std::time::{Duration, Instant};

/// A target that is there.
pub(super) struct Met {
    pub(super) sink: RedisSink,
    /// What it knows of a run that is gone on with.
    pub(super) told: Option<Recalled>,
    /// What would keep jobs out.
    pub(super) problems: Vec<Problem>,
    patience: Patience,
}

/// Why it is not.
pub(super) enum Unmet {
    Unreachable(ConnectError),
    Silent(Failure),
}

/// How long a target that is between two states is waited for.
struct Patience {
    /// None for a single server: whether that comes back nobody can tell.
    until: Option<Instant>,
    bound: Duration,
    tries: u32,
}

impl Patience {
    fn with(target: &Target) -> Patience {
        let several =
            matches!(target.address(), Address::Cluster { .. } | Address::Sentinel { .. });
        let bound = Options::of(target).reconnect_for;
        Patience { until: several.then(|| Instant::now() + bound), bound, tries: 0 }
    }

    /// Waits a little; false when it has been long enough. The first time it says why.
    async fn waits(&mut self, why: &impl Display, args: &Args, out: &Output) -> bool {
        let pause = pause(self.tries);
        if self.until.is_none_or(|until| Instant::now() + pause > until) {
            return false;
        }
        if self.tries == 0 && !args.quiet {
            let bound = crate::show::duration(u64::try_from(self.bound.as_nanos()).unwrap_or(0));
            out.note(&format!("note: {why}; that may pass, and is waited for up to {bound}"));
        }
        self.tries += 1;
        if args.verbose {
            progress::aside(&format!("try {}: {why}", self.tries));
        }
        tokio::time::sleep(pause).await;
        true
    }
}

/// Connects, and asks whether the target takes the jobs. The proofs of batches stand beside the first
/// queue, or the one that is named.
pub(super) async fn meet(
    args: &Args,
    plan: &Plan,
    target: &Target,
    (jobs, beside): (&PlannedJobs, Option<&str>),
    run_id: &str,
    out: &Output,
) -> Result<Met, Unmet> {
    let mut patience = Patience::with(target);
    loop {
        let (sink, told) = match connect(args, target, jobs, run_id, beside).await {
            Ok(connected) => connected,
            Err(error) if error.may_pass() && patience.waits(&error, args, out).await => continue,
            Err(error) => return Err(Unmet::Unreachable(error)),
        };
        match findings::preflight(&sink, plan, jobs).await {
            Ok(problems) => {
                if let Some(problem) = problems.first()
                    && problems.iter().all(Problem::may_pass)
                    && patience.waits(problem, args, out).await
                {
                    continue;
                }
                return Ok(Met { sink, told, problems, patience });
            }
            Err(failure) if !failure.lasting && patience.waits(&failure, args, out).await => {}
            Err(failure) => return Err(Unmet::Silent(failure)),
        }
    }
}

impl Met {
    /// Lets the target make what the jobs need.
    ///
    /// # Errors
    ///
    /// Its refusal, or why it can't be told.
    pub(super) async fn prepare(
        &mut self,
        args: &Args,
        jobs: &PlannedJobs,
        out: &Output,
    ) -> Result<(), Failure> {
        let commands = jobs.prepare();
        loop {
            match self.sink.prepare(&commands).await {
                Err(failure)
                    if !failure.lasting && self.patience.waits(&failure, args, out).await => {}
                done => return done,
            }
        }
    }
}
