//! What steers a run from outside: its script read again, and its socket.

use super::reached::Reached;
use super::{Args, reload};
use crate::cli::output::Output;
use crate::plan::Plan;
use crate::run::control::Control;
use crate::run::events;
use crate::source::SourceFile;
use std::sync::Arc;

/// Reads the script again when it is told to; there is none to read on standard input.
pub(super) fn reloading(
    args: &Args,
    (source, plan): (&SourceFile, &Plan),
    reached: &Reached,
    control: &Control,
    notifiers: &reload::Notifiers,
    out: &Output,
) -> Result<Option<reload::Trigger>, String> {
    let Some(file) = args.file.clone().filter(|file| file != "-") else { return Ok(None) };
    let mut options = args.flags.options(false);
    options.target_given = args.target.is_some();
    let reloader = reload::Reloader {
        file,
        options,
        policy: args.policy.clone(),
        target: reached.target.clone(),
        entry: args.splice,
        control: control.clone(),
        notifiers: Arc::clone(notifiers),
        plan: plan.clone(),
        source: source.clone(),
        out: *out,
        quiet: args.quiet,
    };
    reload::begin(reloader, args.watch).map(Some)
}

/// Opens the socket by which the run is steered. A run without one goes on.
#[cfg(unix)]
pub(super) fn open_control(
    run_id: &str,
    control: &Control,
    publisher: &mut events::Publisher,
    views: &events::Views,
    reload: Option<reload::Trigger>,
    out: &Output,
) -> Option<crate::ctl::Server> {
    let (folders, tap) = (crate::ctl::folders(), publisher.tap(1_024));
    let history = views.history.clone();
    match crate::ctl::serve(&folders, run_id, control.clone(), tap, history, reload) {
        Ok(server) => Some(server),
        Err(error) => {
            out.note(&format!("note: `loadc ctl` can't steer this run: {error}"));
            None
        }
    }
}

#[cfg(not(unix))]
pub(super) fn open_control(
    _: &str,
    _: &Control,
    _: &mut events::Publisher,
    _: &events::Views,
    _: Option<reload::Trigger>,
    _: &Output,
) {
}
