//! Guards: what a run may not pass, here and in a policy.

use super::{Expr, Name};
use crate::source::{Span, Spanned};

/// A line of `guard { … }`
#[derive(Clone, Debug, PartialEq)]
pub struct GuardRule {
    /// What is bounded; `None` where it could not be read.
    pub kind: Option<GuardKind>,
    /// What happens at the bound; none makes it a claim.
    pub action: Option<Spanned<GuardAction>>,
    /// Its place.
    pub span: Span,
}

/// What a guard bounds.
#[derive(Clone, Debug, PartialEq)]
pub enum GuardKind {
    /// `rate <= 1000/s over 5s`
    Rate {
        /// The bound.
        limit: Expr,
        /// The window; 1 s if not given.
        over: Option<Expr>,
    },
    /// `jobs <= 1M`
    Jobs(Expr),
    /// `time <= 1h`
    Time(Expr),
    /// `depth "orders" <= 5k`
    Depth {
        /// Of one queue, or of any.
        queue: Option<Name>,
        /// The bound.
        limit: Expr,
    },
    /// `errors <= 1% over 10s`
    Errors {
        /// The bound.
        limit: Expr,
        /// The window; 10 s if not given.
        over: Option<Expr>,
    },
    /// `age <= 30s`
    Age(Expr),
    /// `failed <= 1% over 1m`
    Failed {
        /// The bound.
        limit: Expr,
        /// The window; a minute if not given.
        over: Option<Expr>,
    },
    /// `memory <= 100MB`
    Memory(Expr),
    /// `cpu <= 80%`
    Cpu(Expr),
    /// `server memory <= 80%`
    ServerMemory(Expr),
    /// `file "/tmp/stop"`
    File(Name),
    /// `warn at 80%`, `warn depth at 2k`
    Warn {
        /// Of which guard; of all if not given.
        of: Option<Spanned<WarnOf>>,
        /// The level: a share of the bound, or one in the guard's own measure.
        at: Expr,
    },
    /// `cooldown 30s`
    Cooldown(Expr),
    /// `notify webhook "https://…" timeout 5s retries 3`
    Notify(Notify),
}

/// The guard that a level of warning is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WarnOf {
    /// `warn rate at …`
    Rate,
    /// `warn jobs at …`
    Jobs,
    /// `warn time at …`
    Time,
    /// `warn depth at …`, or of one queue, `warn depth "orders" at …`
    Depth(Option<String>),
    /// `warn errors at …`
    Errors,
    /// `warn memory at …`
    Memory,
    /// `warn cpu at …`
    Cpu,
    /// `warn age at …`
    Age,
    /// `warn failed at …`
    Failed,
    /// `warn server memory at …`
    ServerMemory,
}

/// Whom to tell when a guard is hit.
#[derive(Clone, Debug, PartialEq)]
pub struct Notify {
    /// Whether `to` is the address of a webhook; else it is a command.
    pub webhook: bool,
    /// The address or the command.
    pub to: Expr,
    /// `timeout 5s`
    pub timeout: Option<Expr>,
    /// `retries 3`
    pub retries: Option<Expr>,
}

/// What a guard does when its bound is reached.
#[derive(Clone, Debug, PartialEq)]
pub enum GuardAction {
    /// `then stop`
    Stop,
    /// `then pause until 4k`
    PauseUntil(Expr),
    /// `then slow`
    Slow,
    /// `then shed`
    Shed,
}

/// `target "prod-*" { … }` of a policy: guards for some targets.
#[derive(Clone, Debug, PartialEq)]
pub struct PolicyPart {
    /// For which.
    pub targets: PolicyTargets,
    /// Their guards.
    pub rules: Vec<GuardRule>,
}

/// The targets a part of a policy is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PolicyTargets {
    /// `target any`
    Any,
    /// `target elsewhere`: those that are not this machine.
    Elsewhere,
    /// `target "prod-*.example.com:6379"`: by host and port, or by path; `*` stands for anything.
    Like(String),
}
