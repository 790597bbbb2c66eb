//! Pieces of text that several envelopes have in common.

use crate::job::write;

/// Appends a JSON string.
pub(super) fn string(out: &mut Vec<u8>, text: &str) {
    out.push(b'"');
    write::push_escaped(out, text);
    out.push(b'"');
}

/// A JSON string.
pub(super) fn quoted(text: &str) -> String {
    let mut out = Vec::new();
    string(&mut out, text);
    String::from_utf8(out).unwrap_or_default()
}

/// Appends seconds with six digits behind the point: `1763732400.123456`.
pub(super) fn seconds(out: &mut Vec<u8>, ns: u64) {
    write::push_u64(out, ns / 1_000_000_000);
    out.push(b'.');
    let micros = ns / 1_000 % 1_000_000;
    let mut place = 100_000;
    while place > 0 {
        out.push(b'0' + (micros / place % 10) as u8);
        place /= 10;
    }
}

/// Whole seconds of a length of time, rounded up.
pub(super) fn whole_seconds(ns: u64) -> u64 {
    ns.div_ceil(1_000_000_000)
}

/// Milliseconds of a length of time, rounded up.
pub(super) fn millis(ns: u64) -> u64 {
    ns.div_ceil(1_000_000)
}

/// Seconds of a length of time as a JSON number, whole where they are.
pub(super) fn seconds_json(ns: u64) -> String {
    if ns.is_multiple_of(1_000_000_000) {
        return (ns / 1_000_000_000).to_string();
    }
    format!("{}", ns as f64 / 1e9)
}

/// An instant as Python's `datetime.isoformat` writes it in UTC: `2026-11-21T13:40:00.123+00:00`.
pub(super) fn iso(out: &mut Vec<u8>, unix_ns: u64) {
    write::push_instant(out, unix_ns);
    out.pop();
    out.extend_from_slice(b"+00:00");
}

/// Turns what stands from `start` on into base64 (RFC 4648, with padding), in place: from the last
/// three bytes to the first, since what is written never reaches what is still to be read.
pub(super) fn base64_from(out: &mut Vec<u8>, start: usize) {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let length = out.len() - start;
    let groups = length.div_ceil(3);
    out.resize(start + 4 * groups, 0);
    let text = &mut out[start..];
    for group in (0..groups).rev() {
        let from = 3 * group;
        let taken = (length - from).min(3);
        let byte = |at: usize| if at < taken { u32::from(text[from + at]) } else { 0 };
        let bits = byte(0) << 16 | byte(1) << 8 | byte(2);
        for place in 0..4 {
            let digit = DIGITS[(bits >> (18 - 6 * place)) as usize & 63];
            text[4 * group + place] = if place > taken { b'=' } else { digit };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(write: impl FnOnce(&mut Vec<u8>)) -> String {
        let mut out = Vec::new();
        write(&mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn base64_is_that_of_the_rfc() {
        // RFC 4648, section 10.
        for (text, encoded) in [
            ("", ""),
            ("f", "Zg=="),
            ("fo", "Zm8="),
            ("foo", "Zm9v"),
            ("foob", "Zm9vYg=="),
            ("fooba", "Zm9vYmE="),
            ("foobar", "Zm9vYmFy"),
        ] {
            let text = written(|out| {
                out.extend_from_slice(b"before ");
                out.extend_from_slice(text.as_bytes());
                base64_from(out, 7);
            });
            assert_eq!(text, format!("before {encoded}"));
        }
        let text = written(|out| {
            out.extend_from_slice(&[0xFB, 0xFF, 0xFE]);
            base64_from(out, 0);
        });
        assert_eq!(text, "+//+");
    }

    #[test]
    fn instants_and_seconds_are_plain() {
        let ns = 1_763_732_400_000_123_456;
        assert_eq!(written(|out| seconds(out, ns)), "1763732400.000123");
        assert_eq!(written(|out| iso(out, ns)), "2025-11-21T13:40:00.000+00:00");
        assert_eq!(seconds_json(1_500_000_000), "1.5");
        assert_eq!(seconds_json(180_000_000_000), "180");
        assert_eq!(quoted("a\"b"), "\"a\\\"b\"");
    }
}
