//! All that passes a seam of HTTP.

use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use http::Request;
use tower_layer::Layer;
use tower_service::Service;

/// A layer that notes method and URI of each request that passes it; a clone notes into the same list.
#[derive(Clone, Debug, Default)]
pub struct Tally(Arc<Mutex<Vec<String>>>);

impl Tally {
    /// What has passed so far, such as `GET /version`.
    pub fn noted(&self) -> Vec<String> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// How much has passed so far.
    pub fn count(&self) -> usize {
        self.noted().len()
    }
}

impl<S> Layer<S> for Tally {
    type Service = Tallied<S>;

    fn layer(&self, inner: S) -> Tallied<S> {
        Tallied { inner, tally: self.clone() }
    }
}

/// The service of [`Tally`].
#[derive(Clone, Debug)]
pub struct Tallied<S> {
    inner: S,
    tally: Tally,
}

impl<S, B> Service<Request<B>> for Tallied<S>
where
    S: Service<Request<B>>,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = S::Future;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<B>) -> S::Future {
        let line = format!("{} {}", request.method(), request.uri());
        self.tally.0.lock().unwrap_or_else(PoisonError::into_inner).push(line);
        self.inner.call(request)
    }
}
