//! Targets: what is sent there, what stops it, and what should not stand in a script.

use crate::ast::{Expr, ExprKind, Script, Setting, StatementKind};
use crate::job::JobSpec;
use crate::plan::{GuardKind, Plan};
use crate::problem::{Code, Problem};
use crate::target::Target;

pub(super) fn lints(script: &Script, plan: &Plan, found: &mut Vec<Problem>) {
    let written = script.statements.iter().find_map(|statement| match &statement.kind {
        StatementKind::Setting(Setting::Target(expr)) => Some(expr),
        _ => None,
    });
    let target = plan.target.as_deref().and_then(|url| Target::parse(url).ok());
    let (Some(written), Some(target)) = (written, target) else { return };
    let default = JobSpec::default_job();
    if plan.streams.iter().flat_map(|stream| &stream.mix).all(|entry| *entry.job == default) {
        found.push(
            Problem::warning(Code::DefaultJob, written.span, "only default jobs go to this target")
                .label("gets a small `{id, n}` in the list `loadc`")
                .help("define what is sent: `job order { queue \"orders\"; body { id: uuid() } }`"),
        );
    }
    let stops = |kind: &GuardKind| matches!(kind, GuardKind::File(_));
    if !target.is_this_machine() && !plan.guards.iter().any(|guard| stops(&guard.kind)) {
        found.push(
            Problem::warning(Code::NoStopFile, written.span, "nothing stops this from outside")
                .label("is not this machine")
                .help("let a file end it that anybody can make: `guard { file \"/tmp/stop\" }`"),
        );
    }
    if target.login().password().is_some() && is_written(script, written) {
        found.push(
            Problem::warning(
                Code::SecretInTarget,
                written.span,
                "a password stands in this script",
            )
            .label("whoever reads the script reads it too")
            .help("take it from the environment: `target env(\"REDIS_URL\")`"),
        );
    }
}

/// Whether the address stands in the script, by way of a `let` or not.
fn is_written(script: &Script, target: &Expr) -> bool {
    match &target.kind {
        ExprKind::Text(_) => true,
        ExprKind::Parens(inner) => is_written(script, inner),
        ExprKind::Name(name) => script.statements.iter().any(|statement| match &statement.kind {
            StatementKind::Let(definition) => {
                definition.name.node == *name && matches!(definition.value.kind, ExprKind::Text(_))
            }
            _ => false,
        }),
        _ => false,
    }
}
