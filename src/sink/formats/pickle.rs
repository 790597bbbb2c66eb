//! Python's pickle, protocol 2, as far as JSON values need it: one pass over JSON text that loadc
//! itself has written.
//!
//! Opcodes are those of CPython's `Lib/pickletools.py`.

/// Begins a pickle.
pub(super) fn begin(out: &mut Vec<u8>) {
    out.extend_from_slice(&[0x80, 2]);
}

/// Ends it.
pub(super) fn end(out: &mut Vec<u8>) {
    out.push(b'.');
}

/// `None`
pub(super) const NONE: u8 = b'N';
/// Marks the first item of a tuple, list or dict.
pub(super) const MARK: u8 = b'(';
/// A tuple of what stands behind the mark.
pub(super) const TUPLE: u8 = b't';
/// An empty list.
pub(super) const LIST: u8 = b']';
/// Appends what stands behind the mark to the list.
const APPENDS: u8 = b'e';
/// An empty dict.
pub(super) const DICT: u8 = b'}';
/// Puts the pairs behind the mark into the dict.
pub(super) const SETITEMS: u8 = b'u';

/// A string.
pub(super) fn string(out: &mut Vec<u8>, text: &str) {
    let length = begin_string(out);
    out.extend_from_slice(text.as_bytes());
    end_string(out, length);
}

fn begin_string(out: &mut Vec<u8>) -> usize {
    out.extend_from_slice(b"X\0\0\0\0");
    out.len()
}

fn end_string(out: &mut [u8], start: usize) {
    let length = u32::try_from(out.len() - start).unwrap_or(u32::MAX);
    out[start - 4..start].copy_from_slice(&length.to_le_bytes());
}

/// A string that `write` appends.
pub(super) fn string_with(out: &mut Vec<u8>, write: impl FnOnce(&mut Vec<u8>)) {
    let start = begin_string(out);
    write(out);
    end_string(out, start);
}

/// A whole number.
pub(super) fn integer(out: &mut Vec<u8>, value: i64) {
    if let Ok(small) = i32::try_from(value) {
        out.push(b'J');
        out.extend_from_slice(&small.to_le_bytes());
    } else {
        out.extend_from_slice(&[0x8A, 8]);
        out.extend_from_slice(&value.to_le_bytes());
    }
}

/// A float.
pub(super) fn float(out: &mut Vec<u8>, value: f64) {
    out.push(b'G');
    out.extend_from_slice(&value.to_be_bytes());
}

/// The value that a piece of JSON stands for. The text is loadc's own and thus whole; of anything
/// else what can be read is written, as `None` where nothing can.
pub(super) fn value(out: &mut Vec<u8>, json: &[u8]) {
    Reader { json, at: 0 }.value(out);
}

struct Reader<'a> {
    json: &'a [u8],
    at: usize,
}

impl Reader<'_> {
    fn peek(&self) -> u8 {
        self.json.get(self.at).copied().unwrap_or(0)
    }

    fn skip_blanks(&mut self) {
        while matches!(self.peek(), b' ' | b'\n' | b'\t' | b'\r' | b',' | b':') {
            self.at += 1;
        }
    }

    /// As deep as the script's values nest, which `check` bounds.
    fn value(&mut self, out: &mut Vec<u8>) {
        self.skip_blanks();
        match self.peek() {
            b'"' => self.string(out),
            b'{' => self.items(out, DICT, b'}', SETITEMS),
            b'[' => self.items(out, LIST, b']', APPENDS),
            b't' => self.word(out, 4, 0x88),
            b'f' => self.word(out, 5, 0x89),
            b'-' | b'0'..=b'9' => self.number(out),
            _ => self.word(out, 4, NONE),
        }
    }

    fn word(&mut self, out: &mut Vec<u8>, length: usize, opcode: u8) {
        self.at += length;
        out.push(opcode);
    }

    fn items(&mut self, out: &mut Vec<u8>, empty: u8, close: u8, fill: u8) {
        self.at += 1;
        out.push(empty);
        self.skip_blanks();
        if self.peek() != close {
            out.push(MARK);
            while self.at < self.json.len() && self.peek() != close {
                self.value(out);
                self.skip_blanks();
            }
            out.push(fill);
        }
        self.at += 1;
    }

    fn number(&mut self, out: &mut Vec<u8>) {
        let start = self.at;
        while matches!(self.peek(), b'-' | b'+' | b'.' | b'e' | b'E' | b'0'..=b'9') {
            self.at += 1;
        }
        let text = std::str::from_utf8(&self.json[start..self.at]).unwrap_or("0");
        match text.parse::<i64>() {
            Ok(whole) => integer(out, whole),
            Err(_) => float(out, text.parse().unwrap_or(0.0)),
        }
    }

    fn string(&mut self, out: &mut Vec<u8>) {
        self.at += 1;
        let start = begin_string(out);
        loop {
            let rest = self.json.get(self.at..).unwrap_or_default();
            let plain = rest.iter().position(|byte| matches!(byte, b'"' | b'\\'));
            out.extend_from_slice(&rest[..plain.unwrap_or(rest.len())]);
            self.at += plain.unwrap_or(rest.len()) + 1;
            if plain.is_none_or(|at| rest[at] == b'"') {
                break;
            }
            self.escape(out);
        }
        end_string(out, start);
    }

    /// What stands behind a backslash. loadc writes `\u` for control characters only.
    fn escape(&mut self, out: &mut Vec<u8>) {
        let letter = self.peek();
        self.at += 1;
        out.push(match letter {
            b'n' => b'\n',
            b'r' => b'\r',
            b't' => b'\t',
            b'b' => 8,
            b'f' => 12,
            b'u' => {
                let digits = self.json.get(self.at..self.at + 4).unwrap_or_default();
                self.at += 4;
                let digits = std::str::from_utf8(digits).unwrap_or_default();
                let code = u32::from_str_radix(digits, 16).unwrap_or(0xFFFD);
                let character = char::from_u32(code).unwrap_or('\u{FFFD}');
                out.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
                return;
            }
            other => other,
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pickled(json: &str) -> Vec<u8> {
        let mut out = Vec::new();
        begin(&mut out);
        value(&mut out, json.as_bytes());
        end(&mut out);
        out
    }

    #[test]
    fn values_are_those_python_s_own_pickle_reads() {
        // Each line was read back by CPython's `pickle.loads`.
        let table: &[(&str, &[u8])] = &[
            ("null", b"\x80\x02N."),
            ("true", b"\x80\x02\x88."),
            ("false", b"\x80\x02\x89."),
            ("-7", b"\x80\x02J\xf9\xff\xff\xff."),
            ("5000000000", b"\x80\x02\x8a\x08\x00\xf2\x05\x2a\x01\x00\x00\x00."),
            ("0.5", b"\x80\x02G\x3f\xe0\0\0\0\0\0\0."),
            ("\"a\\\"\\u0007\u{e9}\"", b"\x80\x02X\x05\0\0\0a\"\x07\xc3\xa9."),
            ("[]", b"\x80\x02]."),
            ("[1,[]]", b"\x80\x02](J\x01\0\0\0]e."),
            ("{}", b"\x80\x02}."),
            ("{\"a\":{\"b\":null}}", b"\x80\x02}(X\x01\0\0\0a}(X\x01\0\0\0bNuu."),
        ];
        for (json, bytes) in table {
            assert_eq!(pickled(json), *bytes, "{json}");
        }
    }

    #[test]
    fn what_is_no_json_does_no_harm() {
        for json in ["", "{", "[1", "\"a", "\"\\", "\"\\u12", "}", "[}", "{\"a\"", "-", "tru"] {
            pickled(json);
        }
    }
}
