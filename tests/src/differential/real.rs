//! The real side: a server on a loopback port, over HTTP/1.1 with keep-alive.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use http::header::HOST;
use http::{HeaderValue, Request, Response};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::task::AbortHandle;
use tokio::time::timeout;

use super::answer::Answer;
use super::{BoxError, Result};

/// A connection that is opened anew when the server, or a watch, has taken it.
#[derive(Debug)]
pub(crate) struct Real {
    authority: String,
    connection: Option<SendRequest<Full<Bytes>>>,
}

/// A body that goes on.
#[derive(Debug)]
pub(crate) struct OpenBody {
    bytes: Arc<Mutex<Vec<u8>>>,
    ended: Arc<AtomicBool>,
    task: AbortHandle,
}

impl Real {
    /// Nothing is connected yet.
    pub(crate) fn new(endpoint: &str) -> Self {
        let authority = endpoint.trim_start_matches("http://").to_owned();
        Self { authority, connection: None }
    }

    /// A whole answer; an error if it has not ended after [`PATIENCE`].
    pub(crate) async fn play(&mut self, request: Request<Bytes>) -> Result<Answer> {
        let (head, body) = timeout(PATIENCE, self.send(request)).await??.into_parts();
        let Ok(body) = timeout(PATIENCE, body.collect()).await else {
            self.connection = None;
            return Err("the body does not end".into());
        };
        let body = body?.to_bytes().to_vec();
        Ok(Answer { status: head.status.as_u16(), headers: head.headers, body })
    }

    /// The head of an answer, and its body while it comes.
    pub(crate) async fn open(&mut self, request: Request<Bytes>) -> Result<(Answer, OpenBody)> {
        let (head, body) = timeout(PATIENCE, self.send(request)).await??.into_parts();
        let answer = Answer { status: head.status.as_u16(), headers: head.headers, body: Vec::new() };
        let connection = self.connection.take();
        Ok((answer, OpenBody::new(body, connection)))
    }

    async fn send(&mut self, mut request: Request<Bytes>) -> Result<Response<Incoming>> {
        let host = HeaderValue::from_str(&self.authority)?;
        request.headers_mut().insert(HOST, host);
        let sender = self.connected().await?;
        Ok(sender.send_request(request.map(Full::new)).await?)
    }

    async fn connected(&mut self) -> Result<&mut SendRequest<Full<Bytes>>> {
        // A closed connection shows only when its task has run.
        tokio::task::yield_now().await;
        if let Some(sender) = &mut self.connection
            && sender.ready().await.is_err()
        {
            self.connection = None;
        }
        if self.connection.is_none() {
            let stream = TcpStream::connect(&self.authority).await?;
            stream.set_nodelay(true)?;
            let (sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
            tokio::spawn(connection);
            self.connection = Some(sender);
        }
        self.connection.as_mut().ok_or_else(|| BoxError::from("not connected"))
    }
}

impl OpenBody {
    /// `connection` stays open for as long as the body is read.
    fn new(mut body: Incoming, connection: Option<SendRequest<Full<Bytes>>>) -> Self {
        let bytes = Arc::new(Mutex::new(Vec::new()));
        let ended = Arc::new(AtomicBool::new(false));
        let (into, end) = (Arc::clone(&bytes), Arc::clone(&ended));
        let task = tokio::spawn(async move {
            while let Some(Ok(frame)) = body.frame().await {
                if let Ok(data) = frame.into_data() {
                    into.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(&data);
                }
            }
            end.store(true, Ordering::SeqCst);
            drop(connection);
        });
        Self { bytes, ended, task: task.abort_handle() }
    }

    pub(crate) fn bytes(&self) -> Vec<u8> {
        self.bytes.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(crate) fn has_ended(&self) -> bool {
        self.ended.load(Ordering::SeqCst)
    }

    pub(crate) fn len(&self) -> usize {
        self.bytes.lock().unwrap_or_else(PoisonError::into_inner).len()
    }
}

impl Drop for OpenBody {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// How long an answer that is due may take.
pub(crate) const PATIENCE: Duration = Duration::from_secs(5);
