//! A call on its way through the layers.

use http::Extensions;

use super::Operation;
use crate::Idempotence;

/// A call on its way through the layers, with what its caller has said about it.
///
/// Layers at the operation seam see and rewrite it. What they do not know, they pass on: the limits of a call
/// travel in `extensions`.
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
