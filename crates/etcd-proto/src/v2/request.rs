//! A call on its way through the layers.

use http::Extensions;

use super::Operation;
use crate::Idempotence;

/// A call on its way through the layers, with what its caller has said about it.
///
/// Layers at the operation seam see and rewrite it. What they do not know, they pass on: the limits of a call
/// travel in `extensions`.
///
/// # Examples
/// What a layer does that gives every plain set an end, before it calls what is inside:
/// ```
/// use etcd_proto::v2::keys::{KeysOperation, Set};
/// use etcd_proto::v2::{Key, Operation, Request, Ttl};
///
/// fn mortal(request: &mut Request, ttl: Ttl) {
///     // Changed in place: a new request would lose what else the caller has said.
///     if let Operation::Keys(KeysOperation::Set(set)) = &mut request.operation {
///         set.ttl.get_or_insert(ttl);
///     }
/// }
///
/// let mut request = Request::from(Set::new(Key::new("/session")?, "open"));
/// mortal(&mut request, Ttl::from_secs(60)?);
/// assert_eq!(request.operation.encode()?.body(), "value=open&ttl=60");
/// # Ok::<(), etcd_proto::Error>(())
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Request {
    /// The call.
    pub operation: Operation,
    /// The caller's word that a repeat does no harm. Heard only for calls that
    /// [`may_be_idempotent`](Operation::may_be_idempotent).
    pub idempotent: bool,
    /// What the sender has attached for layers further down.
    pub extensions: Extensions,
}

impl Request {
    /// A request for `operation`, with nothing said about it.
    pub fn new(operation: impl Into<Operation>) -> Self {
        Self { operation: operation.into(), idempotent: false, extensions: Extensions::new() }
    }

    /// Whether the request may be sent twice, the caller's word included.
    ///
    /// ```
    /// use etcd_proto::Idempotence;
    /// use etcd_proto::v2::keys::{CreateInOrder, Set};
    /// use etcd_proto::v2::{Key, Request};
    ///
    /// let mut set = Request::from(Set::new(Key::new("/a")?, "1"));
    /// assert_eq!(set.idempotence(), Idempotence::Once);
    /// set.idempotent = true;
    /// assert_eq!(set.idempotence(), Idempotence::Idempotent);
    ///
    /// let mut push = Request::from(CreateInOrder::new(Key::new("/queue")?, "job"));
    /// push.idempotent = true;
    /// assert_eq!(push.idempotence(), Idempotence::Once, "a second copy makes a second entry");
    /// # Ok::<(), etcd_proto::Error>(())
    /// ```
    #[must_use]
    pub fn idempotence(&self) -> Idempotence {
        match self.operation.idempotence() {
            Idempotence::Once if self.idempotent && self.operation.may_be_idempotent() => {
                Idempotence::Idempotent
            }
            // A refresh by index is guarded already, which says more.
            class => class,
        }
    }
}

impl<C: super::Call> From<C> for Request {
    fn from(call: C) -> Self {
        Self::new(call)
    }
}
