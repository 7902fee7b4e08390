//! Listeners that follow scripts.

use std::io::ErrorKind;
use std::time::Duration;

use etcd_testkit::proxy::raw::{Listener, Script};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;

const REQUEST: &[u8] = b"PUT /a HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello";

async fn send(listener: &Listener) -> TcpStream {
    let mut stream = TcpStream::connect(listener.addr()).await.unwrap();
    stream.write_all(REQUEST).await.unwrap();
    stream
}

async fn read(stream: &mut TcpStream) -> (Vec<u8>, Option<ErrorKind>) {
    let mut bytes = Vec::new();
    let end = timeout(Duration::from_secs(20), stream.read_to_end(&mut bytes)).await.unwrap();
    (bytes, end.err().map(|error| error.kind()))
}

#[tokio::test]
async fn each_connection_follows_the_next_script() {
    let scripts = ["one", "two"].map(|text| Script::new().read_request().write(text));
    let listener = Listener::start(scripts).await.unwrap();
    for expected in ["one", "two", ""] {
        let mut stream = send(&listener).await;
        assert_eq!(read(&mut stream).await, (expected.into(), None));
    }
    assert_eq!(listener.connections(), 3);
    assert_eq!(listener.received(0), REQUEST);
    assert_eq!(listener.received(9), b"");
}

#[tokio::test]
async fn a_script_that_repeats_serves_all_connections() {
    let listener = Listener::repeat(Script::new().read_request().answer_json("{}")).await.unwrap();
    for _ in 0..3 {
        assert!(read(&mut send(&listener).await).await.0.ends_with(b"Content-Length: 2\r\n\r\n{}"));
    }
}

#[tokio::test]
async fn steps_that_read_take_what_they_say_and_no_more() {
    let script = Script::new().read_head().write("h").read(2).write("2").read(3).write("3");
    let listener = Listener::start([script]).await.unwrap();
    let mut stream = TcpStream::connect(listener.addr()).await.unwrap();
    let mut byte = [0];
    let (head, body) = REQUEST.split_at(REQUEST.len() - 5);
    for (sent, answer) in [(head, b'h'), (&body[..2], b'2'), (&body[2..], b'3')] {
        stream.write_all(sent).await.unwrap();
        timeout(Duration::from_secs(20), stream.read_exact(&mut byte)).await.unwrap().unwrap();
        assert_eq!(byte, [answer]);
    }
}

#[tokio::test]
async fn a_chunked_request_is_read_to_its_last_chunk() {
    let listener = Listener::start([Script::new().read_request().write("x")]).await.unwrap();
    let mut stream = TcpStream::connect(listener.addr()).await.unwrap();
    let request = b"PUT / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n\r\n";
    stream.write_all(request).await.unwrap();
    assert_eq!(read(&mut stream).await, (b"x".to_vec(), None));
    assert_eq!(listener.received(0), request);
}

#[tokio::test]
async fn a_reset_is_no_close() {
    let listener = Listener::start([Script::new().read_request().write("x").reset()]).await.unwrap();
    assert_eq!(read(&mut send(&listener).await).await, (b"x".to_vec(), Some(ErrorKind::ConnectionReset)));
}

#[tokio::test]
async fn a_stall_and_a_listener_that_does_not_accept_say_nothing() {
    let stalled = Listener::start([Script::new().stall()]).await.unwrap();
    for listener in [stalled, Listener::never_accept().await.unwrap()] {
        let mut stream = send(&listener).await;
        assert!(timeout(Duration::from_millis(200), stream.read_u8()).await.is_err());
    }
}

#[tokio::test]
async fn slow_bytes_all_come() {
    let script = Script::new().wait(Duration::from_millis(1)).read_request();
    let script = script.write_slowly("abcdefg", 3, Duration::from_millis(1));
    let listener = Listener::start([script]).await.unwrap();
    assert_eq!(read(&mut send(&listener).await).await.0, b"abcdefg");
}

#[tokio::test]
async fn a_nested_answer_is_as_deep_and_as_long_as_it_says() {
    let listener = Listener::start([Script::new().read_request().nested_json(100_000)]).await.unwrap();
    let answer = String::from_utf8(read(&mut send(&listener).await).await.0).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    assert!(head.ends_with(&format!("Content-Length: {}", body.len())), "{head}");
    assert_eq!((body.matches(r#"{"node":"#).count(), body.matches('}').count()), (100_000, 100_000));
}

#[tokio::test]
async fn an_endless_body_is_as_long_as_it_says() {
    let listener = Listener::start([Script::new().read_request().endless_body(1 << 20)]).await.unwrap();
    let answer = String::from_utf8(read(&mut send(&listener).await).await.0).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    assert!(head.ends_with("Content-Length: 1048576"), "{head}");
    assert_eq!(body.len(), 1 << 20);
    assert!(body.starts_with("{\"action\":\"get\""));
}

#[tokio::test]
async fn endless_headers_go_on_while_they_are_read() {
    let listener = Listener::start([Script::new().read_request().endless_headers()]).await.unwrap();
    let mut stream = send(&listener).await;
    let mut bytes = vec![0; 3 << 20];
    timeout(Duration::from_secs(20), stream.read_exact(&mut bytes)).await.unwrap().unwrap();
    let text = String::from_utf8(bytes).unwrap();
    assert!(text.starts_with("HTTP/1.1 200 OK\r\nX-Filler: a"));
    assert!(!text.contains("\r\n\r\n"));
    assert_eq!(text.split("\r\n").nth(1).unwrap().len() + 2, 1024);
}
