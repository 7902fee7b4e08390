//! Cutting a byte stream into JSON values.

use std::fmt;

use bytes::{Buf, Bytes, BytesMut};

use crate::{Error, ErrorKind};

/// Cuts a stream of concatenated JSON objects or arrays into single ones, however it was chopped on the way.
///
/// etcd 0.4 writes the events of a stream without anything between them, later versions end each with a
/// newline, and chunks of HTTP end anywhere: so neither lines nor chunks can be relied upon. Only brackets and
/// strings are looked at; whether a value is valid JSON its reader finds out.
///
/// Memory is bounded by the limit plus what one [`push`](Splitter::push) brings.
///
/// # Examples
/// ```
/// use etcd_proto::v2::Splitter;
///
/// let mut splitter = Splitter::new(1024);
/// splitter.push(br#"{"a":"}"}{"b""#);
/// assert_eq!(splitter.next_value()?.unwrap(), br#"{"a":"}"}"#.as_slice());
/// assert_eq!(splitter.next_value()?, None);
/// splitter.push(b":1}\n");
/// assert_eq!(splitter.next_value()?.unwrap(), br#"{"b":1}"#.as_slice());
/// assert!(splitter.is_empty());
/// # Ok::<(), etcd_proto::Error>(())
/// ```
pub struct Splitter {
    buffer: BytesMut,
    /// Bytes of `buffer` that have been looked at; they belong to the value that is not complete yet.
    scanned: usize,
    depth: usize,
    text: Text,
    limit: usize,
}

/// Whether the scan stands inside a string.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Text {
    Outside,
    Inside,
    /// Behind a backslash.
    Escaped,
}

impl Splitter {
    /// A splitter that refuses values of more than `limit` bytes.
    #[must_use]
    pub fn new(limit: usize) -> Self {
        Self { buffer: BytesMut::new(), scanned: 0, depth: 0, text: Text::Outside, limit }
    }

    /// Takes the next bytes of the stream.
    pub fn push(&mut self, bytes: &[u8]) {
        self.buffer.extend_from_slice(bytes);
    }

    /// The next complete value, or `None` until more bytes have come.
    ///
    /// # Errors
    /// [`ErrorKind::TooLarge`] for a value above the limit, [`ErrorKind::Unreadable`] for anything but white space
    /// between values; the stream cannot be read on after either.
    pub fn next_value(&mut self) -> Result<Option<Bytes>, Error> {
        if self.depth == 0 {
            let blank = self.buffer.iter().take_while(|byte| byte.is_ascii_whitespace()).count();
            self.buffer.advance(blank);
        }
        while let Some(&byte) = self.buffer.get(self.scanned) {
            if self.depth == 0 && !matches!(byte, b'{' | b'[') {
                return Err(Error::new(
                    ErrorKind::Unreadable,
                    "the stream has something between its values that is no JSON object",
                ));
            }
            self.scanned += 1;
            if self.scanned > self.limit {
                return Err(Error::new(
                    ErrorKind::TooLarge,
                    format!("a value of the stream is longer than {} bytes", self.limit),
                ));
            }
            if self.ends_value(byte) {
                let value = self.buffer.split_to(self.scanned).freeze();
                self.scanned = 0;
                return Ok(Some(value));
            }
        }
        Ok(None)
    }

    /// Whether nothing is left of what was pushed but white space: else a value has been cut off.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.depth == 0 && self.buffer.iter().all(u8::is_ascii_whitespace)
    }

    fn ends_value(&mut self, byte: u8) -> bool {
        match (self.text, byte) {
            (Text::Escaped, _) => self.text = Text::Inside,
            (Text::Inside, b'\\') => self.text = Text::Escaped,
            (Text::Inside, b'"') => self.text = Text::Outside,
            (Text::Inside, _) => {}
            (Text::Outside, b'"') => self.text = Text::Inside,
            (Text::Outside, b'{' | b'[') => self.depth += 1,
            (Text::Outside, b'}' | b']') => self.depth -= 1,
            (Text::Outside, _) => {}
        }
        self.depth == 0
    }
}

/// What is buffered holds stored values, so only its length is shown.
impl fmt::Debug for Splitter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Splitter")
            .field("buffered", &self.buffer.len())
            .field("depth", &self.depth)
            .field("limit", &self.limit)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(chunks: &[&[u8]]) -> Vec<Bytes> {
        let mut splitter = Splitter::new(64);
        let mut values = Vec::new();
        for chunk in chunks {
            splitter.push(chunk);
            while let Some(value) = splitter.next_value().unwrap() {
                values.push(value);
            }
        }
        values
    }

    #[test]
    fn brackets_and_quotes_inside_strings_do_not_count() {
        let value = br#"{"a":"}{][\"\\","b":[{}]}"#;
        assert_eq!(all(&[value]), [value.as_slice()]);
    }

    #[test]
    fn values_come_out_whole_however_they_were_chopped() {
        let stream = b"{\"a\":1}{\"b\":\"\\\"}\"}\n\n[3]";
        let whole = all(&[stream]);
        assert_eq!(whole.len(), 3);
        for at in 0..stream.len() {
            let (head, tail) = stream.split_at(at);
            assert_eq!(all(&[head, tail]), whole);
        }
        let single: Vec<&[u8]> = stream.chunks(1).collect();
        assert_eq!(all(&single), whole);
    }

    #[test]
    fn a_value_that_is_cut_off_is_seen() {
        let mut splitter = Splitter::new(64);
        splitter.push(b" {\"a\":");
        assert_eq!(splitter.next_value().unwrap(), None);
        assert!(!splitter.is_empty());
        splitter.push(b"1} \n");
        assert!(splitter.next_value().unwrap().is_some());
        assert!(splitter.is_empty());
    }

    #[test]
    fn a_value_above_the_limit_is_refused_before_it_is_complete() {
        let mut splitter = Splitter::new(8);
        splitter.push(b"{\"a\":\"12345678");
        assert_eq!(splitter.next_value().unwrap_err().kind(), ErrorKind::TooLarge);
    }

    #[test]
    fn what_is_no_object_is_refused() {
        for junk in [&b"<html>"[..], b"}", b"1", b"\"a\"", b"{}x"] {
            let mut splitter = Splitter::new(64);
            splitter.push(junk);
            let outcome = std::iter::from_fn(|| splitter.next_value().transpose()).find(Result::is_err);
            assert!(outcome.is_some(), "{junk:?}");
        }
    }
}
