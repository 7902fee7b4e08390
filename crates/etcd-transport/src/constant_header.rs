//! Headers that are the same in every request to an endpoint.
//!
//! Set at the very bottom: headers above the retries are copied for every attempt, and a secret above a seam
//! is seen by users' layers, which may print it.

use std::task::{Context, Poll};

use http::{HeaderName, HeaderValue, Request, header};
use tower_layer::Layer;
use tower_service::Service;

use crate::{Credentials, Error, ErrorKind, ReqBody};

/// Sets the `Authorization` header of every request.
///
/// Belongs below [`RetryLayer`](crate::RetryLayer), at the endpoint: so no copy for an attempt carries the
/// secret about, layers above never see it, and it goes to the servers of the list only.
///
/// ```
/// use etcd_transport::{AuthorizationLayer, ConnectError, Credentials, Endpoints};
/// use etcd_transport::{ReqBody, RespBody, RouteLayer};
/// use tower::ServiceBuilder;
///
/// # let connection = tower::service_fn(async |_: http::Request<ReqBody>| {
/// #     Ok::<_, ConnectError>(http::Response::new(RespBody::from("{}")))
/// # });
/// let service = ServiceBuilder::new()
///     .layer(RouteLayer::new(Endpoints::parse("127.0.0.1")?))
///     .layer(AuthorizationLayer::basic(&Credentials::new("root", "secret")?)) // below the router
///     .service(connection);
/// # drop(service);
/// # Ok::<(), etcd_transport::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct AuthorizationLayer {
    value: HeaderValue,
}

impl AuthorizationLayer {
    /// Basic authentication (RFC 7617), in UTF-8.
    ///
    /// Over `http` everybody on the way can read the password; [`Builder`](crate::Builder) asks for leave
    /// first.
    #[must_use]
    pub fn basic(credentials: &Credentials) -> Self {
        Self { value: credentials.header() }
    }
}

impl<S> Layer<S> for AuthorizationLayer {
    type Service = ConstantHeader<S>;

    fn layer(&self, inner: S) -> ConstantHeader<S> {
        ConstantHeader { inner, name: header::AUTHORIZATION, value: self.value.clone() }
    }
}

/// Sets the `User-Agent` header of every request.
///
/// Belongs below [`RetryLayer`](crate::RetryLayer), since headers above are copied for each attempt.
///
/// ```
/// let layer = etcd_transport::UserAgentLayer::new("billing/1.4")?;
/// # drop(layer);
/// # Ok::<(), etcd_transport::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct UserAgentLayer {
    value: HeaderValue,
}

impl UserAgentLayer {
    /// This text.
    ///
    /// # Errors
    ///
    /// `InvalidUserAgent` for text that cannot stand in a header, such as one with a line break.
    pub fn new(text: &str) -> Result<Self, Error> {
        match HeaderValue::from_str(text) {
            Ok(value) => Ok(Self { value }),
            Err(cause) => {
                let message = format!("user agent `{}` cannot stand in a header", text.escape_debug());
                Err(Error::new(ErrorKind::InvalidUserAgent).detail(message).caused_by(cause))
            }
        }
    }
}

impl Default for UserAgentLayer {
    /// Name and version of this crate.
    fn default() -> Self {
        Self { value: HeaderValue::from_static(concat!("etcd-transport/", env!("CARGO_PKG_VERSION"))) }
    }
}

impl<S> Layer<S> for UserAgentLayer {
    type Service = ConstantHeader<S>;

    fn layer(&self, inner: S) -> ConstantHeader<S> {
        ConstantHeader { inner, name: header::USER_AGENT, value: self.value.clone() }
    }
}

/// The service of [`AuthorizationLayer`] and [`UserAgentLayer`]: one header, replaced if it was set above.
#[derive(Clone, Debug)]
pub struct ConstantHeader<S> {
    inner: S,
    name: HeaderName,
    /// Debug shows `Sensitive` for what is marked so.
    value: HeaderValue,
}

impl<S> Service<Request<ReqBody>> for ConstantHeader<S>
where
    S: Service<Request<ReqBody>>,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = S::Future;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, mut request: Request<ReqBody>) -> S::Future {
        request.headers_mut().insert(self.name.clone(), self.value.clone());
        self.inner.call(request)
    }
}

#[cfg(test)]
mod tests {
    use tower::ServiceExt;
    use tower_test::mock;

    use super::*;
    use crate::RespBody;

    /// What a request looks like below the layer.
    async fn below<L>(layer: L, request: Request<ReqBody>) -> Request<ReqBody>
    where
        L: Layer<mock::Mock<Request<ReqBody>, RespBody>>,
        L::Service: Service<Request<ReqBody>> + Send + 'static,
        <L::Service as Service<Request<ReqBody>>>::Future: Send,
        <L::Service as Service<Request<ReqBody>>>::Response: Send,
        <L::Service as Service<Request<ReqBody>>>::Error: Send,
    {
        let (inner, mut handle) = mock::pair();
        let call = tokio::spawn(layer.layer(inner).oneshot(request));
        let (request, answer) = handle.next_request().await.unwrap();
        answer.send_response(RespBody::default());
        assert!(call.await.unwrap().is_ok());
        request
    }

    #[tokio::test]
    async fn the_authorization_is_set_and_stays_sensitive() {
        let layer = AuthorizationLayer::basic(&Credentials::new("root", "canary").unwrap());
        assert!(!format!("{layer:?}").contains("cm9vdDpjYW5hcnk"));
        let request = below(layer, Request::new(ReqBody::empty())).await;
        assert_eq!(request.headers()[header::AUTHORIZATION], "Basic cm9vdDpjYW5hcnk=");
        assert!(!format!("{request:?}").contains("cm9vdDpjYW5hcnk"));
    }

    #[tokio::test]
    async fn a_value_from_above_is_replaced() {
        let request = Request::builder().header("user-agent", "other").body(ReqBody::empty()).unwrap();
        let request = below(UserAgentLayer::new("mine").unwrap(), request).await;
        assert_eq!(request.headers().get_all(header::USER_AGENT).iter().count(), 1);
        assert_eq!(request.headers()[header::USER_AGENT], "mine");
    }

    #[test]
    fn a_user_agent_with_a_line_break_is_an_error() {
        let error = UserAgentLayer::new("a\r\nX: b").unwrap_err();
        assert!(error.is_invalid_user_agent());
        assert_eq!(error.to_string(), r"user agent `a\r\nX: b` cannot stand in a header");
    }
}
