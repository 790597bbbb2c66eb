//! What is said of guards: levels of warning, cooldowns, whom to tell; and the measures of those that
//! ask for memory and processor time.

use super::Checker;
use super::jobs::Draft;
use super::scope::Scopes;
use crate::ast::{self, Expr, GuardRule, Unit, WarnOf};
use crate::exact::{Exact, seconds_to_nanos, to_f64, whole};
use crate::plan::{Guard, GuardKind, Notify, NotifyWay, ServerLimit};
use crate::problem::{Code, Problem};
use crate::source::{Span, Spanned};

/// The most memory a guard may name, in bytes.
const MAX_BYTES: i128 = 1_000_000_000_000_000;
/// The most cores a guard on processor time may name.
const MAX_CORES: i128 = 1_000;
/// How long one try to tell somebody may take if it does not say, in seconds.
const TIMEOUT_S: i128 = 5;
/// The longest that it may say.
const MAX_TIMEOUT_S: i128 = 300;
/// How often telling is tried again if it does not say.
const RETRIES: u32 = 2;
/// The most that it may say.
const MAX_RETRIES: u64 = 100;

/// Whether a rule of a guard bounds nothing itself.
pub(super) fn is_remark(rule: &GuardRule) -> bool {
    use ast::GuardKind as K;
    matches!(rule.kind, Some(K::Warn { .. } | K::Cooldown(_) | K::Notify(_)))
}

/// Whether what a guard measures falls by itself while nothing is sent.
pub(super) fn falls_again(kind: &ast::GuardKind) -> bool {
    use ast::GuardKind as K;
    matches!(
        kind,
        K::Depth { .. }
            | K::Errors { .. }
            | K::Age(_)
            | K::Failed { .. }
            | K::Memory(_)
            | K::Cpu(_)
            | K::ServerMemory(_)
    )
}

impl Checker<'_> {
    /// A level in the measure of a guard, as `then pause until` has it.
    pub(super) fn level(&mut self, level: &Expr, kind: &ast::GuardKind) -> Option<f64> {
        use ast::GuardKind as K;
        Some(match kind {
            K::Errors { .. } | K::Failed { .. } => to_f64(&self.share(level)?),
            K::Age(_) => to_f64(&self.duration(level)?),
            K::Memory(_) => self.memory(level)? as f64,
            K::Cpu(_) => self.cpu_share(level)?,
            K::ServerMemory(limit) => {
                let (bound, level_of) = (self.quantity(limit)?, self.server_limit(level)?);
                let in_bytes = bound.1 == Unit::Size;
                match level_of {
                    ServerLimit::Bytes(bytes) if in_bytes => bytes as f64,
                    ServerLimit::Share(share) if !in_bytes => share,
                    _ => {
                        self.other_measure(level.span);
                        return None;
                    }
                }
            }
            _ => self.count(level, "a level of depth")? as f64,
        })
    }

    fn other_measure(&mut self, span: Span) {
        self.report(
            Problem::error(Code::WrongUnit, span, "this is not in the measure of its guard")
                .help("write both as sizes, or both as shares: `server memory <= 80% then pause until 60%`"),
        );
    }

    /// A size of memory above 0, in bytes.
    pub(super) fn memory(&mut self, expr: &Expr) -> Option<u64> {
        let (value, unit) = self.quantity(expr)?;
        if unit != Unit::Size {
            let help = "write a size, such as `100MB` or `2GB`".to_owned();
            self.wrong_unit(expr, unit, "a size", help);
            return None;
        }
        if value < whole(1) || value > whole(MAX_BYTES) {
            let message = "this is no size that memory can have";
            let problem = Problem::error(Code::OutOfRange, expr.span, message);
            self.report(problem.help("write one from `1B` to `1000000GB`"));
            return None;
        }
        u64::try_from(value.floor().to_integer()).ok()
    }

    /// A share of a core, which may be several.
    pub(super) fn cpu_share(&mut self, expr: &Expr) -> Option<f64> {
        let (value, unit) = self.quantity(expr)?;
        if !matches!(unit, Unit::Share | Unit::Plain) {
            let help = "write a share of one core, such as `80%`; two cores are `200%`".to_owned();
            self.wrong_unit(expr, unit, "a share", help);
            return None;
        }
        if value <= whole(0) || value > whole(MAX_CORES) {
            let message = "this is no share of a core that can be used";
            let problem = Problem::error(Code::OutOfRange, expr.span, message);
            self.report(problem.help("write a share above 0, such as `80%`; two cores are `200%`"));
            return None;
        }
        Some(to_f64(&value))
    }

    /// A share of what a server may use, or a size.
    pub(super) fn server_limit(&mut self, expr: &Expr) -> Option<ServerLimit> {
        let (_, unit) = self.quantity(expr)?;
        match unit {
            Unit::Size => self.memory(expr).map(ServerLimit::Bytes),
            _ => self.share(expr).map(|share| ServerLimit::Share(to_f64(&share))),
        }
    }

    /// Gives guards their levels of warning and their cooldowns: those of their own load, else those
    /// of the file.
    pub(super) fn tune(&mut self, scopes: &Scopes<'_>, drafts: &[Draft], guards: &mut [Guard]) {
        let mut file = Remarks::default();
        for (index, scope) in scopes.scopes.iter().enumerate() {
            let stream = drafts.iter().position(|draft| draft.scope == index);
            let stream = stream.filter(|_| index > 0);
            let own = self.remarks(&scope.guards, guards, stream);
            if index == 0 {
                file = own;
                self.apply(&file, &Remarks::default(), guards, None);
            } else {
                self.apply(&own, &file, guards, stream);
            }
        }
    }

    fn remarks(
        &mut self,
        rules: &[&GuardRule],
        guards: &[Guard],
        stream: Option<usize>,
    ) -> Remarks {
        let mut found = Remarks::default();
        for rule in rules {
            match &rule.kind {
                Some(ast::GuardKind::Warn { of: None, at }) => {
                    let share = self.warn_share(at).map(|share| to_f64(&share));
                    self.once_said(found.warn.is_none(), "warn at", rule.span);
                    found.warn = found.warn.or(share);
                }
                Some(ast::GuardKind::Warn { of: Some(of), at }) => {
                    if let Some(level) = self.warn_level(of, at, guards, stream) {
                        found.levels.push((of.node.clone(), level));
                    }
                }
                Some(ast::GuardKind::Cooldown(length)) => {
                    let length = self.some_duration(length);
                    self.once_said(found.cooldown_ns.is_none(), "cooldown", rule.span);
                    let length = length.and_then(|length| seconds_to_nanos(&length));
                    found.cooldown_ns = found.cooldown_ns.or(length);
                }
                _ => {}
            }
        }
        found
    }

    fn once_said(&mut self, first: bool, what: &str, span: Span) {
        if !first && !self.shaky {
            let problem = Problem::error(Code::Twice, span, format!("`{what}` is given twice"));
            self.report(problem.label("the second time").help("keep the one that you mean"));
        }
    }

    fn warn_share(&mut self, at: &Expr) -> Option<Exact> {
        let share = self.share(at)?;
        if share == whole(0) {
            let message = "a warning at 0% would come before anything has happened";
            let problem = Problem::error(Code::BadGuard, at.span, message);
            self.report(problem.help("write a share of the bound, such as `warn at 80%`"));
            return None;
        }
        Some(share)
    }

    /// The level of a warning in the measure of its guard: a share of the bound, or a value.
    fn warn_level(
        &mut self,
        of: &Spanned<WarnOf>,
        at: &Expr,
        guards: &[Guard],
        stream: Option<usize>,
    ) -> Option<f64> {
        let fits = |guard: &&Guard| guard.stream == stream && is_of(&guard.kind, &of.node);
        let Some(guard) = guards.iter().find(fits) else {
            if !self.has_errors() {
                let message = "there is no such guard to warn of";
                let problem = Problem::error(Code::BadGuard, of.span, message);
                self.report(
                    problem.help(
                        "bound it first, in the same scope: `depth <= 10k; warn depth at 8k`",
                    ),
                );
            }
            return None;
        };
        let (kind, limit) = (guard.kind.clone(), guard.kind.limit());
        let (_, unit) = self.quantity(at)?;
        // Of a guard whose own measure is a share, a share is a level: `warn cpu at 70%`.
        let own_share = matches!(
            kind,
            GuardKind::Errors { .. }
                | GuardKind::Failed { .. }
                | GuardKind::Cpu(_)
                | GuardKind::ServerMemory(ServerLimit::Share(_))
        );
        let level = match kind {
            _ if own_share && matches!(kind, GuardKind::Cpu(_)) => self.cpu_share(at)?,
            _ if own_share => to_f64(&self.share(at)?),
            _ if unit == Unit::Share => to_f64(&self.warn_share(at)?) * limit,
            GuardKind::Rate { window_ns, .. } => to_f64(&self.rate(at)?) * window_ns as f64 / 1e9,
            GuardKind::Time(_) | GuardKind::Age(_) => to_f64(&self.some_duration(at)?),
            GuardKind::Memory(_) | GuardKind::ServerMemory(_) => self.memory(at)? as f64,
            _ => self.count(at, "a level to warn at")? as f64,
        };
        if level > limit {
            let message = "this warning would come after the guard has acted";
            let problem = Problem::error(Code::BadGuard, at.span, message);
            self.report(problem.help("warn at a level below the bound"));
            return None;
        }
        Some(level)
    }

    fn apply(&self, own: &Remarks, file: &Remarks, guards: &mut [Guard], stream: Option<usize>) {
        for guard in guards.iter_mut().filter(|guard| guard.stream == stream) {
            let named = own.levels.iter().find(|(of, _)| is_of(&guard.kind, of));
            let share =
                own.warn.or(file.warn).filter(|_| !matches!(guard.kind, GuardKind::File(_)));
            guard.tuning.warn =
                named.map(|(_, level)| *level).or(share.map(|share| share * guard.kind.limit()));
            guard.tuning.cooldown_ns = own.cooldown_ns.or(file.cooldown_ns).unwrap_or(0);
        }
    }

    /// Whom to tell. Only the file says so: a hit of a load's guard is told to the same.
    pub(super) fn notifications(&mut self, scopes: &Scopes<'_>) -> Vec<Notify> {
        let mut found = Vec::new();
        for (index, scope) in scopes.scopes.iter().enumerate() {
            for rule in &scope.guards {
                let Some(ast::GuardKind::Notify(notify)) = &rule.kind else { continue };
                if index > 0 {
                    self.out_of_place(
                        rule.span,
                        "a `notify` within a load",
                        "move it to a `guard` of the file: it is told of every guard",
                    );
                    continue;
                }
                found.extend(self.notification(notify, rule.span));
            }
        }
        found
    }

    fn notification(&mut self, notify: &ast::Notify, span: Span) -> Option<Notify> {
        let timeout = match &notify.timeout {
            Some(timeout) => self.some_duration(timeout)?,
            None => whole(TIMEOUT_S),
        };
        let place = notify.timeout.as_ref().map_or(span, |timeout| timeout.span);
        if timeout > whole(MAX_TIMEOUT_S) {
            let problem = Problem::error(Code::OutOfRange, place, "no one waits that long");
            self.report(problem.help("a time limit is 5m at the most"));
            return None;
        }
        let retries = match &notify.retries {
            Some(retries) => {
                let count = self.count(retries, "a number of retries")?;
                if count > MAX_RETRIES {
                    let message = "that is too often";
                    let problem = Problem::error(Code::OutOfRange, retries.span, message);
                    self.report(problem.help("retries are 100 at the most"));
                    return None;
                }
                u32::try_from(count).ok()?
            }
            None => RETRIES,
        };
        let example =
            if notify.webhook { "https://hooks.example.com/load" } else { "logger loadc" };
        let to = self.text(&notify.to, example)?;
        let fault = match notify.webhook {
            true if !to.starts_with("http://") && !to.starts_with("https://") => {
                Some("a webhook has an address that begins with `http://` or `https://`")
            }
            _ if to.trim().is_empty() => Some("there is nothing to tell here"),
            _ => None,
        };
        if let Some(message) = fault {
            let problem = Problem::error(Code::BadGuard, notify.to.span, message);
            self.report(problem.help(format!("write it in quotes: `\"{example}\"`")));
            return None;
        }
        let way = if notify.webhook { NotifyWay::Webhook(to) } else { NotifyWay::Command(to) };
        let timeout_ns = seconds_to_nanos(&timeout)?;
        Some(Notify { way, timeout_ns, retries, text: self.one_line(span) })
    }
}

/// What a scope says of its guards.
#[derive(Debug, Default)]
struct Remarks {
    /// Of all: a share of the bound.
    warn: Option<f64>,
    /// Of one: a level in its own measure.
    levels: Vec<(WarnOf, f64)>,
    cooldown_ns: Option<u64>,
}

fn is_of(kind: &GuardKind, of: &WarnOf) -> bool {
    match (kind, of) {
        (GuardKind::Rate { .. }, WarnOf::Rate)
        | (GuardKind::Jobs(_), WarnOf::Jobs)
        | (GuardKind::Time(_), WarnOf::Time)
        | (GuardKind::Errors { .. }, WarnOf::Errors)
        | (GuardKind::Memory(_), WarnOf::Memory)
        | (GuardKind::Cpu(_), WarnOf::Cpu)
        | (GuardKind::Age(_), WarnOf::Age)
        | (GuardKind::Failed { .. }, WarnOf::Failed)
        | (GuardKind::ServerMemory(_), WarnOf::ServerMemory) => true,
        (GuardKind::Depth { queue, .. }, WarnOf::Depth(of)) => queue == of,
        _ => false,
    }
}
