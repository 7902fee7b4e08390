//! Holds a typed error against the recorded answer.

use etcd_proto::v2::{ErrorCode, Operation};
use etcd_proto::{Error, ErrorKind, Outcome};
use serde_json::Value;

use super::exchange::Answer;

/// What the recorded answer must become, worked out from the recording alone.
#[derive(Debug, PartialEq)]
struct Expected {
    kind: ErrorKind,
    outcome: Outcome,
    api: Option<Api>,
}

/// etcd's own part of an error.
#[derive(Debug, PartialEq)]
struct Api {
    code: Option<u64>,
    message: String,
    cause: Option<String>,
    index: u64,
}

/// Compares `error`, to which `operation` has decoded `answer`.
pub(crate) fn check(what: &str, operation: &Operation, answer: &Answer, error: &Error) {
    let got = Expected {
        kind: error.kind(),
        outcome: error.outcome(),
        api: error.api().map(|api| Api {
            code: api.code.map(|code| code.get().into()),
            message: api.message.clone(),
            cause: api.cause.clone(),
            index: api.index.get(),
        }),
    };
    assert_eq!(got, expected(operation, answer), "{what}");
    assert_eq!(error.http_status(), Some(answer.status), "{what}");
    if let (Some(api), Some(index)) = (error.api(), answer.header("x-etcd-index")) {
        assert_eq!(api.index.to_string(), index, "{what}: body and header tell the same index");
    }
    for text in [error.to_string(), format!("{error:?}")] {
        assert!(!text.contains(char::is_control), "{what}: {text:?}");
    }
}

/// The recorded `errorCode` and `message`, if the answer is an error of the keys API.
pub(crate) fn code_and_message(answer: &Answer) -> Option<(ErrorCode, String)> {
    let json = answer.value()?;
    let code = u16::try_from(json.get("errorCode")?.as_u64().unwrap()).unwrap();
    Some((ErrorCode::from(code), json["message"].as_str().unwrap().into()))
}

fn expected(operation: &Operation, answer: &Answer) -> Expected {
    let status = answer.status.as_u16();
    let api = answer.value().as_ref().and_then(json_error).or_else(|| text_error(answer));
    let (code, cause) = match &api {
        Some(api) => (api.code, api.cause.as_deref().unwrap_or_default()),
        None => (None, ""),
    };
    let kind = match (&api, status) {
        (Some(_), _) if code == Some(300) && cause.starts_with("nodePath") => ErrorKind::DirectoryTtl,
        (Some(_), _) => ErrorKind::Api,
        (None, 301) => ErrorKind::InvalidKey,
        (None, 307) => ErrorKind::Redirect,
        (None, 404) if below_v2(operation) && answer.body == b"404 page not found\n" => {
            ErrorKind::V2NotEnabled
        }
        (None, _) => ErrorKind::Status,
    };
    // Section 4 of the design: codes first, then statuses; a read has nothing to apply.
    let outcome = match (operation.idempotence().is_read(), code, status) {
        (true, ..) => Outcome::NotApplied,
        (_, Some(100..=108 | 110 | 200..=212 | 401), _) => Outcome::NotApplied,
        (_, Some(300), _) if kind == ErrorKind::DirectoryTtl => Outcome::NotApplied,
        (_, Some(_), _) => Outcome::Unknown,
        (_, None, 301 | 400 | 401 | 403 | 404 | 405 | 409 | 410 | 413 | 415 | 421 | 431) => {
            Outcome::NotApplied
        }
        (_, None, _) => Outcome::Unknown,
    };
    Expected { kind, outcome, api }
}

fn json_error(json: &Value) -> Option<Api> {
    let code = json.get("errorCode").map(|code| code.as_u64().unwrap());
    let cause = json["cause"].as_str().filter(|cause| !cause.is_empty()).map(Into::into);
    let message = json.get("message")?.as_str().unwrap().into();
    Some(Api { code, message, cause, index: json["index"].as_u64().unwrap_or(0) })
}

/// 0.4.9 refuses leader statistics on a follower in plain text.
fn text_error(answer: &Answer) -> Option<Api> {
    (answer.body == b"not current leader").then(|| Api {
        code: None,
        message: "not current leader".into(),
        cause: None,
        index: 0,
    })
}

fn below_v2(operation: &Operation) -> bool {
    !matches!(operation.name(), "version" | "health")
}
