//! The answering side: a thread of its own in every run.

use super::{Folder, MAX_QUESTION, Question};
use crate::run::control::{Control, Why};
use crate::run::events::Tap;
use crate::stats::history::{SharedHistory, Slice};
use serde_json::{Value, json};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::broadcast;

/// How long a client may take to ask.
const PATIENCE: Duration = Duration::from_secs(5);
/// Events that a client may be behind before it misses some.
const BEHIND: usize = 1_024;

/// A socket that answers; dropping it removes it.
#[derive(Debug)]
pub struct Server {
    path: PathBuf,
}

impl Server {
    /// Where it listens.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may be gone already: a temporary folder was tidied up.
        let _ = std::fs::remove_file(&self.path);
    }
}

/// What the server passes on to.
struct Desk {
    control: Control,
    history: SharedHistory,
    events: broadcast::Sender<String>,
    /// Wakes whoever reads the script again; `None` where there is no script to read.
    reload: Option<Arc<dyn Fn() + Send + Sync>>,
}

/// Listens in the first folder that can be used.
///
/// # Errors
///
/// Why none can be.
pub fn serve(
    folders: &[Folder],
    run_id: &str,
    control: Control,
    tap: Tap,
    history: SharedHistory,
    reload: Option<Arc<dyn Fn() + Send + Sync>>,
) -> io::Result<Server> {
    let mut last = io::Error::other("this system has no folder for it");
    for folder in folders {
        match bind(folder, run_id) {
            Ok((listener, path)) => {
                let (events, _) = broadcast::channel(BEHIND);
                let desk = Arc::new(Desk { control, history, events, reload });
                let serve = move || run(listener, &desk, tap);
                std::thread::Builder::new().name("control".to_owned()).spawn(serve)?;
                return Ok(Server { path });
            }
            Err(error) => {
                last = io::Error::other(format!("{}: {error}", folder.path().display()));
            }
        }
    }
    Err(last)
}

fn bind(folder: &Folder, run_id: &str) -> io::Result<(std::os::unix::net::UnixListener, PathBuf)> {
    use std::os::unix::fs::PermissionsExt as _;
    let path = folder.prepare(run_id)?;
    let listener = match std::os::unix::net::UnixListener::bind(&path) {
        Err(error) if error.kind() == io::ErrorKind::AddrInUse && is_left(&path) => {
            std::fs::remove_file(&path)?;
            std::os::unix::net::UnixListener::bind(&path)?
        }
        bound => bound?,
    };
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600))?;
    listener.set_nonblocking(true)?;
    Ok((listener, path))
}

/// Whether nobody listens at a socket any more: the run's process was killed, and this one goes on
/// with the run.
fn is_left(path: &Path) -> bool {
    let reached = std::os::unix::net::UnixStream::connect(path);
    reached.is_err_and(|error| error.kind() == io::ErrorKind::ConnectionRefused)
}

fn run(listener: std::os::unix::net::UnixListener, desk: &Arc<Desk>, mut tap: Tap) {
    let Ok(runtime) = tokio::runtime::Builder::new_current_thread().enable_all().build() else {
        return;
    };
    runtime.block_on(async {
        let Ok(listener) = UnixListener::from_std(listener) else { return };
        loop {
            tokio::select! {
                record = tap.events.recv() => match record {
                    // Nobody listening is no fault.
                    Some(record) => _ = serde_json::to_string(&record).map(|line| desk.events.send(line)),
                    // The run is over.
                    None => break,
                },
                client = listener.accept() => {
                    if let Ok((client, _)) = client {
                        let desk = Arc::clone(desk);
                        tokio::spawn(async move { answer(client, &desk).await });
                    }
                }
            }
        }
    });
}

async fn answer(client: UnixStream, desk: &Desk) {
    let (reading, mut writing) = client.into_split();
    let mut line = String::new();
    let mut reader = BufReader::new(reading.take(MAX_QUESTION));
    let asked = tokio::time::timeout(PATIENCE, reader.read_line(&mut line)).await;
    if !matches!(asked, Ok(Ok(bytes)) if bytes > 0) {
        return;
    }
    let question = match serde_json::from_str::<Question>(&line) {
        Ok(question) => question,
        Err(error) => {
            let _ = say(&mut writing, &refusal(&format!("this is no question: {error}"))).await;
            return;
        }
    };
    // Heard from before the answer on: nothing that happens between is missed.
    let events = desk.events.subscribe();
    let follow = question == Question::Events;
    let reply = match desk.reply(question).await {
        Ok(reply) => reply,
        Err(why) => refusal(&why),
    };
    if say(&mut writing, &reply).await.is_ok() && follow {
        tell_all(&mut writing, events).await;
    }
}

fn refusal(why: &str) -> Value {
    json!({ "ok": false, "error": why })
}

async fn say(writing: &mut tokio::net::unix::OwnedWriteHalf, reply: &Value) -> io::Result<()> {
    let line = format!("{reply}\n");
    match tokio::time::timeout(PATIENCE, writing.write_all(line.as_bytes())).await {
        Ok(done) => done,
        Err(_) => Err(io::ErrorKind::TimedOut.into()),
    }
}

/// Passes events on until somebody hangs up, or the run is over.
async fn tell_all(
    writing: &mut tokio::net::unix::OwnedWriteHalf,
    mut events: broadcast::Receiver<String>,
) {
    loop {
        let line = match events.recv().await {
            Ok(line) => line,
            Err(broadcast::error::RecvError::Lagged(missed)) => {
                json!({ "event": "missed", "events": missed }).to_string()
            }
            Err(broadcast::error::RecvError::Closed) => return,
        };
        if writing.write_all(format!("{line}\n").as_bytes()).await.is_err() {
            return;
        }
    }
}

impl Desk {
    async fn reply(&self, question: Question) -> Result<Value, String> {
        let control = &self.control;
        match question {
            Question::Pause => control.pause(),
            Question::Resume => control.resume(),
            Question::Stop => control.stop(Why::ByHand),
            Question::Scale { factor } => control.scale(factor).await?,
            Question::Seek { plan_ns, clock_s } => match (plan_ns, clock_s) {
                (Some(plan_ns), None) => control.seek(plan_ns).await?,
                (None, Some(clock_s)) => control.seek_clock(clock_s).await?,
                _ => return Err("a seek needs plan_ns or clock_s, and one of them".to_owned()),
            },
            Question::Reload => match &self.reload {
                Some(reload) => reload(),
                None => return Err("this run reads its script from standard input".to_owned()),
            },
            Question::Status => {
                let status = control.status().await?;
                return Ok(json!({ "ok": true, "status": status }));
            }
            Question::Events => {}
            Question::History { last_ns } => {
                let points = self.history.look(|history| match last_ns {
                    None => history.whole(),
                    Some(last_ns) => history.since(history.last().at_ns.saturating_sub(last_ns)),
                });
                let points: Vec<Value> = points.iter().map(point).collect();
                return Ok(json!({ "ok": true, "history": points }));
            }
        }
        Ok(json!({ "ok": true }))
    }
}

/// A slice of the history, for a client.
fn point(slice: &Slice) -> Value {
    json!({
        "t_s": slice.end_ns as f64 / 1e9, "length_s": slice.length_ns as f64 / 1e9,
        "target_per_s": slice.target_per_s, "due": slice.due, "sent": slice.sent, "acked": slice.acked,
        "failed": slice.failed, "unknown": slice.unknown, "skipped": slice.skipped,
        "in_flight": slice.in_flight, "overdue": slice.overdue, "depth": slice.depth(),
        "send_delay_p99_us": slice.send_delay.map(|times| times.p99),
        "response_p50_us": slice.response.map(|times| times.p50),
        "response_p99_us": slice.response.map(|times| times.p99),
        "cpu": slice.cpu, "rss_bytes": slice.rss_bytes, "paused": slice.paused,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ctl::{CallError, call, stream};
    use crate::run::events::{Event, Record, channel};

    fn served(control: &Control) -> (tempfile::TempDir, Server, crate::run::Publisher) {
        let outer = tempfile::tempdir().unwrap();
        let folder = Folder::at(outer.path().join("loadc"));
        let (mut publisher, views) = channel(8);
        let tap = publisher.tap(8);
        let server =
            serve(&[folder], "run-1", control.clone(), tap, views.history.clone(), None).unwrap();
        (outer, server, publisher)
    }

    #[test]
    fn wishes_are_passed_on_and_the_socket_is_private() {
        use std::os::unix::fs::PermissionsExt as _;
        let control = Control::new();
        let wishes = control.watch();
        let (_folder, server, _publisher) = served(&control);
        let mode = std::fs::metadata(server.path()).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        call(server.path(), &Question::Pause).unwrap();
        assert!(wishes.borrow().paused);
        call(server.path(), &Question::Resume).unwrap();
        assert!(!wishes.borrow().paused);
        call(server.path(), &Question::Stop).unwrap();
        assert!(wishes.borrow().end.is_some());
        let path = server.path().to_owned();
        drop(server);
        assert!(matches!(call(&path, &Question::Pause), Err(CallError::Gone)));
    }

    #[test]
    fn a_run_that_is_gone_on_with_takes_the_place_that_its_killed_process_left() {
        let outer = tempfile::tempdir().unwrap();
        let folder = Folder::at(outer.path().join("loadc"));
        let (left, path) = bind(&folder, "run-1").unwrap();
        let second = bind(&folder, "run-1").unwrap_err();
        assert_eq!(second.kind(), io::ErrorKind::AddrInUse, "somebody listens");
        drop(left);
        assert!(path.exists(), "a process that is killed tidies nothing up");
        let (_listener, again) = bind(&folder, "run-1").unwrap();
        assert_eq!(again, path);
        assert!(std::os::unix::net::UnixStream::connect(&path).is_ok());
    }

    #[test]
    fn what_is_no_question_is_refused() {
        use std::io::{Read as _, Write as _};
        let (_folder, server, _publisher) = served(&Control::new());
        let mut client = std::os::unix::net::UnixStream::connect(server.path()).unwrap();
        client.write_all(b"{\"do\":\"fly\"}\n").unwrap();
        let mut answer = String::new();
        client.read_to_string(&mut answer).unwrap();
        assert!(answer.contains("\"error\":\"this is no question"), "{answer}");
        let refused = call(server.path(), &Question::Reload);
        assert!(matches!(refused, Err(CallError::Refused(why)) if why.contains("standard input")));
    }

    #[test]
    fn events_are_passed_on_until_the_run_is_over() {
        let (_folder, server, publisher) = served(&Control::new());
        let path = server.path().to_owned();
        let (tell, told) = std::sync::mpsc::channel();
        let listener = std::thread::spawn(move || {
            stream(&path, |line| tell.send(line.to_owned()).is_ok()).unwrap();
        });
        // Told again until somebody listens: who comes late hears only what comes later.
        let first = loop {
            let event = Event::Warning { message: "odd".to_owned() };
            publisher.tell(Record { at: 0, t_s: 1.0, event });
            match told.recv_timeout(Duration::from_millis(20)) {
                Ok(line) => break line,
                Err(_) => continue,
            }
        };
        assert!(first.contains("\"event\":\"warning\""), "{first}");
        drop(publisher);
        listener.join().unwrap();
    }
}
