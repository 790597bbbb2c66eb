//! Signals during a run: the first to end it does so gracefully, the second at once. On Unix SIGUSR1
//! pauses it, SIGUSR2 lets it go on, and SIGHUP reads its script again.

use super::live;
use super::reload::Trigger;
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
pub(super) fn obey(control: Control, out: Output, reload: Option<Trigger>) {
    let obey = move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        if let Ok(runtime) = runtime {
            runtime.block_on(listen(control, out, reload));
        }
    };
    let _ = std::thread::Builder::new().name("signals".to_owned()).spawn(obey);
}

/// What a signal asks for.
enum Asked {
    End,
    #[cfg(unix)]
    Pause,
    #[cfg(unix)]
    Resume,
    #[cfg(unix)]
    Reload,
}

async fn listen(control: Control, out: Output, reload: Option<Trigger>) {
    let Some(mut signals) = Signals::new() else { return };
    let mut ending = false;
    loop {
        match signals.next().await {
            Asked::End if ending => break,
            Asked::End => {
                ending = true;
                control.stop(Why::Interrupt);
                // Said from elsewhere: a reader that takes nothing must not keep the second signal
                // waiting.
                let say = move || {
                    if !live::is_shown() {
                        out.note(
                            "\nending: what is in flight is waited for; once more ends at once",
                        );
                    }
                };
                let _ = std::thread::Builder::new().spawn(say);
            }
            #[cfg(unix)]
            Asked::Pause => control.pause(),
            #[cfg(unix)]
            Asked::Resume => control.resume(),
            #[cfg(unix)]
            Asked::Reload => {
                if let Some(reload) = &reload {
                    reload();
                }
            }
        }
    }
    #[cfg(not(unix))]
    drop(reload);
    control.abort(Why::Interrupt);
    tokio::time::sleep(AT_ONCE).await;
    live::restore_soon();
    std::process::exit(Exit::Interrupted as i32);
}

/// Ctrl+C, and on Unix the others too.
#[cfg(unix)]
struct Signals {
    interrupt: tokio::signal::unix::Signal,
    terminate: tokio::signal::unix::Signal,
    pause: tokio::signal::unix::Signal,
    resume: tokio::signal::unix::Signal,
    hang_up: tokio::signal::unix::Signal,
}

#[cfg(unix)]
impl Signals {
    fn new() -> Option<Signals> {
        use tokio::signal::unix::{SignalKind, signal};
        Some(Signals {
            interrupt: signal(SignalKind::interrupt()).ok()?,
            terminate: signal(SignalKind::terminate()).ok()?,
            pause: signal(SignalKind::user_defined1()).ok()?,
            resume: signal(SignalKind::user_defined2()).ok()?,
            hang_up: signal(SignalKind::hangup()).ok()?,
        })
    }

    async fn next(&mut self) -> Asked {
        tokio::select! {
            _ = self.interrupt.recv() => Asked::End,
            _ = self.terminate.recv() => Asked::End,
            _ = self.pause.recv() => Asked::Pause,
            _ = self.resume.recv() => Asked::Resume,
            _ = self.hang_up.recv() => Asked::Reload,
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

    async fn next(&mut self) -> Asked {
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
        Asked::End
    }
}
