//! One question at a time on a connection that carries no jobs yet.

use super::connect::Socket;
use super::wire;
use crate::sink::{Args, Failure};
use redis::Value;
use std::io;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

/// A connection that is asked.
pub(super) struct Dialogue {
    socket: Socket,
    inbox: Vec<u8>,
}

/// What a server answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Answer {
    /// A refusal.
    Refused(Failure),
    /// A number.
    Number(i64),
    /// A line or a string.
    Text(Vec<u8>),
    /// Nothing there.
    Nil,
    /// A list of answers, not looked into.
    List,
}

impl Dialogue {
    pub(super) fn new(socket: Socket) -> Dialogue {
        Dialogue { socket, inbox: Vec::new() }
    }

    /// The connection again, all answers read.
    pub(super) fn into_socket(self) -> Socket {
        self.socket
    }

    /// Sends one command and waits for its answer. What is no answer of a Redis server is
    /// [`io::ErrorKind::InvalidData`], an end instead of one [`io::ErrorKind::UnexpectedEof`].
    pub(super) async fn ask(&mut self, words: &[&[u8]]) -> io::Result<Answer> {
        self.ask_for(words, answer).await
    }

    /// The same, and the answer is looked into.
    pub(super) async fn ask_value(&mut self, words: &[&[u8]]) -> io::Result<Value> {
        let parse = |bytes: &[u8]| redis::parse_redis_value(bytes).unwrap_or(Value::Nil);
        self.ask_for(words, parse).await
    }

    async fn ask_for<T>(&mut self, words: &[&[u8]], read: impl Fn(&[u8]) -> T) -> io::Result<T> {
        let mut args = Args::default();
        words.iter().for_each(|word| args.push(word));
        let mut bytes = Vec::new();
        wire::encode(&args, &mut bytes);
        self.socket.write_all(&bytes).await?;
        self.socket.flush().await?;
        loop {
            let reply = wire::reply(&self.inbox).map_err(|wire::NotRedis| {
                io::Error::new(io::ErrorKind::InvalidData, "its answer is not in Redis's protocol")
            })?;
            if let Some(reply) = reply {
                let len = reply.len;
                let answer = read(&self.inbox[..len]);
                self.inbox.drain(..len);
                return Ok(answer);
            }
            if self.socket.read_buf(&mut self.inbox).await? == 0 {
                let message = "it closed the connection without an answer";
                return Err(io::Error::new(io::ErrorKind::UnexpectedEof, message));
            }
        }
    }
}

/// A whole reply as an answer.
fn answer(reply: &[u8]) -> Answer {
    let end = reply.iter().position(|byte| *byte == b'\r').unwrap_or(reply.len());
    let line = reply.get(1..end).unwrap_or_default();
    let number = || std::str::from_utf8(line).ok()?.parse::<i64>().ok();
    match (reply.first(), number()) {
        (Some(b'-'), _) => Answer::Refused(wire::failure(line)),
        (Some(b':'), Some(number)) => Answer::Number(number),
        (Some(b'$' | b'*'), Some(-1)) => Answer::Nil,
        (Some(b'*'), _) => Answer::List,
        (Some(b'$'), _) => {
            let text = reply.get(end + 2..reply.len().saturating_sub(2)).unwrap_or_default();
            Answer::Text(text.to_vec())
        }
        _ => Answer::Text(line.to_vec()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_told_apart() {
        let text = |text: &str| Answer::Text(text.as_bytes().to_vec());
        for (reply, wanted) in [
            ("+OK\r\n", text("OK")),
            ("$5\r\na\r\nbc\r\n", text("a\r\nbc")),
            ("$0\r\n\r\n", text("")),
            ("$-1\r\n", Answer::Nil),
            ("*-1\r\n", Answer::Nil),
            ("*1\r\n:1\r\n", Answer::List),
            (":-7\r\n", Answer::Number(-7)),
            ("-NOPERM no\r\n", Answer::Refused(wire::failure(b"NOPERM no"))),
        ] {
            assert_eq!(answer(reply.as_bytes()), wanted, "{reply:?}");
        }
    }
}
