//! `run --live`: the terminal that the picture is drawn on, and its keys.
//!
//! The terminal is given back as it was whatever happens: at the end of the run, at a panic, when a
//! second signal ends the process at once. If it goes away, the run goes on without it.

use crate::cli::output::Output;
use crate::live::{Ink, Key, Picture, Wish};
use crate::run::control::{Control, Why};
use crate::run::events::Views;
use ratatui::Terminal;
use ratatui::backend::CrosstermBackend;
use ratatui::crossterm::cursor::Show;
use ratatui::crossterm::event::{self, Event, KeyCode, KeyEventKind, KeyModifiers};
use ratatui::crossterm::execute;
use ratatui::crossterm::terminal::{
    EnterAlternateScreen, LeaveAlternateScreen, disable_raw_mode, enable_raw_mode,
};
use std::io::{self, IsTerminal as _, Stderr, stderr};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::channel;
use std::thread::JoinHandle;
use std::time::Duration;
use tokio::sync::mpsc::error::TryRecvError;

/// Whether the terminal is ours.
static TAKEN: AtomicBool = AtomicBool::new(false);

/// Between two looks at keys and news.
const LOOK: Duration = Duration::from_millis(100);
/// How long the run may take to answer.
const ANSWER: Duration = Duration::from_secs(1);
/// How long a terminal may take to be given back when the process ends at once.
const GIVE_BACK: Duration = Duration::from_millis(300);

/// Whether there is a terminal to draw on.
pub(super) fn is_possible() -> bool {
    stderr().is_terminal()
}

/// Whether the picture is on the terminal: lines written there would spoil it.
pub(super) fn is_shown() -> bool {
    TAKEN.load(Ordering::Relaxed)
}

/// Gives the terminal back, if it is ours.
fn restore() {
    if TAKEN.swap(false, Ordering::SeqCst) {
        // A terminal that has gone away takes no harm from what it does not get.
        let _ = disable_raw_mode();
        let _ = execute!(stderr(), LeaveAlternateScreen, Show);
    }
}

/// The same before the process ends at once: a terminal that takes nothing is not waited for.
pub(super) fn restore_soon() {
    if !is_shown() {
        return;
    }
    let (done, wait) = channel();
    let give_back = move || {
        restore();
        let _ = done.send(());
    };
    if std::thread::Builder::new().spawn(give_back).is_ok() {
        let _ = wait.recv_timeout(GIVE_BACK);
    }
}

/// Takes the terminal and shows the run on a thread of its own until its views end.
pub(super) fn spawn(
    picture: Picture,
    views: Views,
    control: Control,
) -> io::Result<JoinHandle<()>> {
    let before = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        restore();
        before(panic);
    }));
    TAKEN.store(true, Ordering::SeqCst);
    let taken = enable_raw_mode().and_then(|()| execute!(stderr(), EnterAlternateScreen));
    if let Err(error) = taken {
        restore();
        return Err(error);
    }
    let show = move || {
        let mut screen = Screen { picture, views, control, asked_to_end: false };
        // A terminal that fails is left; the run needs none.
        let _ = screen.show();
        restore();
        screen.wait_for_the_end();
    };
    std::thread::Builder::new().name("live".to_owned()).spawn(show).inspect_err(|_| restore())
}

/// With colours unless they are not wanted.
pub(super) fn ink(out: &Output) -> Ink {
    Ink { color: out.color_err }
}

/// The terminal that keys come from.
///
/// It is asked first whether it is still there: what reads the keys would ask one that is gone again
/// and again, and keep a processor busy with that.
#[cfg(unix)]
struct Line(Option<std::fs::File>);

#[cfg(unix)]
impl Line {
    fn open() -> Line {
        Line(std::fs::File::open("/dev/tty").ok())
    }

    /// Waits for a key, but no longer than [`LOOK`]; false if the terminal is gone.
    fn wait(&self) -> bool {
        use rustix::event::{PollFd, PollFlags, Timespec, poll};
        let Some(tty) = &self.0 else {
            std::thread::sleep(LOOK);
            return true;
        };
        let mut asked = [PollFd::new(tty, PollFlags::IN)];
        let look = Timespec { tv_sec: 0, tv_nsec: i64::from(LOOK.subsec_nanos()) };
        // An interrupted wait is none; a new size of the terminal comes by a signal.
        let _ = poll(&mut asked, Some(&look));
        !asked[0].revents().intersects(PollFlags::HUP | PollFlags::ERR | PollFlags::NVAL)
    }
}

#[cfg(not(unix))]
struct Line;

#[cfg(not(unix))]
impl Line {
    fn open() -> Line {
        Line
    }

    fn wait(&self) -> bool {
        !matches!(event::poll(LOOK), Err(_))
    }
}

struct Screen {
    picture: Picture,
    views: Views,
    control: Control,
    asked_to_end: bool,
}

impl Screen {
    /// Draws until the run is over.
    fn show(&mut self) -> io::Result<()> {
        let mut terminal: Terminal<CrosstermBackend<Stderr>> =
            Terminal::new(CrosstermBackend::new(stderr()))?;
        let (line, mut stale) = (Line::open(), true);
        loop {
            loop {
                match self.views.events.try_recv() {
                    Ok(record) => {
                        self.picture.tell(&record);
                        stale = true;
                    }
                    Err(TryRecvError::Empty) => break,
                    Err(TryRecvError::Disconnected) => return Ok(()),
                }
            }
            if self.views.snapshots.has_changed().unwrap_or(false) {
                stale = true;
            }
            if stale {
                self.update();
                terminal.draw(|frame| self.picture.draw(frame))?;
            }
            if !line.wait() {
                return Ok(());
            }
            stale = event::poll(Duration::ZERO)? && self.take(&event::read()?);
        }
    }

    fn update(&mut self) {
        let now = self.views.snapshots.borrow_and_update().clone();
        let from_ns = self.picture.needs_from_ns();
        let slices = self.views.history.look(|history| history.since(from_ns));
        self.picture.update(now, slices);
    }

    /// Takes in what the terminal says; true if the picture is to be drawn anew.
    fn take(&mut self, event: &Event) -> bool {
        let Event::Key(key) = event else { return matches!(event, Event::Resize(..)) };
        if key.kind == KeyEventKind::Release {
            return false;
        }
        let control = key.modifiers.contains(KeyModifiers::CONTROL);
        if control && key.code == KeyCode::Char('c') {
            self.interrupt();
            return true;
        }
        let key = match key.code {
            KeyCode::Char(letter) if !control => Key::Char(letter),
            KeyCode::Tab => Key::Tab,
            _ => Key::Other,
        };
        match self.picture.key(key) {
            Some(Wish::Pause) => self.pause(),
            Some(Wish::Stop) => self.control.stop(Why::ByHand),
            Some(Wish::Scale(factor)) => self.scale(factor),
            None => {}
        }
        true
    }

    fn pause(&mut self) {
        if self.control.is_paused() {
            self.control.resume();
        } else {
            self.control.pause();
        }
    }

    /// The run answers between two batches; if it does not, somebody else has to be asked why.
    fn scale(&mut self, factor: f64) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build();
        let Ok(runtime) = runtime else { return };
        let asked = self.control.scale(factor);
        let answer = runtime.block_on(async { tokio::time::timeout(ANSWER, asked).await });
        match answer {
            Ok(Ok(())) => {}
            Ok(Err(why)) => self.picture.say(&why),
            Err(_) => self.picture.say("the run does not answer"),
        }
    }

    /// The first ends the run gracefully, the second at once, as the signal would.
    fn interrupt(&mut self) {
        if self.asked_to_end {
            self.control.abort(Why::Interrupt);
        } else {
            self.asked_to_end = true;
            self.picture.end();
            self.control.stop(Why::Interrupt);
        }
    }

    /// Without a picture the events still need a reader, so that none counts as missed.
    fn wait_for_the_end(&mut self) {
        while self.views.events.blocking_recv().is_some() {}
    }
}
