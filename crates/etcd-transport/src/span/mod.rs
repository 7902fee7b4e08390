//! What is told to tracing.
//!
//! | what | level | when |
//! | --- | --- | --- |
//! | span `etcd.request` | debug | each call |
//! | span `etcd.attempt` | debug | each attempt, inside its call |
//! | event | warn | later calls begin at another endpoint |
//! | events with target `etcd_transport::body` | trace | each attempt, if asked for |
//!
//! Names follow OpenTelemetry where it has them. All fields are declared when a span opens and recorded when
//! it ends; one without a value is not shown. What a caller gets as an error is not logged as one.
//!
//! Spans carry what their fields say and nothing else: never a URI (it has the key in it), a value, a header
//! or a body.

mod attempt;
mod request;

pub use self::attempt::{AttemptSpan, AttemptSpanLayer, ResponseFuture as AttemptSpanFuture};
pub use self::request::{RequestSpan, RequestSpanLayer, ResponseFuture as RequestSpanFuture};

use http::Response;
use tokio::time::Instant;
use tracing::Span;

use crate::{Error, proof};

/// Writes down how it ended. With nobody listening it costs a comparison.
fn record<B>(span: &Span, since: Instant, answer: &Result<Response<B>, Error>) {
    if span.is_disabled() {
        return;
    }
    span.record("elapsed_ms", u64::try_from(since.elapsed().as_millis()).unwrap_or(u64::MAX));
    match answer {
        Ok(response) => {
            span.record("http.response.status_code", response.status().as_u16());
            let index = proof::etcd_index(response.headers());
            if !index.is_none() {
                span.record("etcd.index", index.get());
            }
        }
        Err(error) => {
            span.record("error.kind", error.kind().name());
            span.record("etcd.outcome", tracing::field::display(error.outcome()));
        }
    }
}

#[cfg(test)]
#[path = "test.rs"]
mod tests;
