//! Messages on a channel: `PUBLISH channel message`. Who does not listen at that instant never gets
//! it, so there is nothing to be deep.

use super::watch::Plain;
use super::{Encode, Job, words};
use crate::sink::Unit;

#[derive(Debug)]
pub(super) struct PubSub {
    channel: String,
}

impl PubSub {
    pub(super) fn new(name: &str) -> PubSub {
        PubSub { channel: name.to_owned() }
    }
}

impl Encode for PubSub {
    fn encode(&self, job: &Job<'_>, unit: &mut Unit) {
        let args = unit.command();
        words(args, &[b"PUBLISH", self.channel.as_bytes()]);
        args.push_with(|out| job.body(out));
    }
}

/// How many listen: what they have missed nobody knows.
pub(super) fn watch() -> Plain {
    Plain::default()
}
