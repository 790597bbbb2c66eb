//! What a run costs, counted and not timed.

use super::clock::Rehearsal;
use super::{Control, RunOptions, channel, run};
use crate::check::{Options, check};
use crate::sink::NullSink;
use crate::source::SourceFile;
use allocation_counter::{AllocationInfo, measure};

/// What a rehearsal of 2 s at a rate allocates; its ticks are the same at every rate above 1,000/s.
fn allocated(rate: u64) -> AllocationInfo {
    let script = format!(
        "job a {{ queue \"q\"; body {{ id: uuid(), who: pick(\"ann\", \"bo\"), n: int(1..6), k: seq(), s: text(16B) }} }}
         constant {rate} for 2s"
    );
    let plan = check(&SourceFile::new("cost.load", script), &Options::default()).plan.unwrap();
    let mut acked = 0;
    let info = measure(|| {
        let rehearsal = Rehearsal::default();
        let (publisher, _views) = channel(10);
        let (sink, options) = (NullSink::new(), RunOptions::default());
        let running = run(&plan, sink, options, rehearsal.clock(), Control::new(), publisher);
        acked = rehearsal.play(running).unwrap().unwrap().jobs.acked;
    });
    assert_eq!(acked, 2 * rate);
    info
}

#[test]
fn a_job_costs_no_allocation_and_no_memory() {
    let (few, many) = (allocated(5_000), allocated(50_000));
    // 90,000 jobs more in the same ticks: buffers grow to the size of a tick, and that is all.
    let more = many.count_total.saturating_sub(few.count_total);
    assert!(more < 2_000, "{more} allocations for 90,000 jobs");
    let memory = many.bytes_max.saturating_sub(few.bytes_max);
    assert!(memory < 1 << 20, "{memory} bytes for 90,000 jobs");
    assert!(many.bytes_max < 10 << 20, "{} bytes", many.bytes_max);
}
