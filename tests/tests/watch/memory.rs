//! What a watch holds whose consumer does not read.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use etcd_client::TlsConfig;
use etcd_client::v2::{Client, WatchStream};
use etcd_testkit::Etcd as _;
use etcd_testkit::memory::{InProcess, MemoryEtcd, Quirks};
use etcd_testkit::real::{Server, Tls};
use etcd_tests::{Wire, each_real_server, eventually, patient};
use etcd_transport::{Endpoints, RespBody, Transport};
use http_body::{Body, Frame};
use tokio::time::sleep;
use tower::util::MapResponse;

use crate::relay::Relay;
use crate::support::next;

/// A body that counts the frames that are taken of it: a server in memory makes one of each event.
struct Counted<B> {
    body: B,
    frames: Arc<AtomicU64>,
}

impl<B: Body + Unpin> Body for Counted<B> {
    type Data = B::Data;
    type Error = B::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<B::Data>, B::Error>>> {
        let frame = Pin::new(&mut self.body).poll_frame(cx);
        if matches!(frame, Poll::Ready(Some(Ok(_)))) {
            self.frames.fetch_add(1, Ordering::SeqCst);
        }
        frame
    }
}

/// A client whose answers are counted.
fn counting(etcd: &InProcess) -> (Client, Arc<AtomicU64>) {
    let frames = Arc::new(AtomicU64::new(0));
    let counted = Arc::clone(&frames);
    let wire = MapResponse::new(Wire::new(etcd), move |answer: http::Response<_>| {
        let frames = Arc::clone(&counted);
        answer.map(|body| Counted { body, frames })
    });
    let endpoints = Endpoints::parse(&etcd.endpoints().join(",")).unwrap();
    let transport = Transport::builder(endpoints).build_with(wire).unwrap();
    (Client::from_transport(transport), frames)
}

/// A server that keeps 65,536 events for a stream, so that it is never the server that holds back.
fn patient_server() -> InProcess {
    MemoryEtcd::builder().quirks(Quirks::faithful().streams_overflow(false)).in_process().unwrap()
}

/// Writes on, and lets the consumer take one item; how many frames the watch has taken for it.
async fn taken_for_one(watch: &mut WatchStream, writer: &Client, frames: &AtomicU64, writes: usize) -> u64 {
    let before = frames.load(Ordering::SeqCst);
    for round in 0..writes {
        writer.set(format!("/d/{}", round % 50), "x").await.unwrap();
    }
    next(watch).await;
    for _ in 0..3 {
        // It is not polled any more, whatever is written.
        writer.set("/d/more", "x").await.unwrap();
        sleep(Duration::from_secs(5)).await;
    }
    frames.load(Ordering::SeqCst) - before
}

#[tokio::test(start_paused = true)]
async fn a_consumer_that_never_reads_has_no_more_than_its_buffer_taken_off_the_stream() {
    for writes in [300, 1_200] {
        for buffer in [1, 256] {
            let etcd = patient_server();
            let (client, frames) = counting(&etcd);
            let watch = client.watch("/d").recursive(true).with_snapshot(true);
            // 256 is what it is without a word.
            let mut watch = if buffer == 256 { watch } else { watch.buffer(buffer) }.start();
            next(&mut watch).await;
            let taken = taken_for_one(&mut watch, &Wire::client(&etcd), &frames, writes).await;
            let all = 1..=buffer as u64;
            assert!(all.contains(&taken), "{taken} frames with a buffer of {buffer} behind {writes} writes");
            assert!(taken >= buffer as u64, "{taken}: nothing was there to be held back");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn joining_holds_the_history_and_what_is_read_ahead_and_no_more() {
    let etcd = patient_server();
    let (client, frames) = counting(&etcd);
    let writer = Wire::client(&etcd);
    let first = writer.set("/d/first", "x").await.unwrap();
    for round in 0..900 {
        writer.set("/d/behind", format!("{round}")).await.unwrap();
    }
    let writing = tokio::spawn(async move {
        for round in 0..1_500 {
            writer.set("/d/live", format!("{round}")).await.unwrap();
            sleep(Duration::from_micros(50)).await;
        }
    });
    let mut watch = client.watch("/d").recursive(true).from(first.index()).buffer(10).start();
    // So far that it is in the midst of it, and never again.
    for _ in 0..10 {
        next(&mut watch).await;
    }
    writing.await.unwrap();
    let taken = frames.load(Ordering::SeqCst);
    assert!((10..=10 + 1_000 + 256 + 16).contains(&taken), "{taken} frames");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn over_a_socket_what_nobody_reads_stays_with_the_operating_system_and_the_server() {
    let etcd =
        MemoryEtcd::builder().quirks(Quirks::faithful().streams_overflow(false)).start().await.unwrap();
    let relay = Relay::start(etcd.endpoints()[0].trim_start_matches("http://").to_owned()).await;
    let client = patient([format!("http://{}", relay.address())]).build().unwrap();
    let mut watch = client.watch("/d").recursive(true).with_snapshot(true).buffer(10).start();
    next(&mut watch).await;
    let writer = patient(etcd.endpoints()).build().unwrap();
    let mut given = Vec::new();
    // 6 MB each: an event holds the value of before too.
    for _ in 0..3 {
        for round in 0..100 {
            writer.set(format!("/d/{}", round % 9), "x".repeat(30_000)).await.unwrap();
        }
        next(&mut watch).await;
        given.push(at_rest(&relay).await);
    }
    let held = format!("{given:?} bytes behind 6, 12 and 18 MB of events");
    println!("{held}");
    // Linux lets a receiver have 6 MiB and a sender 4 MiB; 30 events are taken.
    assert!(given[2] < 12 << 20, "{held}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn over_http_2_a_watch_that_nobody_reads_holds_no_more_than_the_window_of_its_stream() {
    each_real_server(
        |binary| Server::builder(binary).tls(Tls::new()),
        async |server| {
            let (certificate, key) = server.certificates().client_cert();
            let tls = || {
                let ca = server.certificates().ca_pem();
                TlsConfig::new().ca_pem(ca).client_cert_pem(certificate, key)
            };
            let relay = Relay::start(server.endpoints()[0].trim_start_matches("https://").to_owned()).await;
            let client = patient([format!("https://{}", relay.address())]).tls(tls()).build().unwrap();
            let mut watch = client.watch("/d").recursive(true).with_snapshot(true).start();
            next(&mut watch).await;
            let before = at_rest(&relay).await;
            let writer = patient(server.endpoints()).tls(tls()).build().unwrap();
            for _ in 0..60 {
                writer.set("/d/a", "x".repeat(100_000)).await.unwrap();
            }
            let given = at_rest(&relay).await - before;
            // 64 KiB, and what TLS, frames and a ping put around it.
            assert!((64 << 10..80 << 10).contains(&given), "{given} bytes of 6 MB");
            drop(watch);
        },
    )
    .await;
}

/// What clients of the relay were given, once that does not grow any more.
async fn at_rest(relay: &Relay) -> u64 {
    let mut before = relay.given();
    eventually("the relay at rest", async || {
        sleep(Duration::from_millis(300)).await;
        let now = relay.given();
        (std::mem::replace(&mut before, now) == now).then_some(now)
    })
    .await
}

const _: () = {
    const fn body<B: Body<Data = Bytes>>() {}
    body::<Counted<RespBody>>();
};
