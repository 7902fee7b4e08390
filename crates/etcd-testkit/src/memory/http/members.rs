//! `/v2/members`.

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{Method, Response, StatusCode};
use serde_json::Value;

use super::answer::{
    Answer, JSON, REQUEST_TIMEOUT, Stalled, internal_error, message, plain_error, response, set, typed,
};
use super::{Call, json_syntax, peer_url};
use crate::memory::store::MembersError;
use crate::memory::{Store, json};

/// The answer that ends a request early; boxed, since it is large and rare.
type Refused = Box<Response<Bytes>>;

impl Store {
    /// Any request on members. `rest` is the decoded path behind `/v2/members`.
    pub(crate) fn handle_members(&mut self, call: &Call<'_>, rest: &[u8]) -> Answer {
        if let Some(refused) = call.refused("GET,POST,DELETE,PUT") {
            return Answer::Complete(refused);
        }
        // Reading is open to all.
        if !call.reads() && !self.has_root_access(call.member, &call.credentials()) {
            return Answer::Complete(no_access());
        }
        let name = String::from_utf8_lossy(rest.strip_prefix(b"/").unwrap_or(rest)).into_owned();
        let mut answer = match *call.method() {
            Method::GET => Answer::Complete(self.read_members(call, &name)),
            Method::POST => self.post_member(call),
            Method::PUT => self.put_member(call, &name),
            _ => self.delete_member(call, &name),
        };
        if let Answer::Complete(response) | Answer::NoQuorum(Stalled { response, .. }) = &mut answer {
            set(response, "x-etcd-cluster-id", format!("{:x}", self.cluster_id()));
        }
        answer
    }

    /// The list, by id, or the leader. A single member cannot be read by its id.
    fn read_members(&self, call: &Call<'_>, name: &str) -> Response<Bytes> {
        #[derive(serde::Serialize)]
        struct Members<T> {
            members: T,
        }
        match name {
            "" => {
                let members = Members { members: self.members_by_id() };
                typed(StatusCode::OK, JSON, json::encode_line(&members))
            }
            "leader" => match self.leader_seen_by(call.member).and_then(|leader| self.member(leader)) {
                Some(leader) => typed(StatusCode::OK, JSON, json::encode_line(&leader.info())),
                None => message(StatusCode::SERVICE_UNAVAILABLE, "During election"),
            },
            _ => message(StatusCode::NOT_FOUND, "Not found"),
        }
    }

    /// Adds a member. The check of the body comes before everything else, then etcd's strict check of the cluster.
    fn post_member(&mut self, call: &Call<'_>) -> Answer {
        let urls = match self.peer_urls(call) {
            Ok(urls) => urls,
            Err(refused) => return Answer::Complete(*refused),
        };
        if !self.can_commit(call.member) {
            return stalled();
        }
        Answer::Complete(match self.add_member(urls) {
            Ok(member) => typed(StatusCode::CREATED, JSON, json::encode_line(&member)),
            Err(error) => refusal(error, ""),
        })
    }

    /// Changes peer URLs; 204 also where nothing changes.
    fn put_member(&mut self, call: &Call<'_>, name: &str) -> Answer {
        let id = match member_id(name) {
            Ok(id) => id,
            Err(refused) => return Answer::Complete(*refused),
        };
        let urls = match self.peer_urls(call) {
            Ok(urls) => urls,
            Err(refused) => return Answer::Complete(*refused),
        };
        if !self.can_commit(call.member) {
            return stalled();
        }
        Answer::Complete(done(self.update_member(id, urls), id))
    }

    /// Removes a member for good: 410 the second time.
    fn delete_member(&mut self, call: &Call<'_>, name: &str) -> Answer {
        let id = match member_id(name) {
            Ok(id) => id,
            Err(refused) => return Answer::Complete(*refused),
        };
        if !self.can_commit(call.member) {
            return stalled();
        }
        Answer::Complete(done(self.remove_member(id), id))
    }

    /// The peer URLs in the body of a request.
    fn peer_urls(&self, call: &Call<'_>) -> Result<Vec<String>, Refused> {
        let header = call.request.headers().get(CONTENT_TYPE).map_or(&b""[..], |header| header.as_bytes());
        let header = String::from_utf8_lossy(header);
        // Only what stands before parameters is compared in any case, a bare type as it is (3.4, 3.5).
        let content_type = match header.split_once(';') {
            Some((bare, _)) => bare.to_lowercase().trim().to_owned(),
            None => header.into_owned(),
        };
        if content_type != "application/json" {
            let text = format!("Bad Content-Type {content_type}, accept application/json");
            return Err(Box::new(message(StatusCode::UNSUPPORTED_MEDIA_TYPE, &text)));
        }
        urls_of(call.request.body())
            .and_then(|urls| peer_url::check(&urls, self.profile()))
            .map_err(|text| Box::new(message(StatusCode::BAD_REQUEST, &text)))
    }
}

/// What members and users say to those who may not.
pub(crate) fn no_access() -> Response<Bytes> {
    message(StatusCode::UNAUTHORIZED, "Insufficient credentials")
}

/// What members and users say when there is no majority.
pub(crate) fn stalled() -> Answer {
    Answer::NoQuorum(Stalled { after: REQUEST_TIMEOUT, response: internal_error() })
}

/// The field `peerURLs` of a body, in any case of letters; `Err` is Go's text of what is wrong.
fn urls_of(body: &[u8]) -> Result<Vec<String>, String> {
    if let Some(error) = json_syntax::error(body) {
        return Err(error);
    }
    // What serde refuses of well-formed JSON is nested too deep for it.
    let body: Value = serde_json::from_slice(body).map_err(|_| "exceeded max depth".to_owned())?;
    let fields = match body {
        Value::Null => return Ok(Vec::new()),
        Value::Object(fields) => fields,
        other => {
            let kind = go_kind(&other);
            let shape = "struct { PeerURLs []string \"json:\\\"peerURLs\\\"\" }";
            return Err(format!("json: cannot unmarshal {kind} into Go value of type {shape}"));
        }
    };
    let wrong = |value: &Value, kind: &str| {
        let found = go_kind(value);
        format!("json: cannot unmarshal {found} into Go struct field .peerURLs of type {kind}")
    };
    match fields.into_iter().find(|(name, _)| name.eq_ignore_ascii_case("peerURLs")).map(|(_, urls)| urls) {
        None | Some(Value::Null) => Ok(Vec::new()),
        Some(Value::Array(urls)) => urls
            .into_iter()
            .map(|url| match url {
                Value::String(url) => Ok(url),
                Value::Null => Ok(String::new()),
                other => Err(wrong(&other, "string")),
            })
            .collect(),
        Some(other) => Err(wrong(&other, "[]string")),
    }
}

/// The sort of a JSON value in Go's words.
fn go_kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "bool",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

/// The id in a path: hexadecimal.
fn member_id(name: &str) -> Result<u64, Refused> {
    if name.is_empty() {
        // Without the methods that would do, other than everywhere else.
        return Err(Box::new(plain_error(StatusCode::METHOD_NOT_ALLOWED, "Method Not Allowed")));
    }
    let digits = name.bytes().all(|byte| byte.is_ascii_hexdigit());
    let id = u64::from_str_radix(name, 16).ok().filter(|_| digits);
    id.ok_or_else(|| Box::new(message(StatusCode::NOT_FOUND, &format!("No such member: {name}"))))
}

/// 204, or the refusal. Here the id is shown as a number, not as it was sent.
fn done(outcome: Result<(), MembersError>, id: u64) -> Response<Bytes> {
    match outcome {
        Ok(()) => response(StatusCode::NO_CONTENT, Bytes::new()),
        Err(error) => refusal(error, &format!("{id:x}")),
    }
}

/// How etcd shows each refusal.
fn refusal(error: MembersError, id: &str) -> Response<Bytes> {
    match error {
        MembersError::PeerUrlExists => message(StatusCode::CONFLICT, "membership: peerURL exists"),
        MembersError::NotFound => message(StatusCode::NOT_FOUND, &format!("No such member: {id}")),
        MembersError::Removed => message(StatusCode::GONE, &format!("Member permanently removed: {id}")),
        MembersError::Internal => internal_error(),
    }
}
