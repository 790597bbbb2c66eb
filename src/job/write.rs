//! How single values are put at the end of a buffer. Nothing here allocates beyond that buffer.

use crate::random::Filler;
use std::io::Write;

/// Nanoseconds in a millisecond.
pub const NANOS_PER_MILLI: u64 = 1_000_000;
const MILLIS_PER_SECOND: u64 = 1_000;
const SECONDS_PER_DAY: u64 = 86_400;

/// Appends the first `length` bytes of a block. Copying all of it and cutting costs less than a copy
/// of a length known only at run time.
#[inline]
pub fn push_start<const N: usize>(out: &mut Vec<u8>, block: &[u8; N], length: usize) {
    let end = out.len() + length;
    out.extend_from_slice(block);
    out.truncate(end);
}

/// Appends a block to be filled in place: putting it together elsewhere and copying it would wait for
/// the single writes to settle, which costs more than they do.
#[inline]
fn append<const N: usize>(out: &mut Vec<u8>, block: &[u8; N], fill: impl FnOnce(&mut [u8; N])) {
    out.extend_from_slice(block);
    // There always is one, as it was just put there.
    if let Some(text) = out.last_chunk_mut() {
        fill(text);
    }
}

/// Appends a whole number in decimal.
#[inline]
pub fn push_u64(out: &mut Vec<u8>, value: u64) {
    const EIGHT_DIGITS: u64 = 100_000_000;
    if value < EIGHT_DIGITS {
        let digits = eight_digits(value);
        // Leading zeros are low bytes here; the last digit stays even if it is one.
        let zeros = (digits.trailing_zeros() / 8).min(7);
        let text = (digits + EACH_BYTE * u64::from(b'0')) >> (8 * zeros);
        push_start(out, &text.to_le_bytes(), 8 - zeros as usize);
    } else {
        push_u64(out, value / EIGHT_DIGITS);
        let text = eight_digits(value % EIGHT_DIGITS) + EACH_BYTE * u64::from(b'0');
        out.extend_from_slice(&text.to_le_bytes());
    }
}

/// The digits of a number below 10⁸, a byte for each, the first the lowest: halved, quartered and
/// split in lanes, without a branch, as the digits of a drawn number can't be foreseen.
fn eight_digits(value: u64) -> u64 {
    let fours = (value / 10_000) | ((value % 10_000) << 32);
    // 10486 / 2²⁰ and 103 / 2¹⁰ are near enough to 1/100 and 1/10 for four and two digits.
    let hundreds = ((fours * 10_486) >> 20) & 0x0000_007F_0000_007F;
    let twos = hundreds | (fours - 100 * hundreds) << 16;
    let tens = ((twos * 103) >> 10) & 0x000F_000F_000F_000F;
    tens | (twos - 10 * tens) << 8
}

/// Appends a whole number in decimal.
#[inline]
pub fn push_i64(out: &mut Vec<u8>, value: i64) {
    if value < 0 {
        out.push(b'-');
    }
    push_u64(out, value.unsigned_abs());
}

/// Appends the shortest decimal that reads back as `value`, never with an exponent; JSON has no
/// infinities, so those become `null`.
pub fn push_f64(out: &mut Vec<u8>, value: f64) {
    if value.is_finite() {
        // Writing to a vector can't fail.
        let _ = write!(out, "{value}");
    } else {
        out.extend_from_slice(b"null");
    }
}

/// Appends text as it stands between the quotes of a JSON string.
pub fn push_escaped(out: &mut Vec<u8>, text: &str) {
    for byte in text.bytes() {
        match byte {
            b'"' | b'\\' => out.extend_from_slice(&[b'\\', byte]),
            b'\n' => out.extend_from_slice(b"\\n"),
            b'\r' => out.extend_from_slice(b"\\r"),
            b'\t' => out.extend_from_slice(b"\\t"),
            0..0x20 => {
                out.extend_from_slice(&[b'\\', b'u', b'0', b'0', b'0' + byte / 16]);
                push_hex_digit(out, byte % 16);
            }
            _ => out.push(byte),
        }
    }
}

/// Appends what stands between the quotes of a JSON string, as [`push_escaped`] writes it, unescaped.
pub fn push_unescaped(out: &mut Vec<u8>, json: &[u8]) {
    let mut rest = json.iter();
    while let Some(byte) = rest.next() {
        let escaped = if *byte == b'\\' { rest.next() } else { None };
        match escaped {
            None => out.push(*byte),
            Some(b'n') => out.push(b'\n'),
            Some(b'r') => out.push(b'\r'),
            Some(b't') => out.push(b'\t'),
            Some(b'u') => {
                // `u001f`: the characters below a blank.
                let digits = rest.as_slice().get(2..4).and_then(|hex| str::from_utf8(hex).ok());
                let value = digits.and_then(|hex| u8::from_str_radix(hex, 16).ok());
                out.push(value.unwrap_or(b'?'));
                rest = rest.as_slice().get(4..).unwrap_or_default().iter();
            }
            Some(other) => out.push(*other),
        }
    }
}

/// Whether a byte of JSON text needs a backslash where that text stands in a JSON string itself.
pub fn is_special(byte: u8) -> bool {
    matches!(byte, b'"' | b'\\')
}

/// Turns the JSON text from `start` on into what stands between the quotes of a JSON string. Such
/// text has no control characters.
pub fn escape_json_from(out: &mut Vec<u8>, start: usize) {
    let specials = out[start..].iter().filter(|byte| is_special(**byte)).count();
    let mut from = out.len();
    out.resize(from + specials, 0);
    let mut to = out.len();
    // Backwards, and only until nothing is left to move.
    while from < to {
        from -= 1;
        to -= 1;
        let byte = out[from];
        out[to] = byte;
        if is_special(byte) {
            to -= 1;
            out[to] = b'\\';
        }
    }
}

/// Appends an instant in RFC 3339, UTC, with milliseconds cut off, not rounded.
pub fn push_instant(out: &mut Vec<u8>, unix_ns: u64) {
    let unix_ms = unix_ns / NANOS_PER_MILLI;
    let seconds = unix_ms / MILLIS_PER_SECOND;
    let (year, month, day) = civil((seconds / SECONDS_PER_DAY) as u32);
    let second_of_day = (seconds % SECONDS_PER_DAY) as u32;
    append(out, b"0000-00-00T00:00:00.000Z", |text| {
        put_pair(text, 0, year / 100);
        put_pair(text, 2, year % 100);
        put_pair(text, 5, month);
        put_pair(text, 8, day);
        put_pair(text, 11, second_of_day / 3_600);
        put_pair(text, 14, second_of_day / 60 % 60);
        put_pair(text, 17, second_of_day % 60);
        let milli = (unix_ms % MILLIS_PER_SECOND) as u32;
        text[20] = b'0' + (milli / 100) as u8;
        put_pair(text, 21, milli % 100);
    });
}

/// Bytes of an instant.
pub const INSTANT_BYTES: u64 = 24;

/// Puts a number below 100 at a place.
fn put_pair(text: &mut [u8; INSTANT_BYTES as usize], at: usize, value: u32) {
    text[at] = b'0' + (value / 10) as u8;
    text[at + 1] = b'0' + (value % 10) as u8;
}

/// Year, month and day of a day counted from 1970-01-01: H. Hinnant's `civil_from_days`
/// ("chrono-compatible low-level date algorithms"), for days from then on.
fn civil(days: u32) -> (u32, u32, u32) {
    // Years run from March here, so that a leap day is the last of its year.
    let days = days + 719_468;
    let era = days / 146_097;
    let day_of_era = days % 146_097;
    let year_of_era =
        (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    let year = era * 400 + year_of_era + u32::from(month <= 2);
    (year, month, day)
}

/// Bytes of a UUID.
pub const UUID_BYTES: u64 = 36;

/// Appends a random (version 4, RFC 9562) UUID made of 128 bits.
pub fn push_uuid(out: &mut Vec<u8>, [high, low]: [u64; 2]) {
    let high = high & !0xF000 | 0x4000;
    let low = low & (u64::MAX >> 2) | 1 << 63;
    push_uuid_bits(out, [high, low]);
}

/// Appends 128 bits as a UUID is written.
pub fn push_uuid_bits(out: &mut Vec<u8>, [high, low]: [u64; 2]) {
    append(out, &[b'-'; UUID_BYTES as usize], |text| {
        text[..8].copy_from_slice(&hex_digits((high >> 32) as u32).to_be_bytes());
        let middle = hex_digits(high as u32).to_be_bytes();
        text[9..13].copy_from_slice(&middle[..4]);
        text[14..18].copy_from_slice(&middle[4..]);
        let middle = hex_digits((low >> 32) as u32).to_be_bytes();
        text[19..23].copy_from_slice(&middle[..4]);
        text[24..28].copy_from_slice(&middle[4..]);
        text[28..].copy_from_slice(&hex_digits(low as u32).to_be_bytes());
    });
}

fn push_hex_digit(out: &mut Vec<u8>, value: u8) {
    out.push(if value < 10 { b'0' + value } else { b'a' + value - 10 });
}

/// Appends `count` hexadecimal digits.
pub fn push_hex(out: &mut Vec<u8>, count: u64, seed: u64) {
    let mut filler = Filler::new(seed);
    push_chunks(out, count, || hex_digits(filler.word() as u32).to_le_bytes());
}

/// The eight digits of 32 bits, a byte for each, all at once.
fn hex_digits(bits: u32) -> u64 {
    let mut lanes = u64::from(bits);
    lanes = (lanes | lanes << 16) & 0x0000_FFFF_0000_FFFF;
    lanes = (lanes | lanes << 8) & 0x00FF_00FF_00FF_00FF;
    lanes = (lanes | lanes << 4) & 0x0F0F_0F0F_0F0F_0F0F;
    // Adding 6 carries into bit 4 from ten on: those become letters.
    let letters = (lanes + 0x0606_0606_0606_0606) >> 4 & EACH_BYTE;
    lanes + EACH_BYTE * u64::from(b'0') + letters * u64::from(b'a' - b'9' - 1)
}

/// Appends printable ASCII, each byte one of 64 characters: those from `?` to `~`, with a blank in
/// the backslash's place so that a JSON string can hold them as they are.
pub fn push_printable(out: &mut Vec<u8>, count: u64, seed: u64) {
    let mut filler = Filler::new(seed);
    push_chunks(out, count, || printable(filler.word()).to_le_bytes());
}

const EACH_BYTE: u64 = 0x0101_0101_0101_0101;
const LOW_SEVEN_BITS: u64 = EACH_BYTE * 0x7F;

fn printable(word: u64) -> u64 {
    let characters = (word & (EACH_BYTE * 0x3F)) + EACH_BYTE * u64::from(b'?');
    // Bytes below 128 minus the backslash are 0 only there, and then adding 127 leaves bit 7 clear.
    let difference = characters ^ (EACH_BYTE * u64::from(b'\\'));
    let backslashes = !(difference + LOW_SEVEN_BITS) >> 7 & EACH_BYTE;
    characters - backslashes * u64::from(b'\\' - b' ')
}

/// Appends `count` bytes in pieces of eight.
fn push_chunks(out: &mut Vec<u8>, count: u64, mut next: impl FnMut() -> [u8; 8]) {
    let count = usize::try_from(count).unwrap_or(usize::MAX);
    out.reserve(count);
    let mut left = count;
    while left >= 8 {
        out.extend_from_slice(&next());
        left -= 8;
    }
    if left > 0 {
        push_start(out, &next(), left);
    }
}

/// Appends words of lower-case letters with a blank between each two, `count` bytes together.
pub fn push_words(out: &mut Vec<u8>, count: u64, seed: u64) {
    let mut filler = Filler::new(seed);
    push_chunks(out, count, || words(filler.word()).to_le_bytes());
    if count > 0
        && let Some(last @ b' ') = out.last_mut()
    {
        *last = letters(filler.word()) as u8;
    }
}

/// Eight characters, the third to the last of which is a blank: so no two blanks meet, and words
/// have 2 to 12 letters.
fn words(word: u64) -> u64 {
    // As the top byte is hardly ever kept as a letter, its bits may tell where the blank is.
    let place = 8 * (2 + (((word >> 56) * 6) >> 8));
    letters(word) & !(0xFF << place) | u64::from(b' ') << place
}

/// A lower-case letter for each byte of a word. 26 does not divide 256, so some letters come a
/// tenth more often than others, which is nothing against how letters differ in any real text.
fn letters(word: u64) -> u64 {
    const EVEN: u64 = 0x00FF_00FF_00FF_00FF;
    let even = ((word & EVEN) * 26) >> 8 & EVEN;
    let odd = ((word >> 8 & EVEN) * 26) & !EVEN;
    (even | odd) + EACH_BYTE * u64::from(b'a')
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Key;

    fn written(write: impl FnOnce(&mut Vec<u8>)) -> String {
        let mut out = Vec::new();
        write(&mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn whole_numbers_are_those_of_std() {
        for value in [
            0,
            1,
            9,
            10,
            99,
            100,
            12_345,
            99_999_999,
            100_000_000,
            10_i64.pow(16),
            i64::MAX,
            -1,
            -10,
            i64::MIN,
        ] {
            assert_eq!(written(|out| push_i64(out, value)), value.to_string());
        }
        assert_eq!(written(|out| push_u64(out, u64::MAX)), u64::MAX.to_string());
    }

    #[test]
    fn digits_are_right_for_every_half() {
        for half in 0..10_000 {
            let value = half * 10_000 + (9_999 - half);
            let digits = eight_digits(value).to_le_bytes().map(|digit| (b'0' + digit) as char);
            assert_eq!(String::from_iter(digits), format!("{value:08}"));
        }
    }

    #[test]
    fn uuids_are_those_of_the_uuid_crate() {
        for number in 1..=100 {
            let [high, low] = Key::stream(1, None).pair(number);
            let bytes = (u128::from(high) << 64 | u128::from(low)).to_be_bytes();
            let expected = uuid::Builder::from_random_bytes(bytes).into_uuid();
            assert_eq!(written(|out| push_uuid(out, [high, low])), expected.to_string());
        }
    }

    #[test]
    fn floats_are_json_and_read_back() {
        for value in [0.0, 1.0, -2.5, 0.1, 1e21, 1e300, f64::MAX, 5e-324, 1.0 / 3.0] {
            let text = written(|out| push_f64(out, value));
            assert!(!text.contains(['e', 'E']), "{text}");
            assert_eq!(text.parse(), Ok(value));
            // The largest of all is JSON, but serde_json's fast parser takes it for infinite.
            let number = serde_json::from_str::<serde_json::Number>(&text);
            assert!(number.is_ok() || value == f64::MAX, "{text}");
        }
        assert_eq!(written(|out| push_f64(out, f64::INFINITY)), "null");
    }

    #[test]
    fn every_character_survives_escaping() {
        let all: String = (0..0x300).filter_map(char::from_u32).chain(['\u{2028}', '🦀']).collect();
        let text = written(|out| push_escaped(out, &all));
        assert_eq!(serde_json::from_str::<String>(&format!("\"{text}\"")).unwrap(), all);
        assert_eq!(written(|out| push_unescaped(out, text.as_bytes())), all);
    }

    #[test]
    fn json_in_a_string_is_json_again() {
        for json in ["", "1", r#"{"a":"b\\\"c"}"#, r#"["",null]"#, "\"", "\\\\"] {
            let text = written(|out| {
                out.extend_from_slice(b"\"before\"");
                out.extend_from_slice(json.as_bytes());
                escape_json_from(out, 8);
            });
            let rest = text.strip_prefix("\"before\"").unwrap();
            assert_eq!(serde_json::from_str::<String>(&format!("\"{rest}\"")).unwrap(), json);
        }
    }

    #[test]
    fn instants_are_those_of_jiff() {
        // Every 29 hours or so over the whole range, with an odd fraction.
        let step = 104_401_234_567_891;
        for unix_ns in (0..u64::MAX - step).step_by(step as usize).chain([0, u64::MAX]) {
            let instant =
                jiff::Timestamp::from_nanosecond(i128::from(unix_ns / 1_000_000 * 1_000_000));
            let expected = format!("{:.3}", instant.unwrap());
            assert_eq!(written(|out| push_instant(out, unix_ns)), expected);
        }
        let leap_day = 1_709_164_800_000_000_000 + 86_399_999_999_999;
        assert_eq!(written(|out| push_instant(out, leap_day)), "2024-02-29T23:59:59.999Z");
    }

    #[test]
    fn fillers_keep_to_their_size_and_characters() {
        for count in (0..70).chain([1_000, 4_097]) {
            for seed in 0..20 {
                let words = written(|out| push_words(out, count, seed));
                assert_eq!(words.len() as u64, count);
                assert!(words.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b' ')));
                assert!(!words.contains("  ") && words.trim() == words, "{words:?}");

                let hex = written(|out| push_hex(out, count, seed));
                assert_eq!(hex.len() as u64, count);
                assert!(hex.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f')));

                let printable = written(|out| push_printable(out, count, seed));
                assert_eq!(printable.len() as u64, count);
                assert!(printable.bytes().all(|byte| matches!(byte, b' ' | b'?'..=b'~')));
                assert!(!printable.contains('\\'));
            }
        }
    }

    #[test]
    fn fillers_use_all_their_characters() {
        let distinct = |text: String| text.bytes().collect::<std::collections::BTreeSet<_>>().len();
        assert_eq!(distinct(written(|out| push_words(out, 10_000, 1))), 27);
        assert_eq!(distinct(written(|out| push_hex(out, 10_000, 1))), 16);
        assert_eq!(distinct(written(|out| push_printable(out, 10_000, 1))), 64);
    }

    #[test]
    fn hex_digits_are_the_nibbles() {
        for bits in [0, 0x0123_4567, 0x89AB_CDEF, u32::MAX] {
            let text = String::from_utf8(hex_digits(bits).to_be_bytes().to_vec()).unwrap();
            assert_eq!(text, format!("{bits:08x}"));
        }
    }
}
