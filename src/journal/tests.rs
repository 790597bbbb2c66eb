use super::*;
use proptest::prelude::*;
use std::collections::BTreeSet;

fn head(jobs: &[u64]) -> Head {
    Head {
        version: "1".to_owned(),
        run_id: "RUN".to_owned(),
        file: "a.load".to_owned(),
        folder: "/".to_owned(),
        digest: "d".to_owned(),
        seed: 7,
        flags: Vec::new(),
        target: "redis://h".to_owned(),
        started_unix_ns: 0,
        proven: true,
        jobs: jobs.to_vec(),
        beside: None,
        reloaded: false,
    }
}

fn fresh(streams: usize) -> Base {
    let stream = StreamBase { next: 1, ..StreamBase::default() };
    Base { next_batch: 1, streams: vec![stream; streams], ..Base::default() }
}

fn spans(jobs: &[(usize, u64)]) -> Spans {
    let mut spans = Spans::default();
    jobs.iter().for_each(|(stream, index)| spans.push(*stream, *index));
    spans
}

fn jobs(lists: &[Spans]) -> BTreeSet<(usize, u64)> {
    let all: Vec<_> = lists.iter().flat_map(Spans::jobs).collect();
    let set: BTreeSet<_> = all.iter().copied().collect();
    assert_eq!(set.len(), all.len(), "a job stands twice");
    set
}

fn told(marks: &[u64]) -> Told {
    Told { marks: Some(marks.iter().copied().collect()), fenced: true }
}

/// A journal of four batches: 1 went in, 2 half, 3 and 4 are in flight.
fn sample() -> (tempfile::TempDir, Vec<u8>) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("j");
    let mut journal = Journal::begin(&path, head(&[100, 50]), &fresh(2)).unwrap();
    journal.sends(1, 1, &spans(&[(0, 1), (0, 2), (1, 1)])).unwrap();
    journal.sends(2, 2, &spans(&[(0, 3), (0, 4), (0, 5), (0, 6)])).unwrap();
    journal.settles('f', 2, &spans(&[(0, 4)]));
    journal.settles('n', 2, &spans(&[(0, 6)]));
    journal.sends(3, 3, &spans(&[(0, 7), (1, 2)])).unwrap();
    journal.skips(&spans(&[(1, 3)]));
    journal.sends(4, 3, &spans(&[(0, 6), (0, 8)])).unwrap();
    journal.ticks(5_000, [4_000, 5_000].into_iter()).unwrap();
    let bytes = std::fs::read(&path).unwrap();
    (dir, bytes)
}

#[test]
fn what_is_left_out_is_no_gap_and_stays_so() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("j");
    let out = |first: u64, last: u64| {
        let mut spans = Spans::default();
        spans.push_range(0, first, last);
        spans
    };
    let read_back =
        || read(&std::fs::read(&path).unwrap()).map(|replay| replay.base.streams[0].clone());
    let mut journal = Journal::begin(&path, head(&[100]), &fresh(1)).unwrap();
    journal.leaves_out(&out(1, 3));
    journal.sends(1, 1, &spans(&[(0, 4), (0, 5)])).unwrap();
    // Behind jobs that are due and not sent yet.
    journal.leaves_out(&out(8, 20));
    journal.sends(2, 1, &spans(&[(0, 6)])).unwrap();
    let here = read_back().unwrap();
    assert_eq!((here.next, here.account.cut), (7, 3));
    // Written anew, it still knows them.
    let left_out = vec![(8, 20), (25, 30)];
    let stream = StreamBase { left_out, ..here };
    let base = Base { next_batch: 3, streams: vec![stream], ..Base::default() };
    journal.rebase(&base, std::iter::empty()).unwrap();
    journal.sends(3, 3, &spans(&[(0, 7), (0, 21)])).unwrap();
    let here = read_back().unwrap();
    assert_eq!((here.next, here.account.cut, here.left_out.len()), (22, 16, 0));
    // A stream that is gone through, and one that is stopped.
    journal.passes(0, 26);
    journal.leaves_out(&out(33, 34));
    journal.sends(4, 3, &spans(&[(0, 23)])).unwrap();
    let replay = read(&std::fs::read(&path).unwrap()).unwrap();
    assert_eq!(replay.returned, BTreeSet::from([(0, 22), (0, 24)]));
    assert_eq!((replay.base.streams[0].next, replay.base.streams[0].account.cut), (31, 22));
    journal.stops(0, 40).unwrap();
    let replay = read(&std::fs::read(&path).unwrap()).unwrap();
    let given_up: u64 = replay.skipped.iter().map(Spans::len).sum();
    assert_eq!((given_up, replay.base.streams[0].account.cut), (2 + 8, 24));
    // What was sent was not left out.
    journal.leaves_out(&out(39, 41));
    journal.ticks(1, std::iter::once(1)).unwrap();
    assert!(matches!(read_back(), Err(Damage::Contradiction { .. })));
}

#[test]
fn what_was_written_is_read_again() {
    let replay = read(&sample().1).unwrap();
    assert_eq!(jobs(&replay.acked), [(0, 1), (0, 2), (0, 3), (0, 5), (1, 1)].into());
    assert_eq!((jobs(&replay.failed), replay.returned.len()), ([(0, 4)].into(), 0));
    assert_eq!(jobs(&replay.skipped), [(1, 3)].into());
    assert_eq!(replay.in_doubt.keys().copied().collect::<Vec<_>>(), [3, 4]);
    assert_eq!((replay.settled, replay.base.next_batch, replay.ended), (2, 5, false));
    assert_eq!([replay.base.streams[0].next, replay.base.streams[1].next], [9, 4]);
    assert_eq!((replay.base.run_ns, replay.base.streams[0].stream_ns), (5_000, 4_000));
}

#[test]
fn a_stream_that_was_stopped_stays_stopped() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("j");
    let mut journal = Journal::begin(&path, head(&[100, 50]), &fresh(2)).unwrap();
    journal.sends(1, 1, &spans(&[(0, 1), (0, 2), (1, 1)])).unwrap();
    journal.settles('n', 1, &spans(&[(0, 2)]));
    journal.sends(2, 2, &spans(&[(0, 3), (1, 2)])).unwrap();
    journal.stops(0, 7).unwrap();
    journal.sends(3, 2, &spans(&[(1, 3)])).unwrap();
    let replay = read(&std::fs::read(&path).unwrap()).unwrap();
    let given_up: BTreeSet<_> = [2, 4, 5, 6, 7].into_iter().map(|index| (0, index)).collect();
    assert_eq!(jobs(&replay.skipped), given_up);
    assert!(replay.base.streams[0].stopped && !replay.base.streams[1].stopped);
    // What of it was in flight and did not arrive is given up too.
    let settled = replay.settle(Some(&told(&[1, 3]))).unwrap();
    assert!(jobs(&settled.skipped).contains(&(0, 3)) && settled.base.streams[0].next == 8);
    assert_eq!(
        (settled.base.streams[0].returned.len(), &settled.base.streams[1].returned[..]),
        (0, &[2][..])
    );
}

/// A kill may come right after the new file has taken the place of the old one: it has to be whole by then.
#[test]
fn what_is_in_flight_is_in_a_journal_that_is_written_anew_before_that_is_in_its_place() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("j");
    let mut journal = Journal::begin(&path, head(&[100]), &fresh(1)).unwrap();
    // As if it were killed at that instant: nothing can take the place of a folder.
    std::fs::remove_file(&path).unwrap();
    std::fs::create_dir(&path).unwrap();
    let mut base = fresh(1);
    (base.streams[0].next, base.next_batch) = (8, 5);
    base.streams[0].account.acked = 4;
    let flying = [(3, spans(&[(0, 2), (0, 5)])), (4, spans(&[(0, 7)]))];
    let listed = flying.iter().map(|(batch, jobs)| (*batch, jobs));
    journal.reloads(("e", 8), vec![90], &base, listed).unwrap_err();
    let replay = read(&std::fs::read(path.with_extension("new")).unwrap()).unwrap();
    assert_eq!((replay.head.digest.as_str(), replay.head.reloaded), ("e", true));
    assert_eq!(replay.in_doubt, flying.into());
}

proptest! {
    /// Of a load that the script has no more (stream 1) all that was due has its outcome; of the other, all that
    /// was handed out has, or waits.
    #[test]
    fn every_job_is_accounted_for_after_a_reload(
        next in [1..20_u64, 1..20],
        back in prop::collection::btree_set((0..2_usize, 1..20_u64), 0..6),
        flying in prop::collection::btree_set((0..2_usize, 1..20_u64), 0..6),
        batches in prop::collection::vec((0..4_u64, 0..4_u64, 0..4_usize), 0..8),
        arrived in prop::collection::btree_set(0..12_u64, 0..8),
        fenced: bool,
    ) {
        let handed_out = |(stream, index): &(usize, u64)| *index < next[*stream];
        let flying: Vec<_> = flying.into_iter().filter(handed_out).collect();
        let mut waiting: BTreeSet<_> = back.into_iter().filter(handed_out).collect();
        waiting.retain(|job| !flying.contains(job));
        let mut base = fresh(2);
        base.next_batch = 2;
        base.streams[1].left = Some(Left::default());
        for (stream, of_stream) in base.streams.iter_mut().enumerate() {
            let own = |job: &&(usize, u64)| job.0 == stream;
            of_stream.next = next[stream];
            of_stream.returned = waiting.iter().filter(own).map(|job| job.1).collect();
            let open = of_stream.returned.len() + flying.iter().filter(own).count();
            of_stream.account.acked = next[stream] - 1 - open as u64;
        }
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("j");
        let mut journal = Journal::begin(&path, head(&[30, 30]), &base).unwrap();
        let listed = spans(&flying);
        let listed = (!flying.is_empty()).then_some((1, &listed));
        journal.reloads(("e", 8), vec![60, 30], &base, listed.into_iter()).unwrap();
        let mut next = next;
        for (place, (first, second, outcome)) in batches.into_iter().enumerate() {
            let batch = place as u64 + 2;
            let mut jobs: Vec<_> = waiting.pop_first().into_iter().collect();
            for (stream, more, most) in [(0, first, 60), (1, second, 30)] {
                let last = (next[stream] + more - 1).min(most);
                jobs.extend((next[stream]..=last).map(|index| (stream, index)));
                next[stream] = last + 1;
            }
            if let Some(job) = jobs.first().copied() {
                journal.sends(batch, 1, &spans(&jobs)).unwrap();
                if outcome < 3 {
                    journal.settles(['f', 'u', 'n'][outcome], batch, &spans(&[job]));
                }
                if outcome == 2 {
                    waiting.insert(job);
                }
            }
        }
        journal.ticks(1, [1, 1].into_iter()).unwrap();
        let replay = read(&std::fs::read(&path).unwrap()).unwrap();
        let known = replay.base.next_batch;
        let marks = Some(arrived.into_iter().filter(|batch| *batch < known).collect());
        let settled = replay.settle(Some(&Told { marks, fenced })).unwrap();
        let lists = [&settled.acked, &settled.failed, &settled.unknown, &settled.skipped];
        let ended: Vec<_> = lists.into_iter().flatten().flat_map(Spans::jobs).collect();
        prop_assert_eq!(ended.iter().collect::<BTreeSet<_>>().len(), ended.len());
        for (stream, of_stream) in settled.base.streams.iter().enumerate() {
            let own = ended.iter().filter(|job| job.0 == stream).count();
            let known = of_stream.account.jobs() + (own + of_stream.returned.len()) as u64;
            prop_assert_eq!(known, of_stream.next - 1);
        }
        let left = &settled.base.streams[1];
        prop_assert_eq!((left.next, left.returned.len()), (31, 0));
    }
}

#[test]
fn what_a_stream_follows_is_kept_when_it_is_written_anew() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("j");
    let mut journal = Journal::begin(&path, head(&[100, 50]), &fresh(2)).unwrap();
    journal.sends(1, 1, &spans(&[(0, 1), (0, 2), (1, 1)])).unwrap();
    let seam = Seam { at_ns: 9, to_ns: None, factor: 2.5, due: 2, jobs: 247 };
    journal.splices([(0, seam)].into_iter()).unwrap();
    journal.sends(2, 2, &spans(&[(0, 3)])).unwrap();
    let mut replay = read(&std::fs::read(&path).unwrap()).unwrap();
    assert_eq!((&replay.base.streams[0].seams[..], replay.head.jobs[0]), (&[seam][..], 247));
    replay.base.streams[0].next = 240;
    journal.rebase(&replay.base, std::iter::empty()).unwrap();
    let again = read(&std::fs::read(&path).unwrap()).unwrap();
    assert_eq!((&again.base, &again.head.jobs[..]), (&replay.base, &[247, 50][..]));
    // More than fall due by then, or than there are.
    for wrong in [Seam { due: 1, ..seam }, Seam { jobs: 1, ..seam }, Seam { factor: 0.0, ..seam }] {
        let mut journal =
            Journal::begin(&path.with_extension(wrong.due.to_string()), head(&[100]), &fresh(1))
                .unwrap();
        journal.sends(1, 1, &spans(&[(0, 1), (0, 2)])).unwrap();
        journal.splices([(0, wrong)].into_iter()).unwrap();
        let found = read(&std::fs::read(journal.path()).unwrap());
        assert!(matches!(found, Err(Damage::Contradiction { line: 4 })), "{wrong:?}");
        journal.remove().unwrap();
    }
}

#[test]
fn each_lane_settles_its_own() {
    let replay = read(&sample().1).unwrap();
    // Streams 0 and 1 lie in lanes of their own; the second has lost what it had.
    let lane_of = |stream: usize, _| stream;
    let lanes = |second: Told| [told(&[1, 2, 4]), second];
    let found =
        replay.clone().settle_by(&lanes(told(&[1, 3])), lane_of, |_, _| Taken::Yes).unwrap();
    assert!(jobs(&found.acked).is_superset(&[(0, 6), (0, 8), (1, 2)].into()));
    assert_eq!((&found.base.streams[0].returned[..], found.forgot), (&[7][..], false));
    assert!(found.base.streams[1].returned.is_empty());
    let found = replay
        .settle_by(&lanes(Told { marks: None, fenced: true }), lane_of, |_, _| Taken::Yes)
        .unwrap();
    assert_eq!((jobs(&found.unknown), found.forgot), ([(1, 2)].into(), true));
    assert_eq!(found.base.streams[0].returned, [7]);
}

#[test]
fn the_target_settles_what_was_in_flight() {
    let replay = read(&sample().1).unwrap();
    let settled = |told: Option<&Told>| replay.clone().settle(told);
    let found = settled(Some(&told(&[1, 2, 4]))).unwrap();
    assert!(jobs(&found.acked).is_superset(&[(0, 6), (0, 8)].into()));
    assert_eq!((found.base.streams[0].returned.as_slice(), found.unknown.len()), (&[7][..], 0));
    assert_eq!((found.base.streams[1].returned.as_slice(), found.forgot), (&[2][..], false));
    // What may still arrive, or can't be told, is not sent again.
    for told in [
        Told { fenced: false, ..told(&[1, 2, 4]) },
        told(&[4]), // the key was lost and written anew
    ] {
        let found = settled(Some(&told)).unwrap();
        assert_eq!(jobs(&found.unknown), [(0, 7), (1, 2)].into());
    }
    let gone = settled(Some(&Told { marks: None, fenced: true })).unwrap();
    assert_eq!((jobs(&gone.unknown).len(), gone.forgot), (4, true));
    assert_eq!((jobs(&settled(None).unwrap().unknown).len(), gone.forgot), (4, true));
    assert_eq!(settled(Some(&told(&[2, 6]))), Err(TornOff { batches: 2 }));
}

/// A lane that takes nothing while another does: odd jobs are of lane 1.
#[test]
fn lanes_settle_what_they_have_answered_however_long_another_is_silent() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("j");
    let base = Base { settled: 1, settled_in: vec![0, 1], next_batch: 2, ..fresh(1) };
    let mut journal = Journal::begin(&path, head(&[100]), &base).unwrap();
    journal.sends(2, 2, &spans(&[(0, 1), (0, 2)])).unwrap();
    journal.answers(2, 0);
    journal.passes(0, 9);
    journal.sends(3, 2, &spans(&[(0, 4), (0, 6)])).unwrap();
    journal.settles('f', 3, &spans(&[(0, 6)]));
    journal.answers(3, 0);
    journal.sends(4, 2, &spans(&[(0, 8), (0, 10)])).unwrap();
    let replay = read(&std::fs::read(&path).unwrap()).unwrap();
    let lane_of = |_: usize, index: u64| (index % 2) as usize;
    // The first lane has long forgotten batches 2 and 3, and tells nothing of 4.
    let settle = |first: &[u64], second: &[u64]| {
        let all: Vec<u64> = first.iter().copied().chain(1_000..2_023).collect();
        let mut replay = replay.clone();
        replay.base.next_batch = 2_023;
        replay.settle_by(&[told(&all), told(second)], lane_of, |_, _| Taken::Yes).unwrap()
    };
    let settled = settle(&[], &[1]);
    assert_eq!(jobs(&settled.acked), [(0, 2), (0, 4)].into());
    assert_eq!(jobs(&settled.failed), [(0, 6)].into());
    assert_eq!(settled.base.streams[0].returned, [1, 3, 5, 7, 8, 9, 10]);
    assert!(!settled.forgot && settled.base.streams[0].next == 11);
    // The second lane has lost what it acknowledged before the journal was begun.
    let settled = settle(&[4], &[]);
    assert_eq!(jobs(&settled.unknown), [(0, 1)].into());
    assert!(settled.forgot && jobs(&settled.acked).contains(&(0, 10)));
}

#[test]
fn a_torn_end_is_dropped_and_a_mangled_middle_is_said() {
    let (_dir, bytes) = sample();
    let whole = read(&bytes).unwrap();
    for end in 0..bytes.len() {
        match read(&bytes[..end]) {
            Ok(part) => assert!(part.base.next_batch <= whole.base.next_batch),
            Err(damage) => assert_eq!(damage, Damage::Empty, "{end}"),
        }
    }
    let second = bytes.iter().position(|byte| *byte == b'\n').unwrap() + 12;
    let mut mangled = bytes.clone();
    mangled[second] ^= 1;
    assert_eq!(read(&mangled), Err(Damage::Mangled { line: 2 }));
    assert_eq!(read(b"what is this\n"), Err(Damage::Foreign { line: 1 }));
    assert_eq!(read(b""), Err(Damage::Empty));
}

#[test]
fn a_journal_is_written_by_one_and_anew_when_it_has_grown() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("j");
    let mut journal = Journal::begin(&path, head(&[u64::MAX]), &fresh(1)).unwrap();
    let second = Journal::begin(&path, head(&[1]), &fresh(1)).unwrap_err();
    assert_eq!(second.kind(), std::io::ErrorKind::WouldBlock);
    let mut most = 0;
    for batch in 1..=100_000_u64 {
        journal.sends(batch, batch, &spans(&[(0, batch)])).unwrap();
        if journal.is_long(false) {
            let account = Account { acked: batch - 1, ..Account::default() };
            let stream = StreamBase { next: batch + 1, account, ..StreamBase::default() };
            let base = Base {
                next_batch: batch + 1,
                settled: batch - 1,
                streams: vec![stream],
                ..Base::default()
            };
            let flying = spans(&[(0, batch)]);
            journal.rebase(&base, [(batch, &flying)].into_iter()).unwrap();
        }
        most = most.max(std::fs::metadata(&path).unwrap().len());
    }
    assert!(most < 2 << 20, "{most}");
    let replay = read(&std::fs::read(&path).unwrap()).unwrap();
    let before = replay.base.streams[0].account.acked + jobs(&replay.acked).len() as u64;
    assert_eq!((before, replay.in_doubt.len(), replay.settled), (99_999, 1, 99_999));
    journal.ends().unwrap();
    let replay = read(&std::fs::read(&path).unwrap()).unwrap();
    assert!(replay.ended && replay.in_doubt.is_empty());
    drop(journal);
    Journal::begin(&path, head(&[1]), &fresh(1)).unwrap();
}

proptest! {
    #[test]
    fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        _ = read(&bytes);
    }

    /// Lines with right checksums and any content.
    #[test]
    fn no_lines_make_it_panic(lines in prop::collection::vec("[sfunktah]( [0-9]{1,20}){0,2}( [0-9]{1,3}:[0-9]{1,20}-[0-9]{1,20}){0,2}|end", 0..20)) {
        let (_dir, mut bytes) = sample();
        for line in lines {
            bytes.extend(format!("{:08x} {line}\n", checksum(&line)).bytes());
        }
        if let Ok(replay) = read(&bytes) {
            _ = replay.settle(Some(&told(&[2])));
        }
    }

    #[test]
    fn no_change_of_a_byte_makes_it_panic(place in any::<prop::sample::Index>(), byte in any::<u8>()) {
        let (_dir, mut bytes) = sample();
        let place = place.index(bytes.len());
        bytes[place] = byte;
        if let Ok(replay) = read(&bytes) {
            _ = replay.settle(None);
        }
    }
}

#[test]
fn of_a_transaction_that_ran_the_queues_say_what_went_in() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("j");
    let mut journal = Journal::begin(&path, head(&[100, 50]), &fresh(2)).unwrap();
    journal.sends(1, 1, &spans(&[(0, 1), (1, 1)])).unwrap();
    journal.settles('f', 1, &spans(&[(1, 1)]));
    journal.refuses("a \"b\"\n", true);
    journal.refuses("c", true);
    journal.refuses("c", false);
    journal.settled().unwrap();
    journal.sends(2, 1, &spans(&[(0, 2), (0, 3), (1, 2)])).unwrap();
    drop(journal);
    note_refusing(&path, ["d"].into_iter()).unwrap();
    let replay = read(&std::fs::read(&path).unwrap()).unwrap();
    let refusing: Vec<_> = replay.base.refusing.iter().cloned().collect();
    assert_eq!(refusing, ["a \"b\"\n", "d"]);
    for (fate, marks) in [(Taken::No, [1, 2]), (Taken::Untold, [1, 2]), (Taken::No, [1, 0])] {
        let of = |stream: usize, _| if stream == 1 { fate } else { Taken::Yes };
        let settled = replay.clone().settle_by(&[told(&marks)], |_, _| 0, of).unwrap();
        // Batch 1 is not settled by what follows it, but what was refused of it is known.
        let ran = marks[1] == 2;
        let acked = if ran { vec![(0, 1), (0, 2), (0, 3)] } else { vec![(0, 1)] };
        assert_eq!(jobs(&settled.acked), acked.into_iter().collect());
        let failed = if ran && fate == Taken::No { vec![(1, 1), (1, 2)] } else { vec![(1, 1)] };
        assert_eq!(jobs(&settled.failed), failed.into_iter().collect());
        assert_eq!(jobs(&settled.unknown).len(), usize::from(ran && fate == Taken::Untold));
        assert_eq!(settled.base.streams[1].returned, if ran { vec![] } else { vec![2] });
    }
}
