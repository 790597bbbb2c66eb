//! Signals during a run: the first ends it gracefully, the second at once.

use super::live;
use crate::cli::Exit;
use crate::cli::output::Output;
use crate::run::control::{Control, Why};
use std::time::Duration;

/// How long a run that was told to end at once may take to do so: what it waits for then can only
/// be a terminal or a pipe that takes nothing.
const AT_ONCE: Duration = Duration::from_secs(1);

/// Obeys signals from here to the end of the process, on a thread of its own: neither the run nor
/// whoever reads its output can keep it from leaving. Without a thread to be had, signals do what
/// they do by themselves.
pub(super) fn obey(control: Control, out: Output) {
    let obey = move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        if let Ok(runtime) = runtime {
            runtime.block_on(listen(control, out));
        }
    };
    let _ = std::thread::Builder::new().name("signals".to_owned()).spawn(obey);
}

async fn listen(control: Control, out: Output) {
    let Some(mut signals) = Signals::new() else { return };
    signals.next().await;
    control.stop(Why::Interrupt);
    // Said from elsewhere: a reader that takes nothing must not keep the second signal waiting.
    let say = move || {
        if !live::is_shown() {
            out.note("\nending: what is in flight is waited for; once more ends at once");
        }
    };
    let _ = std::thread::Builder::new().spawn(say);
    signals.next().await;
    control.abort(Why::Interrupt);
    tokio::time::sleep(AT_ONCE).await;
    live::restore_soon();
    std::process::exit(Exit::Interrupted as i32);
}

/// Ctrl+C and, on Unix, the wish to terminate.
#[cfg(unix)]
struct Signals {
    interrupt: tokio::signal::unix::Signal,
    terminate: tokio::signal::unix::Signal,
    /// A terminal that goes away ends nothing: the run needs none.
    _hangup: tokio::signal::unix::Signal,
}

#[cfg(unix)]
impl Signals {
    fn new() -> Option<Signals> {
        use tokio::signal::unix::{SignalKind, signal};
        let interrupt = signal(SignalKind::interrupt()).ok()?;
        let (terminate, hangup) = (SignalKind::terminate(), SignalKind::hangup());
        Some(Signals {
            interrupt,
            terminate: signal(terminate).ok()?,
            _hangup: signal(hangup).ok()?,
        })
    }

    async fn next(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}

#[cfg(not(unix))]
struct Signals;

#[cfg(not(unix))]
impl Signals {
    fn new() -> Option<Signals> {
        Some(Signals)
    }

    async fn next(&mut self) {
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}
