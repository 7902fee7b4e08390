use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use etcd_proto::Outcome;
use etcd_proto::v2::ErrorCode;
use futures_util::StreamExt;
use http_body::Frame;
use http_body_util::StreamBody;
use tower::ServiceExt;

use super::*;

/// A body that comes in these pieces, the last of which may be a failure.
fn pieces(pieces: Vec<Result<&'static str, &'static str>>) -> RespBody {
    let frames = pieces.into_iter().map(|piece| match piece {
        Ok(text) => Ok::<_, BoxError>(Frame::data(Bytes::from_static(text.as_bytes()))),
        Err(text) => Err(text.into()),
    });
    RespBody::wrap(StreamBody::new(futures_util::stream::iter(frames)))
}

/// What comes out above the layer when this answer comes from below.
async fn collect(
    mode: BodyMode,
    idempotence: Idempotence,
    head: response::Builder,
    body: RespBody,
) -> Result<Response<RespBody>, Error> {
    let (inner, mut peer) = tower_test::mock::pair();
    let mut request = Request::new(ReqBody::empty());
    request.extensions_mut().insert(CallContext { body: mode, idempotence, ..CallContext::default() });
    let call = tokio::spawn(CollectLayer::new().layer(inner).oneshot(request));
    let (_, answer) = peer.next_request().await.unwrap();
    answer.send_response(head.body(body).unwrap());
    call.await.unwrap()
}

async fn write(mode: BodyMode, head: response::Builder, body: RespBody) -> Result<Response<RespBody>, Error> {
    collect(mode, Idempotence::Once, head, body).await
}

fn success() -> response::Builder {
    Response::builder().header("X-Etcd-Index", "7")
}

const UP_TO_5: BodyMode = BodyMode::Buffered { limit: 5 };

#[tokio::test]
async fn a_body_in_pieces_becomes_one() {
    let response =
        write(UP_TO_5, success(), pieces(vec![Ok("ab"), Ok(""), Ok("cd"), Ok("e")])).await.unwrap();
    assert_eq!(response.into_body().into_bytes().unwrap(), "abcde");
}

#[tokio::test]
async fn a_body_in_one_piece_is_not_copied() {
    let bytes = Bytes::from(vec![7; 4]);
    let response = write(UP_TO_5, success(), RespBody::from(bytes.clone())).await.unwrap();
    assert_eq!(response.into_body().into_bytes().unwrap().as_ptr(), bytes.as_ptr());
}

#[tokio::test]
async fn a_body_in_small_pieces_costs_its_length_and_not_its_pieces() {
    /// A byte in a buffer of its own, which counts how many of them live.
    struct Piece(Arc<AtomicUsize>);
    impl AsRef<[u8]> for Piece {
        fn as_ref(&self) -> &[u8] {
            b"x"
        }
    }
    impl Drop for Piece {
        fn drop(&mut self) {
            self.0.fetch_sub(1, Ordering::SeqCst);
        }
    }
    let alive = Arc::new(AtomicUsize::new(0));
    let most = Arc::new(AtomicUsize::new(0));
    let (live, peak) = (Arc::clone(&alive), Arc::clone(&most));
    let frames = futures_util::stream::iter(0..10_000).map(move |_| {
        peak.fetch_max(live.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
        Ok::<_, BoxError>(Frame::data(Bytes::from_owner(Piece(Arc::clone(&live)))))
    });
    let limit = BodyMode::Buffered { limit: 10_000 };
    let response = write(limit, success(), RespBody::wrap(StreamBody::new(frames))).await.unwrap();
    let bytes = response.into_body().into_bytes().unwrap();
    assert_eq!(bytes.len(), 10_000);
    assert!(bytes.try_into_mut().unwrap().capacity() <= 10_000, "not more than the limit");
    assert!(most.load(Ordering::SeqCst) <= 2, "{most:?} pieces were kept");
}

#[tokio::test]
async fn an_index_of_zero_or_of_no_number_proves_nothing() {
    for index in ["0", "none", ""] {
        let head = Response::builder().header("X-Etcd-Index", index);
        let error = write(UP_TO_5, head, pieces(vec![Err("cut")])).await.unwrap_err();
        assert_eq!(error.outcome(), Outcome::Unknown, "{index}");
    }
}

#[tokio::test]
async fn a_body_over_the_limit_is_an_error_announced_or_not() {
    for body in [RespBody::from("123456"), pieces(vec![Ok("123"), Ok("456")])] {
        let error = write(UP_TO_5, success(), body).await.unwrap_err();
        assert!(error.is_body_too_large());
        assert_eq!(error.outcome(), Outcome::Applied);
        assert_eq!(error.to_string(), "answer of the server is larger than 5 bytes");
        assert!(!error.is_retryable());
    }
}

#[tokio::test]
async fn a_cut_body_after_a_success_with_an_index_was_applied() {
    let error = write(UP_TO_5, success(), pieces(vec![Ok("123"), Err("cut")])).await.unwrap_err();
    assert!(error.is_body_interrupted());
    assert_eq!((error.outcome(), error.phase()), (Outcome::Applied, Phase::Body));
    assert_eq!(std::error::Error::source(&error).unwrap().to_string(), "cut");
}

#[tokio::test]
async fn a_cut_body_of_anything_else_proves_what_its_status_proves() {
    for (status, wanted) in [
        (200, Outcome::Unknown),
        (500, Outcome::Unknown),
        (404, Outcome::NotApplied),
        (307, Outcome::Unknown),
    ] {
        let head = Response::builder().status(status);
        let error = write(UP_TO_5, head, pieces(vec![Err("cut")])).await.unwrap_err();
        assert_eq!(error.outcome(), wanted, "{status}");
    }
}

#[tokio::test]
async fn a_read_has_nothing_to_apply() {
    let error = collect(UP_TO_5, Idempotence::Read, success(), pieces(vec![Err("cut")])).await.unwrap_err();
    assert_eq!(error.outcome(), Outcome::NotApplied);
    assert!(error.is_retryable());
}

#[tokio::test]
async fn a_stream_is_handed_on_unread() {
    let response = write(BodyMode::Stream, success(), pieces(vec![Ok("123"), Err("cut")])).await.unwrap();
    assert!(response.into_body().into_bytes().is_err());
}

#[tokio::test]
async fn an_error_of_etcd_is_parsed_once_and_its_body_stays() {
    let text = r#"{"errorCode":401,"message":"The event in requested index is outdated and cleared","cause":"x","index":9}"#;
    for mode in [BodyMode::Stream, UP_TO_5] {
        let head = Response::builder().status(400);
        let response = write(mode, head, pieces(vec![Ok(text)])).await.unwrap();
        let api = response.extensions().get::<ApiError>().unwrap();
        assert_eq!(api.code, Some(ErrorCode::EventIndexCleared));
        assert_eq!(response.into_body().into_bytes().unwrap(), text);
    }
}

#[tokio::test]
async fn an_error_that_is_not_etcds_comes_as_it_is() {
    let head = Response::builder().status(404);
    let response = write(UP_TO_5, head, RespBody::from("404 page not found\n")).await.unwrap();
    assert!(response.extensions().get::<ApiError>().is_none());
    assert_eq!(response.into_body().as_bytes().unwrap(), "404 page not found\n");
}

#[tokio::test]
async fn an_error_body_has_a_limit_of_its_own() {
    let body = RespBody::from(Bytes::from(vec![b' '; ERROR_LIMIT + 1]));
    let error = write(BodyMode::Stream, Response::builder().status(400), body).await.unwrap_err();
    assert!(error.is_body_too_large());
    assert_eq!(error.outcome(), Outcome::NotApplied);
}

#[tokio::test]
async fn a_write_that_was_made_is_not_looked_for_elsewhere_whatever_its_body() {
    let json = || success().header("content-type", "application/json");
    let foreign = |response: Response<RespBody>| response.extensions().get::<proof::NotEtcd>().is_some();
    let buffered = BodyMode::Buffered { limit: 100 };
    for body in ["<html>", "0", "{"] {
        for (idempotence, head, wanted) in [
            (Idempotence::Read, json(), true),
            (Idempotence::Idempotent, json(), false),
            (Idempotence::Guarded, json(), false),
            (Idempotence::Idempotent, Response::builder().header("content-type", "application/json"), true),
        ] {
            let response = collect(buffered, idempotence, head, RespBody::from(body)).await.unwrap();
            assert_eq!(foreign(response), wanted, "{body} of {idempotence:?}");
        }
    }
}
