//! `/v2/keys`.

use bytes::Bytes;
use etcd_proto::v2::ErrorCode;
use http::header::CONTENT_TYPE;
use http::{Method, Response, StatusCode};

use super::Call;
use super::answer::{self, Answer, JSON, OpenedWatch, REQUEST_TIMEOUT, Stalled, set, typed};
use super::parameter::Parameters;
use crate::memory::store::{
    Command, Comparison, Event, KeysError, WatchMode, WatchRequest, Write, expiration,
};
use crate::memory::{Store, json};

impl Store {
    /// Any request on keys. `raw_key` is the decoded path behind `/v2/keys`, a slash at its end included.
    pub(crate) fn handle_keys(&mut self, call: &Call<'_>, raw_key: &[u8]) -> Answer {
        if let Some(refused) = call.refused("HEAD,GET,PUT,POST,DELETE") {
            return Answer::Complete(refused);
        }
        let parameters = match Parameters::parse(call.request) {
            Ok(parameters) => parameters,
            Err(error) => return Answer::Complete(self.keys_error(&error)),
        };
        let (credentials, write) = (call.credentials(), !call.reads());
        if !self.has_key_access(call.member, &credentials, raw_key, write, parameters.recursive) {
            let error = KeysError::of_request(ErrorCode::Unauthorized, "Insufficient credentials");
            return Answer::Complete(self.keys_error(&error));
        }
        let key = canonical(raw_key);
        match command(call, key.clone(), &parameters) {
            Some(command) => self.run_command(call, command, &parameters),
            None if parameters.wait => self.watch(call, key, &parameters),
            None => Answer::Complete(self.local_get(call, &key, &parameters)),
        }
    }

    /// Puts a command into the log and answers with its event, or has the client wait where there is no majority.
    ///
    /// A refusal counts as an entry of the log as well: it is decided when the entry is applied.
    fn run_command(&mut self, call: &Call<'_>, command: Command, parameters: &Parameters) -> Answer {
        if !self.can_commit(call.member) {
            let error = KeysError::of_request(ErrorCode::RaftInternal, "etcdserver: request timed out");
            return Answer::NoQuorum(Stalled { after: REQUEST_TIMEOUT, response: self.keys_error(&error) });
        }
        let read = match &command {
            Command::QuorumGet { key } => Some(key.clone()),
            _ => None,
        };
        let outcome = self.apply(command, call.now);
        let answer = match (outcome, read) {
            (Err(error), _) => Err(error),
            (Ok(Some(event)), _) => Ok(self.event_answer(&event, parameters)),
            (Ok(None), Some(key)) => self.quorum_get(call, &key, parameters),
            (Ok(None), None) => Err(KeysError::of_request(ErrorCode::RaftInternal, "no event")),
        };
        Answer::Complete(answer.unwrap_or_else(|error| self.keys_error(&error)))
    }

    /// The answer to a write: 201 where the key is new, and the index of the write itself.
    fn event_answer(&self, event: &Event, parameters: &Parameters) -> Response<Bytes> {
        let status = if event.is_creation() { StatusCode::CREATED } else { StatusCode::OK };
        // Deletions show their nodes all the same.
        let body = if parameters.no_value_on_success && !event.action.is_removal() {
            event.action_line()
        } else {
            event.line(self.profile())
        };
        self.success(status, body, event.index(), self.agreed_keys().raft_index)
    }

    /// The answer to a read by consensus: from what the cluster has agreed on, however far the member lags.
    fn quorum_get(
        &self,
        call: &Call<'_>,
        key: &Bytes,
        parameters: &Parameters,
    ) -> Result<Response<Bytes>, KeysError> {
        let keys = self.agreed_keys();
        let body = keys.get(key, parameters.recursive, call.now, self.profile())?;
        Ok(self.success(StatusCode::OK, body, keys.index, keys.raft_index))
    }

    /// The answer to a plain read: from what the member has, which may be old.
    fn local_get(&mut self, call: &Call<'_>, key: &Bytes, parameters: &Parameters) -> Response<Bytes> {
        let keys = self.keys_of(call.member);
        let (index, raft_index) = (keys.index, keys.raft_index);
        let body = keys.get(key, parameters.recursive, call.now, self.profile());
        self.count_get(call.member, body.is_ok());
        match body {
            Ok(body) => self.success(StatusCode::OK, body, index, raft_index),
            Err(error) => self.keys_error(&error),
        }
    }

    /// Opens a watch. Its head shows the index at the opening, and goes out before any event.
    fn watch(&mut self, call: &Call<'_>, key: Bytes, parameters: &Parameters) -> Answer {
        let mode = if parameters.stream { WatchMode::Stream } else { WatchMode::Poll };
        let keys = self.keys_of(call.member);
        let (index, raft_index) = (keys.index, keys.raft_index);
        let request =
            WatchRequest { key, recursive: parameters.recursive, mode, since: parameters.wait_index };
        match self.open_watch(call.member, request) {
            Ok(watcher) => {
                let head = self.success(StatusCode::OK, Bytes::new(), index, raft_index).map(|_| ());
                Answer::Watch(OpenedWatch { head, watcher, mode })
            }
            Err(error) => Answer::Complete(self.keys_error(&error)),
        }
    }

    /// A response with all four headers of etcd.
    fn success(&self, status: StatusCode, body: Bytes, index: u64, raft_index: u64) -> Response<Bytes> {
        let mut response = typed(status, JSON, body);
        set(&mut response, "x-etcd-cluster-id", format!("{:x}", self.cluster_id()));
        set(&mut response, "x-etcd-index", index);
        set(&mut response, "x-raft-index", raft_index);
        set(&mut response, "x-raft-term", self.term());
        response
    }

    /// 500 with error 300 and a cause, as where consensus fails.
    pub(crate) fn raft_error(&self, cause: &str) -> Response<Bytes> {
        self.keys_error(&KeysError::of_request(ErrorCode::RaftInternal, cause.to_owned()))
    }

    /// A refusal: with the cluster's id and an index, without the two headers of the log.
    ///
    /// The index is 0 where the store was not asked: wrong parameters, missing rights, no majority.
    fn keys_error(&self, error: &KeysError) -> Response<Bytes> {
        let mut body = Vec::with_capacity(128);
        body.push(b'{');
        json::write_name(&mut body, "errorCode");
        json::write_number(&mut body, error.code.get());
        json::write_name(&mut body, "message");
        json::write_string(&mut body, error.code.message().unwrap_or_default().as_bytes(), self.profile());
        if !error.cause.is_empty() {
            json::write_name(&mut body, "cause");
            json::write_string(&mut body, &error.cause, self.profile());
        }
        json::write_name(&mut body, "index");
        json::write_number(&mut body, error.index);
        body.extend_from_slice(b"}\n");
        let mut response = answer::response(status(error.code), Bytes::from(body));
        response.headers_mut().insert(CONTENT_TYPE, JSON);
        set(&mut response, "x-etcd-cluster-id", format!("{:x}", self.cluster_id()));
        set(&mut response, "x-etcd-index", error.index);
        response
    }
}

/// What the request puts into the log; `None` for what is read from the member's own store.
fn command(call: &Call<'_>, key: Bytes, parameters: &Parameters) -> Option<Command> {
    let comparison = || Comparison { value: parameters.prev_value.clone(), index: parameters.prev_index };
    let write = |key| Write {
        key,
        value: parameters.value.clone(),
        dir: parameters.dir,
        expires: parameters.ttl.and_then(|ttl| expiration(call.now, ttl)),
        refresh: parameters.refresh,
    };
    match *call.method() {
        // Quorum wins over wait, and HEAD knows no quorum.
        Method::GET if parameters.quorum => Some(Command::QuorumGet { key }),
        Method::POST => Some(Command::CreateInOrder(write(key))),
        Method::PUT => Some(match (parameters.prev_exist, parameters.compares()) {
            (Some(false), _) => Command::Create(write(key)),
            (_, true) => Command::CompareAndSwap(write(key), comparison()),
            (Some(true), false) => Command::Update(write(key)),
            (None, false) => Command::Set(write(key)),
        }),
        Method::DELETE if parameters.compares() => Some(Command::CompareAndDelete(key, comparison())),
        Method::DELETE => {
            let (dir, recursive) = (parameters.dir, parameters.recursive);
            Some(Command::Delete { key, dir, recursive })
        }
        _ => None,
    }
}

/// The key in its one spelling: `/` or without a slash at the end. The path is clean already.
fn canonical(raw_key: &[u8]) -> Bytes {
    match raw_key.strip_suffix(b"/").unwrap_or(raw_key) {
        b"" => Bytes::from_static(b"/"),
        key => Bytes::copy_from_slice(key),
    }
}

/// The HTTP status of an error code.
fn status(code: ErrorCode) -> StatusCode {
    match code {
        ErrorCode::KeyNotFound => StatusCode::NOT_FOUND,
        ErrorCode::CompareFailed | ErrorCode::KeyExists => StatusCode::PRECONDITION_FAILED,
        ErrorCode::NotAFile | ErrorCode::DirectoryNotEmpty => StatusCode::FORBIDDEN,
        ErrorCode::Unauthorized => StatusCode::UNAUTHORIZED,
        ErrorCode::RaftInternal | ErrorCode::LeaderElection => StatusCode::INTERNAL_SERVER_ERROR,
        _ => StatusCode::BAD_REQUEST,
    }
}
