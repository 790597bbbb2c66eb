//! Jobs of a house format: the commands as the script has them, in their order.

use super::watch::Plain;
use super::{Encode, Job};
use crate::sink::Unit;

#[derive(Debug)]
pub(super) struct Custom {
    key: String,
}

impl Custom {
    pub(super) fn new(name: &str) -> Custom {
        Custom { key: name.to_owned() }
    }
}

impl Encode for Custom {
    fn encode(&self, job: &Job<'_>, unit: &mut Unit) {
        for (command, words) in job.template.commands().enumerate() {
            let args = unit.command();
            for word in 0..words {
                args.push_with(|out| {
                    let about = (self.key.as_str(), job.id);
                    job.template.write_word((command, word), &job.context, about, out);
                });
            }
        }
    }
}

/// How deep the queue is only its workers know.
pub(super) fn watch() -> Plain {
    Plain::default()
}
