//! All keys below a prefix.

use std::task::{Context, Poll};

use etcd_proto::BoxError;
use etcd_proto::v2::keys::{KeysOperation, Watch};
use etcd_proto::v2::{
    ApiError, ErrorCode, Key, KeysEvent, KeysResponse, Node, Operation, Request, Response, WatchResponse,
};
use futures_util::{StreamExt, future::BoxFuture};
use tower_layer::Layer;
use tower_service::Service;

use super::OperationService;
use crate::{Error, ErrorKind};

/// Puts all keys below a prefix, see [`Namespace`].
#[derive(Clone, Debug)]
pub struct NamespaceLayer {
    prefix: Key,
}

impl NamespaceLayer {
    /// The root of the wrapped client will be `prefix`.
    #[must_use]
    pub fn new(prefix: Key) -> Self {
        Self { prefix }
    }
}

impl<S> Layer<S> for NamespaceLayer {
    type Service = Namespace<S>;

    fn layer(&self, inner: S) -> Namespace<S> {
        Namespace { inner, prefix: self.prefix.clone() }
    }
}

/// Puts all keys below a prefix: it is put on the keys of calls, and taken off the keys in answers, events and
/// causes of errors.
///
/// Its root is a directory and stays one: writing a value to it, or deleting it as a key, is
/// [`ErrorKind::RootReadOnly`] and is not sent. It can be made and deleted as a directory.
///
/// Other calls (members, statistics, auth) pass unchanged; permissions name keys of the store. An event on a
/// directory above the prefix (its deletion takes the namespace along) names the root here. An event on a key
/// beside the prefix, which servers from 2.3 to 3.5 send by mistake out of their history, names the hidden key
/// `/_outside-the-namespace`: it must not be swallowed, since a watch goes on behind its index.
///
/// # Examples
/// ```
/// # async fn example(client: etcd_client::v2::Client) -> Result<(), etcd_client::Error> {
/// let tenant = client.namespace("/tenants/7")?;
/// // Written to `/tenants/7/db`; the answer says `/db`.
/// let written = tenant.set("/db", "10.0.0.7").await?;
/// assert_eq!(written.node.key.as_str(), "/db");
/// // Namespaces can be nested.
/// let cache = tenant.namespace("/cache")?;
/// # Ok(())
/// # }
/// ```
/// It keeps honest callers apart. To wall others off takes etcd's auth: the members, users and roles of the
/// whole cluster are within reach of this client too.
#[derive(Clone, Debug)]
pub struct Namespace<S> {
    inner: S,
    prefix: Key,
}

impl<S: OperationService> Service<Request> for Namespace<S> {
    type Response = Response;
    type Error = BoxError;
    type Future = BoxFuture<'static, Result<Response, BoxError>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.inner.poll_ready(cx).map_err(Into::into)
    }

    fn call(&mut self, mut request: Request) -> Self::Future {
        let prefix = self.prefix.clone();
        if let Err(error) = put_on(&prefix, &mut request.operation) {
            return Box::pin(std::future::ready(Err(error.into())));
        }
        let response = self.inner.call(request);
        Box::pin(async move {
            match response.await {
                Ok(response) => Ok(take_off(&prefix, response)),
                Err(error) => Err(take_off_error(&prefix, error.into())),
            }
        })
    }
}

/// Puts the prefix on the key of a call.
fn put_on(prefix: &Key, operation: &mut Operation) -> Result<(), Error> {
    if !prefix.is_root() && writes_root(operation) {
        return Err(Error::new(ErrorKind::RootReadOnly).with_call(operation.name(), operation.key()));
    }
    let name = operation.name();
    let key = match operation {
        Operation::Keys(call) => KeysOperation::key_mut(call),
        Operation::Watch(Watch { key, .. }) => key,
        Operation::Members(_) | Operation::Stats(_) | Operation::Auth(_) | Operation::Cluster(_) => {
            return Ok(());
        }
    };
    if key.is_root() {
        *key = prefix.clone();
        return Ok(());
    }
    match prefix.join(&*key) {
        Ok(joined) => *key = joined,
        // Its words would name the key with the prefix.
        Err(_) => {
            let error = Error::new(ErrorKind::InvalidKey).with_call(name, Some(key));
            return Err(error.with_source("the key is too long below the prefix of its namespace"));
        }
    }
    Ok(())
}

/// Whether a call would make the root a file, or take it for one.
fn writes_root(operation: &Operation) -> bool {
    let Operation::Keys(call) = operation else { return false };
    match call {
        KeysOperation::Set(_)
        | KeysOperation::Create(_)
        | KeysOperation::Update(_)
        | KeysOperation::CompareAndSwap(_)
        | KeysOperation::CompareAndDelete(_)
        | KeysOperation::Delete(_) => call.key().is_root(),
        KeysOperation::Get(_)
        | KeysOperation::Refresh(_)
        | KeysOperation::SetDir(_)
        | KeysOperation::CreateDir(_)
        | KeysOperation::UpdateDir(_)
        | KeysOperation::CreateInOrder(_)
        | KeysOperation::CreateDirInOrder(_)
        | KeysOperation::DeleteDir(_) => false,
    }
}

/// Takes the prefix off the keys of an answer.
fn take_off(prefix: &Key, response: Response) -> Response {
    match response {
        Response::Keys(mut response) => {
            let KeysResponse { node, prev_node, .. } = &mut response;
            strip_nodes(prefix, node, prev_node.as_mut());
            Response::Keys(response)
        }
        Response::Watch(WatchResponse { header, events, .. }) => {
            let prefix = prefix.clone();
            Response::Watch(WatchResponse::new(header, events.map(move |event| strip_event(&prefix, event))))
        }
        other @ (Response::Members(_)
        | Response::Member(_)
        | Response::StoreStats(_)
        | Response::MemberStats(_)
        | Response::LeaderStats(_)
        | Response::AuthStatus(_)
        | Response::Users(_)
        | Response::User(_)
        | Response::UserChange(_)
        | Response::Roles(_)
        | Response::Role(_)
        | Response::Machines(_)
        | Response::Version(_)
        | Response::Health(_)
        | Response::Done(())) => other,
    }
}

fn strip_event(prefix: &Key, event: Result<KeysEvent, BoxError>) -> Result<KeysEvent, BoxError> {
    match event {
        Ok(mut event) => {
            strip_nodes(prefix, &mut event.node, event.prev_node.as_mut());
            Ok(event)
        }
        Err(error) => Err(take_off_error(prefix, error)),
    }
}

fn strip_nodes(prefix: &Key, node: &mut Node, prev_node: Option<&mut Node>) {
    strip_node(prefix, node);
    if let Some(node) = prev_node {
        strip_node(prefix, node);
    }
}

fn strip_node(prefix: &Key, node: &mut Node) {
    node.key = strip_key(prefix, &node.key);
    for child in &mut node.nodes {
        strip_node(prefix, child);
    }
}

fn strip_key(prefix: &Key, key: &Key) -> Key {
    match key.relative_to(prefix) {
        Some("") => Key::root(),
        // A part of a key that the server sent; where it is none that we would send, it stays outside.
        Some(rest) => Key::new(rest).unwrap_or_else(|_| outside()),
        None if prefix.is_at_or_below(key) => Key::root(),
        None => outside(),
    }
}

fn outside() -> Key {
    // A hidden key: every watch from above leaves it out.
    Key::new("/_outside-the-namespace").unwrap_or_else(|_| Key::root())
}

/// Takes the prefix off the key and cause of an error.
fn take_off_error(prefix: &Key, error: BoxError) -> BoxError {
    let error = Error::from_box(error);
    error.map_keys(|key| strip_key(prefix, key), |api| strip_cause(prefix, api)).into()
}

/// Takes the prefix off a cause that is a key, or has one in it.
fn strip_cause(prefix: &Key, api: &mut ApiError) {
    let Some(cause) = &mut api.cause else { return };
    match api.code {
        Some(
            ErrorCode::KeyNotFound
            | ErrorCode::NotAFile
            | ErrorCode::NotADirectory
            | ErrorCode::KeyExists
            | ErrorCode::RootReadOnly
            | ErrorCode::DirectoryNotEmpty,
        ) => {
            if let Ok(key) = Key::new(&*cause) {
                *cause = strip_key(prefix, &key).as_str().into();
            }
        }
        // etcd 3.5: `nodePath /1/app/d : Not a file ()`, with the store's own `/1` before the key.
        Some(ErrorCode::RaftInternal) => {
            let Some((key, rest)) = cause.strip_prefix(NODE_PATH).and_then(|key| key.split_once(" : "))
            else {
                return;
            };
            if let Ok(key) = Key::new(key) {
                *cause = format!("{NODE_PATH}{} : {rest}", strip_key(prefix, &key));
            }
        }
        _ => {}
    }
}

const NODE_PATH: &str = "nodePath /1";
