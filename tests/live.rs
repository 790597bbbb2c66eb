//! `run --live` in a real pseudo-terminal.

use crate::cli_run::loadc;
use crate::redis_server::RedisServer;
use redis::Commands as _;
use rustix::process::{Pid, Signal, kill_process};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{Termios, Winsize, tcgetattr, tcsetwinsize};
use std::fs::File;
use std::io::{Read as _, Write as _};
use std::os::fd::OwnedFd;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// A terminal of 80 columns and 24 rows with a run in it.
struct Tty {
    keys: Option<File>,
    /// Ends the reading: with it goes the last handle of the master but `keys`.
    gone: Arc<AtomicBool>,
    slave: File,
    screen: Arc<Mutex<vt100::Parser>>,
    before: Termios,
    child: Child,
}

fn flags(termios: &Termios) -> String {
    format!("{:?} {:?} {:?}", termios.local_modes, termios.input_modes, termios.output_modes)
}

impl Tty {
    fn run(script: &str, target: &str) -> Tty {
        Tty::run_with(script, target, &["--live"])
    }

    fn run_with(script: &str, target: &str, more: &[&str]) -> Tty {
        let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
        grantpt(&master).unwrap();
        unlockpt(&master).unwrap();
        let path = ptsname(&master, Vec::new()).unwrap();
        let slave = File::options().read(true).write(true).open(path.to_str().unwrap()).unwrap();
        let size = Winsize { ws_row: 24, ws_col: 80, ws_xpixel: 0, ws_ypixel: 0 };
        tcsetwinsize(&slave, size).unwrap();
        let before = tcgetattr(&slave).unwrap();
        let end = |file: &File| Stdio::from(OwnedFd::from(file.try_clone().unwrap()));
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("day.load");
        std::fs::write(&file, script).unwrap();
        // The terminal becomes that of a session of its own, as a window's is.
        let mut command = Command::new("setsid");
        command.args(["--ctty", "--wait"]).arg(loadc().get_program());
        command.args(["run", file.to_str().unwrap(), "--target", target]).args(more);
        command.env("TERM", "xterm").env_remove("NO_COLOR");
        let child =
            command.stdin(end(&slave)).stdout(end(&slave)).stderr(end(&slave)).spawn().unwrap();
        let keys = File::from(master);
        let screen = Arc::new(Mutex::new(vt100::Parser::new(24, 80, 0)));
        let (mut reader, seen) = (keys.try_clone().unwrap(), Arc::clone(&screen));
        let gone = Arc::new(AtomicBool::new(false));
        let ended = Arc::clone(&gone);
        std::thread::spawn(move || {
            let mut bytes = [0; 4096];
            while let Ok(read @ 1..) = reader.read(&mut bytes) {
                seen.lock().unwrap().process(&bytes[..read]);
                if ended.load(Ordering::Relaxed) {
                    break;
                }
            }
        });
        let tty = Tty { keys: Some(keys), gone, slave, screen, before, child };
        // The script is read by the time anything is shown.
        tty.wait_for(if more.contains(&"--live") { "running" } else { "jobs" });
        drop(folder);
        tty
    }

    fn text(&self) -> String {
        self.screen.lock().unwrap().screen().contents()
    }

    #[track_caller]
    fn wait_for(&self, words: &str) {
        let until = Instant::now() + Duration::from_secs(60);
        while !self.text().contains(words) {
            assert!(Instant::now() < until, "no `{words}` on the screen:\n{}", self.text());
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    fn press(&mut self, keys: &str) {
        self.keys.as_mut().unwrap().write_all(keys.as_bytes()).unwrap();
    }

    /// Waits for the end; the terminal is to be as it was.
    #[track_caller]
    fn assert_restored(mut self, code: i32) {
        assert_eq!(self.child.wait().unwrap().code(), Some(code));
        let until = Instant::now() + Duration::from_secs(60);
        while self.screen.lock().unwrap().screen().alternate_screen() {
            assert!(Instant::now() < until, "the alternate screen is still there");
            std::thread::sleep(Duration::from_millis(20));
        }
        assert!(!self.screen.lock().unwrap().screen().hide_cursor(), "the cursor is hidden");
        assert_eq!(flags(&tcgetattr(&self.slave).unwrap()), flags(&self.before));
    }

    fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).unwrap();
    }
}

const SCRIPT: &str = "constant 200 for 10m as \"long\"\nguard { rate <= 1000/s; depth <= 1M }";

#[test]
fn the_picture_is_drawn_and_keys_steer_the_run() {
    let server = RedisServer::start();
    let mut tty = Tty::run(SCRIPT, &server.url());
    for words in ["guards", "rate <= 1000/s", "▶  1 constant 200 for 10m", "achieved"] {
        tty.wait_for(words);
    }
    tty.press("3");
    tty.wait_for("jobs waiting");
    tty.press("p");
    tty.wait_for("paused by hand");
    tty.press(" ");
    tty.wait_for("resumed after hand");
    tty.press(">");
    tty.wait_for("scaled to x1.25");
    tty.press("s");
    tty.wait_for("once more ends the run");
    tty.press("s");
    tty.wait_for("stopped by hand after");
    tty.assert_restored(130);
}

#[test]
fn the_terminal_is_given_back_at_a_signal_and_at_two() {
    let server = RedisServer::start();
    let tty = Tty::run(SCRIPT, &server.url());
    tty.signal(Signal::TERM);
    tty.assert_restored(130);
    let mut tty = Tty::run(SCRIPT, &server.url());
    tty.press("\u{3}\u{3}");
    tty.assert_restored(130);
}

/// With its master's last handle the terminal is gone: its session hears of it, and whatever is
/// written to it fails. What the run sends is sent and accounted for all the same.
#[test]
fn a_terminal_that_goes_away_ends_no_run() {
    for more in [&["--live"][..], &[]] {
        let server = RedisServer::start();
        let folder = tempfile::tempdir().unwrap();
        let events = folder.path().join("e.jsonl");
        let flags = [more, &["--events", events.to_str().unwrap()]].concat();
        let mut tty = Tty::run_with("constant 200 for 5s", &server.url(), &flags);
        tty.gone.store(true, Ordering::Relaxed);
        tty.keys = None;
        tty.child.wait().unwrap();
        assert_eq!(server.connection().llen::<_, u64>("loadc").unwrap(), 1_000);
        let told = std::fs::read_to_string(events).unwrap();
        let last: serde_json::Value = serde_json::from_str(told.lines().last().unwrap()).unwrap();
        assert_eq!((&last["event"], &last["outcome"]), (&"stopped".into(), &"done".into()));
        assert_eq!(last["jobs"]["acked"], 1_000, "{more:?}");
    }
}

#[test]
fn without_a_terminal_it_is_refused() {
    let mut command = loadc();
    command.args(["run", "-", "--live"]).stdin(Stdio::piped());
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(b"constant 1 for 1s").unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("--live needs a terminal"));
}
