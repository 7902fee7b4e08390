//! What happens on a connection.

use std::time::Duration;

use bytes::Bytes;

/// What happens on a connection, step by step. At its end the connection is closed in order (`FIN`).
///
/// A step that fails, because the client is gone, ends the connection. A step that reads and finds the end of what
/// the client sends is done.
#[derive(Clone, Debug, Default)]
#[must_use = "a script does nothing unless a listener has it"]
pub struct Script {
    pub(super) steps: Vec<Step>,
}

#[derive(Clone, Debug)]
pub(super) enum Step {
    ReadHead,
    ReadRequest,
    Read(usize),
    Write { bytes: Bytes, times: u64 },
    WriteSlowly { bytes: Bytes, piece: usize, every: Duration },
    Wait(Duration),
    Stall,
    Close,
    Reset,
}

impl Script {
    /// An empty script: the connection is closed as soon as it is taken.
    pub fn new() -> Self {
        Self::default()
    }

    /// Reads up to and with the empty line that ends a head.
    pub fn read_head(self) -> Self {
        self.step(Step::ReadHead)
    }

    /// Reads a head and a body: as long as its `Content-Length` says, or up to the last chunk.
    pub fn read_request(self) -> Self {
        self.step(Step::ReadRequest)
    }

    /// Reads so many bytes, counted from the last one that a step before has asked for.
    pub fn read(self, bytes: usize) -> Self {
        self.step(Step::Read(bytes))
    }

    /// Writes these bytes.
    pub fn write(self, bytes: impl Into<Bytes>) -> Self {
        self.write_times(bytes, 1)
    }

    /// Writes these bytes so many times over, without storing them so often.
    pub fn write_times(self, bytes: impl Into<Bytes>, times: u64) -> Self {
        self.step(Step::Write { bytes: bytes.into(), times })
    }

    /// Writes these bytes in pieces of `piece` bytes (0 counts as 1), with a pause before each.
    pub fn write_slowly(self, bytes: impl Into<Bytes>, piece: usize, every: Duration) -> Self {
        self.step(Step::WriteSlowly { bytes: bytes.into(), piece: piece.max(1), every })
    }

    /// Writes a whole answer of status 200 with this JSON in its body and its length in its head.
    pub fn answer_json(self, json: &str) -> Self {
        self.write(format!("{OK_JSON}Content-Length: {}\r\n\r\n{json}", json.len()))
    }

    /// Waits.
    pub fn wait(self, by: Duration) -> Self {
        self.step(Step::Wait(by))
    }

    /// Does nothing for ever; the connection stays open.
    pub fn stall(self) -> Self {
        self.step(Step::Stall)
    }

    /// Closes the connection in order (`FIN`). What the client still sends is read and dropped, for 5 s at most.
    pub fn close(self) -> Self {
        self.step(Step::Close)
    }

    /// Resets the connection (`RST`).
    pub fn reset(self) -> Self {
        self.step(Step::Reset)
    }

    /// Writes a head that does not end: header after header of 1 KiB, until the client is gone.
    pub fn endless_headers(self) -> Self {
        let header = format!("X-Filler: {}\r\n", "a".repeat(1012));
        self.write("HTTP/1.1 200 OK\r\n").write_times(header, u64::MAX)
    }

    /// Writes an answer whose body is so many bytes of one JSON string that does not end, such as 1 GiB; its
    /// length is in its head, rounded down to whole pieces of 16 KiB.
    pub fn endless_body(self, bytes: u64) -> Self {
        let times = bytes / PIECE as u64;
        let head = format!("{OK_JSON}Content-Length: {}\r\n\r\n", times * PIECE as u64);
        if times == 0 {
            return self.write(head);
        }
        let mut first = vec![b'a'; PIECE];
        first[..OPEN_STRING.len()].copy_from_slice(OPEN_STRING);
        self.write(head).write(first).write_times(vec![b'a'; PIECE], times - 1)
    }

    /// Writes an answer whose body is `{"node":` so many levels deep, such as 100,000; well-formed.
    pub fn nested_json(self, depth: usize) -> Self {
        let (open, close) = (r#"{"node":"#, "}");
        let length = depth * (open.len() + close.len()) + 1;
        let times = depth as u64;
        self.write(format!("{OK_JSON}Content-Length: {length}\r\n\r\n"))
            .write_times(open, times)
            .write("0")
            .write_times(close, times)
    }

    /// Writes these bytes at one byte a second.
    pub fn drip(self, bytes: impl Into<Bytes>) -> Self {
        self.write_slowly(bytes, 1, Duration::from_secs(1))
    }

    fn step(mut self, step: Step) -> Self {
        self.steps.push(step);
        self
    }
}

const OK_JSON: &str = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n";
const OPEN_STRING: &[u8] = br#"{"action":"get","node":{"key":"/a","value":""#;
const PIECE: usize = 16 * 1024;
