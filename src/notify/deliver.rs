//! One message to one who is to be told, with a time limit and further tries.

use crate::plan::{Notify, NotifyWay};
use std::io::Write as _;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// Before the first further try; each later one waits twice as long, up to [`LONGEST_WAIT`].
const FIRST_WAIT: Duration = Duration::from_millis(500);
const LONGEST_WAIT: Duration = Duration::from_secs(10);
/// How often a command is looked at.
const LOOK: Duration = Duration::from_millis(10);

/// Tells it, trying again as often as is allowed.
///
/// # Errors
///
/// Why the last try failed, and how many there were.
pub(super) fn deliver(notify: &Notify, message: &str) -> Result<(), String> {
    let limit = Duration::from_nanos(notify.timeout_ns);
    let mut wait = FIRST_WAIT;
    let mut tries = 0;
    loop {
        let outcome = match &notify.way {
            NotifyWay::Command(command) => run(command, message, limit),
            NotifyWay::Webhook(address) => post(address, message, limit),
        };
        tries += 1;
        match outcome {
            Ok(()) => return Ok(()),
            Err(why) if tries > notify.retries => {
                let tries = crate::show::plural(u64::from(tries), "attempt");
                return Err(format!("{why}, after {tries}"));
            }
            Err(_) => std::thread::sleep(wait),
        }
        wait = (wait * 2).min(LONGEST_WAIT);
    }
}

fn post(address: &str, message: &str, limit: Duration) -> Result<(), String> {
    let config = ureq::Agent::config_builder().timeout_global(Some(limit));
    let agent = ureq::Agent::new_with_config(config.build());
    let request = agent.post(address).header("content-type", "application/json");
    request.send(message).map(drop).map_err(|error| error.to_string())
}

/// Runs a command in a shell, the message on its standard input; what it prints goes nowhere, since
/// the run has the terminal.
fn run(command: &str, message: &str, limit: Duration) -> Result<(), String> {
    let mut child = shell(command)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .map_err(|error| format!("it does not start: {error}"))?;
    if let Some(mut input) = child.stdin.take() {
        let message = format!("{message}\n");
        // One that does not read must not hold this thread beyond the limit. One that closes its
        // input has not asked for the message.
        let _ = std::thread::Builder::new().spawn(move || input.write_all(message.as_bytes()));
    }
    let mut looks = limit.as_nanos() / LOOK.as_nanos();
    loop {
        match child.try_wait() {
            Ok(Some(status)) if status.success() => return Ok(()),
            Ok(Some(status)) => return Err(format!("it failed: {status}")),
            Ok(None) if looks == 0 => {
                kill(&mut child);
                return Err("it took too long".to_owned());
            }
            Ok(None) => looks -= 1,
            Err(error) => return Err(error.to_string()),
        }
        std::thread::sleep(LOOK);
    }
}

#[cfg(unix)]
fn shell(command: &str) -> Command {
    use std::os::unix::process::CommandExt as _;
    let mut shell = Command::new("sh");
    // In a group of its own, which can be ended with all that it has started.
    shell.arg("-c").arg(command).process_group(0);
    shell
}

#[cfg(unix)]
fn kill(child: &mut Child) {
    let group = i32::try_from(child.id()).ok().and_then(rustix::process::Pid::from_raw);
    if let Some(group) = group {
        let _ = rustix::process::kill_process_group(group, rustix::process::Signal::KILL);
    }
    let _ = child.kill();
    let _ = child.wait();
}

#[cfg(not(unix))]
fn shell(command: &str) -> Command {
    let mut shell = Command::new("cmd");
    shell.arg("/C").arg(command);
    shell
}

#[cfg(not(unix))]
fn kill(child: &mut Child) {
    let _ = child.kill();
    let _ = child.wait();
}
