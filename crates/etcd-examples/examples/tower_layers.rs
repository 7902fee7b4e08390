//! One layer at each of the four seams, printing what it sees of one write.
//!
//! The first member refuses connections, so that the call takes two attempts: the operation and the call layer see
//! it once, the attempt layer twice, and each member has an endpoint layer of its own. Runs against an etcd in
//! memory that ends with it.

use std::error::Error;
use std::net::TcpListener;

use etcd_client::v2::{Client, DynOperationService, Request};
use etcd_testkit::Etcd as _;
use etcd_testkit::memory::{MemoryEtcd, Profile};
use etcd_transport::{CallContext, ReqBody};
use tower::layer::layer_fn;
use tower::util::{MapRequest, MapRequestLayer};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let memory = MemoryEtcd::builder().profile(Profile::V3_5).start().await?;
    let refusing = refusing_endpoint()?;
    println!("{refusing} refuses connections, {} serves\n", memory.endpoints().join(" and "));

    let operation = |request: Request| {
        let operation = &request.operation;
        println!("operation  {} {:?}", operation.name(), operation.key().map(ToString::to_string));
        request
    };
    let client = Client::builder()
        .endpoints([refusing])
        .endpoints(memory.endpoints())
        // Typed requests: where a namespace, a cache or a double belongs.
        .operation_layer(layer_fn(move |inner: DynOperationService| MapRequest::new(inner, operation)))
        // A call with all its attempts: where a limit of calls belongs. The URI is a path only.
        .call_layer(MapRequestLayer::new(|request| show("call", request)))
        // Each attempt, before a member is chosen: what is counted here counts what is really sent.
        .attempt_layer(MapRequestLayer::new(|request| show("attempt", request)))
        // What one member gets, with an instance of the layer for each: where a concurrency limit belongs.
        .endpoint_layer(MapRequestLayer::new(|request| show("endpoint", request)))
        .build()?;

    let set = client.set("/greeting", "Hello World").await?;
    println!("\nset after {} attempts: {}", set.attempts, set.node.text());
    Ok(())
}

/// Neither the value, which is in the body, nor the password, which is set below all seams, can be seen by accident.
fn show(seam: &str, request: http::Request<ReqBody>) -> http::Request<ReqBody> {
    let class = request.extensions().get::<CallContext>().map(|context| context.idempotence);
    println!("{seam:<10} {} {} {class:?}", request.method(), request.uri());
    request
}

/// A port that was free a moment ago, where nobody listens.
fn refusing_endpoint() -> std::io::Result<String> {
    Ok(format!("http://{}", TcpListener::bind("127.0.0.1:0")?.local_addr()?))
}
