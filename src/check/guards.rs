//! Guards, before they are proven.

use super::Checker;
use super::jobs::Draft;
use super::scope::Scopes;
use super::tuning::{falls_again, is_remark};
use crate::ast::{self, Expr, GuardAction, GuardRule};
use crate::exact::{Exact, checked, seconds_to_nanos, to_f64, whole};
use crate::job::QueueChoice;
use crate::job::layouts::{Layout, layout};
use crate::plan::{Action, Guard, GuardKind, Tuning};
use crate::problem::{Code, Problem};
use crate::source::Span;

/// The window of a rate guard that names none: a second.
const RATE_WINDOW: i128 = 1;
/// The window of an errors guard that names none: ten seconds.
const ERRORS_WINDOW: i128 = 10;
/// And one on the share of jobs that workers failed: a minute.
const FAILED_WINDOW: i128 = 60;

impl Checker<'_> {
    /// Every guard, of the file and of its loads.
    pub(super) fn guards(&mut self, scopes: &Scopes<'_>, drafts: &[Draft]) -> Vec<Guard> {
        let mut guards: Vec<Guard> = Vec::new();
        for (index, scope) in scopes.scopes.iter().enumerate() {
            let stream = drafts.iter().position(|draft| draft.scope == index);
            let stream = stream.filter(|_| index > 0);
            for rule in &scope.guards {
                if is_remark(rule) {
                    continue;
                }
                let Some(guard) = self.guard_rule(rule, stream, drafts) else { continue };
                let same =
                    |other: &&Guard| other.stream == stream && overlaps(&other.kind, &guard.kind);
                let twice = guards.iter().find(same).and_then(|guard| guard.span);
                if let Some(first) = twice.filter(|_| !self.shaky) {
                    self.report(
                        Problem::error(Code::Twice, rule.span, "this is bounded twice")
                            .label("the second bound")
                            .and(first, "the first")
                            .help("keep the one that you mean"),
                    );
                    continue;
                }
                guards.push(guard);
            }
        }
        self.tune(scopes, drafts, &mut guards);
        guards
    }

    fn guard_rule(
        &mut self,
        rule: &GuardRule,
        stream: Option<usize>,
        drafts: &[Draft],
    ) -> Option<Guard> {
        let kind = self.guard_kind(rule.kind.as_ref()?, stream, drafts);
        let action = match &rule.action {
            None => Some(None),
            Some(action) => self.action(&action.node, action.span, rule.kind.as_ref()?).map(Some),
        };
        let (kind, action) = (kind?, action?);
        if let Some(Action::PauseUntil(until)) = action
            && until >= kind.limit()
        {
            let message = "this pause would never begin or never end";
            let example = match kind {
                GuardKind::Errors { .. } => "errors <= 5% then pause until 1%",
                GuardKind::Age(_) => "age <= 30s then pause until 5s",
                GuardKind::Failed { .. } => "failed <= 5% then pause until 1%",
                GuardKind::Memory(_) => "memory <= 100MB then pause until 80MB",
                GuardKind::Cpu(_) => "cpu <= 80% then pause until 50%",
                GuardKind::ServerMemory(_) => "server memory <= 80% then pause until 60%",
                _ => "depth <= 10k then pause until 8k",
            };
            self.report(
                Problem::error(Code::BadGuard, rule.span, message)
                    .label("goes on at a level at which it pauses")
                    .help(format!("let it go on at a lower level: `{example}`")),
            );
            return None;
        }
        let text = self.one_line(rule.span);
        Some(Guard { kind, action, stream, text, span: Some(rule.span), tuning: Tuning::default() })
    }

    fn guard_kind(
        &mut self,
        kind: &ast::GuardKind,
        stream: Option<usize>,
        drafts: &[Draft],
    ) -> Option<GuardKind> {
        Some(match kind {
            ast::GuardKind::Rate { limit, over } => {
                let rate = self.rate(limit);
                let window = self.window(over.as_ref(), RATE_WINDOW);
                self.bare_rate_lint(limit);
                let (rate, window) = (rate?, window?);
                let jobs = checked('*', &rate, &window)?.floor().to_integer();
                if jobs == 0 {
                    self.report(
                        Problem::error(
                            Code::BadGuard,
                            limit.span,
                            "this bound allows no job at all",
                        )
                        .label("less than one job in its window")
                        .help("widen the window: `rate <= 10/min over 1m`"),
                    );
                    return None;
                }
                let limit_jobs = u64::try_from(jobs).ok()?;
                GuardKind::Rate { limit_jobs, window_ns: seconds_to_nanos(&window)? }
            }
            ast::GuardKind::Jobs(limit) => GuardKind::Jobs(self.count(limit, "a bound on jobs")?),
            ast::GuardKind::Time(limit) => {
                GuardKind::Time(seconds_to_nanos(&self.some_duration(limit)?)?)
            }
            ast::GuardKind::Depth { queue, limit } => {
                let known = match queue {
                    Some(queue) => self.known_queue(queue, stream, drafts),
                    None => true,
                };
                let limit = self.count(limit, "a bound on depth")?;
                let queue = queue.as_ref().map(|queue| queue.node.clone());
                known.then_some(GuardKind::Depth { queue, limit })?
            }
            ast::GuardKind::Errors { limit, over } => {
                let limit = self.share(limit);
                let window = self.window(over.as_ref(), ERRORS_WINDOW);
                GuardKind::Errors { limit: to_f64(&limit?), window_ns: seconds_to_nanos(&window?)? }
            }
            ast::GuardKind::Age(limit) => {
                let age = self.some_duration(limit);
                self.told_by_all(
                    limit.span,
                    (stream, None),
                    drafts,
                    "how old its jobs are",
                    |layout| layout.tells_age(),
                )?;
                GuardKind::Age(seconds_to_nanos(&age?)?)
            }
            ast::GuardKind::Failed { limit, over } => {
                let share = self.share(limit);
                let window = self.window(over.as_ref(), FAILED_WINDOW);
                self.told_by_all(
                    limit.span,
                    (stream, None),
                    drafts,
                    "which of its jobs failed",
                    |layout| layout.tells_failures(),
                )?;
                GuardKind::Failed { limit: to_f64(&share?), window_ns: seconds_to_nanos(&window?)? }
            }
            ast::GuardKind::Memory(limit) => GuardKind::Memory(self.memory(limit)?),
            ast::GuardKind::Cpu(limit) => GuardKind::Cpu(self.cpu_share(limit)?),
            ast::GuardKind::ServerMemory(limit) => {
                GuardKind::ServerMemory(self.server_limit(limit)?)
            }
            ast::GuardKind::Warn { .. }
            | ast::GuardKind::Cooldown(_)
            | ast::GuardKind::Notify(_) => return None,
            ast::GuardKind::File(path) => {
                if path.node.is_empty() {
                    self.report(
                        Problem::error(Code::BadGuard, path.span, "the stop file needs a path")
                            .help("write `file \"/tmp/stop\"`"),
                    );
                    return None;
                }
                GuardKind::File(path.node.clone())
            }
        })
    }

    /// Whether every queue that is written to, by a stream or of a name, tells something; says which
    /// does not.
    pub(super) fn told_by_all(
        &mut self,
        place: Span,
        (stream, queue): (Option<usize>, Option<&str>),
        drafts: &[Draft],
        what: &str,
        tells: impl Fn(&Layout) -> bool,
    ) -> Option<()> {
        let own = drafts.iter().enumerate().filter(|(index, _)| stream.is_none_or(|s| s == *index));
        let jobs = own.flat_map(|(_, draft)| &draft.mix).map(|entry| &entry.job);
        let mut jobs =
            jobs.filter(|job| queue.is_none_or(|queue| queue_names(&job.queue).contains(&queue)));
        let silent = jobs.find(|job| {
            let unwatched = job.envelope.flag("watch") == Some(false);
            unwatched || !layout(job.format.word()).is_some_and(&tells)
        });
        let Some(job) = silent else { return Some(()) };
        // What stands behind a quote that is not closed may have been a queue.
        let unread = |problem: &Problem| problem.code == Code::Quote;
        if !self.jobs_sound || self.problems.iter().any(unread) {
            return None;
        }
        let message = format!("nothing tells {what} in a queue of `as {}`", job.format.word());
        let problem = Problem::error(Code::CannotSay, place, message);
        self.report(problem.help("bound its `depth` instead, or use a format that keeps it"));
        None
    }

    fn window(&mut self, over: Option<&Expr>, default: i128) -> Option<Exact> {
        over.map_or(Some(whole(default)), |over| self.some_duration(over))
    }

    /// Whether a named queue is one that is written to.
    pub(super) fn known_queue(
        &mut self,
        queue: &ast::Name,
        stream: Option<usize>,
        drafts: &[Draft],
    ) -> bool {
        let mut names: Vec<&str> = Vec::new();
        for (index, draft) in drafts.iter().enumerate() {
            if stream.is_none_or(|stream| stream == index) {
                names.extend(draft.mix.iter().flat_map(|entry| queue_names(&entry.job.queue)));
            }
        }
        // A job that was found wrong may be the one that writes to it.
        if names.contains(&queue.node.as_str()) || names.is_empty() || !self.jobs_sound {
            return true;
        }
        names.sort_unstable();
        names.dedup();
        let help = match self.meant(&queue.node, names.iter().copied()) {
            Some(meant) => format!("did you mean `\"{meant}\"`?"),
            None => format!("it writes to {}", names.join(", ")),
        };
        let who = if stream.is_some() { "this load" } else { "this script" };
        let message = format!("{who} does not write to a queue `{}`", queue.node);
        self.report(Problem::error(Code::UnknownName, queue.span, message).help(help));
        false
    }

    fn action(
        &mut self,
        action: &GuardAction,
        span: Span,
        kind: &ast::GuardKind,
    ) -> Option<Action> {
        let (message, label, help) = match (action, kind) {
            (GuardAction::Stop, _) => return Some(Action::Stop),
            (GuardAction::Slow, ast::GuardKind::Rate { .. }) => return Some(Action::Slow),
            (GuardAction::Shed, ast::GuardKind::Rate { .. }) => return Some(Action::Shed),
            (GuardAction::PauseUntil(until), _) if falls_again(kind) => {
                return self.level(until, kind).map(Action::PauseUntil);
            }
            (GuardAction::PauseUntil(_), _) => (
                "this guard has nothing to wait for",
                "only `depth`, `age`, `errors`, `failed`, `memory`, `cpu` and `server memory` fall again while the run pauses",
                "write `then stop`, or leave the action out",
            ),
            (GuardAction::Slow, _) => (
                "only a rate can be slowed",
                "a slower clock does not bring this down",
                "write `rate <= 1000/s then slow`; here `then stop` or `then pause until …`",
            ),
            (GuardAction::Shed, _) => (
                "only what is above a rate can be shed",
                "there is no job to skip here",
                "write `rate <= 1000/s then shed`; here `then stop` or `then pause until …`",
            ),
        };
        self.report(Problem::error(Code::BadGuard, span, message).label(label).help(help));
        None
    }
}

/// The names a queue may have.
pub(super) fn queue_names(queue: &QueueChoice) -> Vec<&str> {
    match queue {
        QueueChoice::Fixed(name) => vec![name],
        QueueChoice::Pick(names) => names.iter().map(|(name, _)| name.as_str()).collect(),
    }
}

/// Whether two guards bound the same thing.
fn overlaps(a: &GuardKind, b: &GuardKind) -> bool {
    match (a, b) {
        (GuardKind::Jobs(_), GuardKind::Jobs(_)) | (GuardKind::Time(_), GuardKind::Time(_)) => true,
        (GuardKind::Rate { window_ns: a, .. }, GuardKind::Rate { window_ns: b, .. })
        | (GuardKind::Errors { window_ns: a, .. }, GuardKind::Errors { window_ns: b, .. })
        | (GuardKind::Failed { window_ns: a, .. }, GuardKind::Failed { window_ns: b, .. }) => {
            a == b
        }
        (GuardKind::Depth { queue: a, .. }, GuardKind::Depth { queue: b, .. }) => a == b,
        (GuardKind::File(a), GuardKind::File(b)) => a == b,
        (GuardKind::Age(_), GuardKind::Age(_)) => true,
        (GuardKind::Memory(_), GuardKind::Memory(_)) | (GuardKind::Cpu(_), GuardKind::Cpu(_)) => {
            true
        }
        (GuardKind::ServerMemory(_), GuardKind::ServerMemory(_)) => true,
        _ => false,
    }
}
