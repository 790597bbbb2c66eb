//! Guards proven: where a script breaks its own claim, and when a plan's guard will act.

use super::Checker;
use super::chance::left_to_chance;
use crate::exact::seconds_to_nanos;
use crate::plan::{Action, Guard, GuardKind, Phrase, PhraseJobs, Stream};
use crate::problem::{Code, Problem};
use crate::schedule::{self, Entries, RateProof};
use crate::show;
use crate::source::Span;
use crate::timeline::Timeline;

/// Evaluations of the curve that proving the guards on rate may cost, so that `check` answers soon.
const BUDGET: usize = 200_000;

/// What a script was found to do against a guard.
struct Breach<'p> {
    code: Code,
    message: String,
    at_ns: u64,
    place: Option<&'p Phrase>,
    what: String,
    help: String,
}

impl Checker<'_> {
    /// Proves the guards of a plan; claims that are broken are errors, plans become notes.
    pub(super) fn prove(&mut self, streams: &[Stream], guards: &[Guard], notes: &mut Vec<String>) {
        let rates = guards.iter().filter(|guard| matches!(guard.kind, GuardKind::Rate { .. }));
        let budget = BUDGET / rates.count().max(1);
        for guard in guards {
            let of = parts(streams, guard.stream);
            let breach = match guard.kind {
                // Where it ends the plan, that has been cut there.
                GuardKind::Jobs(_) if guard.action == Some(Action::Stop) => None,
                GuardKind::Jobs(limit) => jobs_breach(streams, guard, limit, self.seed),
                GuardKind::Time(limit_ns) => {
                    let from_ns = seconds_to_nanos(&self.from).unwrap_or(0);
                    time_breach(streams, guard, &of, limit_ns.saturating_add(from_ns))
                }
                GuardKind::Rate { limit_jobs, window_ns } => {
                    let chosen: Vec<&Stream> =
                        chosen(streams, guard.stream).map(|(_, stream)| stream).collect();
                    match schedule::first_beyond_rate(&of, window_ns, limit_jobs, budget) {
                        RateProof::Holds if left_to_chance(&chosen, window_ns, limit_jobs) => {
                            self.left_to_chance(guard);
                            None
                        }
                        RateProof::Holds => {
                            self.prove_batches(
                                guard,
                                &chosen,
                                &of,
                                (window_ns, limit_jobs),
                                budget,
                            );
                            None
                        }
                        RateProof::Beyond { t_ns, count } => {
                            Some(rate_breach(streams, guard, limit_jobs, window_ns, t_ns, count))
                        }
                        RateProof::Unproven => {
                            self.unproven(guard);
                            None
                        }
                    }
                }
                _ => None,
            };
            let Some(breach) = breach else { continue };
            let call = breach.place.and_then(|place| call_around(streams, place));
            match guard.action {
                None => self.claim_broken(guard, &breach, call),
                // The plan has been cut there, and a note says so.
                Some(Action::Stop) if !matches!(guard.kind, GuardKind::Rate { .. }) => {}
                Some(_) => {
                    let place = breach.place.map(|phrase| format!(", in `{}`", phrase.text));
                    notes.push(format!(
                        "`{}` will act {} after the start{}",
                        guard.text,
                        show::duration(breach.at_ns),
                        place.unwrap_or_default(),
                    ));
                }
            }
        }
    }

    fn unproven(&mut self, guard: &Guard) {
        let span = guard.span.unwrap_or_default();
        self.report(
            Problem::warning(Code::Unproven, span, "this bound could not be proven before the run")
                .label("the curve comes near it too often to follow")
                .help("it holds during the run all the same: what is above it waits"),
        );
    }

    /// Batches make a window hold more than the curve says: of each stream up to one job less than
    /// its batch.
    fn prove_batches(
        &mut self,
        guard: &Guard,
        streams: &[&Stream],
        of: &[(&Timeline, u64)],
        (window_ns, limit_jobs): (u64, u64),
        budget: usize,
    ) {
        let more: u64 = streams.iter().map(|stream| stream.batch - 1).sum();
        let room = limit_jobs.saturating_sub(more);
        if more == 0 || schedule::first_beyond_rate(of, window_ns, room, budget) == RateProof::Holds
        {
            return;
        }
        let span = guard.span.unwrap_or_default();
        let message = "batches may come to more than this bound";
        self.report(
            Problem::warning(Code::Unproven, span, message)
                .label(format!("the curve stays within it, but not with {} more", show::plural(more, "job")))
                .help("it holds during the run all the same, and what is above it waits; a higher bound, or smaller batches, leave room"),
        );
    }

    fn left_to_chance(&mut self, guard: &Guard) {
        let span = guard.span.unwrap_or_default();
        self.report(
            Problem::warning(Code::Unproven, span, "whether this bound holds is left to chance")
                .label("what is drawn may come to more")
                .help("it holds during the run all the same: what is above it waits; a higher bound, or a window that is longer, leaves room"),
        );
    }

    fn claim_broken(&mut self, guard: &Guard, breach: &Breach<'_>, call: Option<&Phrase>) {
        let place = breach.place.map(|phrase| phrase.span);
        let called = |problem: Problem| match call {
            Some(call) => problem.and(call.span, "called here"),
            None => problem,
        };
        let Some(span) = guard.span else {
            if guard.tuning.policy {
                let message = format!("{}: `{}`", breach.message, guard.text);
                let problem = Problem::error(breach.code, place.unwrap_or_default(), message);
                self.report(
                    problem.label(breach.what.clone()).help(
                        "a policy is no script's to loosen: send less, or ask whoever wrote it",
                    ),
                );
                return;
            }
            // A guard that nobody wrote: it holds because the target is not this machine.
            let message = format!(
                "{}: for a target that is not this machine `{}` holds unless the script says otherwise",
                breach.message, guard.text
            );
            let problem = Problem::error(breach.code, place.unwrap_or_default(), message);
            self.report(
                called(problem)
                    .label(breach.what.clone())
                    .help("state the bound that you mean in a `guard { … }` of the script"),
            );
            return;
        };
        let problem = Problem::error(breach.code, span, breach.message.clone());
        let mut problem = problem.label("this guard").help(breach.help.clone());
        if let Some(place) = place {
            problem = called(problem.and(place, breach.what.clone()));
        }
        self.report(problem);
    }
}

/// The streams a guard speaks of.
fn chosen(streams: &[Stream], only: Option<usize>) -> impl Iterator<Item = (usize, &Stream)> {
    let all = streams.iter().enumerate();
    all.filter(move |(index, _)| only.is_none_or(|only| only == *index))
}

/// Their timelines.
fn parts(streams: &[Stream], only: Option<usize>) -> Vec<(&Timeline, u64)> {
    let of = |(_, stream)| -> Vec<(&Timeline, u64)> { timelines(stream) };
    chosen(streams, only).flat_map(of).collect()
}

/// That of a stream's curve, and those expected of its flows.
fn timelines(stream: &Stream) -> Vec<(&Timeline, u64)> {
    let steps = stream.steps.iter().map(|steps| &*steps.timeline);
    std::iter::once(&*stream.timeline).chain(steps).map(|part| (part, stream.after_ns)).collect()
}

fn jobs_breach<'p>(
    streams: &'p [Stream],
    guard: &Guard,
    limit: u64,
    seed: u64,
) -> Option<Breach<'p>> {
    let of: Vec<&Stream> = chosen(streams, guard.stream).map(|(_, stream)| stream).collect();
    let most = |stream: &&Stream| stream.jobs().saturating_add(stream.most_steps());
    if of.iter().map(most).fold(0, u64::saturating_add) <= limit {
        return None;
    }
    // What flows send is counted one by one.
    let entries: Vec<Entries> = of.iter().map(|stream| stream.entries(seed)).collect();
    let total = entries.iter().map(|own| own.count_by(u64::MAX)).fold(0, u64::saturating_add);
    if total <= limit {
        return None;
    }
    let at_ns = schedule::time_of_nth(&entries, limit + 1)?;
    let by = |t_ns: Option<u64>, own: &Entries| t_ns.map_or(0, |t_ns| own.count_by(t_ns));
    let mut by_then: u64 = entries.iter().map(|own| by(at_ns.checked_sub(1), own)).sum();
    let first = entries.iter().position(|own| {
        by_then += own.count_by(at_ns) - by(at_ns.checked_sub(1), own);
        by_then > limit
    });
    let stream = of[first?];
    let place = phrase_at(&stream.phrases, at_ns.saturating_sub(stream.after_ns));
    let number = show::count(limit + 1);
    let when = show::duration(at_ns);
    let who = if guard.stream.is_some() { "this load" } else { "this script" };
    Some(Breach {
        code: Code::GuardJobs,
        message: format!(
            "{who} sends {}, and its guard allows {}",
            show::plural(total, "job"),
            show::count(limit)
        ),
        at_ns,
        place,
        what: format!("job {number} falls due in here, {when} after the start"),
        help: format!(
            "raise the guard to `jobs <= {}`, send less, or let the run end there: `jobs <= {} then stop`",
            show::count(total).replace(',', "_"),
            show::count(limit).replace(',', "_"),
        ),
    })
}

fn time_breach<'p>(
    streams: &'p [Stream],
    guard: &Guard,
    of: &[(&Timeline, u64)],
    limit_ns: u64,
) -> Option<Breach<'p>> {
    let end =
        of.iter().filter_map(|(timeline, after)| Some(timeline.length_ns()? + after)).max()?;
    if end <= limit_ns {
        return None;
    }
    let lasting = streams.iter().enumerate().filter(|(index, stream)| {
        guard.stream.is_none_or(|only| only == *index)
            && stream.timeline.length_ns().is_some_and(|length| length + stream.after_ns > limit_ns)
    });
    let place = lasting.map(|(_, stream)| {
        phrase_at(&stream.phrases, (limit_ns + 1).saturating_sub(stream.after_ns))
    });
    let limit = show::duration(limit_ns);
    let who = if guard.stream.is_some() { "this load" } else { "this script" };
    Some(Breach {
        code: Code::GuardTime,
        message: format!(
            "{who} ends {} after the start of the run, and its guard allows {limit}",
            show::duration(end)
        ),
        at_ns: limit_ns,
        place: place.flatten().next(),
        what: format!("still going {limit} after the start"),
        help: format!(
            "raise the guard to `time <= {}`, shorten the script, or let the run end there: `time <= {limit} then stop`",
            show::duration(end)
        ),
    })
}

fn rate_breach<'p>(
    streams: &'p [Stream],
    guard: &Guard,
    limit_jobs: u64,
    window_ns: u64,
    t_ns: u64,
    count: u64,
) -> Breach<'p> {
    let steepest = streams.iter().enumerate().filter(|(index, stream)| {
        guard.stream.is_none_or(|only| only == *index) && t_ns >= stream.after_ns
    });
    let in_window = |stream: &Stream| {
        let end = t_ns.saturating_sub(stream.after_ns);
        let before = end.checked_sub(window_ns).map_or(0, |start| stream.due.jobs_by(start));
        stream.due.jobs_by(end).saturating_sub(before)
    };
    let stream = steepest.max_by_key(|(_, stream)| in_window(stream)).map(|(_, stream)| stream);
    let place =
        stream.and_then(|stream| phrase_at(&stream.phrases, t_ns.saturating_sub(stream.after_ns)));
    let window = show::duration(window_ns);
    let who = if guard.stream.is_some() { "this load" } else { "this script" };
    let peak = schedule::peak_of_sum(&parts(streams, guard.stream));
    // Where the rate alone would pass, it is a jump that does not.
    let window_s = window_ns as f64 / 1e9;
    let steady = peak * window_s > limit_jobs as f64;
    // Jobs are whole: a window of 100.5 of them on average holds 101 now and then.
    let enough = ((peak * window_s).ceil() / window_s * 1000.0).ceil() / 1000.0;
    let enough = show::decimal(enough, 3);
    let over = if window_ns == 1_000_000_000 { String::new() } else { format!(" over {window}") };
    Breach {
        code: Code::GuardRate,
        message: format!(
            "{who} sends {} within {window}, and its guard allows {}",
            show::plural(count, "job"),
            show::count(limit_jobs)
        ),
        at_ns: t_ns,
        place,
        what: format!("first too many in here, {} after the start", show::duration(t_ns)),
        help: match steady && peak.is_finite() {
            true => format!(
                "its peak is {}: raise the guard to `rate <= {enough}/s{over}`, or put a `cap` around the phrase",
                show::rate(peak)
            ),
            false => "raise the guard, or send these jobs over a time, as a shape".to_owned(),
        },
    }
}

/// The phrase of one's own in which an instant lies; a tie belongs to what is sent at once there, else
/// to the earlier.
pub(super) fn phrase_at(phrases: &[Phrase], t_ns: u64) -> Option<&Phrase> {
    let at_once = |phrase: &&Phrase| {
        phrase.start_ns == t_ns
            && phrase.end_ns == t_ns
            && phrase.peak_per_s == 0.0
            && phrase.jobs != PhraseJobs::Exact(0)
    };
    let direct = phrases.iter().find(at_once);
    let direct = direct.or_else(|| phrases.iter().find(|phrase| t_ns <= phrase.end_ns));
    let direct = direct.or(phrases.last())?;
    let inner = direct
        .phrases
        .iter()
        .find(|inner| inner.start_ns < t_ns && t_ns <= inner.end_ns && !inner.span.is_empty());
    // Within a repetition only the first pass has places; later ones are the block's.
    inner.and_then(|_| phrase_at(&direct.phrases, t_ns)).or(Some(direct))
}

/// The outermost call of a shape in which a phrase stands.
fn call_around<'p>(streams: &'p [Stream], place: &Phrase) -> Option<&'p Phrase> {
    fn holds(phrase: &Phrase, place: &Phrase) -> bool {
        phrase.phrases.iter().any(|inner| std::ptr::eq(inner, place) || holds(inner, place))
    }
    fn find<'p>(phrases: &'p [Phrase], place: &Phrase) -> Option<&'p Phrase> {
        let around = phrases.iter().find(|phrase| holds(phrase, place))?;
        if around.is_call { Some(around) } else { find(&around.phrases, place) }
    }
    streams.iter().find_map(|stream| find(&stream.phrases, place))
}

/// The place of a mark that a curve fault names.
pub(super) fn fault_span(marks: &[Span], mark: Option<u32>) -> Span {
    mark.and_then(|mark| marks.get(mark as usize)).copied().unwrap_or_default()
}
