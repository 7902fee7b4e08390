//! From the bytes of a watch to events.

use http::StatusCode;

use super::keys::KeysEvent;
use super::{ApiError, Splitter};
use crate::{Error, ErrorKind, Outcome};

/// Reads the body of a poll or stream as it comes, event by event.
///
/// Push a chunk, take events until there is none, and so on; at the end of the body ask
/// [`finish`](Self::finish) whether it was one. A body without any event is no error: the server or something
/// between gave up, and the watch goes on at the same index.
///
/// # Examples
/// ```
/// use etcd_proto::v2::EventDecoder;
///
/// let mut decoder = EventDecoder::default();
/// decoder.push(br#"{"action":"set","node":{"key":"/a","value":"1","modifiedIndex":7,"createdIndex":7}}{"#);
/// assert_eq!(decoder.next_event()?.unwrap().index().get(), 7);
/// assert!(decoder.next_event()?.is_none());
/// assert!(decoder.finish().is_err(), "the second event was cut off");
/// # Ok::<(), etcd_proto::Error>(())
/// ```
#[derive(Debug)]
pub struct EventDecoder {
    splitter: Splitter,
}

impl EventDecoder {
    /// Bytes that one event may have by default: 4 MiB.
    pub const DEFAULT_LIMIT: usize = 4 * 1024 * 1024;

    /// A decoder that refuses events of more than `limit` bytes.
    ///
    /// An event holds the value before and after, each up to 10 MiB at the server, and JSON may write a byte
    /// of it as six.
    #[must_use]
    pub fn new(limit: usize) -> Self {
        Self { splitter: Splitter::new(limit) }
    }

    /// Takes the next bytes of the body.
    pub fn push(&mut self, bytes: &[u8]) {
        self.splitter.push(bytes);
    }

    /// The next event, or `None` until more bytes have come.
    ///
    /// # Errors
    /// [`ErrorKind::Api`] where the server ends a stream with an error, [`ErrorKind::TooLarge`] for an event above
    /// the limit, [`ErrorKind::Unreadable`] for what is no event; the body cannot be read on after either.
    pub fn next_event(&mut self) -> Result<Option<KeysEvent>, Error> {
        let Some(value) = self.splitter.next_value()? else { return Ok(None) };
        serde_json::from_slice(&value).map(Some).map_err(|_| {
            // A server that recovers ends a watch with an error in place of an event (code 400).
            match ApiError::from_response(StatusCode::BAD_REQUEST, &http::HeaderMap::new(), &value) {
                Some(api) => Error::from_api(api).with_outcome(Outcome::NotApplied),
                None => unreadable(format!("a value of {} bytes in the stream is no event", value.len())),
            }
        })
    }

    /// Says that the body has ended.
    ///
    /// # Errors
    /// [`ErrorKind::Unreadable`] if it ended inside an event.
    pub fn finish(&self) -> Result<(), Error> {
        if self.splitter.is_empty() {
            Ok(())
        } else {
            Err(unreadable("the body ended inside an event".into()))
        }
    }
}

impl Default for EventDecoder {
    fn default() -> Self {
        Self::new(Self::DEFAULT_LIMIT)
    }
}

fn unreadable(message: String) -> Error {
    Error::new(ErrorKind::Unreadable, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_in_place_of_an_event_is_etcds() {
        let mut decoder = EventDecoder::default();
        decoder.push(br#"{"errorCode":400,"message":"watcher is cleared due to etcd recovery","index":9}"#);
        let error = decoder.next_event().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Api);
        assert_eq!(error.api().unwrap().index.get(), 9);
    }

    #[test]
    fn an_error_in_place_of_an_event_leaves_nothing_to_be_applied() {
        let mut decoder = EventDecoder::default();
        decoder.push(br#"{"errorCode":300,"message":"Raft Internal Error","index":0}"#);
        assert_eq!(decoder.next_event().unwrap_err().outcome(), Outcome::NotApplied);
    }

    #[test]
    fn a_decoder_does_not_print_what_it_holds() {
        let mut decoder = EventDecoder::default();
        decoder.push(br#"{"action":"set","node":{"value":"canary"#);
        assert!(!format!("{decoder:?}").contains("canary"));
    }

    #[test]
    fn what_is_no_event_is_refused_without_showing_it() {
        let mut decoder = EventDecoder::default();
        decoder.push(br#"{"canary":1}"#);
        let error = decoder.next_event().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unreadable);
        assert!(!format!("{error:?}").contains("canary"));
    }

    #[test]
    fn a_body_may_end_between_events_only() {
        let mut decoder = EventDecoder::new(100);
        decoder.finish().unwrap();
        decoder.push(b"\n");
        decoder.finish().unwrap();
        decoder.push(b"{");
        assert!(decoder.finish().is_err());
    }
}
