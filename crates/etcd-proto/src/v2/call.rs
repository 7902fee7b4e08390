//! What ties a call to its answer.

use super::{Operation, Response};
use crate::Error;

/// A call of the v2 API: becomes an [`Operation`], and knows which sort of [`Response`] answers it.
///
/// Implemented by every call of this crate; a facade sends any of them by one function.
///
/// # Examples
/// That one function, over anything that carries a request to a server and back:
/// ```
/// use bytes::Bytes;
/// use etcd_proto::Error;
/// use etcd_proto::v2::{Call, Operation};
/// use http::{HeaderMap, Request, StatusCode};
///
/// fn send<C: Call>(
///     call: C,
///     carry: impl FnOnce(Request<Bytes>) -> (StatusCode, HeaderMap, Bytes),
/// ) -> Result<C::Response, Error> {
///     let operation: Operation = call.into();
///     let (status, headers, body) = carry(operation.encode()?);
///     C::response(operation.decode(status, &headers, &body)?)
/// }
/// ```
pub trait Call: Clone + std::fmt::Debug + Into<Operation> + Send + Sync + 'static {
    /// Name of the call for spans and messages, such as `set` or `compare and swap`.
    const NAME: &'static str;

    /// What the call is answered by.
    type Response: Send + 'static;

    /// Takes the typed answer out of a response.
    ///
    /// # Errors
    /// [`ErrorKind::UnexpectedResponse`](crate::ErrorKind::UnexpectedResponse) if a layer has mixed up answers.
    fn response(response: Response) -> Result<Self::Response, Error>;
}

/// Ties each call to a variant of its family's operation, and to a variant of [`Response`].
macro_rules! calls {
    ($family:ident($operation:ident): $($call:ident, $name:literal -> $variant:ident($answer:ty)),* $(,)?) => {
        $(
            impl From<$call> for $crate::v2::Operation {
                fn from(call: $call) -> Self {
                    Self::$family($operation::$call(call))
                }
            }

            impl $crate::v2::Call for $call {
                const NAME: &'static str = $name;

                type Response = $answer;

                fn response(response: $crate::v2::Response) -> Result<$answer, $crate::Error> {
                    match response {
                        $crate::v2::Response::$variant(answer) => Ok(answer),
                        other => Err($crate::Error::unexpected_response($name, other.name())),
                    }
                }
            }
        )*

        impl $operation {
            pub(super) fn name(&self) -> &'static str {
                match self {
                    $(Self::$call(_) => $name,)*
                }
            }
        }
    };
}
pub(super) use calls;
