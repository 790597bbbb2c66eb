//! Lints: what is right, and yet may not be what its writer means. Each has a name, by which it is
//! allowed or denied: by a flag, or by a comment in the script.
//!
//! Those that need the value of an expression are found by `check` on its way; those of this room
//! need no more than the tree and the plan.

pub mod directives;
mod expect;
mod flow;
mod guards;
pub mod levels;
mod memory;
mod target;

pub use guards::Proof;
pub use memory::memory;

use crate::ast::Script;
use crate::plan::Plan;
use crate::problem::Problem;

/// What there is to say of a plan, in no order.
/// `holds` tells whether the script would keep to a guard, and without a remark.
pub fn plan(script: &Script, plan: &Plan, holds: &Proof<'_>) -> Vec<Problem> {
    let mut found = Vec::new();
    guards::lints(plan, holds, &mut found);
    flow::lints(plan, &mut found);
    expect::lints(script, plan, &mut found);
    target::lints(script, plan, &mut found);
    found
}
