//! What is asked of a framework besides the jobs of the main part: an option each, and what the worker's
//! record must show of it.

/// An option of a format, in jobs of a kind of their own.
#[derive(Clone, Copy)]
pub struct Proof {
    /// The kind of its jobs, which tells the worker what to do: those that begin with `fail` fail,
    /// those that begin with `slow` take thirty seconds.
    pub kind: &'static str,
    /// Options behind the format's.
    pub options: &'static str,
    /// Statements behind the queue.
    pub more: &'static str,
    /// How many jobs.
    pub jobs: u64,
    /// What must come of it.
    pub shows: Shows,
    /// How many of them lie with the dead in the end, where the framework keeps those.
    pub dead: u64,
}

/// What the worker's record must show.
#[derive(Clone, Copy)]
pub enum Shows {
    /// Sent before there is a worker, the last one is begun first.
    LastFirst,
    /// Sent before there is a worker and too old when it comes, none is begun.
    Never,
    /// Each is begun, and told that its time is over.
    Cut,
    /// Each is begun and does not end; others are begun afterwards.
    Killed,
    /// Each is begun so often, a try at least so many milliseconds behind the one before.
    Tries(u64, f64),
    /// Each is begun, and then forgotten: there is no key with its id.
    Forgotten,
    /// Each is begun, and its key is kept for an hour at most.
    KeptForAnHour,
}

const fn proof(kind: &'static str, shows: Shows) -> Proof {
    Proof { kind, options: "", more: "", jobs: 2, shows, dead: 0 }
}

impl Proof {
    const fn options(self, options: &'static str) -> Proof {
        Proof { options, ..self }
    }

    const fn more(self, more: &'static str) -> Proof {
        Proof { more, ..self }
    }

    const fn dead(self) -> Proof {
        Proof { dead: self.jobs, ..self }
    }

    /// Whether it is sent before there is a worker.
    pub fn is_early(&self) -> bool {
        matches!(self.shows, Shows::LastFirst | Shows::Never)
    }

    /// Lines of the record, by how the kind goes on.
    pub fn lines(&self) -> Vec<(&'static str, u64)> {
        match self.shows {
            Shows::Never => vec![],
            Shows::Cut => vec![("", 1), ("_cut", 1)],
            Shows::Tries(times, _) => vec![("", times)],
            _ => vec![("", 1)],
        }
    }
}

/// A failing job is tried twice more.
const RETRIED: Proof = proof("fail", Shows::Tries(3, 0.0)).more("retry 2").dead();

const LAST_FIRST: Proof = Proof { jobs: 10, ..proof("front", Shows::LastFirst) };
const TOO_OLD: Proof = proof("old", Shows::Never);
const CUT: Proof = Proof { jobs: 1, ..proof("slow", Shows::Cut) };
const FORGOTTEN: Proof = proof("forgotten", Shows::Forgotten);

pub const SIDEKIQ: &[Proof] = &[
    proof("fail", Shows::Tries(3, 900.0)).more("retry 2").dead(),
    proof("fail_once", Shows::Tries(1, 0.0)).more("retry false"),
];

pub const RETRIES: &[Proof] = &[RETRIED];

pub const BULLMQ: &[Proof] = &[
    RETRIED,
    proof("fail_fixed", Shows::Tries(3, 300.0)).options("attempts 3 backoff 300ms").dead(),
    proof("fail_exponential", Shows::Tries(3, 200.0))
        .options("attempts 3 backoff_exponential 200ms")
        .dead(),
    proof("fail_gone", Shows::Forgotten).options("removeOnFail true"),
    FORGOTTEN.options("removeOnComplete true"),
    LAST_FIRST.options("lifo"),
];

/// What Bull has besides.
pub const BULL: &[Proof] = &[CUT.more("timeout 1s").dead()];

pub const CELERY: &[Proof] = &[
    TOO_OLD.options("expires 100ms"),
    CUT.options("soft_time_limit 1s"),
    Proof { jobs: 1, ..proof("slow_hard", Shows::Killed) }.more("timeout 1s"),
];

pub const RQ: &[Proof] = &[
    RETRIED,
    proof("fail_later", Shows::Tries(2, 1_000.0)).options("retry 1 retry_interval 1s").dead(),
    proof("fail_kept", Shows::KeptForAnHour).options("failure_ttl 1h").dead(),
    proof("kept", Shows::KeptForAnHour).options("result_ttl 1h"),
    FORGOTTEN.options("result_ttl 0s"),
    TOO_OLD.options("ttl 1s"),
    LAST_FIRST.options("at_front"),
    CUT.more("timeout 1s").dead(),
];

pub const ARQ: &[Proof] = &[TOO_OLD.options("expires 100ms")];

pub const DRAMATIQ: &[Proof] = &[
    proof("fail", Shows::Tries(3, 0.0))
        .options("min_backoff 100ms max_backoff 200ms")
        .more("retry 2")
        .dead(),
    proof("fail_later", Shows::Tries(2, 1_000.0))
        .options("min_backoff 1s max_backoff 1h")
        .more("retry 1")
        .dead(),
    TOO_OLD.options("max_age 100ms").dead(),
    CUT.more("timeout 1s; retry 0").dead(),
];

pub const HUEY: &[Proof] = &[
    RETRIED,
    proof("fail_later", Shows::Tries(2, 1_000.0)).options("retries 1 retry_delay 1s"),
    CUT.more("timeout 1s"),
];

pub const TASKIQ: &[Proof] = &[RETRIED, CUT.more("timeout 1s")];

pub const ASYNQ: &[Proof] = &[
    RETRIED,
    FORGOTTEN,
    proof("kept", Shows::KeptForAnHour).options("retention 1h"),
    TOO_OLD.options("deadline 1s").more("retry 0").dead(),
    CUT.more("timeout 1s; retry 0").dead(),
];

/// Without retries of its own, a failing job is given up at once.
pub const RESQUE: &[Proof] = &[proof("fail", Shows::Tries(1, 0.0)).dead()];

pub const LARAVEL: &[Proof] = &[
    RETRIED,
    proof("fail_later", Shows::Tries(2, 1_000.0)).options("backoff 1s").more("retry 1"),
    Proof { jobs: 1, ..proof("slow_hard", Shows::Killed) }.more("timeout 1s; retry 0"),
];
