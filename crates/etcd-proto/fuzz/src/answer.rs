//! What the decoders' targets have in common: an answer made of bytes, and what holds for all that comes of
//! it.

use std::error::Error as _;

use etcd_proto::v2::{KeysEvent, Operation, Response};
use etcd_proto::{Error, Outcome};
use http::{HeaderMap, HeaderValue, StatusCode};

/// Status, headers, choice of the call, and body.
pub(super) fn answer(data: &[u8]) -> Option<(StatusCode, HeaderMap, usize, &[u8])> {
    let (&[status, flags], body) = data.split_first_chunk::<2>()?;
    let status_code = StatusCode::from_u16(STATUSES[usize::from(status % 16)]).ok()?;
    let mut headers = HeaderMap::new();
    let mut insert = |name: &'static str, value: &'static str| {
        headers.insert(name, HeaderValue::from_static(value));
    };
    if flags & 1 == 1 {
        insert("x-etcd-index", "7");
    }
    match flags >> 1 & 3 {
        0 => insert("content-type", "application/json"),
        1 => insert("content-type", "text/plain; charset=utf-8"),
        2 => insert("content-type", "text/html"),
        _ => {}
    }
    if flags & 8 == 8 {
        insert("location", "/v2/keys/a");
    }
    Some((status_code, headers, usize::from(status / 16), body))
}

pub(super) fn decode(data: &[u8], calls: &[Operation], check: impl Fn(&Response)) {
    let Some((status, headers, choice, body)) = answer(data) else { return };
    let call = &calls[choice % calls.len()];
    match call.decode(status, &headers, body) {
        Ok(response) => {
            assert!(status.is_success() || matches!(response, Response::Health(_)));
            check(&response);
        }
        Err(error) => {
            check_error(&error);
            assert_eq!(error.http_status(), Some(status));
            if call.idempotence().is_read() {
                assert_eq!(error.outcome(), Outcome::NotApplied);
            }
            if error.outcome() == Outcome::Applied {
                assert!(status.is_success());
            }
        }
    }
}

/// An error prints one line that nobody has to be afraid of, and leaves its source to itself.
pub(super) fn check_error(error: &Error) {
    check_text(&error.to_string());
    check_text(&format!("{error:?}"));
    if let Some(source) = error.source() {
        check_text(&source.to_string());
        assert!(!error.to_string().contains(&source.to_string()));
    }
}

pub(super) fn check_text(text: &str) {
    assert!(!text.is_empty());
    assert!(!text.contains(char::is_control), "{text:?}");
}

/// An event is the same after it was written and read again.
pub(super) fn check_event(event: &KeysEvent) {
    let text = serde_json::to_string(event).unwrap();
    let again: KeysEvent = serde_json::from_str(&text).unwrap();
    assert_eq!(*event, again);
    assert_eq!(event.node.walk().count(), again.node.walk().count());
}

const STATUSES: [u16; 16] = [200, 201, 204, 301, 307, 400, 401, 403, 404, 405, 409, 410, 412, 415, 500, 503];
