//! One HTTP/1.1 request on a connection of its own.

use std::io;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// A request of the harness itself: the readiness probe and switching authentication on.
#[derive(Debug)]
pub(super) struct Request<'a> {
    /// `host:port`.
    pub(super) authority: &'a str,
    pub(super) method: &'a str,
    pub(super) path: &'a str,
    /// The value of the Authorization header.
    pub(super) authorization: Option<&'a str>,
    /// JSON.
    pub(super) body: &'a str,
}

/// The answer; its body may still be in chunks, which is good enough to look for a short text in it.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) body: String,
}

impl Request<'_> {
    /// Sends the request and reads the answer, for at most 5 s.
    ///
    /// The harness must not lean on the crates that it tests, so this is the least HTTP that etcd understands.
    pub(super) async fn send(&self) -> io::Result<Answer> {
        tokio::time::timeout(LIMIT, self.exchange()).await.map_err(|_| io::ErrorKind::TimedOut)?
    }

    async fn exchange(&self) -> io::Result<Answer> {
        let Self { authority, method, path, authorization, body } = self;
        let authorization =
            authorization.map(|value| format!("Authorization: {value}\r\n")).unwrap_or_default();
        let length = body.len();
        let request = format!(
            "{method} {path} HTTP/1.1\r\nHost: {authority}\r\nConnection: close\r\n\
             Content-Type: application/json\r\nContent-Length: {length}\r\n{authorization}\r\n{body}"
        );
        let mut connection = TcpStream::connect(authority).await?;
        connection.write_all(request.as_bytes()).await?;
        let mut answer = Vec::new();
        connection.read_to_end(&mut answer).await?;
        Answer::read(&String::from_utf8_lossy(&answer)).ok_or_else(|| io::ErrorKind::InvalidData.into())
    }
}

impl Answer {
    fn read(text: &str) -> Option<Self> {
        let (head, body) = text.split_once("\r\n\r\n")?;
        let status = head.strip_prefix("HTTP/1.1 ")?.get(..3)?.parse().ok()?;
        Some(Self { status, body: body.to_owned() })
    }
}

/// Longer than a password check takes on a busy machine (bcrypt, up to 0.7 s).
const LIMIT: Duration = Duration::from_secs(5);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn status_and_body_are_read() {
        let answer =
            Answer::read("HTTP/1.1 503 Service Unavailable\r\nA: b\r\n\r\n{\"health\":\"false\"}").unwrap();
        assert_eq!((answer.status, answer.body.as_str()), (503, "{\"health\":\"false\"}"));
    }

    #[test]
    fn what_is_not_http_is_refused() {
        assert!(Answer::read("").is_none());
        assert!(Answer::read("SSH-2.0-x\r\n\r\n").is_none());
    }
}
