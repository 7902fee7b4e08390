//! What etcd answers instead of a success.

use std::fmt::{self, Write as _};

use http::{HeaderMap, StatusCode, header};
use serde::Deserialize;

use super::{ErrorCode, Index};
use crate::Outcome;

/// An error answer of etcd: of the keys API with a code, of members, auth and stats with a message only.
///
/// Display withholds the cause of a failed comparison, since it holds stored values; [`ApiError::cause`] has it.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ApiError {
    /// HTTP status of the answer.
    pub status: StatusCode,
    /// `errorCode`; `None` for members, auth and stats, which send only a message.
    pub code: Option<ErrorCode>,
    /// The server's text.
    pub message: String,
    /// What the error is about; `None` where the server says nothing more.
    ///
    /// | code | cause |
    /// | --- | --- |
    /// | 100 | the first path element that is missing: `/a` for `/a/b/c`, if there is no `/a` |
    /// | 101 | `[wanted != found]`; of value and index only what differs, the value first |
    /// | 104 | the file that the path goes through |
    /// | 110 | `Insufficient credentials`, whatever the reason |
    /// | 300 | what failed inside, such as `etcdserver: request timed out` |
    /// | 401 | the oldest index that is left and the wanted one, `[1007/8]` |
    pub cause: Option<String>,
    /// Index of the store at the error; [`Index::NONE`] in errors of the request's form, 110 and 300.
    pub index: Index,
}

impl ApiError {
    /// An error of the keys API as a server makes it, for services that stand in for one: with the code's own
    /// text and status.
    #[must_use]
    pub fn new(code: ErrorCode, cause: Option<String>, index: Index) -> Self {
        let message = code.message().unwrap_or_default().into();
        Self { status: code.status(), code: Some(code), message, cause, index }
    }

    /// Takes an answer for an error of etcd; `None` where the body has nothing of etcd in it.
    ///
    /// Tolerant as etcd 0.3 to 3.5 demand: JSON counts whatever the content type says (0.3 sends errors as
    /// text), `cause` and `index` may be missing, `{"message":…}` may stand alone, and 0.x writes some errors as
    /// `CODE: MESSAGE (CAUSE) [INDEX]` in plain text. A body of a HEAD answer is empty: the status decides then.
    #[must_use]
    pub fn from_response(status: StatusCode, headers: &HeaderMap, body: &[u8]) -> Option<Self> {
        if let Ok(wire) = serde_json::from_slice::<Wire>(body) {
            return wire.into_error(status);
        }
        let text = std::str::from_utf8(body).ok()?.trim();
        if let Some(error) = Self::from_text(status, text) {
            return Some(error);
        }
        // etcd 0.4.7 to 0.4.9 refuse leader statistics on a follower in plain text.
        if status == StatusCode::FORBIDDEN && text == "not current leader" && is_plain_text(headers) {
            return Some(Self { status, code: None, message: text.into(), cause: None, index: Index::NONE });
        }
        None
    }

    /// Reads `100: Key not found (/a) [1193]`.
    fn from_text(status: StatusCode, text: &str) -> Option<Self> {
        let (code, rest) = text.split_once(": ")?;
        let code = code.parse::<u16>().ok()?;
        let (rest, index) = rest.strip_suffix(']')?.rsplit_once(" [")?;
        let index = index.parse::<u64>().ok()?;
        let (message, cause) = rest.strip_suffix(')')?.split_once(" (")?;
        Some(Self {
            status,
            code: Some(ErrorCode::from(code)),
            message: message.into(),
            cause: Some(cause).filter(|cause| !cause.is_empty()).map(Into::into),
            index: Index::from(index),
        })
    }

    /// What the answer proves of the write.
    ///
    /// The code decides where it proves a refusal; error 300 proves nothing but for etcd 3.5's directory
    /// defect; otherwise the HTTP status decides. Source: behaviour of 3.4.23 and 3.5, error tables of 2.0 to
    /// 3.5.
    ///
    /// | answer | outcome |
    /// | --- | --- |
    /// | codes 100 to 108, 110, 200 to 212, 401 | not applied |
    /// | 300 with a cause that begins with `nodePath` (etcd 3.5) | not applied |
    /// | 300 with any other cause, 301 | unknown: seen landing after the answer |
    /// | no code (members, auth, stats), a status 4xx that etcd sends | not applied |
    /// | no code, status 500: "Internal Server Error" | unknown: members were added after it |
    ///
    /// # Examples
    /// ```
    /// use etcd_proto::Outcome;
    /// use etcd_proto::v2::{ApiError, ErrorCode, Index};
    ///
    /// let timed_out = "etcdserver: request timed out".to_owned();
    /// let lost = ApiError::new(ErrorCode::RaftInternal, Some(timed_out), Index::NONE);
    /// assert_eq!(lost.outcome(), Outcome::Unknown);
    ///
    /// let refused = ApiError::new(ErrorCode::CompareFailed, Some("[3 != 7]".into()), Index::from(7));
    /// assert_eq!(refused.outcome(), Outcome::NotApplied);
    /// // A cause that may hold stored values is kept out of texts and logs.
    /// assert_eq!(refused.to_string(), "etcd error 101: Compare failed");
    /// ```
    #[must_use]
    pub fn outcome(&self) -> Outcome {
        match self.code {
            Some(code) if code.proves_not_applied() => Outcome::NotApplied,
            Some(ErrorCode::RaftInternal) if self.is_directory_ttl_defect() => Outcome::NotApplied,
            Some(ErrorCode::RaftInternal | ErrorCode::LeaderElection) => Outcome::Unknown,
            _ => Outcome::of_status(self.status),
        }
    }

    /// Whether this is etcd 3.5 refusing to change the TTL of a directory: an error 300 that is permanent and
    /// had no effect, unlike all others.
    #[must_use]
    pub fn is_directory_ttl_defect(&self) -> bool {
        self.code == Some(ErrorCode::RaftInternal)
            && self.cause.as_deref().is_some_and(|cause| cause.starts_with("nodePath "))
    }

    /// Whether the member refused because it is not the leader (leader statistics; 0.4.9 and later).
    #[must_use]
    pub fn is_not_leader(&self) -> bool {
        self.status == StatusCode::FORBIDDEN && self.code.is_none() && self.message == "not current leader"
    }

    /// Whether credentials are missing, wrong or not sufficient; etcd does not tell which.
    #[must_use]
    pub fn is_unauthorized(&self) -> bool {
        self.code == Some(ErrorCode::Unauthorized)
            || (self.code.is_none() && self.status == StatusCode::UNAUTHORIZED)
    }

    /// The cause, unless it holds stored values.
    fn printable_cause(&self) -> Option<&str> {
        match self.code {
            Some(ErrorCode::CompareFailed) => None,
            _ => self.cause.as_deref(),
        }
    }
}

impl fmt::Display for ApiError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.code {
            Some(code) => write!(f, "etcd error {code}: {}", OneLine(&self.message))?,
            None => write!(f, "etcd answered {}: {}", self.status.as_u16(), OneLine(&self.message))?,
        }
        match self.printable_cause() {
            Some(cause) if !cause.is_empty() => write!(f, " ({})", OneLine(cause)),
            _ => Ok(()),
        }
    }
}

/// A server's text with its control characters escaped: a key may hold newlines and escape sequences, which
/// must not reach a terminal or start a line of their own in a log.
struct OneLine<'a>(&'a str);

impl fmt::Display for OneLine<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.chars().try_for_each(|c| match c.is_control() {
            true => write!(f, "{}", c.escape_default()),
            false => f.write_char(c),
        })
    }
}

impl fmt::Debug for ApiError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let withheld = self.cause.is_some() && self.printable_cause().is_none();
        f.debug_struct("ApiError")
            .field("status", &self.status.as_u16())
            .field("code", &self.code)
            .field("message", &self.message)
            .field("cause", &if withheld { Some("(withheld: holds values)") } else { self.printable_cause() })
            .field("index", &self.index.get())
            .finish()
    }
}

fn is_plain_text(headers: &HeaderMap) -> bool {
    headers.get(header::CONTENT_TYPE).is_some_and(|value| value.as_bytes().starts_with(b"text/plain"))
}

/// The error objects of all families; a success matches too, with nothing in it.
#[derive(Deserialize)]
struct Wire {
    #[serde(rename = "errorCode")]
    error_code: Option<u16>,
    message: Option<String>,
    cause: Option<String>,
    index: Option<u64>,
}

impl Wire {
    fn into_error(self, status: StatusCode) -> Option<ApiError> {
        let code = self.error_code.map(ErrorCode::from);
        if code.is_none() && (self.message.is_none() || status.is_success()) {
            return None;
        }
        Some(ApiError {
            status,
            message: self
                .message
                .or_else(|| code.and_then(ErrorCode::message).map(Into::into))
                .unwrap_or_default(),
            code,
            cause: self.cause.filter(|cause| !cause.is_empty()),
            index: Index::from(self.index.unwrap_or(0)),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(status: u16, body: &str) -> Option<ApiError> {
        ApiError::from_response(StatusCode::from_u16(status).unwrap(), &HeaderMap::new(), body.as_bytes())
    }

    #[test]
    fn a_refusal_proves_that_nothing_was_written() {
        let error =
            parse(404, r#"{"errorCode":100,"message":"Key not found","cause":"/a","index":7}"#).unwrap();
        assert_eq!(error.code, Some(ErrorCode::KeyNotFound));
        assert_eq!(error.index.get(), 7);
        assert_eq!(error.outcome(), Outcome::NotApplied);
        assert_eq!(error.to_string(), "etcd error 100: Key not found (/a)");
    }

    #[test]
    fn a_raft_error_proves_nothing_but_for_the_directory_defect_of_3_5() {
        let timeout =
            r#"{"errorCode":300,"message":"Raft Internal Error","cause":"etcdserver: request timed out"}"#;
        assert_eq!(parse(500, timeout).unwrap().outcome(), Outcome::Unknown);
        let defect = r#"{"errorCode":300,"message":"Raft Internal Error","cause":"nodePath /1/d : Not a file ()","index":0}"#;
        let defect = parse(500, defect).unwrap();
        assert!(defect.is_directory_ttl_defect());
        assert_eq!(defect.outcome(), Outcome::NotApplied);
    }

    #[test]
    fn a_message_alone_is_judged_by_its_status() {
        assert_eq!(parse(409, r#"{"message":"exists"}"#).unwrap().outcome(), Outcome::NotApplied);
        assert_eq!(parse(500, r#"{"message":"Internal Server Error"}"#).unwrap().outcome(), Outcome::Unknown);
        assert_eq!(parse(503, r#"{"message":"During election"}"#).unwrap().outcome(), Outcome::Unknown);
    }

    #[test]
    fn text_of_0_x_is_read() {
        let error = parse(500, "100: Key not found (/_etcd/mod/lock/x) [1193]\n").unwrap();
        assert_eq!(error.code, Some(ErrorCode::KeyNotFound));
        assert_eq!(error.cause.as_deref(), Some("/_etcd/mod/lock/x"));
        assert_eq!(error.index.get(), 1193);
    }

    #[test]
    fn what_is_not_etcds_is_no_error_of_etcd() {
        for body in ["", "404 page not found\n", "<html></html>", "{}", "[]", "12: ", "{\"action\":\"get\"}"]
        {
            assert_eq!(parse(404, body), None, "{body}");
        }
        assert_eq!(parse(200, r#"{"message":"a success of another family"}"#), None);
    }

    #[test]
    fn control_characters_of_a_key_do_not_reach_a_log() {
        let body = r#"{"errorCode":100,"message":"Key not found","cause":"/a\n\u001b[2J/ä","index":7}"#;
        let error = parse(404, body).unwrap();
        assert_eq!(error.cause.as_deref(), Some("/a\n\u{1b}[2J/ä"));
        assert_eq!(error.to_string(), r"etcd error 100: Key not found (/a\n\u{1b}[2J/ä)");
        assert!(!format!("{error:?}").contains(char::is_control));
    }

    #[test]
    fn stored_values_in_a_cause_are_not_printed() {
        let body = r#"{"errorCode":101,"message":"Compare failed","cause":"[canary != other]","index":7}"#;
        let error = parse(412, body).unwrap();
        assert_eq!(error.cause.as_deref(), Some("[canary != other]"));
        assert!(!error.to_string().contains("canary"));
        assert!(!format!("{error:?}").contains("canary"));
    }
}
