//! What the failure of a connection service proves.
//!
//! The one place that looks at errors of hyper-util. It asks for what the pool itself knows, never for a
//! text: its error is marked where a connection could not be made, name lookup and the connect limit
//! included. All else is taken as sent, though some of it was not: the pool's own error does not say which.

use std::error::Error as StdError;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use etcd_proto::{BoxError, Outcome};
use http::{Request, Response};
use pin_project_lite::pin_project;
use tower_layer::Layer;
use tower_service::Service;

use crate::attempt_state::AttemptState;
use crate::strays::Strays;
use crate::{Error, ErrorKind, Phase, ReqBody};

/// Says that no connection was made, so that nothing can have been sent.
///
/// For connection services other than hyper-util's: an error with this among its sources lets the transport
/// go on to the next endpoint, writes included. Wrong use makes a write happen twice.
///
/// Right: the name is not known, the connection is refused, the TLS handshake fails. Wrong: a connection that
/// was there is reset, or closed while it lay in a pool and then used.
///
/// ```
/// let error = std::io::Error::other("no such host");
/// let error = etcd_transport::ConnectError::new(error);
/// assert_eq!(error.to_string(), "no connection was made");
/// ```
#[derive(Debug)]
pub struct ConnectError {
    source: BoxError,
}

impl ConnectError {
    /// Wraps the reason.
    pub fn new(source: impl Into<BoxError>) -> Self {
        Self { source: source.into() }
    }
}

impl fmt::Display for ConnectError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("no connection was made")
    }
}

impl StdError for ConnectError {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        Some(&*self.source)
    }
}

/// Turns the failures of a connection service into errors of this crate, where they arise.
///
/// ```
/// use etcd_transport::{ClassifyLayer, ConnectError, Endpoints, ReqBody, RespBody, RetryLayer, RouteLayer};
/// use tower::ServiceBuilder;
///
/// # let connection = tower::service_fn(async |_: http::Request<ReqBody>| {
/// #     Ok::<_, ConnectError>(http::Response::new(RespBody::from("{}")))
/// # });
/// let service = ServiceBuilder::new()
///     .layer(RetryLayer::new())
///     .layer(RouteLayer::new(Endpoints::parse("a, b")?))
///     .layer(ClassifyLayer::new()) // the last: nothing but the connection may be below
///     .service(connection);
/// # drop(service);
/// # Ok::<(), etcd_transport::Error>(())
/// ```
///
/// Belongs right above the connection service. A failure to connect is told by hyper-util's own mark or by a
/// [`ConnectError`] among the sources; everything else may have reached the server.
#[derive(Clone, Debug, Default)]
pub struct ClassifyLayer {
    strays: Strays,
}

impl ClassifyLayer {
    /// There is nothing to set.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Counts there the copies that have lost their attempt.
    pub(crate) fn counting(strays: &Strays) -> Self {
        Self { strays: strays.clone() }
    }
}

impl<S> Layer<S> for ClassifyLayer {
    type Service = Classify<S>;

    fn layer(&self, inner: S) -> Classify<S> {
        Classify { inner, strays: self.strays.clone() }
    }
}

/// The service of [`ClassifyLayer`].
#[derive(Clone, Debug)]
pub struct Classify<S> {
    inner: S,
    strays: Strays,
}

impl<S, B> Service<Request<ReqBody>> for Classify<S>
where
    S: Service<Request<ReqBody>, Response = Response<B>>,
    S::Error: Into<BoxError>,
{
    type Response = Response<B>;
    type Error = Error;
    type Future = ResponseFuture<S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        self.inner.poll_ready(cx).map_err(Error::of_readiness)
    }

    fn call(&mut self, mut request: Request<ReqBody>) -> ResponseFuture<S::Future> {
        if request.extensions().get::<AttemptState>().is_none() {
            self.strays.copy_is_lost();
        }
        let attempt = AttemptState::of(request.extensions_mut());
        attempt.copy_goes_out();
        ResponseFuture { inner: self.inner.call(request), attempt }
    }
}

pin_project! {
    /// The answer of a [`Classify`].
    ///
    /// # Cancel safety
    ///
    /// As that of the connection service; the pool closes the connection.
    #[derive(Debug)]
    #[must_use = "futures do nothing unless polled"]
    pub struct ResponseFuture<F> {
        #[pin]
        inner: F,
        attempt: AttemptState,
    }
}

impl<F, B, E> Future for ResponseFuture<F>
where
    F: Future<Output = Result<Response<B>, E>>,
    E: Into<BoxError>,
{
    type Output = Result<Response<B>, Error>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let answer = ready!(this.inner.poll(cx));
        Poll::Ready(answer.map_err(|error| {
            let error = recognise(error.into()).unwrap_or_else(interrupted);
            if error.proved().is_not_applied() {
                this.attempt.copy_comes_back();
            }
            error
        }))
    }
}

/// Makes an error of ours of what is known to come from a connection; gives back what is not.
pub(crate) fn recognise(error: BoxError) -> Result<Error, BoxError> {
    let error = match Error::adopt(error) {
        Ok(own) => return Ok(own),
        Err(error) => error,
    };
    let mut known = false;
    let mut next: Option<&(dyn StdError + 'static)> = Some(&*error);
    while let Some(cause) = next {
        let hyper = cause.downcast_ref::<hyper_util::client::legacy::Error>();
        if cause.is::<ConnectError>() || hyper.is_some_and(hyper_util::client::legacy::Error::is_connect) {
            let failed = match trust(&*error) {
                Some(words) => Error::new(ErrorKind::Tls).detail(words),
                None => Error::new(ErrorKind::Connect),
            };
            return Ok(failed.caused_by(error).proves(Outcome::NotApplied, Phase::Connect));
        }
        if let Some(words) = refused(cause) {
            let failed = Error::new(ErrorKind::Tls).detail(words);
            return Ok(failed.caused_by(error).proves(Outcome::Unknown, Phase::Request));
        }
        known |= hyper.is_some();
        next = cause.source();
    }
    if known { Ok(interrupted(error)) } else { Err(error) }
}

/// What a failure to connect says of TLS, if that is its cause.
#[cfg(feature = "_tls")]
fn trust(error: &(dyn StdError + 'static)) -> Option<String> {
    let mut next = Some(error);
    while let Some(cause) = next {
        if let Some(failure) = cause.downcast_ref::<crate::tls::TlsFailure>() {
            return Some(failure.to_string());
        }
        next = cause.source();
    }
    None
}

/// What a failure of an open connection says of our certificate.
#[cfg(feature = "_tls")]
fn refused(cause: &(dyn StdError + 'static)) -> Option<&'static str> {
    crate::tls::refused_certificate(cause)
}

#[cfg(not(feature = "_tls"))]
fn trust(_: &(dyn StdError + 'static)) -> Option<String> {
    None
}

#[cfg(not(feature = "_tls"))]
fn refused(_: &(dyn StdError + 'static)) -> Option<&'static str> {
    None
}

/// The request may have arrived: all that is left when nothing proves otherwise.
fn interrupted(error: BoxError) -> Error {
    let kind = if has_a_bad_head(&*error) { ErrorKind::InvalidHead } else { ErrorKind::Interrupted };
    Error::new(kind).caused_by(error).proves(Outcome::Unknown, Phase::Request)
}

/// Whether hyper has given up an answer with a head that it cannot read, too long ones included.
fn has_a_bad_head(error: &(dyn StdError + 'static)) -> bool {
    let chain = std::iter::successors(Some(error), |error| (**error).source());
    chain.filter_map(|error| error.downcast_ref::<hyper::Error>()).any(hyper::Error::is_parse)
}

#[cfg(test)]
mod tests {
    use tower::ServiceExt;

    use super::*;
    use crate::RespBody;

    async fn classified(error: impl Into<BoxError> + Clone + Send) -> Error {
        let inner = tower::service_fn(move |_: Request<ReqBody>| {
            std::future::ready(Err::<Response<RespBody>, BoxError>(error.clone().into()))
        });
        ClassifyLayer::new().layer(inner).oneshot(Request::new(ReqBody::empty())).await.unwrap_err()
    }

    #[derive(Clone, Debug)]
    struct Wrapper(std::sync::Arc<ConnectError>);

    impl fmt::Display for Wrapper {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("wrapper")
        }
    }

    impl StdError for Wrapper {
        fn source(&self) -> Option<&(dyn StdError + 'static)> {
            Some(&*self.0)
        }
    }

    #[tokio::test]
    async fn a_connect_error_anywhere_in_the_chain_proves_that_nothing_was_sent() {
        let error = classified(Wrapper(std::sync::Arc::new(ConnectError::new("refused")))).await;
        assert!(error.is_connect());
        assert_eq!((error.outcome(), error.phase()), (Outcome::NotApplied, Phase::Connect));
        assert_eq!(error.source().unwrap().to_string(), "wrapper");
    }

    #[tokio::test]
    async fn any_other_failure_of_a_connection_may_have_reached_the_server() {
        let error = classified("connection refused, or so the text says").await;
        assert!(error.is_interrupted());
        assert_eq!((error.outcome(), error.phase()), (Outcome::Unknown, Phase::Request));
    }

    #[test]
    fn what_is_not_a_connections_is_given_back() {
        assert_eq!(recognise("overloaded".into()).unwrap_err().to_string(), "overloaded");
    }
}
