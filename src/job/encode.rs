//! Bytes as text: base64 and ULIDs.

use crate::random::Filler;

/// RFC 4648, section 4.
const BASE64: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
/// D. Crockford's base 32, without the letters that look like others.
const BASE32: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/// Bytes that one word of a sequence gives: as many as make whole characters of base64.
const TAKEN: usize = 6;

/// Characters of a ULID.
pub const ULID_BYTES: u64 = 26;

/// Appends `count` random bytes.
pub fn push_raw(out: &mut Vec<u8>, count: u64, seed: u64) {
    let count = usize::try_from(count).unwrap_or(usize::MAX);
    each_six(count, seed, |bytes| out.extend_from_slice(bytes));
}

/// Appends the bytes of [`push_raw`] in base64, padded.
pub fn push_base64(out: &mut Vec<u8>, count: u64, seed: u64) {
    let count = usize::try_from(count).unwrap_or(usize::MAX);
    each_six(count, seed, |bytes| bytes.chunks(3).for_each(|three| push_three(out, three)));
}

/// Characters of so many bytes in base64.
pub fn base64_bytes(count: u64) -> u64 {
    count.div_ceil(3).saturating_mul(4)
}

fn each_six(count: usize, seed: u64, mut take: impl FnMut(&[u8])) {
    let mut filler = Filler::new(seed);
    let mut left = count;
    while left > 0 {
        let word = filler.word().to_le_bytes();
        take(&word[..left.min(TAKEN)]);
        left = left.saturating_sub(TAKEN);
    }
}

fn push_three(out: &mut Vec<u8>, bytes: &[u8]) {
    let at = |index: usize| u32::from(bytes.get(index).copied().unwrap_or(0));
    let bits = at(0) << 16 | at(1) << 8 | at(2);
    let digit = |shift: u32| BASE64[(bits >> shift & 63) as usize];
    let mut four = [digit(18), digit(12), digit(6), digit(0)];
    four[bytes.len() + 1..].fill(b'=');
    out.extend_from_slice(&four);
}

/// Appends a ULID: 48 bits of milliseconds since 1970, 80 random bits.
pub fn push_ulid(out: &mut Vec<u8>, unix_ms: u64, [high, low]: [u64; 2]) {
    let random = u128::from(high & 0xFFFF) << 64 | u128::from(low);
    let bits = u128::from(unix_ms & 0xFFFF_FFFF_FFFF) << 80 | random;
    let text: [u8; ULID_BYTES as usize] =
        std::array::from_fn(|at| BASE32[(bits >> (5 * (25 - at)) & 31) as usize]);
    out.extend_from_slice(&text);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(write: impl FnOnce(&mut Vec<u8>)) -> Vec<u8> {
        let mut out = Vec::new();
        write(&mut out);
        out
    }

    // RFC 4648, section 10.
    #[test]
    fn base64_is_that_of_the_standard() {
        for (bytes, expected) in
            [("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foobar", "Zm9vYmFy")]
        {
            let text = written(|out| bytes.as_bytes().chunks(3).for_each(|b| push_three(out, b)));
            assert_eq!(String::from_utf8(text).unwrap(), expected);
        }
    }

    #[test]
    fn base64_has_the_raw_bytes() {
        for count in 0..40 {
            let raw = written(|out| push_raw(out, count, 9));
            assert_eq!(raw.len() as u64, count);
            let text = written(|out| push_base64(out, count, 9));
            assert_eq!(text.len() as u64, base64_bytes(count));
            let again = written(|out| raw.chunks(3).for_each(|three| push_three(out, three)));
            assert_eq!(text, again);
        }
        let many = written(|out| push_raw(out, 10_000, 3));
        let mut distinct = many.clone();
        distinct.sort_unstable();
        distinct.dedup();
        assert_eq!(distinct.len(), 256);
    }

    // The example of the ULID specification: 01ARYZ6S41 is 1,469,918,176,385 ms.
    #[test]
    fn ulids_begin_with_their_time() {
        let text = written(|out| push_ulid(out, 1_469_918_176_385, [0, 31]));
        assert_eq!(String::from_utf8(text).unwrap(), "01ARYZ6S41000000000000000Z");
        let text = written(|out| push_ulid(out, u64::MAX, [u64::MAX, u64::MAX]));
        assert_eq!(String::from_utf8(text).unwrap(), "7ZZZZZZZZZZZZZZZZZZZZZZZZZ");
    }
}
