//! Which target a command speaks to, and how a failure to reach it is told.

use super::Exit;
use super::output::Output;
use crate::sink::redis::ConnectError;
use crate::target::Target;

/// The variable that names a target where neither flag nor script does.
pub(super) const VARIABLE: &str = "REDIS_URL";

/// Where a target was named.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Origin {
    /// By a flag or an argument.
    Flag,
    /// In the script.
    Script,
    /// In the environment.
    Variable,
    /// Nowhere: the server inside this process.
    Embedded,
}

impl Origin {
    /// The words behind the target's name in a summary.
    pub(super) fn words(self) -> &'static str {
        match self {
            Origin::Flag => "",
            Origin::Script => " (from the script)",
            Origin::Variable => " (from REDIS_URL)",
            Origin::Embedded => "",
        }
    }
}

/// The target by flag, script or environment; `None` where nobody names one.
pub(super) fn named(
    flag: Option<&str>,
    script: Option<&str>,
    out: &Output,
) -> Result<Option<(Target, Origin)>, Exit> {
    let variable = std::env::var(VARIABLE).ok().filter(|url| !url.is_empty());
    let found = flag
        .map(|url| (url, Origin::Flag))
        .or(script.map(|url| (url, Origin::Script)))
        .or(variable.as_deref().map(|url| (url, Origin::Variable)));
    let Some((url, origin)) = found else { return Ok(None) };
    match Target::parse(url) {
        Ok(target) => Ok(Some((target, origin))),
        Err(error) => {
            let place = if origin == Origin::Variable { "REDIS_URL: " } else { "" };
            out.fault(&format!("{place}{error}"), &error.help());
            Err(Exit::Wrong)
        }
    }
}

/// Tells why there is no connection.
pub(super) fn unreachable(error: &ConnectError, out: &Output) -> Exit {
    out.fault(&error.to_string(), error.help());
    Exit::Failed
}
