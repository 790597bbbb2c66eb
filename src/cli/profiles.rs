//! `loadc profiles`: the scenarios that `loadc new` can start from.

use super::Exit;
use super::output::{self, Output};
use crate::check::{Options, check};
use crate::profiles::ALL;
use crate::show;
use crate::source::SourceFile;
use crate::view::spark::spark;
use crate::view::{Load, Look};

/// Columns of a curve.
const CURVE: usize = 32;

/// Lists the scenarios, with their totals and curves.
pub(super) fn run(out: &Output) -> Exit {
    let look = Look { color: out.color_out, width: output::width() };
    let column = ALL.iter().map(|profile| profile.name.len()).max().unwrap_or(0);
    for profile in ALL {
        let checked = check(&SourceFile::new(profile.name, profile.text), &Options::default());
        let Some(plan) = checked.plan else { continue };
        let load = Load::of(&plan);
        let facts = format!(
            "{:>14}  {:>8}  {:>13}",
            show::plural(load.jobs, "job"),
            show::duration(load.end_ns),
            format!("peak {}", show::rate(load.peak_per_s))
        );
        let name = format!("{:column$}", profile.name);
        let curve = spark(&load, CURVE);
        let line = format!("{}  {facts}  {}", look.bold(&name), look.accent(&curve));
        out.say(line.trim_end());
        out.say(&look.dim(&format!("{:column$}  {}", "", profile.title())));
    }
    out.say("\nloadc new FILE --from NAME writes one of them.");
    Exit::Done
}
