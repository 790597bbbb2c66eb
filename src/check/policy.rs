//! Policies: bounds per target that no script and no flag can loosen.
//!
//! A policy's guards hold besides the script's. They are proven like any claim, and kept during the
//! run like any guard.

use super::scope::Scopes;
use super::{Checker, Options};
use crate::ast::PolicyTargets;
use crate::plan::{Guard, Notify, Plan};
use crate::problem::{Problem, Severity};
use crate::source::SourceFile;
use crate::target::{Address, Place, Target};

/// What a policy says of a target.
#[derive(Clone, Debug, Default)]
pub struct Policy {
    /// Guards that hold besides the script's.
    pub guards: Vec<Guard>,
    /// Who is told of guards besides.
    pub notify: Vec<Notify>,
}

/// Reads a policy for a target; where none is known, what holds for any.
///
/// # Errors
///
/// Every mistake in it: a policy that can't be read is none that can be kept.
pub fn policy(source: &SourceFile, target: Option<&Target>) -> Result<Policy, Vec<Problem>> {
    let (parts, problems) = crate::parse::policy(source);
    let options = Options::default();
    let mut checker = Checker::new(source, &options, problems);
    let mut found = Policy::default();
    for part in &parts {
        let scopes = Scopes::of_guards(&part.rules);
        let guards = checker.guards(&scopes, &[]);
        let notify = checker.notifications(&scopes);
        if holds_for(&part.targets, target) {
            found.guards.extend(guards.into_iter().map(|guard| of_policy(guard, source)));
            found.notify.extend(notify);
        }
    }
    let wrong = checker.problems.iter().any(|problem| problem.severity == Severity::Error);
    if wrong { Err(checker.problems) } else { Ok(found) }
}

fn of_policy(mut guard: Guard, source: &SourceFile) -> Guard {
    guard.text = format!("{} (policy {})", guard.text, source.name);
    guard.span = None;
    guard.tuning.policy = true;
    guard
}

fn holds_for(targets: &PolicyTargets, target: Option<&Target>) -> bool {
    match (targets, target) {
        (PolicyTargets::Any, _) => true,
        (_, None) => false,
        (PolicyTargets::Elsewhere, Some(target)) => !target.is_this_machine(),
        (PolicyTargets::Like(pattern), Some(target)) => {
            names(target).iter().any(|name| is_like(pattern, name))
        }
    }
}

/// What a target is called: host, and host with port; or its path.
fn names(target: &Target) -> Vec<String> {
    match target.address() {
        Address::Tcp { .. }
        | Address::Tls { .. }
        | Address::Cluster { .. }
        | Address::Sentinel { .. } => {
            let both = |Place { host, port }| {
                let host = host.trim_end_matches('.').to_owned();
                [format!("{host}:{port}"), host]
            };
            target.places().into_iter().flat_map(both).collect()
        }
        Address::Unix(path) => vec![path.to_string_lossy().into_owned()],
        Address::Embedded { .. } => vec!["embedded".to_owned()],
    }
}

/// Whether a name is of a pattern in which `*` stands for anything; case does not matter.
fn is_like(pattern: &str, name: &str) -> bool {
    let (pattern, name) = (pattern.to_lowercase(), name.to_lowercase());
    let mut parts = pattern.split('*');
    let Some(mut rest) = name.strip_prefix(parts.next().unwrap_or("")) else { return false };
    let parts: Vec<&str> = parts.collect();
    let Some((last, between)) = parts.split_last() else { return rest.is_empty() };
    for part in between {
        match rest.find(part) {
            Some(at) => rest = &rest[at + part.len()..],
            None => return false,
        }
    }
    rest.ends_with(last)
}

/// What a plan would do against guards that are not of its script, as errors with their places in the
/// script.
pub fn prove_policy(source: &SourceFile, plan: &Plan, guards: &[Guard]) -> Vec<Problem> {
    let options = Options::default();
    let mut checker = Checker::new(source, &options, Vec::new());
    checker.seed = plan.seed;
    checker.prove(&plan.streams, guards, &mut Vec::new());
    checker.problems
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::GuardKind;

    const TEXT: &str = "# what this machine may do\n\
        target any { time <= 1h; warn at 50% }\n\
        target elsewhere { jobs <= 10k }\n\
        target \"prod-*.example.com\" { rate <= 100/s; notify command \"logger\" }\n\
        target \"*:7000\" { depth <= 5k then pause until 4k }\n";

    fn kinds(target: Option<&str>) -> Vec<&'static str> {
        let target = target.map(|url| Target::parse(url).unwrap());
        let policy = policy(&SourceFile::new("policy.load", TEXT), target.as_ref()).unwrap();
        assert!(policy.guards.iter().all(|guard| guard.tuning.policy && guard.span.is_none()));
        policy.guards.iter().map(|guard| guard.kind.word()).collect()
    }

    #[test]
    fn each_target_has_its_parts() {
        assert_eq!(kinds(None), ["time"]);
        assert_eq!(kinds(Some("redis://127.0.0.1")), ["time"]);
        assert_eq!(kinds(Some("redis://other")), ["time", "jobs"]);
        assert_eq!(
            kinds(Some("redis://PROD-7.example.com.:7000")),
            ["time", "jobs", "rate", "depth"]
        );
        assert_eq!(kinds(Some("redis://prod-7.example.com.evil.org")), ["time", "jobs"]);
        assert_eq!(kinds(Some("redis://127.0.0.1:7000")), ["time", "depth"]);
    }

    #[test]
    fn what_is_said_holds_with_its_tuning() {
        let target = Target::parse("redis://prod-1.example.com").unwrap();
        let found = policy(&SourceFile::new("p", TEXT), Some(&target)).unwrap();
        assert_eq!(found.guards[0].kind, GuardKind::Time(3_600_000_000_000));
        assert_eq!(found.guards[0].tuning.warn, Some(1_800.0));
        assert_eq!(found.guards[2].text, "rate <= 100/s (policy p)");
        assert_eq!(found.notify.len(), 1);
    }

    #[test]
    fn a_policy_that_is_wrong_is_none() {
        for text in
            ["rate <= 5", "target any { rate < 5 }", "target any { rats <= 5 }", "target any {"]
        {
            assert!(policy(&SourceFile::new("p", text), None).is_err(), "{text}");
        }
    }

    #[test]
    fn stars_stand_for_anything() {
        for (pattern, name, like) in [
            ("*", "", true),
            ("a*c", "abc", true),
            ("a*c", "ac", true),
            ("a*b*c", "a-b-b-c", true),
            ("a*b*c", "acb", false),
            ("a", "ab", false),
            ("*a", "ba", true),
            ("aa*aa", "aaa", false),
        ] {
            assert_eq!(is_like(pattern, name), like, "{pattern} {name}");
        }
    }
}
