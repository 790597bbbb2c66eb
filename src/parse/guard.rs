//! Guards and expectations.

use super::{Pair, Reader, Rule};
use crate::ast::{
    Comparison, ExpectKind, Expectation, GuardAction, GuardKind, GuardRule, Measure, Name, Notify,
    Recovery, StatementKind, Statistic, TimeKind, WarnOf,
};
use crate::problem::{Code, Problem};
use crate::source::{Span, Spanned};

impl Reader {
    pub(super) fn guard(&mut self, pair: Pair<'_>) -> StatementKind {
        let mut rules = Vec::new();
        for part in pair.into_inner() {
            match part.as_rule() {
                Rule::guard_block => rules = self.guard_rules(part),
                Rule::excess => self.excess(&part),
                _ => {}
            }
        }
        StatementKind::Guard(rules)
    }

    pub(super) fn guard_rules(&mut self, pair: Pair<'_>) -> Vec<GuardRule> {
        self.parted(pair).into_iter().map(|rule| self.guard_rule(rule)).collect()
    }

    fn guard_rule(&mut self, pair: Pair<'_>) -> GuardRule {
        let span = self.trimmed(&pair);
        let mut guard = GuardRule { kind: None, action: None, span };
        if pair.as_rule() == Rule::broken_rule {
            self.broken_rule(&pair, Rule::lone_guard_rule);
            return guard;
        }
        for part in pair.into_inner() {
            match part.as_rule() {
                Rule::action => guard.action = self.action(part),
                Rule::warn => guard.kind = self.warn(part),
                Rule::cooldown => guard.kind = self.argument(part).map(GuardKind::Cooldown),
                Rule::notify => guard.kind = self.notify(part),
                _ => guard.kind = self.guard_kind(part),
            }
        }
        guard
    }

    fn guard_kind(&mut self, pair: Pair<'_>) -> Option<GuardKind> {
        let rule = pair.as_rule();
        let whole = pair.as_str();
        let (mut limit, mut over, mut text) = (None, None, None);
        for part in pair.into_inner() {
            match part.as_rule() {
                Rule::not_at_most => self.not_at_most(&part, whole),
                Rule::expr => limit = Some(self.expr(part)),
                Rule::over => over = self.argument(part),
                Rule::string | Rule::bare_text => {
                    text = Some(self.quoted(&part, "the name of a queue"));
                }
                _ => {}
            }
        }
        Some(match rule {
            Rule::rate_guard => GuardKind::Rate { limit: limit?, over },
            Rule::jobs_guard => GuardKind::Jobs(limit?),
            Rule::time_guard => GuardKind::Time(limit?),
            Rule::depth_guard => GuardKind::Depth { queue: text, limit: limit? },
            Rule::errors_guard => GuardKind::Errors { limit: limit?, over },
            Rule::age_guard => GuardKind::Age(limit?),
            Rule::failed_guard => GuardKind::Failed { limit: limit?, over },
            Rule::memory_guard => GuardKind::Memory(limit?),
            Rule::cpu_guard => GuardKind::Cpu(limit?),
            Rule::server_guard => GuardKind::ServerMemory(limit?),
            _ => GuardKind::File(text?),
        })
    }

    fn warn(&mut self, pair: Pair<'_>) -> Option<GuardKind> {
        let (mut of, mut at) = (None, None);
        for part in pair.into_inner() {
            match part.as_rule() {
                Rule::warn_of => of = Some(self.warn_of(part)),
                Rule::expr => at = Some(self.expr(part)),
                _ => {}
            }
        }
        Some(GuardKind::Warn { of, at: at? })
    }

    fn warn_of(&mut self, pair: Pair<'_>) -> Spanned<WarnOf> {
        let span = self.span(&pair);
        let mut of = WarnOf::Rate;
        for part in pair.into_inner() {
            of = match part.as_rule() {
                Rule::kw_jobs => WarnOf::Jobs,
                Rule::kw_time => WarnOf::Time,
                Rule::kw_depth => WarnOf::Depth(None),
                Rule::kw_errors => WarnOf::Errors,
                Rule::kw_cpu => WarnOf::Cpu,
                Rule::kw_age => WarnOf::Age,
                Rule::kw_failed => WarnOf::Failed,
                Rule::kw_server => WarnOf::ServerMemory,
                Rule::kw_memory if of == WarnOf::ServerMemory => of,
                Rule::kw_memory => WarnOf::Memory,
                Rule::string | Rule::bare_text => {
                    WarnOf::Depth(Some(self.quoted(&part, "the name of a queue").node))
                }
                _ => of,
            };
        }
        Spanned::new(of, span)
    }

    fn notify(&mut self, pair: Pair<'_>) -> Option<GuardKind> {
        let (mut webhook, mut to, mut timeout, mut retries) = (false, None, None, None);
        for part in pair.into_inner() {
            let at = self.span(&part);
            match part.as_rule() {
                Rule::kw_webhook => webhook = true,
                Rule::expr => to = Some(self.expr(part)),
                Rule::timeout | Rule::retries => {
                    let is_timeout = part.as_rule() == Rule::timeout;
                    let Some(value) = self.argument(part) else { continue };
                    if is_timeout {
                        self.once(&mut timeout, value, at, "timeout");
                    } else {
                        self.once(&mut retries, value, at, "retries");
                    }
                }
                _ => {}
            }
        }
        Some(GuardKind::Notify(Notify { webhook, to: to?, timeout, retries }))
    }

    /// `rate < 100` and the like.
    fn not_at_most(&mut self, pair: &Pair<'_>, rule: &str) {
        let mark = pair.as_str();
        let meant = rule.replacen(mark, " <= ", 1);
        let meant = meant.split_whitespace().collect::<Vec<_>>().join(" ");
        let message =
            format!("a guard is an upper bound, written `<=`: `{mark}` cannot stand here");
        let problem = Problem::error(Code::Expected, self.span(pair), message);
        self.push(problem.help(format!("write `{meant}`")));
    }

    /// The parts of a block, without what parts them; `,` does not.
    pub(super) fn parted<'s>(&mut self, pair: Pair<'s>) -> Vec<Pair<'s>> {
        let mut parts = Vec::new();
        let of_job = pair.as_rule() == Rule::job_block;
        for part in pair.into_inner() {
            if part.as_rule() == Rule::not_stop {
                // Where a brace is missing, it may be one of an object.
                if self.shaky && of_job {
                    continue;
                }
                self.push(
                    Problem::error(Code::Expected, self.span(&part), "these are not parted by `,`")
                        .help("write `;` for `,`, or begin a new line"),
                );
            } else {
                parts.push(part);
            }
        }
        parts
    }

    fn action(&mut self, pair: Pair<'_>) -> Option<Spanned<GuardAction>> {
        let span = self.span(&pair);
        let inner = pair.into_inner().last()?;
        let action = match inner.as_rule() {
            Rule::kw_stop => GuardAction::Stop,
            Rule::kw_slow => GuardAction::Slow,
            Rule::kw_shed => GuardAction::Shed,
            _ => GuardAction::PauseUntil(self.argument(inner)?),
        };
        Some(Spanned::new(action, span))
    }

    pub(super) fn expect(&mut self, pair: Pair<'_>) -> StatementKind {
        let mut rules = Vec::new();
        for part in pair.into_inner() {
            match part.as_rule() {
                Rule::expect_block => rules = self.expectations(part),
                Rule::excess => self.excess(&part),
                _ => {}
            }
        }
        StatementKind::Expect(rules)
    }

    pub(super) fn expectations(&mut self, pair: Pair<'_>) -> Vec<Expectation> {
        self.parted(pair).into_iter().map(|rule| self.expectation(rule)).collect()
    }

    fn expectation(&mut self, pair: Pair<'_>) -> Expectation {
        let span = self.trimmed(&pair);
        if pair.as_rule() == Rule::broken_rule {
            self.broken_rule(&pair, Rule::lone_expectation);
            return Expectation { kind: None, stops: None, span };
        }
        let (mut whole, mut stops) = (None, None);
        let (mut measure, mut comparison, mut limit) = (None, None, None);
        let (mut phrase, mut queue, mut instant) = (None, None, None);
        for part in pair.into_inner() {
            let at = self.span(&part);
            match part.as_rule() {
                Rule::else_stop => stops = Some(at),
                Rule::drains | Rule::depth_stays => whole = self.of_queues(part),
                Rule::recovers => whole = self.recovers(part),
                Rule::at_time => instant = self.argument(part),
                Rule::of_phrase => phrase = self.name_within(part, "the name of a phrase"),
                Rule::of_queue => queue = self.name_within(part, "the name of a queue"),
                Rule::measure => {
                    let (found, of) = self.measure(part);
                    measure = found;
                    if let (Some(first), Some(second)) = (&queue, &of) {
                        let message = "a queue is named twice";
                        let problem = Problem::error(Code::Twice, second.span, message);
                        self.push(problem.and(first.span, "here already").help("name it once"));
                    }
                    queue = queue.or(of);
                }
                Rule::comparison => {
                    let (found, meant) = match part.as_str() {
                        "<" => (Comparison::Less, "<"),
                        "<=" | "≤" => (Comparison::AtMost, "<="),
                        "=" | "==" => (Comparison::Equal, "="),
                        ">=" | "≥" => (Comparison::AtLeast, ">="),
                        _ => (Comparison::Greater, ">"),
                    };
                    // Where nothing can be equal, `check` says so.
                    let useless = found == Comparison::Equal && measure != Some(Measure::Jobs);
                    if meant != part.as_str() && !useless {
                        let message = format!("`{}` is written `{meant}` here", part.as_str());
                        let problem = Problem::error(Code::Expected, at, message);
                        self.push(problem.help(format!("write `{meant}`")));
                    }
                    comparison = Some(Spanned::new(found, at));
                }
                _ => limit = Some(self.expr(part)),
            }
        }
        let kind = measure.zip(comparison).zip(limit);
        let kind = kind.map(|((measure, comparison), limit)| ExpectKind {
            measure,
            comparison,
            limit,
            queue,
            phrase,
            at: instant,
        });
        Expectation { kind: whole.or(kind), stops, span }
    }

    /// The name that is all a pair holds.
    fn name_within(&mut self, pair: Pair<'_>, what: &str) -> Option<Name> {
        let named = |part: &Pair<'_>| matches!(part.as_rule(), Rule::string | Rule::bare_text);
        let name = pair.into_inner().find(named)?;
        Some(self.quoted(&name, what))
    }

    /// `recovers within 30s after "spike"`
    fn recovers(&mut self, pair: Pair<'_>) -> Option<ExpectKind> {
        let span = self.span(&pair);
        let (mut recovery, mut queue) = (Recovery::Both, None);
        let (mut limit, mut phrase) = (None, None);
        for part in pair.into_inner() {
            match part.as_rule() {
                Rule::recovering => {
                    let (measure, of) = self.measure(part);
                    recovery = match measure? {
                        Measure::Time(statistic, kind) => Recovery::Time(statistic, kind),
                        _ => Recovery::Depth,
                    };
                    queue = of;
                }
                Rule::expr => limit = Some(self.expr(part)),
                Rule::string | Rule::bare_text => {
                    phrase = Some(self.quoted(&part, "the name of a phrase"));
                }
                _ => {}
            }
        }
        let measure = Measure::Recovers(recovery);
        let comparison = Spanned::new(Comparison::AtMost, span);
        Some(ExpectKind { measure, comparison, limit: limit?, queue, phrase, at: None })
    }

    /// `drains within 60s`, `depth "orders" stays below 5k`
    fn of_queues(&mut self, pair: Pair<'_>) -> Option<ExpectKind> {
        let drains = pair.as_rule() == Rule::drains;
        let span = self.span(&pair);
        let (mut queue, mut limit) = (None, None);
        for part in pair.into_inner() {
            match part.as_rule() {
                Rule::expr => limit = Some(self.expr(part)),
                Rule::string | Rule::bare_text => {
                    queue = Some(self.quoted(&part, "the name of a queue"));
                }
                _ => {}
            }
        }
        let (measure, comparison) = match drains {
            true => (Measure::Drains, Comparison::AtMost),
            false => (Measure::Depth, Comparison::Less),
        };
        let comparison = Spanned::new(comparison, span);
        let (phrase, at) = (None, None);
        Some(ExpectKind { measure, comparison, limit: limit?, queue, phrase, at })
    }

    /// A measure, and the queue that it names.
    fn measure(&mut self, pair: Pair<'_>) -> (Option<Measure>, Option<Name>) {
        let span = self.span(&pair);
        let mut inner = pair.into_inner();
        let (first, second) = (inner.next(), inner.next());
        let measure = match first.as_ref().map(Pair::as_rule) {
            Some(Rule::kw_jobs) => Some(Measure::Jobs),
            Some(Rule::kw_deviation) => Some(Measure::Deviation),
            Some(Rule::kw_errors) => Some(Measure::Errors),
            Some(Rule::kw_depth) => {
                let queue = second.map(|name| self.quoted(&name, "the name of a queue"));
                return (Some(Measure::DepthNow), queue);
            }
            _ => first.zip(second).and_then(|(first, second)| {
                let kind = match second.as_str() {
                    "service" => TimeKind::Service,
                    "response" => TimeKind::Response,
                    "pickup" => TimeKind::Pickup,
                    _ => TimeKind::SendDelay,
                };
                let statistic = self.statistic(first.as_str(), span)?;
                Some(Measure::Time(statistic, kind))
            }),
        };
        (measure, None)
    }

    fn statistic(&mut self, word: &str, span: Span) -> Option<Statistic> {
        let percentile = match word {
            "mean" => return Some(Statistic::Mean),
            "max" => return Some(Statistic::Max),
            other => &other[1..],
        };
        let (whole, decimals) = percentile.split_once('.').unwrap_or((percentile, ""));
        let thousandths = format!("{whole}{decimals:0<3}").parse::<u32>().ok();
        match thousandths.filter(|n| decimals.len() <= 3 && (1..=100_000).contains(n)) {
            Some(thousandths) => Some(Statistic::Percentile(thousandths)),
            None => {
                self.push(
                    Problem::error(
                        Code::OutOfRange,
                        span,
                        format!("there is no percentile `{word}`"),
                    )
                    .help("percentiles go from p0.001 to p100, such as `p50`, `p99` and `p99.9`"),
                );
                None
            }
        }
    }
}
