//! Connections, members, start and end.

use std::io::ErrorKind;
use std::time::Duration;

use etcd_testkit::Etcd;
use etcd_testkit::memory::{Change, ConnectRefused, Fault, LogEntry, MemoryEtcd, Profile, Reply, Rule};
use http::Method;
use http_body_util::BodyExt as _;
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;
use tokio::time::timeout;
use tower::ServiceExt as _;

use super::{LIMIT, address, is_refused, read_to_end, read_until, send, start, status, until, write};

#[tokio::test]
async fn the_members_share_one_state_and_know_their_ports() {
    let etcd = start(MemoryEtcd::builder().members(3).profile(Profile::V3_4)).await;
    let kind: &dyn Etcd = &etcd;
    assert_eq!((kind.name(), kind.endpoints().len()), ("etcd 3.4.23 in memory, 3 members", 3));
    assert_eq!(status(&address(&etcd, 0), "PUT", "/v2/keys/a?value=1").await, 201);
    assert_eq!(status(&address(&etcd, 2), "GET", "/v2/keys/a").await, 200);
    let mut stream = send(&address(&etcd, 1), "GET", "/v2/machines").await;
    let mut urls = etcd.endpoints();
    urls.sort();
    read_until(&mut stream, &urls.join(", ")).await;
    let mut stream = send(&address(&etcd, 1), "GET", "/version").await;
    read_until(&mut stream, r#""etcdserver":"3.4.23""#).await;
}

#[tokio::test]
async fn the_head_of_a_watch_comes_at_once_and_its_events_as_chunks() {
    let etcd = start(MemoryEtcd::builder()).await;
    let mut stream = send(&address(&etcd, 0), "GET", "/v2/keys/a?wait=true").await;
    let head = read_until(&mut stream, "\r\n\r\n").await;
    assert!(head.starts_with("HTTP/1.1 200 OK\r\n") && head.contains("transfer-encoding: chunked"), "{head}");
    assert!(head.contains("x-etcd-index: 3"), "{head}");
    assert_eq!(status(&address(&etcd, 0), "PUT", "/v2/keys/a?value=1").await, 201);
    read_until(&mut stream, "}\n\r\n0\r\n\r\n").await;
    write(&mut stream, "GET", "/v2/keys/a").await;
    let answer = read_until(&mut stream, "}\n").await;
    assert!(answer.contains("content-length: "), "the connection is used again: {answer}");
}

#[tokio::test]
async fn a_watch_is_closed_when_its_client_goes_away() {
    let etcd = start(MemoryEtcd::builder()).await;
    let mut stream = send(&address(&etcd, 0), "GET", "/v2/keys/a?wait=true&stream=true").await;
    read_until(&mut stream, "\r\n\r\n").await;
    let watchers = async || etcd.cluster().with_store(|store, _| store.watcher_count(0));
    assert_eq!(watchers().await, 1);
    drop(stream);
    until("the watch is closed", async || watchers().await == 0).await;
}

#[tokio::test]
async fn a_watch_hears_of_an_expiry_that_nobody_asked_for() {
    let etcd = start(MemoryEtcd::builder()).await;
    let mut stream = send(&address(&etcd, 0), "GET", "/v2/keys/a?wait=true&stream=true").await;
    read_until(&mut stream, "\r\n\r\n").await;
    assert_eq!(status(&address(&etcd, 0), "PUT", "/v2/keys/a?value=1&ttl=3600").await, 201);
    etcd.faults().apply(Change::ClockForward(Duration::from_millis(3_599_900))).unwrap();
    read_until(&mut stream, r#""action":"expire""#).await;
}

#[tokio::test]
async fn a_killed_member_refuses_and_resets_and_comes_back_on_its_port() {
    let etcd = start(MemoryEtcd::builder().members(2)).await;
    let mut open = send(&address(&etcd, 0), "GET", "/v2/keys/a?wait=true").await;
    read_until(&mut open, "\r\n\r\n").await;
    let mut idle = TcpStream::connect(address(&etcd, 0)).await.unwrap();
    etcd.kill(0).await.unwrap();
    assert!(is_refused(&address(&etcd, 0)).await);
    assert_eq!(read_to_end(&mut open).await.1, Some(ErrorKind::ConnectionReset));
    assert_eq!(read_to_end(&mut idle).await.1, Some(ErrorKind::ConnectionReset));
    assert_eq!(status(&address(&etcd, 1), "PUT", "/v2/keys/a?value=1").await, 201);
    etcd.kill(0).await.unwrap();
    etcd.restart(0).await.unwrap();
    assert_eq!(status(&address(&etcd, 0), "GET", "/v2/keys/a").await, 200);
    etcd.restart(0).await.unwrap();
    assert!(etcd.kill(2).await.unwrap_err().is_no_member());
}

#[tokio::test]
async fn a_member_that_is_removed_stops_listening() {
    let etcd = start(MemoryEtcd::builder().members(3)).await;
    let id = etcd.cluster().with_store(|store, _| store.members()[2].id.clone());
    assert_eq!(status(&address(&etcd, 0), "DELETE", &format!("/v2/members/{id}")).await, 204);
    until("connecting is refused", async || is_refused(&address(&etcd, 2)).await).await;
}

#[tokio::test]
async fn dropping_it_ends_listeners_and_connections() {
    let etcd = start(MemoryEtcd::builder().members(2)).await;
    let addresses = [address(&etcd, 0), address(&etcd, 1)];
    let mut open = send(&addresses[1], "GET", "/v2/keys/a?wait=true").await;
    read_until(&mut open, "\r\n\r\n").await;
    drop(etcd);
    let (rest, _) = read_to_end(&mut open).await;
    assert!(!rest.ends_with("0\r\n\r\n"), "the body must not look whole");
    for address in addresses {
        until("connecting is refused", async || is_refused(&address).await).await;
    }
}

#[tokio::test]
async fn dropping_it_stops_what_is_used_in_process_too() {
    let etcd = start(MemoryEtcd::builder()).await;
    let (service, cluster) = (etcd.http_service(), etcd.cluster().clone());
    let get = |target: &str| service.clone().oneshot(http::Request::get(target).body(String::new()).unwrap());
    let open = get("/v2/keys/a?wait=true").await.unwrap().into_body();
    let reader = tokio::spawn(open.collect());
    drop(etcd);
    let end = timeout(LIMIT, reader).await.expect("the watch is open").unwrap();
    assert!(end.unwrap_err().is_reset());
    assert!(get("/version").await.unwrap_err().is::<ConnectRefused>());
    cluster.restart(0).unwrap();
    assert!(get("/version").await.unwrap_err().is::<ConnectRefused>(), "it is stopped for good");
    assert_eq!(cluster.with_store(|store, _| (store.index(), store.watcher_count(0))), (3, 0));
}

#[tokio::test]
async fn a_write_of_a_client_that_has_left_is_applied_with_nobody_there() {
    let etcd = start(MemoryEtcd::builder()).await;
    let mut poll = send(&address(&etcd, 0), "GET", "/v2/keys/a?wait=true").await;
    read_until(&mut poll, "\r\n\r\n").await;
    let later = Fault::ApplyLater(Duration::from_millis(200));
    etcd.faults().add(Rule::new(later).method(Method::PUT));
    drop(send(&address(&etcd, 0), "PUT", "/v2/keys/a?value=1").await);
    // Nobody asks: the watch hears of it by the cluster's own clock.
    read_until(&mut poll, r#""action":"set""#).await;
    let is_left = |entry: &LogEntry| entry.applied && entry.reply == Reply::Abandoned;
    until("the log says so", async || etcd.log().entries().iter().any(is_left)).await;
}

#[tokio::test]
async fn a_member_that_is_back_at_once_serves_no_connection_of_its_old_life() {
    let etcd = start(MemoryEtcd::builder()).await;
    for _ in 0..20 {
        let mut old = TcpStream::connect(address(&etcd, 0)).await.unwrap();
        // Without a pause in which the listener could look.
        etcd.cluster().kill(0).unwrap();
        etcd.restart(0).await.unwrap();
        assert_eq!(status(&address(&etcd, 0), "GET", "/version").await, 200);
        let written = old.write_all(b"GET /version HTTP/1.1\r\nhost: x\r\n\r\n").await;
        let (text, end) = read_to_end(&mut old).await;
        // A reset is told once.
        assert!(written.is_err() || end == Some(ErrorKind::ConnectionReset), "{text}");
        assert_eq!(text, "");
    }
}

#[tokio::test]
async fn the_ports_after_the_first_are_taken_or_the_start_fails() {
    let first = start(MemoryEtcd::builder()).await;
    let taken = address(&first, 0).parse().unwrap();
    let error = MemoryEtcd::builder().listen(taken).start().await.unwrap_err();
    assert!(error.is_listen(), "{error}");
    assert_eq!(error.to_string(), format!("cannot listen on {taken}"));
    let beyond = MemoryEtcd::builder().members(2).listen("127.0.0.1:65535".parse().unwrap());
    assert!(beyond.start().await.is_err());
}

#[test]
fn a_key_that_lives_for_days_leaves_the_thread_to_others() {
    // On a thread of its own: a runtime that spins would not let a timeout of its own end the test.
    let (done, wait) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let etcd = start(MemoryEtcd::builder()).await;
            assert_eq!(status(&address(&etcd, 0), "PUT", "/v2/keys/a?value=1&ttl=200000").await, 201);
            assert_eq!(status(&address(&etcd, 0), "GET", "/v2/keys/a").await, 200);
            tokio::time::sleep(Duration::from_millis(20)).await;
            assert_eq!(status(&address(&etcd, 0), "PUT", "/v2/keys/b?value=1").await, 201);
        });
        // Nobody waits any more if the test has failed.
        let _ = done.send(());
    });
    wait.recv_timeout(LIMIT).expect("the runtime is frozen, or a request has failed");
}

#[test]
fn a_kill_ends_a_watch_whose_answer_is_delayed() {
    // On a thread of its own: one that waits for its own lock is not ended by a timeout.
    let (done, wait) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let etcd = start(MemoryEtcd::builder()).await;
            etcd.faults().add(Rule::new(Fault::DelayAnswer(LIMIT)));
            let watch = http::Request::get("/v2/keys/a?wait=true").body(String::new()).unwrap();
            let answer = tokio::spawn(etcd.http_service().oneshot(watch));
            until("the watch is open", async || watchers(&etcd) == 1).await;
            etcd.kill(0).await.unwrap();
            assert!(answer.await.unwrap().is_err());
            assert_eq!(watchers(&etcd), 0);
        });
        let _ = done.send(());
    });
    wait.recv_timeout(LIMIT).expect("the runtime is frozen");
}

#[tokio::test]
async fn a_watch_is_closed_though_a_request_came_along_with_it() {
    let etcd = start(MemoryEtcd::builder()).await;
    let mut stream = TcpStream::connect(address(&etcd, 0)).await.unwrap();
    stream.write_all(format!("{WATCH}{WATCH}").as_bytes()).await.unwrap();
    read_until(&mut stream, "\r\n\r\n").await;
    assert_eq!(watchers(&etcd), 1);
    drop(stream);
    until("the watch is closed", async || watchers(&etcd) == 0).await;
}

#[tokio::test]
async fn what_comes_with_a_watch_and_behind_it_is_answered_after_it() {
    let etcd = start(MemoryEtcd::builder()).await;
    let mut stream = TcpStream::connect(address(&etcd, 0)).await.unwrap();
    // The second watch is cut in two by the pause.
    let (start, rest) = WATCH.split_at(9);
    stream.write_all(format!("{WATCH}{start}").as_bytes()).await.unwrap();
    read_until(&mut stream, "\r\n\r\n").await;
    stream.write_all(rest.as_bytes()).await.unwrap();
    write(&mut stream, "GET", "/version").await;
    for value in 1..=2 {
        until("the watch is open", async || watchers(&etcd) == 1).await;
        assert!(status(&address(&etcd, 0), "PUT", &format!("/v2/keys/a?value={value}")).await < 300);
        read_until(&mut stream, "}\n\r\n0\r\n\r\n").await;
    }
    read_until(&mut stream, "etcdserver").await;
}

fn watchers(etcd: &MemoryEtcd) -> u64 {
    etcd.cluster().with_store(|store, _| store.watcher_count(0))
}

const WATCH: &str = "GET /v2/keys/a?wait=true HTTP/1.1\r\nhost: x\r\n\r\n";
