//! etcd's HTTP semantics as a function of store, request, member and time.
//!
//! Nothing here waits, reads a clock or knows of connections: whoever calls has the whole request, and does with the
//! [`Answer`] what it says. An answer is whole, an opened watch, or one that is due later because there is no leader.
//!
//! A request is routed by its path: first `path`, since etcd redirects what is not clean before anything looks at
//! it, then a file for each part of the API: `keys`, `members` with `peer_url`, `auth`, and `plain` for the rest.
//!
//! Errors are part of the semantics, and which one wins is the order in which etcd looks: for keys the method, the
//! parameters (`parameter`), the credentials, then the store; for members and users the credentials before the body.
//! The rest is what etcd has of Go's library, with its oddities: forms (`form`, `form_parse`), escapes (`escape`),
//! content types (`media_type`), messages about JSON (`json_syntax`).

mod answer;
mod auth;
mod escape;
mod form;
mod form_parse;
mod json_syntax;
mod keys;
mod media_type;
mod members;
mod parameter;
mod path;
mod peer_url;
mod plain;

use std::time::SystemTime;

use bytes::Bytes;
use etcd_proto::v2::Operation;
use http::{Method, Request, Response, StatusCode};

pub use self::answer::{Answer, OpenedWatch, Stalled};

pub(crate) use self::answer::TEXT;
pub(crate) use self::form_parse::waits;

use self::answer::plain_error;
use super::Store;
use super::store::Credentials;
use super::time;

impl Store {
    /// Answers a request that was sent to a member, after expiring what is due.
    ///
    /// The request is in what is left when HTTP itself is done: method, path and query, headers, the whole body.
    /// To do what it says without sending the answer, drop the answer; an opened watch must be
    /// [closed](Self::close_watch) then.
    ///
    /// A member that does not exist, has not run or was removed answers 503 to everything; its listener should
    /// be gone.
    pub fn handle(&mut self, member: usize, request: &Request<Bytes>, now: SystemTime) -> Answer {
        self.sync(now);
        let mut answer = self.route(member, request, time::nanos(now));
        if request.method() == Method::HEAD
            && let Answer::Complete(response) | Answer::NoQuorum(Stalled { response, .. }) = &mut answer
        {
            *response.body_mut() = Bytes::new();
        }
        answer
    }

    /// Answers a call of the typed API, by way of the HTTP request that it stands for.
    ///
    /// # Errors
    /// Those of [`Operation::encode`]: a call that cannot be sent.
    pub fn handle_operation(
        &mut self,
        member: usize,
        operation: &Operation,
        now: SystemTime,
    ) -> Result<Answer, etcd_proto::Error> {
        Ok(self.handle(member, &operation.encode()?, now))
    }

    fn route(&mut self, member: usize, request: &Request<Bytes>, now: i64) -> Answer {
        let raw_path = request.uri().path();
        if raw_path.len() > MAX_PATH {
            return Answer::Complete(path::too_long());
        }
        let Ok(decoded) = escape::unescape(raw_path.as_bytes(), escape::Plus::Stays) else {
            return Answer::Complete(path::bad_request());
        };
        if !self.is_running(member) {
            return Answer::Complete(plain_error(StatusCode::SERVICE_UNAVAILABLE, "no such member"));
        }
        if request.method() == Method::OPTIONS {
            return Answer::Complete(answer::response(StatusCode::OK, Bytes::new()));
        }
        if let Some(cleaned) = path::cleaned(&decoded) {
            return Answer::Complete(path::redirect(request.method(), &cleaned, request.uri().query()));
        }
        let call = Call { member, request, path: &decoded, now };
        self.dispatch(&call)
    }

    fn dispatch(&mut self, call: &Call<'_>) -> Answer {
        if let Some(key) = below(call.path, "/v2/keys") {
            return self.handle_keys(call, key);
        }
        if let Some(rest) = below(call.path, "/v2/members") {
            return self.handle_members(call, rest);
        }
        if let Some(rest) = below(call.path, "/v2/auth/users") {
            return self.handle_users(call, rest);
        }
        if let Some(rest) = below(call.path, "/v2/auth/roles") {
            return self.handle_roles(call, rest);
        }
        match call.path {
            b"/v2/auth/enable" => self.handle_auth_switch(call),
            b"/v2/machines" => Answer::Complete(self.handle_machines(call)),
            b"/v2/stats/self" => Answer::Complete(self.handle_self_stats(call)),
            b"/v2/stats/store" => Answer::Complete(self.handle_store_stats(call)),
            b"/v2/stats/leader" => Answer::Complete(self.handle_leader_stats(call)),
            b"/version" => Answer::Complete(self.handle_version(call)),
            b"/health" => self.handle_health(call),
            b"/metrics" => Answer::Complete(self.handle_metrics(call)),
            _ => Answer::Complete(plain_error(StatusCode::NOT_FOUND, "404 page not found")),
        }
    }
}

/// A request on its way through the handlers.
#[derive(Debug)]
pub(crate) struct Call<'a> {
    member: usize,
    request: &'a Request<Bytes>,
    /// Decoded and clean, possibly with a slash at the end.
    path: &'a [u8],
    /// Nanoseconds since 1970.
    now: i64,
}

impl Call<'_> {
    fn method(&self) -> &Method {
        self.request.method()
    }

    /// Whether it is `GET` or `HEAD`.
    fn reads(&self) -> bool {
        matches!(*self.method(), Method::GET | Method::HEAD)
    }

    fn credentials(&self) -> Credentials {
        let header = self.request.headers().get(http::header::AUTHORIZATION);
        Credentials::from_header(header.map(http::HeaderValue::as_bytes))
    }

    /// The refusal of all methods but these, if it is due.
    fn refused(&self, allowed: &'static str) -> Option<Response<Bytes>> {
        let refused = !allowed.split(',').any(|method| method == self.method().as_str());
        refused.then(|| answer::method_not_allowed(allowed))
    }
}

/// What follows `prefix` in a path: nothing, or something behind a slash.
fn below<'a>(path: &'a [u8], prefix: &str) -> Option<&'a [u8]> {
    let rest = path.strip_prefix(prefix.as_bytes())?;
    (rest.is_empty() || rest.starts_with(b"/")).then_some(rest)
}

/// Bytes of the longest path; see the module docs of `memory` on differences from etcd.
const MAX_PATH: usize = 16 * 1024;
