//! How phrases follow one another, and what they come to.

use crate::plan::{Action, GuardKind, Phrase, PhraseJobs, Plan, Stream};
use crate::problem::{Code, Problem};
use crate::show;
use crate::source::Span;
use std::collections::BTreeMap;

/// A rate that rises by more than so many times at once is a jump.
const JUMP: f64 = 10.0;
/// A rise by less than this, in jobs per second, is none to speak of.
const LEAST_JUMP_PER_S: f64 = 10.0;
/// So many stretches of a phrase are looked at for a jump within it.
const MOST_STRETCHES: usize = 1_000;
/// A load that ends at this share of its peak or above has no way down.
const AT_PEAK: f64 = 0.9;

pub(super) fn lints(plan: &Plan, found: &mut Vec<Problem>) {
    let mut labels = BTreeMap::new();
    for (index, stream) in plan.streams.iter().enumerate() {
        jumps(stream, &stream.phrases, found);
        empty(stream, &stream.phrases, found);
        same_names(&stream.phrases, &mut labels, found);
        let ends = |kind: &GuardKind| matches!(kind, GuardKind::Time(_) | GuardKind::Jobs(_));
        let stopped = plan.guards.iter().any(|guard| {
            guard.stream.is_none_or(|only| only == index)
                && guard.action == Some(Action::Stop)
                && ends(&guard.kind)
        });
        if stopped {
            found.extend(cut_away(plan, index, stream));
        } else {
            found.extend(no_recovery(stream));
        }
    }
}

/// The first phrase that a guard's planned end leaves nothing of.
fn cut_away(plan: &Plan, index: usize, stream: &Stream) -> Option<Problem> {
    let length_ns = stream.timeline.length_ns()?;
    let ends_here = |kind: &GuardKind| match kind {
        GuardKind::Time(limit_ns) => *limit_ns <= length_ns.saturating_add(stream.after_ns),
        GuardKind::Jobs(limit) => *limit <= plan.part.jobs(&plan.streams, plan.seed),
        _ => false,
    };
    let guard = plan.guards.iter().find(|guard| {
        guard.stream.is_none_or(|only| only == index)
            && guard.action == Some(Action::Stop)
            && ends_here(&guard.kind)
    })?;
    let is_cut = |phrase: &&Phrase| {
        phrase.start_ns == phrase.end_ns
            && phrase.start_ns >= length_ns
            && phrase.jobs == PhraseJobs::Exact(0)
    };
    let first = stream.phrases.iter().find(is_cut)?;
    let problem = Problem::warning(Code::Unreachable, first.span, "this is never reached")
        .label("stands behind the end that a guard sets")
        .help("remove it, or let the guard end the run later");
    Some(match guard.span {
        Some(span) => problem.and(span, "ends the plan before it"),
        None => problem,
    })
}

/// The members of a `together` start at once: none follows another.
fn is_serial(phrases: &[Phrase]) -> bool {
    phrases.iter().all(|phrase| matches!(phrase.jobs, PhraseJobs::Exact(_)))
}

fn jumps(stream: &Stream, phrases: &[Phrase], found: &mut Vec<Problem>) {
    if !is_serial(phrases) {
        return;
    }
    // A pause warms nothing up: what comes behind it is met as cold as without it, or colder.
    let sends = |phrase: &&Phrase| phrase.end_ns > phrase.start_ns && phrase.peak_per_s > 0.0;
    let lasting = phrases.iter().filter(sends);
    for (before, next) in lasting.clone().zip(lasting.skip(1)) {
        let (from, to) = (before.rate_end_per_s, next.rate_start_per_s);
        // A burst is a jump by its nature.
        let meant = next.text.starts_with("burst");
        if from > 0.0 && to > JUMP * from && to - from >= LEAST_JUMP_PER_S && !meant {
            let message =
                format!("the rate jumps from {} to {} at once", show::rate(from), show::rate(to));
            let way = format!("ramp {}->{} over 1m", show::decimal(from, 3), show::decimal(to, 3));
            found.push(
                Problem::warning(Code::ColdJump, next.span, message)
                    .label(format!("{} times as much as before", show::number(to / from)))
                    .and(before.span, format!("ends at {}", show::rate(from)))
                    .help(format!("put a way up between, such as `{way}`")),
            );
        }
    }
    for phrase in phrases {
        found.extend(jump_within(stream, phrase));
        jumps(stream, &phrase.phrases, found);
    }
}

/// The first jump between the levels of one phrase.
fn jump_within(stream: &Stream, phrase: &Phrase) -> Option<Problem> {
    let has_levels = ["steps", "stairs", "points"].iter().any(|word| phrase.text.starts_with(word));
    if !has_levels || phrase.end_ns <= phrase.start_ns {
        return None;
    }
    let is_jump =
        |from: f64, to: f64| to > JUMP * from && to - from >= LEAST_JUMP_PER_S && to.is_finite();
    let rate = |t_ns| stream.timeline.rate(t_ns);
    let mut open = vec![(phrase.start_ns, phrase.end_ns - 1)];
    for _ in 0..MOST_STRETCHES {
        let (from, to) = open.pop()?;
        let (low, high) = stream.timeline.bounds(from, to);
        if from >= to || !is_jump(low, high) {
            continue;
        }
        if to - from > 1 {
            let middle = from + (to - from) / 2;
            open.extend([(middle, to), (from, middle)]);
            continue;
        }
        let (before, after) = (rate(from), rate(to));
        if before > 0.0 && is_jump(before, after) {
            let (low, high) = (show::rate(before), show::rate(after));
            let message = format!("the rate jumps from {low} to {high} at once");
            let at = show::duration(to - phrase.start_ns);
            let way =
                format!("ramp {}->{} over 1m", show::decimal(before, 3), show::decimal(after, 3));
            return Some(
                Problem::warning(Code::ColdJump, phrase.span, message)
                    .label(format!(
                        "{at} after its start, to {} times as much",
                        show::number(after / before)
                    ))
                    .help(format!("put a way up between, such as `{way}`")),
            );
        }
    }
    None
}

/// Phrases that send nothing, or less than a job.
fn empty(stream: &Stream, phrases: &[Phrase], found: &mut Vec<Problem>) {
    for phrase in phrases {
        let lasts = phrase.end_ns > phrase.start_ns;
        let none = match phrase.jobs {
            PhraseJobs::Exact(jobs) => jobs == 0,
            PhraseJobs::Share(share) => share < 1.0,
        };
        if !lasts || !none {
            empty(stream, &phrase.phrases, found);
            continue;
        }
        let length = show::duration(phrase.end_ns - phrase.start_ns);
        if phrase.peak_per_s > 0.0 {
            let mean = match phrase.jobs {
                PhraseJobs::Share(share) => share,
                PhraseJobs::Exact(_) => {
                    let due = |t_ns| stream.timeline.cumulative(t_ns);
                    due(phrase.end_ns) - due(phrase.start_ns)
                }
            };
            found.push(
                Problem::warning(Code::ThinPhrase, phrase.span, "no job falls due in here")
                    .label(format!("{} of a job in {length}", show::number(mean)))
                    .help("its jobs are carried over to what follows: make it longer, or faster"),
            );
        } else if !is_rest(phrase) && !rests(&phrase.phrases) {
            found.push(
                Problem::warning(Code::SilentPhrase, phrase.span, "this sends nothing")
                    .label(format!("the rate is 0 for {length}"))
                    .help(format!("if that is meant, say so: `pause {length}`")),
            );
        }
    }
}

fn is_rest(phrase: &Phrase) -> bool {
    ["pause", "drain"].iter().any(|word| phrase.text.starts_with(word))
}

/// Whether all there is says that it is a pause.
fn rests(phrases: &[Phrase]) -> bool {
    !phrases.is_empty() && phrases.iter().all(|inner| is_rest(inner) || rests(&inner.phrases))
}

fn same_names(phrases: &[Phrase], firsts: &mut BTreeMap<String, Span>, found: &mut Vec<Problem>) {
    for phrase in phrases {
        if let Some(label) = &phrase.label {
            let first = *firsts.entry(label.clone()).or_insert(phrase.span);
            if first != phrase.span {
                let message = format!("two phrases are called \"{}\"", show::clean(label));
                found.push(
                    Problem::warning(Code::DuplicateLabel, phrase.span, message)
                        .label("this one")
                        .and(first, "and this one")
                        .help("give one of them another name, so that a report tells them apart"),
                );
            }
        }
        same_names(&phrase.phrases, firsts, found);
    }
}

/// A load that rises to its peak and ends there, unless it stays there for most of its time: then the
/// peak is what it is about.
fn no_recovery(stream: &Stream) -> Option<Problem> {
    let lasting: Vec<&Phrase> =
        stream.phrases.iter().filter(|phrase| phrase.end_ns > phrase.start_ns).collect();
    let last = *lasting.last()?;
    let peak = stream.timeline.peak();
    let is_high = |rate: f64| rate >= AT_PEAK * peak;
    let is_low = |rate: f64| rate <= peak / 2.0;
    let at_peak = lasting.iter().position(|phrase| is_high(phrase.peak_per_s))?;
    let (before, behind) = (lasting.get(..=at_peak)?, lasting.get(at_peak + 1..)?);
    let rose = before.iter().any(|phrase| is_low(phrase.rate_start_per_s));
    let fell = behind.iter().any(|p| is_low(p.rate_start_per_s) || is_low(p.rate_end_per_s));
    let is_drawn = ["walk", "chaos"].iter().any(|word| last.text.starts_with(word));
    let stays = last.end_ns - last.start_ns > last.end_ns / 2;
    if !is_high(last.rate_end_per_s) || peak <= 0.0 || !rose || fell || is_drawn || stays {
        return None;
    }
    let (high, low) = (last.rate_end_per_s, stream.timeline.rate(0));
    let low = if low > 0.0 && low < high / 2.0 { low } else { high / 10.0 };
    let way = format!("ramp {}->{} over 1m", show::decimal(high, 3), show::decimal(low, 3));
    Some(
        Problem::warning(Code::NoRecovery, last.span, "this load ends at its peak")
            .label(format!("ends at {}", show::rate(high)))
            .help(format!("whether the target recovers is seen only after the peak: add `{way}`")),
    )
}
