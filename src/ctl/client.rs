//! The asking side.

use super::{MAX_LINE, Question};
use serde_json::Value;
use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Duration;

/// How long a run may take to answer.
const PATIENCE: Duration = Duration::from_secs(10);

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum CallError {
    /// Nobody listens: the run is over, and its socket was left behind.
    #[error("no run listens there any more")]
    Gone,
    /// It listens and does not answer.
    #[error("the run does not answer: {0}")]
    Silent(#[source] io::Error),
    /// It answers with what is no answer.
    #[error("the run answers with something that is no answer")]
    Strange,
    /// It refuses.
    #[error("{0}")]
    Refused(String),
}

/// An answer: the object that came with `ok`.
pub type Reply = Value;

fn ask(path: &Path, question: &Question) -> Result<BufReader<UnixStream>, CallError> {
    let socket = UnixStream::connect(path).map_err(|error| match error.kind() {
        io::ErrorKind::ConnectionRefused | io::ErrorKind::NotFound => CallError::Gone,
        _ => CallError::Silent(error),
    })?;
    let patience = Some(PATIENCE);
    socket.set_read_timeout(patience).map_err(CallError::Silent)?;
    socket.set_write_timeout(patience).map_err(CallError::Silent)?;
    let line = serde_json::to_string(question).unwrap_or_default();
    let mut reader = BufReader::new(socket);
    reader.get_mut().write_all(format!("{line}\n").as_bytes()).map_err(CallError::Silent)?;
    Ok(reader)
}

fn answer(reader: &mut BufReader<UnixStream>) -> Result<Reply, CallError> {
    let mut line = String::new();
    reader.take(MAX_LINE).read_line(&mut line).map_err(CallError::Silent)?;
    let reply: Value = serde_json::from_str(&line).map_err(|_| CallError::Strange)?;
    match reply.get("ok").and_then(Value::as_bool) {
        Some(true) => Ok(reply),
        Some(false) => {
            let why = reply.get("error").and_then(Value::as_str).unwrap_or("it refuses");
            Err(CallError::Refused(why.to_owned()))
        }
        None => Err(CallError::Strange),
    }
}

/// Asks a run one question.
///
/// # Errors
///
/// If there is no answer, or the run refuses.
pub fn call(path: &Path, question: &Question) -> Result<Reply, CallError> {
    answer(&mut ask(path, question)?)
}

/// Asks for events and hands each line on, until the run ends or `line` returns false.
///
/// # Errors
///
/// If there is no answer.
pub fn stream(path: &Path, mut line: impl FnMut(&str) -> bool) -> Result<(), CallError> {
    let mut reader = ask(path, &Question::Events)?;
    answer(&mut reader)?;
    // Much may pass between two events.
    reader.get_ref().set_read_timeout(None).map_err(CallError::Silent)?;
    for event in reader.lines() {
        match event {
            Ok(event) if line(&event) => {}
            _ => break,
        }
    }
    Ok(())
}
