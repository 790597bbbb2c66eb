//! The bytes on the wire (RESP 2): commands written straight into the buffer that goes out, replies
//! skipped over as far as an outcome needs them.
//!
//! The redis crate would copy every argument twice and keep the replies of a pipeline to itself
//! until the last one is there, so that a break in its middle would lose those that had come.

use crate::sink::{Args, Failure};

/// A line without an end that is longer than this is no Redis reply.
const LONGEST_LINE: usize = 64 << 10;

/// The longest string a server holds, and thus sends (`proto-max-bulk-len`).
const LONGEST_STRING: usize = 512 << 20;

/// Appends a command, or several.
pub(super) fn encode(args: &Args, out: &mut Vec<u8>) {
    out.reserve(encoded_len(args));
    let mut arguments = args.iter();
    for length in args.lengths() {
        header(b'*', length, out);
        for argument in arguments.by_ref().take(length) {
            header(b'$', argument.len(), out);
            out.extend_from_slice(argument);
            out.extend_from_slice(b"\r\n");
        }
    }
}

/// Room enough for [`encode`].
pub(super) fn encoded_len(args: &Args) -> usize {
    args.byte_len() + 16 * (args.len() + args.commands())
}

/// The commands in encoded bytes, one after another.
pub(super) fn commands(mut bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    std::iter::from_fn(move || {
        let (head, mut at) = line(bytes, 0).ok()??;
        let arguments = size(head.strip_prefix(b"*")?).ok()??;
        for _ in 0..arguments {
            at = word(bytes, at)?.1;
        }
        let (command, rest) = bytes.split_at_checked(at)?;
        bytes = rest;
        Some(command)
    })
}

/// The first two words of an encoded command.
pub(super) fn first_two(command: &[u8]) -> Option<[&[u8]; 2]> {
    let (_, at) = line(command, 0).ok()??;
    let (name, at) = word(command, at)?;
    let (key, _) = word(command, at)?;
    Some([name, key])
}

/// The string at `at` and the place behind it.
fn word(bytes: &[u8], at: usize) -> Option<(&[u8], usize)> {
    let (head, start) = line(bytes, at).ok()??;
    let len = size(head.strip_prefix(b"$")?).ok()??;
    Some((bytes.get(start..start + len)?, start + len + 2))
}

fn header(sign: u8, mut number: usize, out: &mut Vec<u8>) {
    let mut digits = [0; 20];
    let mut start = digits.len();
    loop {
        start -= 1;
        digits[start] = b'0' + u8::try_from(number % 10).unwrap_or_default();
        number /= 10;
        if number == 0 {
            break;
        }
    }
    out.push(sign);
    out.extend_from_slice(&digits[start..]);
    out.extend_from_slice(b"\r\n");
}

/// One reply, as far as it matters.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Reply<'a> {
    /// The bytes it takes.
    pub len: usize,
    /// Its error, or the first one in it: `WRONGTYPE Operation against …`.
    pub error: Option<&'a [u8]>,
}

/// What came is no reply of a Redis server.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct NotRedis;

/// Reads the reply at the start of `bytes`; `None` while its end is missing.
pub(super) fn reply(bytes: &[u8]) -> Result<Option<Reply<'_>>, NotRedis> {
    let mut len = 0;
    let mut error = None;
    let mut awaited: usize = 1;
    while awaited > 0 {
        let Some((line, after)) = line(bytes, len)? else {
            return Ok(None);
        };
        len = after;
        awaited -= 1;
        let (Some(sign), rest) = (line.first(), line.get(1..).unwrap_or_default()) else {
            return Err(NotRedis);
        };
        match sign {
            b'+' => {}
            b':' => _ = number(rest)?,
            b'-' => error = error.or(Some(rest)),
            b'$' => {
                if let Some(length) = size(rest)? {
                    if length > LONGEST_STRING {
                        return Err(NotRedis);
                    }
                    len += length + 2;
                    if bytes.len() < len {
                        return Ok(None);
                    }
                    if &bytes[len - 2..len] != b"\r\n" {
                        return Err(NotRedis);
                    }
                }
            }
            b'*' => awaited = awaited.checked_add(size(rest)?.unwrap_or(0)).ok_or(NotRedis)?,
            _ => return Err(NotRedis),
        }
    }
    Ok(Some(Reply { len, error }))
}

/// The error, if any, in each element of a whole array; none if the reply is no array, or nil.
pub(super) fn elements(array: &[u8]) -> Option<impl Iterator<Item = Option<&[u8]>>> {
    let (head, mut at) = line(array, 0).ok()??;
    size(head.strip_prefix(b"*")?).ok()??;
    Some(std::iter::from_fn(move || {
        let rest = array.get(at..).filter(|rest| !rest.is_empty())?;
        let element = reply(rest).ok()??;
        at += element.len;
        Some(element.error)
    }))
}

/// The line from `start` on without its end, and the place behind it.
fn line(bytes: &[u8], start: usize) -> Result<Option<(&[u8], usize)>, NotRedis> {
    let rest = &bytes[start..];
    match rest.iter().position(|byte| *byte == b'\n') {
        Some(0) => Err(NotRedis),
        Some(end) if rest[end - 1] == b'\r' => Ok(Some((&rest[..end - 1], start + end + 1))),
        Some(_) => Err(NotRedis),
        // A first byte that starts no reply will not turn into one.
        None if rest.len() > LONGEST_LINE => Err(NotRedis),
        None if rest.first().is_some_and(|sign| !b"+-:$*".contains(sign)) => Err(NotRedis),
        None => Ok(None),
    }
}

fn number(digits: &[u8]) -> Result<i64, NotRedis> {
    std::str::from_utf8(digits).ok().and_then(|digits| digits.parse().ok()).ok_or(NotRedis)
}

/// A length; `None` for the -1 of a nil.
fn size(digits: &[u8]) -> Result<Option<usize>, NotRedis> {
    match number(digits)? {
        -1 => Ok(None),
        length => usize::try_from(length).map(Some).map_err(|_| NotRedis),
    }
}

/// Kinds of errors that go away by themselves: the server loads, runs a script, fails over, or has
/// no room until a worker makes some. Everything else stays until somebody changes something.
const PASSING: [&str; 9] = [
    "LOADING",
    "BUSY",
    "OOM",
    "MISCONF",
    "NOREPLICAS",
    "MASTERDOWN",
    "CLUSTERDOWN",
    "TRYAGAIN",
    "UNBLOCKED",
];

/// A server's error line as a failure.
pub(super) fn failure(line: &[u8]) -> Failure {
    let message = String::from_utf8_lossy(line).into_owned();
    let first = message.split(' ').next().unwrap_or_default();
    let is_code = !first.is_empty() && first.bytes().all(|byte| byte.is_ascii_uppercase());
    let kind = if is_code { first } else { "ERR" }.to_owned();
    let lasting = !PASSING.contains(&kind.as_str());
    Failure { kind, message, lasting }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_are_arrays_of_strings() {
        let mut args = Args::default();
        args.push(b"LPUSH");
        args.push(b"");
        args.push(&[b'x'; 100]);
        let mut out = b"before".to_vec();
        encode(&args, &mut out);
        let wanted =
            format!("before*3\r\n$5\r\nLPUSH\r\n$0\r\n\r\n$100\r\n{}\r\n", "x".repeat(100));
        assert_eq!(String::from_utf8(out).unwrap(), wanted);
    }

    #[test]
    fn a_reply_is_known_by_its_last_byte() {
        for (text, error) in [
            ("+OK\r\n", None),
            (":1000\r\n", None),
            (":-1\r\n", None),
            ("$-1\r\n", None),
            ("$0\r\n\r\n", None),
            ("$5\r\na\r\nbc\r\n", None),
            ("*-1\r\n", None),
            ("*0\r\n", None),
            ("*3\r\n:1\r\n*2\r\n+a\r\n$1\r\nb\r\n$-1\r\n", None),
            ("-ERR no\r\n", Some("ERR no")),
            ("*3\r\n:1\r\n-OOM a\r\n-ERR b\r\n", Some("OOM a")),
        ] {
            let bytes = text.as_bytes();
            let whole = Reply { len: bytes.len(), error: error.map(str::as_bytes) };
            assert_eq!(reply(bytes), Ok(Some(whole)), "{text:?}");
            for end in 0..bytes.len() {
                assert_eq!(reply(&bytes[..end]), Ok(None), "{:?}", &text[..end]);
            }
            let more = [bytes, b"+more\r\n"].concat();
            assert_eq!(reply(&more).unwrap().map(|reply| reply.len), Some(bytes.len()), "{text:?}");
        }
    }

    #[test]
    fn the_first_words_of_a_command_are_found_again() {
        let mut args = Args::default();
        ["XADD", "a\r\nb", "*", "f", "v"].iter().for_each(|word| args.push(word.as_bytes()));
        let mut out = Vec::new();
        encode(&args, &mut out);
        assert_eq!(first_two(&out), Some([&b"XADD"[..], b"a\r\nb"]));
        assert!(out.len() <= encoded_len(&args));
        assert_eq!(first_two(b"*1\r\n$4\r\nPING\r\n"), None);
    }

    #[test]
    fn several_commands_stand_in_a_row() {
        let mut args = Args::default();
        for command in ["HSET k f v", "LPUSH q k", "PING x"] {
            args.begin_command();
            command.split(' ').for_each(|word| args.push(word.as_bytes()));
        }
        assert_eq!((args.commands(), args.len()), (3, 9));
        let mut out = Vec::new();
        encode(&args, &mut out);
        assert!(out.len() <= encoded_len(&args));
        let keys = commands(&out).map(|command| first_two(command).map(|[name, _]| name));
        assert_eq!(keys.collect::<Vec<_>>(), [Some(&b"HSET"[..]), Some(b"LPUSH"), Some(b"PING")]);
        assert_eq!(commands(&out).map(<[u8]>::len).sum::<usize>(), out.len());
    }

    #[test]
    fn an_array_is_told_by_its_elements() {
        let errors = |text: &'static str| {
            elements(text.as_bytes()).map(|errors| {
                errors
                    .map(|error| error.map(|error| String::from_utf8_lossy(error).into_owned()))
                    .collect::<Vec<_>>()
            })
        };
        let error = Some("WRONGTYPE no".to_owned());
        let mixed = "*4\r\n:1\r\n-WRONGTYPE no\r\n*2\r\n+a\r\n$1\r\nb\r\n$-1\r\n";
        assert_eq!(errors(mixed), Some(vec![None, error, None, None]));
        assert_eq!(errors("*0\r\n"), Some(Vec::new()));
        assert_eq!(errors("*-1\r\n"), None);
        assert_eq!(errors("-EXECABORT no\r\n"), None);
    }

    #[test]
    fn what_no_server_says_is_refused() {
        for text in [
            "HTTP/1.1 400 Bad Request\r\n",
            "SSH",
            "\x15\x03\x03",
            "\r\n",
            "\n",
            "+OK\n",
            ":x\r\n",
            "$x\r\n",
            "$-2\r\n",
            "$99999999999999999999\r\n",
            "$9999999999\r\n",
            "$1\r\nabc\r\n",
            "*-7\r\n",
            "*9223372036854775807\r\n*9223372036854775807\r\n*9223372036854775807\r\n",
            "%1\r\n",
        ] {
            assert_eq!(reply(text.as_bytes()), Err(NotRedis), "{text:?}");
        }
        assert_eq!(reply(&[b'+'; LONGEST_LINE + 2]), Err(NotRedis));
    }

    #[test]
    fn failures_have_the_server_s_own_word() {
        for (line, kind, lasting) in [
            ("WRONGTYPE Operation against a key", "WRONGTYPE", true),
            ("READONLY You can't write against a read only replica.", "READONLY", true),
            ("OOM command not allowed", "OOM", false),
            ("LOADING Redis is loading the dataset in memory", "LOADING", false),
            ("unknown thing", "ERR", true),
            ("", "ERR", true),
        ] {
            let failure = failure(line.as_bytes());
            assert_eq!((failure.kind.as_str(), failure.lasting), (kind, lasting), "{line}");
            assert_eq!(failure.message, line);
        }
    }
}
