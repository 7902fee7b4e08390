//! A unary call of gRPC through the same transport: what a client of the v3 API needs of it.

use bytes::{BufMut, Bytes, BytesMut};
use etcd_proto::Idempotence;
use etcd_testkit::Etcd as _;
use etcd_testkit::real::{Server, Tls};
use etcd_tests::each_real_server;
use etcd_transport::{BodyMode, CallContext, Endpoints, ReqBody, RespBody, Transport};
use http::{Request, Response, Version};
use http_body_util::BodyExt as _;
use tower::ServiceExt as _;

use crate::trusting;

/// A field of type `bytes`, of less than 128.
fn field(number: u8, content: &str) -> Bytes {
    let mut field = BytesMut::new();
    field.put_slice(&[number << 3 | 2, u8::try_from(content.len()).unwrap()]);
    field.put_slice(content.as_bytes());
    field.freeze()
}

/// A message as gRPC frames it: not compressed, its length, itself.
fn framed(message: &[u8]) -> Bytes {
    let mut frame = BytesMut::new();
    frame.put_u8(0);
    frame.put_u32(u32::try_from(message.len()).unwrap());
    frame.put_slice(message);
    frame.freeze()
}

async fn call(transport: &Transport, method: &str, message: &[u8], body: BodyMode) -> Response<RespBody> {
    let mut context = CallContext::default();
    (context.idempotence, context.body) = (Idempotence::Idempotent, body);
    let mut request = Request::post(format!("/etcdserverpb.KV/{method}"))
        .version(Version::HTTP_2)
        .header("content-type", "application/grpc")
        .header("te", "trailers")
        .body(ReqBody::from(framed(message)))
        .unwrap();
    request.extensions_mut().insert(context);
    let response = transport.clone().oneshot(request).await.unwrap();
    assert_eq!((response.status().as_u16(), response.version()), (200, Version::HTTP_2));
    response
}

/// Writes and reads a key of the v3 API.
async fn put_and_range(transport: &Transport) {
    let put = [field(1, "key-of-v3"), field(2, "value-of-v3")].concat();
    let response = call(transport, "Put", &put, BodyMode::default()).await;
    assert_eq!(response.body().trailers().unwrap()["grpc-status"], "0");

    let response = call(transport, "Range", &field(1, "key-of-v3"), BodyMode::Stream).await;
    let body = response.into_body().collect().await.unwrap();
    assert_eq!(body.trailers().unwrap()["grpc-status"], "0");
    let message = body.to_bytes();
    assert!(message.windows(11).any(|window| window == b"value-of-v3"), "{message:?}");
}

#[tokio::test]
async fn a_unary_call_of_grpc_passes_in_plain_text_by_prior_knowledge() {
    each_real_server(Server::builder, async |server| {
        let endpoints = Endpoints::new(server.endpoints()).unwrap();
        let transport = Transport::builder(endpoints).build().unwrap();
        put_and_range(&transport).await;
        // The v2 API, in HTTP/1.1, by the same transport.
        let request = Request::get("/version").body(ReqBody::empty()).unwrap();
        assert_eq!(transport.oneshot(request).await.unwrap().version(), Version::HTTP_11);
    })
    .await;
}

#[tokio::test]
async fn a_unary_call_of_grpc_passes_over_tls() {
    each_real_server(
        |binary| Server::builder(binary).tls(Tls::new()),
        async |server| {
            let endpoints = Endpoints::new(server.endpoints()).unwrap();
            let transport = Transport::builder(endpoints).tls(trusting(server)).build().unwrap();
            put_and_range(&transport).await;
        },
    )
    .await;
}
