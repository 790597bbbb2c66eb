//! A client's request as it comes over the wire: an array of strings, or one line of words.

use kevy::Argv;

/// The longest string, and the most of them, that a Redis server takes.
const LONGEST: usize = 512 << 20;
const MOST: usize = 1 << 20;

/// The longest line.
const LONGEST_LINE: usize = 64 << 10;

/// No request.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Malformed;

/// The request at the start of `bytes` and the bytes it takes; `None` while its end is missing. It
/// may be empty.
pub(super) fn parse(bytes: &[u8]) -> Result<Option<(Argv, usize)>, Malformed> {
    let Some((first, mut at)) = line(bytes, 0)? else {
        return Ok(None);
    };
    let Some(count) = first.strip_prefix(b"*") else {
        let mut args = Argv::default();
        first.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty()).for_each(|word| {
            args.push(word);
        });
        return Ok(Some((args, at)));
    };
    let count = number(count).filter(|count| *count <= MOST).ok_or(Malformed)?;
    // Whether it is all there comes first: a long request arrives in many pieces, and only the
    // last one is worth its copying.
    let start = at;
    for _ in 0..count {
        match string(bytes, at)? {
            Some((_, after)) => at = after,
            None => return Ok(None),
        }
    }
    let mut args = Argv::with_capacity(count, at - start);
    let mut from = start;
    while from < at
        && let Some((text, after)) = string(bytes, from)?
    {
        args.push(text);
        from = after;
    }
    Ok(Some((args, at)))
}

/// The string at `at` and the place behind it.
fn string(bytes: &[u8], at: usize) -> Result<Option<(&[u8], usize)>, Malformed> {
    let Some((head, start)) = line(bytes, at)? else {
        return Ok(None);
    };
    let length = head.strip_prefix(b"$").and_then(number);
    let length = length.filter(|length| *length <= LONGEST).ok_or(Malformed)?;
    let end = start + length;
    match bytes.get(end..end + 2) {
        Some(b"\r\n") => Ok(Some((&bytes[start..end], end + 2))),
        Some(_) => Err(Malformed),
        None => Ok(None),
    }
}

/// The line at `at` without its end, and the place behind it.
fn line(bytes: &[u8], at: usize) -> Result<Option<(&[u8], usize)>, Malformed> {
    let rest = bytes.get(at..).unwrap_or_default();
    let window = &rest[..rest.len().min(LONGEST_LINE)];
    match window.iter().position(|byte| *byte == b'\n') {
        Some(end) => {
            let text = &rest[..end];
            Ok(Some((text.strip_suffix(b"\r").unwrap_or(text), at + end + 1)))
        }
        None if window.len() == LONGEST_LINE => Err(Malformed),
        None => Ok(None),
    }
}

fn number(digits: &[u8]) -> Option<usize> {
    let digits = std::str::from_utf8(digits).ok()?;
    digits.bytes().all(|byte| byte.is_ascii_digit()).then(|| digits.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(args: &Argv) -> Vec<String> {
        (0..args.len()).map(|i| String::from_utf8_lossy(&args[i]).into_owned()).collect()
    }

    #[test]
    fn a_request_is_known_by_its_last_byte() {
        for (text, wanted) in [
            ("*2\r\n$4\r\nLLEN\r\n$1\r\nq\r\n", vec!["LLEN", "q"]),
            ("*2\r\n$0\r\n\r\n$4\r\na\r\nb\r\n", vec!["", "a\r\nb"]),
            ("PING\r\n", vec!["PING"]),
            (" LPUSH  q a\n", vec!["LPUSH", "q", "a"]),
            ("*0\r\n", vec![]),
            ("\r\n", vec![]),
        ] {
            let bytes = text.as_bytes();
            for end in 0..bytes.len() {
                assert_eq!(parse(&bytes[..end]), Ok(None), "{:?}", &text[..end]);
            }
            for more in [&b""[..], b"PING\r\n"] {
                let (args, len) = parse(&[bytes, more].concat()).unwrap().unwrap();
                assert_eq!(
                    (words(&args), len),
                    (wanted.iter().map(|s| s.to_string()).collect(), bytes.len())
                );
            }
        }
    }

    #[test]
    fn what_is_no_request_is_refused() {
        for text in [
            "*-1\r\n",
            "*x\r\n",
            "*9999999\r\n",
            "*1\r\n:1\r\n",
            "*1\r\n$-1\r\n",
            "*1\r\n$1\r\nabc",
        ] {
            assert_eq!(parse(text.as_bytes()), Err(Malformed), "{text:?}");
        }
        assert_eq!(parse(&[b'x'; LONGEST_LINE + 1]), Err(Malformed));
    }
}
