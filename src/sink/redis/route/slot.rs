//! Hash slots: which one a key is in, and which keys a command has.

use crate::sink::Args;
use crate::target::Place;

/// Slots of a cluster.
pub(in crate::sink::redis) const SLOTS: u16 = 16384;

/// The slot of a key: CRC-16/XMODEM of the key, or of its tag in braces, modulo 16384 (Redis
/// cluster specification, "Key distribution model").
pub(in crate::sink::redis) fn of_key(key: &[u8]) -> u16 {
    crc16(tag(key).unwrap_or(key)) % SLOTS
}

/// What stands between the first `{` and the first `}` behind it, if anything does.
fn tag(key: &[u8]) -> Option<&[u8]> {
    let start = key.iter().position(|byte| *byte == b'{')? + 1;
    let length = key[start..].iter().position(|byte| *byte == b'}')?;
    (length > 0).then(|| &key[start..start + length])
}

/// CRC-16/XMODEM: polynomial 0x1021, begun with 0.
fn crc16(bytes: &[u8]) -> u16 {
    bytes.iter().fold(0, |crc, byte| {
        let place = usize::from((crc >> 8) ^ u16::from(*byte));
        (crc << 8) ^ TABLE[place & 0xff]
    })
}

const TABLE: [u16; 256] = {
    let mut table = [0; 256];
    let mut place = 0;
    while place < 256 {
        let mut crc = (place as u16) << 8;
        let mut bit = 0;
        while bit < 8 {
            crc = if crc & 0x8000 == 0 { crc << 1 } else { (crc << 1) ^ 0x1021 };
            bit += 1;
        }
        table[place] = crc;
        place += 1;
    }
    table
};

/// The keys of a command given by its words. A command that is not known here is taken to have one,
/// behind its name.
pub(in crate::sink::redis) fn keys<'a>(words: &[&'a [u8]]) -> Vec<&'a [u8]> {
    let name = words.first().map(|name| name.to_ascii_uppercase()).unwrap_or_default();
    let number =
        |at: usize| -> Option<usize> { std::str::from_utf8(words.get(at)?).ok()?.parse().ok() };
    let (first, count, step) = match name.as_slice() {
        b"PUBLISH" | b"PING" | b"ECHO" | b"TIME" | b"SELECT" | b"SCRIPT" | b"CLIENT" => (0, 0, 1),
        b"EVAL" | b"EVALSHA" | b"EVAL_RO" | b"EVALSHA_RO" | b"FCALL" | b"FCALL_RO" => {
            (3, number(2).unwrap_or(0), 1)
        }
        b"DEL" | b"UNLINK" | b"TOUCH" | b"EXISTS" | b"MGET" | b"PFMERGE" | b"SUNIONSTORE"
        | b"SINTERSTORE" | b"SDIFFSTORE" => (1, usize::MAX, 1),
        b"MSET" | b"MSETNX" => (1, usize::MAX, 2),
        b"RENAME" | b"RENAMENX" | b"RPOPLPUSH" | b"LMOVE" | b"SMOVE" | b"COPY" => (1, 2, 1),
        b"XGROUP" | b"XINFO" | b"OBJECT" | b"MEMORY" => (2, 1, 1),
        _ => (1, 1, 1),
    };
    words.iter().skip(first).step_by(step).take(count).copied().collect()
}

/// The first key of one or several commands.
pub(in crate::sink::redis) fn first_key(args: &Args) -> Option<&[u8]> {
    let length = args.lengths().next()?;
    // All but scripts have it among their first words, and those in their fourth.
    let words: Vec<&[u8]> = args.iter().take(length.min(4)).collect();
    keys(&words).first().copied().or(words.get(1).copied())
}

/// All keys of one or several commands.
pub(in crate::sink::redis) fn all_keys(args: &Args) -> Vec<Vec<u8>> {
    let mut rest = args.iter();
    let mut found = Vec::new();
    for length in args.lengths() {
        let words: Vec<&[u8]> = rest.by_ref().take(length).collect();
        found.extend(keys(&words).into_iter().map(<[u8]>::to_vec));
    }
    found
}

/// The place in `MOVED 3999 10.0.0.1:6381`: the host may be missing, and is then that of the server
/// which said so.
pub(super) fn redirection(message: &str, here: Option<&Place>) -> Option<Place> {
    let (host, port) = message.split(' ').nth(2)?.rsplit_once(':')?;
    let port = port.parse().ok()?;
    let host = match host {
        "" | "?" => &here?.host,
        host => host,
    };
    Some(Place { host: host.to_owned(), port })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn args(lines: &[&str]) -> Args {
        let mut args = Args::default();
        for line in lines {
            args.begin_command();
            line.split(' ').for_each(|word| args.push(word.as_bytes()));
        }
        args
    }

    #[test]
    fn slots_are_those_of_the_specification() {
        // 0x31C3 is the check value of CRC-16/XMODEM; the others are as CLUSTER KEYSLOT has them.
        assert_eq!(crc16(b"123456789"), 0x31c3);
        for (key, slot) in [("foo", 12182), ("bar", 5061), ("", 0), ("{}a", of_key(b"{}a"))] {
            assert_eq!(of_key(key.as_bytes()), slot, "{key}");
        }
        assert_eq!(of_key(b"bull:{foo}:wait"), 12182);
        assert_eq!(of_key(b"foo{}{bar}"), crc16(b"foo{}{bar}") % SLOTS);
        assert_eq!(of_key(b"{{bar}}"), crc16(b"{bar") % SLOTS);
    }

    #[test]
    fn keys_stand_where_their_command_has_them() {
        let keys = |lines: &[&str]| {
            let found = all_keys(&args(lines)).into_iter();
            found.map(|key| String::from_utf8(key).unwrap()).collect::<Vec<_>>().join(" ")
        };
        assert_eq!(keys(&["LPUSH q a b"]), "q");
        assert_eq!(keys(&["HSET h f v", "rpush q h", "PUBLISH c m"]), "h q");
        assert_eq!(keys(&["EVAL return 2 a b c"]), "a b");
        assert_eq!(keys(&["MSET a 1 b 2", "DEL c d", "XGROUP CREATE s g $"]), "a b c d s");
        assert_eq!(first_key(&args(&["EVAL return 2 a b c"])), Some(&b"a"[..]));
        assert_eq!(first_key(&args(&["PUBLISH news hello"])), Some(&b"news"[..]));
        assert_eq!(first_key(&args(&["PING"])), None);
    }

    #[test]
    fn redirections_name_a_place() {
        let here = Place { host: "h".to_owned(), port: 1 };
        let place = |message: &str| redirection(message, Some(&here)).map(|at| at.to_string());
        assert_eq!(place("MOVED 3999 10.0.0.1:6381").as_deref(), Some("10.0.0.1:6381"));
        assert_eq!(place("ASK 3999 ::1:6381").as_deref(), Some("[::1]:6381"));
        assert_eq!(place("MOVED 3999 :6381").as_deref(), Some("h:6381"));
        assert_eq!(place("MOVED 3999"), None);
        assert_eq!(redirection("MOVED 1 :6381", None), None);
    }
}
