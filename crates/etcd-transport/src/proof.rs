//! What an answer proves, and what it says of the member that gave it.
//!
//! The one place that looks at heads and errors of etcd for that; those of the layers that see an answer ask
//! here.

use etcd_proto::Outcome;
use etcd_proto::v2::{ApiError, ErrorCode, Header, Index};
use http::{HeaderMap, StatusCode, header};

/// The index of the store in an answer; none where the header is missing, zero or no number.
pub(crate) fn etcd_index(headers: &HeaderMap) -> Index {
    Header::from_headers(headers).etcd_index
}

/// What a head alone proves of a write: a success that etcd made has its index in it.
///
/// A success without it may come from something between, or from an API that has no index; it proves nothing.
pub(crate) fn by_head(status: StatusCode, headers: &HeaderMap) -> Outcome {
    if status.is_success() && !etcd_index(headers).is_none() {
        Outcome::Applied
    } else {
        Outcome::of_status(status)
    }
}

/// Whether an answer shows a member that cannot reach a quorum, or none behind what answers in its place.
///
/// Such a member answers reads, and refuses or delays every write: later calls should begin with another.
/// Errors 300 and 301 say so, but for the 300 that is a defect of etcd 3.5 and the same on every member.
pub(crate) fn lacks_quorum(status: StatusCode, api: Option<&ApiError>) -> bool {
    match api {
        None => status.is_server_error(),
        Some(api) => match api.code {
            Some(ErrorCode::RaftInternal) => !api.is_directory_ttl_defect(),
            Some(code) => code == ErrorCode::LeaderElection,
            None => false,
        },
    }
}

/// In the extensions of an answer that no etcd gives, so that it is looked for elsewhere.
#[derive(Clone, Copy, Debug)]
pub(crate) struct NotEtcd;

/// Whether something else than etcd has answered: with HTML or another content type than etcd's two, or with
/// JSON that is not an object or a list, which all of etcd's is, from its first byte to its last.
///
/// Plain text is etcd's: versions, errors of 0.x, refusals of Go's HTTP server. An empty body is too.
pub(crate) fn is_foreign(status: StatusCode, headers: &HeaderMap, body: &[u8]) -> bool {
    // A redirect of Go's HTTP server has a line of HTML.
    if status.is_redirection() {
        return false;
    }
    let content_type = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let is = |own: &str| {
        content_type
            .is_some_and(|given| given.get(..own.len()).is_some_and(|start| start.eq_ignore_ascii_case(own)))
    };
    let json = is("application/json");
    let body = body.trim_ascii();
    match body.first() {
        None => content_type.is_some() && !json && !is("text/plain"),
        Some(b'<') => true,
        Some(b'{') if json && !body.ends_with(b"}") => true,
        Some(b'[') if json && !body.ends_with(b"]") => true,
        Some(b'{' | b'[') => content_type.is_some() && !json && !is("text/plain"),
        Some(_) => json || (content_type.is_some() && !is("text/plain")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(index: Option<&'static str>) -> HeaderMap {
        let index = index.map(|index| (http::HeaderName::from_static(Header::ETCD_INDEX), index));
        index.into_iter().map(|(name, index)| (name, http::HeaderValue::from_static(index))).collect()
    }

    #[test]
    fn only_a_success_with_an_index_proves_that_a_write_was_applied() {
        for (status, index, wanted) in [
            (200, Some("7"), Outcome::Applied),
            (200, Some("0"), Outcome::Unknown),
            (200, Some("x"), Outcome::Unknown),
            (201, None, Outcome::Unknown),
            (404, Some("7"), Outcome::NotApplied),
            (500, Some("7"), Outcome::Unknown),
        ] {
            let status = StatusCode::from_u16(status).unwrap();
            assert_eq!(by_head(status, &headers(index)), wanted, "{status} {index:?}");
        }
    }

    #[test]
    fn errors_of_the_raft_and_of_what_stands_between_show_a_lost_quorum() {
        for (status, body, wanted) in [
            (
                500,
                r#"{"errorCode":300,"message":"Raft Internal Error","cause":"etcdserver: no leader"}"#,
                true,
            ),
            (503, r#"{"errorCode":301,"message":"During Leader Election"}"#, true),
            (502, "<html>Bad Gateway</html>", true),
            (500, r#"{"errorCode":300,"message":"Raft Internal Error","cause":"nodePath /1 : x"}"#, false),
            (500, r#"{"message":"Internal Server Error"}"#, false),
            (404, r#"{"errorCode":100,"message":"Key not found"}"#, false),
            (404, "404 page not found", false),
        ] {
            let status = StatusCode::from_u16(status).unwrap();
            let api = ApiError::from_response(status, &HeaderMap::new(), body.as_bytes());
            assert_eq!(lacks_quorum(status, api.as_ref()), wanted, "{body}");
        }
    }

    #[test]
    fn html_and_what_its_content_type_does_not_hold_is_not_etcds() {
        for (content_type, body, wanted) in [
            (Some("application/json"), r#"{"action":"get"}"#, false),
            (Some("APPLICATION/JSON; charset=utf-8"), " [1]", false),
            (Some("application/json"), "OK", true),
            (Some("application/json"), "{\"action\":\"get\"}\n", false),
            (Some("application/json"), "{\"action\":\"get\"", true),
            (Some("application/json"), "[{\"id\":1}", true),
            (Some("application/json"), "", false),
            (Some("text/plain; charset=utf-8"), "http://10.0.0.7:2379", false),
            (Some("text/plain"), "  <html>", true),
            (Some("text/html"), "", true),
            (Some("text/html"), r#"{"action":"get"}"#, true),
            (None, r#"{"action":"get"}"#, false),
            (None, "etcd 0.4.6", false),
            (None, "<!DOCTYPE html>", true),
        ] {
            let headers =
                content_type.map(|value| (header::CONTENT_TYPE, http::HeaderValue::from_static(value)));
            let headers: HeaderMap = headers.into_iter().collect();
            assert_eq!(
                is_foreign(StatusCode::OK, &headers, body.as_bytes()),
                wanted,
                "{content_type:?} {body}"
            );
        }
        assert!(!is_foreign(StatusCode::MOVED_PERMANENTLY, &HeaderMap::new(), b"<a href=\"/v2\">Moved</a>."));
    }
}
