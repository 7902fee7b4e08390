//! Faults of connections, and of the whole proxy.

use std::io::ErrorKind;
use std::time::Duration;

use etcd_testkit::proxy::Direction::{ToClient, ToServer};
use etcd_testkit::proxy::{ConnectionFault, ConnectionRule};
use tokio::net::TcpStream;

use crate::{ENOUGH, End, PUT, SILENCE, put, put_unanswered, puts, read, start, with_connection_rule};

async fn meet(fault: ConnectionFault) -> (String, End, (usize, usize)) {
    let (etcd, proxy) = with_connection_rule(ConnectionRule::new(fault.clone()).nth(1)).await;
    let (answer, end) = match fault {
        ConnectionFault::Stall { .. } => put_unanswered(&proxy).await,
        _ => put(&proxy).await,
    };
    let puts = puts(&etcd, &proxy);
    proxy.faults().clear();
    assert!(put(&proxy).await.0.starts_with("HTTP/1.1 20"), "the second connection is well");
    (answer, end, puts)
}

#[tokio::test]
async fn an_answer_is_cut_after_so_many_bytes() {
    let cut = ConnectionFault::Cut { direction: ToClient, after: 12 };
    assert_eq!(meet(cut).await, ("HTTP/1.1 201".into(), End::Closed, (1, 1)));
}

#[tokio::test]
async fn an_answer_is_reset_after_so_many_bytes() {
    let reset = ConnectionFault::Reset { direction: ToClient, after: 12 };
    assert_eq!(meet(reset).await, ("HTTP/1.1 201".into(), End::Reset, (1, 1)));
}

#[tokio::test]
async fn a_request_that_is_cut_in_its_body_is_not_applied() {
    let cut = ConnectionFault::Cut { direction: ToServer, after: PUT.len() as u64 - 1 };
    let (answer, end, (applied, _)) = meet(cut).await;
    assert_eq!((answer.as_str(), end, applied), ("", End::Closed, 0));
}

#[tokio::test]
async fn a_connection_is_reset_as_soon_as_it_is_taken() {
    let reset = ConnectionFault::Reset { direction: ToServer, after: 0 };
    assert_eq!(meet(reset).await, (String::new(), End::Reset, (0, 0)));
}

#[tokio::test]
async fn a_stalled_request_is_not_sent_and_a_stalled_answer_is_applied() {
    let stall = ConnectionFault::Stall { direction: ToServer, after: 10 };
    assert_eq!(meet(stall).await, (String::new(), End::Open, (0, 0)));
    let stall = ConnectionFault::Stall { direction: ToClient, after: 12 };
    assert_eq!(meet(stall).await, ("HTTP/1.1 201".into(), End::Open, (1, 1)));
}

#[tokio::test]
async fn a_flipped_byte_of_the_answer_is_one_byte() {
    let flip = ConnectionFault::Flip { direction: ToClient, offset: 9 };
    let (answer, ..) = meet(flip).await;
    assert!(answer.starts_with("HTTP/1.1 \u{fffd}01"), "{answer}");
}

#[tokio::test]
async fn delays_change_no_byte() {
    for direction in [ToServer, ToClient] {
        let delay = ConnectionFault::Delay { direction, by: Duration::from_millis(5) };
        let (answer, end, puts) = meet(delay).await;
        assert!(answer.starts_with("HTTP/1.1 201") && answer.ends_with("}}\n"), "{answer}");
        assert_eq!((end, puts), (End::Closed, (1, 1)));
    }
}

#[tokio::test]
async fn connecting_is_refused_until_the_proxy_is_restored_on_its_port() {
    let (_etcd, proxy) = start().await;
    let address = proxy.addr();
    let mut open = TcpStream::connect(address).await.unwrap();
    // It was taken, and is not in the backlog any more.
    assert_eq!(read(&mut open, SILENCE).await.1, End::Open);
    proxy.refuse().await;
    assert_eq!(TcpStream::connect(address).await.unwrap_err().kind(), ErrorKind::ConnectionRefused);
    assert_eq!(read(&mut open, SILENCE).await.1, End::Open, "what is open goes on");
    proxy.reset_connections();
    assert_eq!(read(&mut open, ENOUGH).await.1, End::Reset);
    proxy.restore().await.unwrap();
    assert_eq!(proxy.addr(), address);
    assert_eq!(put(&proxy).await.1, End::Closed);
}

#[tokio::test]
async fn a_stalled_proxy_takes_connections_and_stays_silent_until_it_is_restored() {
    let (etcd, proxy) = start().await;
    proxy.stall();
    let mut stream = TcpStream::connect(proxy.addr()).await.unwrap();
    tokio::io::AsyncWriteExt::write_all(&mut stream, PUT).await.unwrap();
    assert_eq!(read(&mut stream, SILENCE).await, (String::new(), End::Open));
    assert_eq!(puts(&etcd, &proxy), (0, 0));
    proxy.restore().await.unwrap();
    assert!(read(&mut stream, ENOUGH).await.0.starts_with("HTTP/1.1 201"));
    assert_eq!(puts(&etcd, &proxy), (1, 1));
}
