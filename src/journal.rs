//! A run's journal: a file that tells, after the process was killed, which jobs went out and where
//! the plan stood, so that `loadc run --resume` can go on from there.
//!
//! ```text
//! head  {…}                        which run: its script, digest, flags
//! base  {…}                        where it stood when the file was begun, or last written anew
//! s 812 809 0:5001-5010;1:77-77    batch 812 is about to be sent, with these jobs by their streams;
//!                                  all batches before 809 have their outcome
//! f 811 0:4990-4990                of batch 811 these were refused (`u`: unknown, `n`: not sent)
//! a 812 3                          lane 3 of the target has answered its part of batch 812: where
//!                                  there are several, one may not answer an older one for long
//! h 0 5014                         stream 0 was gone through up to here, and those of its jobs that
//!                                  are not sent were passed over: their lane takes nothing
//! k 0:5011-5020                    given up for being late
//! c 0:5021-5300                    left out of the plan: nobody needs them
//! w "orders"                       commands to this queue fail by themselves (`o`: no more)
//! x 1 77                           stream 1 was stopped with 77 jobs due: those not sent are given up
//! y 1 {…}                          stream 1 follows its script otherwise: scaled, or from elsewhere
//! t 81200000000 81200000000,712…   the run's time, and each stream's own
//! end                              nothing is in flight any more
//! ```
//!
//! A batch is noted before it is sent, and what is said of it later is needed only if it is not
//! that all its jobs were acknowledged. What became of the batches in flight when the process ended
//! is the target's to tell: each has left its number there. That tells that a transaction ran; a
//! command in it may have failed by itself all the same, and what was known of its queue before says
//! whether that is so. Every line bears a checksum; a last
//! line that is torn counts as not written. The file is written anew when it has grown, so its size
//! stays bounded.

mod read;
mod settle;
mod spans;
mod state;
mod write;

pub use read::{Damage, Replay, read};
pub use settle::{Settled, Taken, Told, TornOff};
pub use spans::{Span, Spans};
pub use state::{Account, Base, Head, Left, Seam, StreamBase};
pub use write::{Journal, note_refusing};

/// What stands before each line, in eight hexadecimal digits and a blank: FNV-1a, 32 bits, of its
/// text. It finds torn and mangled lines, not forgers.
pub fn checksum(text: &str) -> u32 {
    text.bytes().fold(0x811c_9dc5, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193))
}

#[cfg(test)]
mod tests;
