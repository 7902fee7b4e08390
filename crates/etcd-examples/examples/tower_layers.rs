//! One layer at each of the four seams, printing what it sees of one write.
//!
//! Runs against the endpoints in the environment, else an etcd in memory behind a member that refuses connections, so
//! that the call takes two attempts: the operation and the call layer see it once, the attempt layer twice, and each
//! member has an endpoint layer of its own.

use std::error::Error;
use std::time::Duration;

use etcd_client::v2::{DynOperationService, Request};
use etcd_transport::{CallContext, ReqBody};
use tower::layer::layer_fn;
use tower::util::{MapRequest, MapRequestLayer};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let etcd = etcd_examples::cluster().await?;
    let operation = |request: Request| {
        let operation = &request.operation;
        println!("operation  {} {:?}", operation.name(), operation.key().map(ToString::to_string));
        request
    };
    let client = etcd
        .builder_behind_a_refusal()?
        // Typed requests: where a namespace, a cache or a double belongs.
        .operation_layer(layer_fn(move |inner: DynOperationService| MapRequest::new(inner, operation)))
        // A call with all its attempts: where a limit of calls belongs. The URI is a path only.
        .call_layer(MapRequestLayer::new(|request| show("call", request)))
        // Each attempt, before a member is chosen: what is counted here counts what is really sent.
        .attempt_layer(MapRequestLayer::new(|request| show("attempt", request)))
        // What one member gets, with an instance of the layer for each: where a concurrency limit belongs.
        .endpoint_layer(MapRequestLayer::new(|request| show("endpoint", request)))
        .build()?;

    let set =
        client.set(etcd_examples::fresh_key("greeting"), "Hello World").ttl(Duration::from_secs(60)).await?;
    println!("\nset after {} attempts: {}", set.attempts, set.node.text());
    Ok(())
}

/// Neither the value, which is in the body, nor the password, which is set below all seams, can be seen by accident.
fn show(seam: &str, request: http::Request<ReqBody>) -> http::Request<ReqBody> {
    let class = request.extensions().get::<CallContext>().map(|context| context.idempotence);
    println!("{seam:<10} {} {} {class:?}", request.method(), request.uri());
    request
}
