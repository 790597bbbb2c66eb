//! Whether files are there. Each is looked for on a thread of its own: a file system that hangs
//! holds up no job.

use super::{Dispatcher, SECOND_NS};
use crate::run::clock::Clock;
use crate::run::events::Event;
use crate::run::guards::Hit;
use crate::run::jobs::Jobs;
use crate::sink::{Failure, Sink};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::Duration;

/// Whether a file is there, or why nobody can tell.
type Sight = Result<bool, String>;

/// Looks for one file.
pub(super) struct Lookout {
    /// The guard it looks for.
    guard: usize,
    path: PathBuf,
    ask: Sender<()>,
    answers: Receiver<Sight>,
    /// When the question that is out was asked.
    asked_ns: Option<u64>,
    /// That nobody can tell has been said: once, until somebody can again.
    said: bool,
}

/// For an answer that comes at once, as it does from any file system that works. One that is late is
/// taken in at a later look. In a rehearsal time stands still meanwhile, however busy the machine.
const AT_ONCE: Duration = Duration::from_millis(if cfg!(test) { 5_000 } else { 20 });

/// After this long a file counts as one that nobody can tell of.
const PATIENCE_NS: u64 = 5 * SECOND_NS;

/// Whether there is anything of that name, a dangling link too.
fn look(path: &Path) -> Sight {
    match std::fs::symlink_metadata(path) {
        Ok(_) => Ok(true),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error.to_string()),
    }
}

impl Lookout {
    pub(super) fn new(guard: usize, path: PathBuf) -> Lookout {
        let (ask, questions) = channel();
        let (tell, answers) = channel();
        let place = path.clone();
        let watch = move || {
            while questions.recv().is_ok() && tell.send(look(&place)).is_ok() {}
        };
        // Without a thread to be had both ends are closed, which is an answer too.
        let _ = std::thread::Builder::new().name("stop-file".to_owned()).spawn(watch);
        Lookout { guard, path, ask, answers, asked_ns: None, said: false }
    }

    /// Asks unless a question is out, and waits so long for an answer if it has just been asked.
    fn sight(&mut self, now_ns: u64, wait: Duration) -> Option<Sight> {
        let wait = if self.asked_ns.is_some() { Duration::ZERO } else { wait };
        let asked_ns = *self.asked_ns.get_or_insert(now_ns);
        if !wait.is_zero() {
            // If nobody listens, nobody answers: that is seen below.
            let _ = self.ask.send(());
        }
        match self.answers.recv_timeout(wait) {
            Ok(sight) => {
                self.asked_ns = None;
                Some(sight)
            }
            Err(RecvTimeoutError::Disconnected) => Some(Err("no thread to look".to_owned())),
            Err(RecvTimeoutError::Timeout) => {
                let late = now_ns.saturating_sub(asked_ns) >= PATIENCE_NS;
                late.then(|| Err("no answer from the file system".to_owned()))
            }
        }
    }

    fn trouble(&self, why: &str) -> String {
        format!("can't look for the stop file {}: {why}", self.path.display())
    }
}

impl<J: Jobs, S: Sink, C: Clock + 'static> Dispatcher<J, S, C> {
    /// Looks for every file once before the run.
    ///
    /// # Errors
    ///
    /// If nobody can tell whether one is there: the guard on it can't be kept.
    pub(super) fn look_first(&mut self) -> Result<Vec<Hit>, Failure> {
        let mut hits = Vec::new();
        for lookout in &mut self.lookouts {
            let sight = lookout.sight(0, Duration::from_nanos(PATIENCE_NS));
            let sight = sight.unwrap_or_else(|| Err("no answer from the file system".to_owned()));
            let there = sight.map_err(|why| Failure {
                kind: "file".to_owned(),
                message: lookout.trouble(&why),
                lasting: true,
            })?;
            hits.extend(self.guards.judge_file(lookout.guard, there));
        }
        Ok(hits)
    }

    /// Looks for the files of other guards from now on.
    pub(super) fn look_for_others(&mut self) {
        let files = self.guards.files();
        self.lookouts.retain(|lookout| files.iter().any(|(_, path)| *path == lookout.path));
        for (guard, path) in files {
            match self.lookouts.iter_mut().find(|lookout| lookout.path == path) {
                Some(lookout) => lookout.guard = guard,
                None => self.lookouts.push(Lookout::new(guard, path)),
            }
        }
    }

    /// Looks again, and warns of a file that nobody can tell of.
    pub(super) fn look(&mut self, now_ns: u64) {
        let (mut hits, mut troubles) = (Vec::new(), Vec::new());
        for lookout in &mut self.lookouts {
            match lookout.sight(now_ns, AT_ONCE) {
                None => {}
                Some(Ok(there)) => {
                    lookout.said = false;
                    hits.extend(self.guards.judge_file(lookout.guard, there));
                }
                Some(Err(why)) => {
                    let said = std::mem::replace(&mut lookout.said, true);
                    troubles.extend((!said).then(|| lookout.trouble(&why)));
                }
            }
        }
        for message in troubles {
            self.tell(Event::Warning { message });
        }
        self.act(hits, now_ns);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_there_or_not_or_nobody_can_tell() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("stop");
        let mut lookout = Lookout::new(0, path.clone());
        assert_eq!(lookout.sight(0, AT_ONCE), Some(Ok(false)));
        std::fs::write(&path, "").unwrap();
        assert_eq!(lookout.sight(1, AT_ONCE), Some(Ok(true)));
        assert!(look(&path.join("below a file")).is_err());
    }

    #[cfg(unix)]
    #[test]
    fn a_link_to_nothing_is_there() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("stop");
        std::os::unix::fs::symlink(folder.path().join("nothing"), &path).unwrap();
        assert_eq!(look(&path), Ok(true));
    }

    #[test]
    fn a_file_system_that_hangs_is_waited_for_elsewhere() {
        let (ask, questions) = channel();
        let (tell, answers) = channel();
        let path = PathBuf::from("stop");
        let mut lookout = Lookout { guard: 0, path, ask, answers, asked_ns: None, said: false };
        assert_eq!(lookout.sight(0, Duration::from_millis(1)), None);
        assert_eq!(lookout.sight(PATIENCE_NS - 1, AT_ONCE), None);
        let trouble = lookout.sight(PATIENCE_NS, AT_ONCE).unwrap().unwrap_err();
        assert_eq!(trouble, "no answer from the file system");
        assert_eq!(questions.try_iter().count(), 1, "asked once");
        tell.send(Ok(true)).unwrap();
        assert_eq!(lookout.sight(PATIENCE_NS + 1, AT_ONCE), Some(Ok(true)));
        drop(tell);
        assert!(lookout.sight(PATIENCE_NS + 2, AT_ONCE).unwrap().is_err());
    }
}
