//! What the phrases of a plan hold: siblings add up to the whole.

use super::{at_once, constant, cut, linear, sine, timeline};
use crate::exact::{fraction, whole};
use crate::timeline::curve::Curve;
use crate::timeline::{MarkJobs, MarkSpan, Timeline};
use proptest::prelude::*;

const SECOND: u64 = 1_000_000_000;

fn mark(id: u32, body: Curve) -> Curve {
    Curve::Mark { id, body: Box::new(body) }
}

fn repeat(times: u64, body: Curve) -> Curve {
    Curve::Repeat { times: Some(times), body: Box::new(body) }
}

fn jobs(spans: &[MarkSpan]) -> Vec<MarkJobs> {
    spans.iter().map(|span| span.jobs).collect()
}

#[test]
fn a_tie_belongs_to_the_earlier_phrase() {
    let half = || constant(fraction(1, 2), whole(1));
    let curve = Curve::Sequence(vec![
        mark(3, half()),
        mark(1, half()),
        mark(4, at_once(5)),
        mark(5, constant(whole(9), whole(0))),
        mark(9, half()),
    ]);
    let spans = timeline(&curve).marks();
    let ids: Vec<u32> = spans.iter().map(|span| span.id).collect();
    assert_eq!(ids, [3, 1, 4, 5, 9]);
    assert_eq!(jobs(&spans), [1, 0, 5, 0, 1].map(MarkJobs::Exact));
    assert_eq!((spans[2].start_ns, spans[2].end_ns), (2 * SECOND, 2 * SECOND));
    assert_eq!((spans[4].start_ns, spans[4].end_ns), (2 * SECOND, 3 * SECOND));
}

#[test]
fn a_phrase_says_where_and_how_high_it_is() {
    let curve = Curve::Sequence(vec![
        constant(whole(1), whole(5)),
        mark(
            1,
            Curve::Sequence(vec![
                mark(2, linear(whole(10), whole(20), whole(2), false)),
                mark(3, sine(20, 5, 8, 4)),
            ]),
        ),
    ]);
    let spans = timeline(&curve).marks();
    let rows: Vec<_> = spans
        .iter()
        .map(|s| (s.start_ns / SECOND, s.end_ns / SECOND, s.rate_start_per_s, s.peak_per_s))
        .collect();
    assert_eq!(rows, [(5, 11, 10.0, 25.0), (5, 7, 10.0, 20.0), (7, 11, 20.0, 25.0)]);
    assert_eq!(spans[1].rate_end_per_s, 20.0);
    assert!((spans[2].rate_end_per_s - 20.0).abs() < 1e-12);
    let (MarkJobs::Exact(all), MarkJobs::Exact(a), MarkJobs::Exact(b)) =
        (spans[0].jobs, spans[1].jobs, spans[2].jobs)
    else {
        panic!("{spans:?}")
    };
    assert_eq!((all, a), (a + b, 30));
}

#[test]
fn passes_are_added_up() {
    // 2.5 jobs in a pass: 3 and 2 in turn, over two times three passes.
    let curve = repeat(2, repeat(3, mark(1, constant(fraction(5, 2), whole(1)))));
    let spans = timeline(&curve).marks();
    assert_eq!((jobs(&spans), spans[0].passes), (vec![MarkJobs::Exact(15)], 6));
    assert_eq!((spans[0].start_ns, spans[0].end_ns), (0, SECOND));
    let many = repeat(100_000, mark(1, constant(fraction(5, 2), whole(1))));
    assert_eq!(jobs(&timeline(&many).marks()), [MarkJobs::Share(250_000.0)]);
}

#[test]
fn a_cut_keeps_every_mark() {
    let body = Curve::Sequence(vec![
        mark(1, constant(whole(10), whole(2))),
        mark(2, constant(whole(20), whole(2))),
    ]);
    let curve = Curve::Sequence(vec![
        cut(whole(5), Curve::Repeat { times: None, body: Box::new(body) }),
        mark(
            3,
            cut(
                whole(1),
                Curve::Sequence(vec![
                    constant(whole(1), whole(1)),
                    mark(4, constant(whole(1), whole(1))),
                ]),
            ),
        ),
    ]);
    let spans = timeline(&curve).marks();
    assert_eq!(jobs(&spans), [30, 40, 1, 0].map(MarkJobs::Exact));
    let passes: Vec<u64> = spans.iter().map(|span| span.passes).collect();
    assert_eq!(passes, [2, 1, 1, 0]);
    assert_eq!((spans[3].start_ns, spans[3].end_ns), (6 * SECOND, 6 * SECOND));
}

#[test]
fn members_of_a_sum_have_shares() {
    let both = Curve::Together(vec![
        mark(1, constant(whole(10), whole(10))),
        mark(2, linear(whole(0), whole(10), whole(10), false)),
    ]);
    let capped = Curve::Cap { rate: whole(15), body: Box::new(both) };
    let spans = timeline(&Curve::Total { jobs: 275, body: Box::new(capped) }).marks();
    // Scaled from 137.5 to 275 jobs; what a member holds is its own, not what the cap leaves.
    assert_eq!(jobs(&spans), [MarkJobs::Share(200.0), MarkJobs::Share(100.0)]);
    assert_eq!(spans[1].peak_per_s, 20.0);
}

proptest! {
    #![proptest_config(super::cases(200))]

    #[test]
    fn siblings_add_up(
        parts in prop::collection::vec((0i128..40, 1i128..7, 0i128..9, 1i128..5, 0u64..3), 1..6),
        (times, speed) in (1u64..5, 1i128..70),
    ) {
        let phrase = |(i, (rate, d, length, e, jump)): (usize, &(i128, i128, i128, i128, u64))| {
            let flat = constant(fraction(*rate, *d), fraction(*length, *e));
            mark(i as u32, Curve::Sequence(vec![at_once(*jump), flat, at_once(jump / 2)]))
        };
        let body = Curve::Sequence(parts.iter().enumerate().map(phrase).collect());
        let whole_curve = Curve::Speed {
            factor: fraction(speed, 7),
            body: Box::new(repeat(times, body)),
        };
        let timeline = Timeline::new(&whole_curve).unwrap();
        let sum: f64 = timeline.marks().iter().map(|span| span.jobs.as_f64()).sum();
        prop_assert_eq!(Some(sum as u64), timeline.jobs());
        prop_assert!(timeline.marks().iter().all(|span| matches!(span.jobs, MarkJobs::Exact(_))));
    }
}
