//! The policies that hold: the one that this machine's owner installed, and the one of `--policy`.

use super::Exit;
use super::output::Output;
use super::shared::{ReadError, read};
use crate::check::{self, Policy, prove_policy};
use crate::plan::Plan;
use crate::problem::{Problem, Severity};
use crate::source::SourceFile;
use crate::target::Target;
use std::path::{Path, PathBuf};

/// `--policy`
#[derive(Clone, Debug, Default, clap::Args)]
pub(crate) struct PolicyFlag {
    /// Guards for targets that no script loosens, besides those this machine's owner installed
    #[arg(long, value_name = "FILE")]
    policy: Option<String>,
}

/// Where the owner of this machine installs a policy.
fn installed() -> PathBuf {
    if cfg!(windows) {
        let data = std::env::var_os("ProgramData").unwrap_or_else(|| "C:\\ProgramData".into());
        return Path::new(&data).join("loadc").join("policy.load");
    }
    PathBuf::from("/etc/loadc/policy.load")
}

impl PolicyFlag {
    /// What holds for a target.
    ///
    /// # Errors
    ///
    /// If a policy can't be read or is wrong: then nothing is known to be allowed.
    pub(crate) fn holding(&self, target: Option<&Target>, out: &Output) -> Result<Policy, Exit> {
        self.holding_with(&installed(), target, out)
    }

    fn holding_with(
        &self,
        installed: &Path,
        target: Option<&Target>,
        out: &Output,
    ) -> Result<Policy, Exit> {
        let mut found = Policy::default();
        // Anything of that name counts, a dangling link too: it is then one that can't be read.
        let is_installed = std::fs::symlink_metadata(installed)
            .map_or_else(|error| error.kind() != std::io::ErrorKind::NotFound, |_| true);
        let own = installed.to_string_lossy();
        let files = is_installed.then_some(&*own).into_iter().chain(self.policy.as_deref());
        for path in files {
            let policy = of_file(path, target, out)?;
            found.guards.extend(policy.guards);
            found.notify.extend(policy.notify);
        }
        Ok(found)
    }

    /// Adds what holds for a target to a plan, and proves it.
    ///
    /// # Errors
    ///
    /// If a policy is wrong, or the plan breaks it.
    pub(crate) fn add_to(
        &self,
        source: &SourceFile,
        plan: &mut Plan,
        target: Option<&Target>,
        out: &Output,
    ) -> Result<(), Exit> {
        let policy = self.holding(target, out)?;
        let problems = prove_policy(source, plan, &policy.guards);
        out.problems(source, &problems);
        if problems.iter().any(|problem| problem.severity == Severity::Error) {
            return Err(Exit::Wrong);
        }
        plan.guards.extend(policy.guards);
        plan.notify.extend(policy.notify);
        Ok(())
    }

    /// The same where the target is the one that the script names.
    ///
    /// # Errors
    ///
    /// See [`PolicyFlag::add_to`].
    pub(crate) fn add_to_checked(
        &self,
        source: &SourceFile,
        plan: &mut Plan,
        out: &Output,
    ) -> Result<(), Exit> {
        self.add_to(source, plan, named(plan).as_ref(), out)
    }

    /// What a plan would break of what holds for the target that its script names.
    ///
    /// # Errors
    ///
    /// If a policy is wrong.
    pub(crate) fn broken_by(
        &self,
        source: &SourceFile,
        plan: &Plan,
        out: &Output,
    ) -> Result<Vec<Problem>, Exit> {
        let policy = self.holding(named(plan).as_ref(), out)?;
        Ok(prove_policy(source, plan, &policy.guards))
    }
}

fn named(plan: &Plan) -> Option<Target> {
    plan.target.as_deref().and_then(|url| Target::parse(url).ok())
}

fn of_file(path: &str, target: Option<&Target>, out: &Output) -> Result<Policy, Exit> {
    let (source, problems) = match read(path) {
        Ok(source) => match check::policy(&source, target) {
            Ok(policy) => return Ok(policy),
            Err(problems) => (source, problems),
        },
        Err(ReadError::Text(source, problem)) => (source, vec![*problem]),
        Err(ReadError::Io(message, help)) => {
            out.fault(&format!("the policy does not hold: {message}"), &help);
            return Err(Exit::Wrong);
        }
    };
    out.problems(&source, &problems);
    out.fault(&format!("the policy {path} is wrong, so nothing is known to be allowed"), "mend it");
    Err(Exit::Wrong)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::output::Color;

    #[test]
    fn an_installed_policy_holds_whatever_the_flag_says() {
        let folder = tempfile::tempdir().unwrap();
        let (own, other) = (folder.path().join("own.load"), folder.path().join("other.load"));
        let out = Output::new(Color::Never);
        let none = PolicyFlag::default();
        assert!(none.holding_with(&own, None, &out).unwrap().guards.is_empty());
        std::fs::write(&own, "target any { jobs <= 10 }").unwrap();
        std::fs::write(&other, "target any { jobs <= 100 }").unwrap();
        let flag = PolicyFlag { policy: Some(other.to_string_lossy().into_owned()) };
        let limits: Vec<f64> = flag
            .holding_with(&own, None, &out)
            .unwrap()
            .guards
            .iter()
            .map(|guard| guard.kind.limit())
            .collect();
        assert_eq!(limits, [10.0, 100.0]);
        std::fs::write(&own, "target any { jobs <= }").unwrap();
        assert!(flag.holding_with(&own, None, &out).is_err());
        std::fs::remove_file(&own).unwrap();
        std::fs::create_dir(&own).unwrap();
        assert!(flag.holding_with(&own, None, &out).is_err(), "a folder is no policy");
    }
}
