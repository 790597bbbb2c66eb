//! Where the jobs go: the target that is named, or the embedded server.

use crate::cli::Exit;
use crate::cli::output::Output;
use crate::cli::target::{self, Origin};
use crate::plan::Plan;
use crate::target::Target;

/// A target that can be sent to, and what keeps it alive.
pub(super) struct Reached {
    pub(super) target: Target,
    origin: Origin,
    #[cfg(feature = "embedded")]
    _embedded: Option<crate::sink::embedded::Embedded>,
}

impl Reached {
    /// As people read it, with where it was named.
    pub(super) fn shown(&self) -> String {
        format!("{}{}", self.target.shown(), self.origin.words())
    }
}

/// Finds the target, and starts the embedded server where nobody names one.
pub(super) fn reach(flag: Option<&str>, plan: &Plan, out: &Output) -> Result<Reached, Exit> {
    if let Some((target, origin)) = target::named(flag, plan.target.as_deref(), out)? {
        return Ok(Reached {
            target,
            origin,
            #[cfg(feature = "embedded")]
            _embedded: None,
        });
    }
    #[cfg(feature = "embedded")]
    match crate::sink::embedded::Embedded::start() {
        Ok(server) => Ok(Reached {
            target: server.target(),
            origin: Origin::Embedded,
            _embedded: Some(server),
        }),
        Err(error) => {
            out.fault(
                &format!("the embedded server cannot start: {error}"),
                "name a target: `--target redis://127.0.0.1:6379`",
            );
            Err(Exit::Failed)
        }
    }
    #[cfg(not(feature = "embedded"))]
    {
        out.fault(
            "no target, and this loadc was built without the embedded server",
            "name a target: `--target redis://127.0.0.1:6379`, `target \"…\"` in the script, or REDIS_URL",
        );
        Err(Exit::Wrong)
    }
}
