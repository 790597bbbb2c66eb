//! Guards on a rate where flows send too: their steps are only expected to follow their curves, but
//! each is known before the run.

use crate::plan::Stream;
use crate::schedule::Entries;

/// So many jobs and steps are looked at one by one whether a bound on jobs asks for it or not, so that
/// `check` answers soon.
pub(super) const FEW: u64 = 500_000;

/// A bound: so many jobs, in a window of so many nanoseconds.
pub(super) type Bound = (u64, u64);

/// What is known of a bound beyond what the curves say.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Known {
    /// Nothing, and there is nothing to know: the curves are right.
    Curves,
    /// Nothing: there are too many steps.
    TooMany,
    /// It holds.
    Holds,
    /// The window that ends here is the first with too many jobs, so many.
    Beyond(u64, u64),
}

/// Looks at every job and step of some streams, if any steps are drawn and they are few.
pub(super) fn known(streams: &[&Stream], seed: u64, (limit_jobs, window_ns): Bound) -> Known {
    let drawn = |stream: &&Stream| stream.steps.iter().any(|steps| !steps.certain);
    if !streams.iter().any(drawn) {
        return Known::Curves;
    }
    let most = |stream: &&Stream| stream.jobs().saturating_add(stream.most_steps());
    if streams.iter().map(most).fold(0, u64::saturating_add) > FEW {
        return Known::TooMany;
    }
    let mut due: Vec<u64> = streams.iter().flat_map(|own| own.entries(seed).times()).collect();
    due.sort_unstable();
    let Ok(limit) = usize::try_from(limit_jobs) else { return Known::Holds };
    let inside = |first: u64, last: u64| last - first < window_ns;
    let pairs = due.iter().zip(due.iter().skip(limit));
    let Some((_, t_ns)) = pairs.into_iter().find(|(first, last)| inside(**first, **last)) else {
        return Known::Holds;
    };
    let (from, to) = (
        due.partition_point(|own| own.saturating_add(window_ns) <= *t_ns),
        due.partition_point(|own| own <= t_ns),
    );
    Known::Beyond(*t_ns, (to - from) as u64)
}

/// How many jobs and steps of some streams are due in the window that ends at an instant.
pub(super) fn count_in(streams: &[&Stream], seed: u64, t_ns: u64, window_ns: u64) -> u64 {
    let from_ns = t_ns.checked_sub(window_ns).map_or(0, |before| before + 1);
    let own = |entries: Entries| entries.count_between(from_ns, t_ns);
    streams.iter().map(|stream| own(stream.entries(seed))).fold(0, u64::saturating_add)
}

/// A bound so far above one that what is expected to be above it surely is above the one.
pub(super) fn surely_above(limit_jobs: u64) -> u64 {
    limit_jobs.saturating_add((8.0 * (limit_jobs as f64).sqrt()).ceil() as u64 + 8)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::view::samples::plan;

    const SECOND: u64 = 1_000_000_000;

    #[test]
    fn every_window_of_what_is_drawn_is_known() {
        let plan = plan("flow f { a -> b after 1s..9s }\nconstant 20 for 30s");
        let stream = &plan.streams[0];
        let entries = stream.entries(plan.seed);
        // By definition: all windows that end with a job or a step.
        let counts = entries
            .times()
            .into_iter()
            .map(|t_ns| (entries.count_between((t_ns + 1).saturating_sub(SECOND), t_ns), t_ns));
        let mut counts: Vec<(u64, u64)> = counts.collect();
        counts.sort_unstable_by_key(|(_, t_ns)| *t_ns);
        let most = counts.iter().map(|(count, _)| *count).max().unwrap();
        assert!(most > 42, "{most}");
        let of = |limit| known(&[stream], plan.seed, (limit, SECOND));
        assert_eq!(of(most), Known::Holds);
        let Known::Beyond(t_ns, count) = of(most - 1) else { panic!("{:?}", of(most - 1)) };
        assert_eq!(counts.iter().find(|(count, _)| *count == most), Some(&(most, t_ns)));
        assert_eq!((count, count_in(&[stream], plan.seed, t_ns, SECOND)), (most, most));
        let fixed = plan_of_fixed();
        assert_eq!(known(&[&fixed.streams[0]], 1, (1, SECOND)), Known::Curves);
    }

    fn plan_of_fixed() -> crate::plan::Plan {
        plan("flow f { a -> b after 1s }\nconstant 20 for 30s")
    }
}
