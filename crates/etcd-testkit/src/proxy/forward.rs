//! The server's connection that goes with a client's.

use std::io;
use std::sync::Arc;

use http::{Request, Response};
use hyper::body::Incoming;
use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::sync::Notify;
use tokio::task::JoinSet;

use super::body::Upload;
use super::ending::Broken;
use super::journal::Record;

/// The server's connection that goes with a client's: made for the first request, never made again.
#[derive(Debug)]
pub(super) struct Forward {
    upstream: String,
    sender: Option<SendRequest<Upload>>,
    /// At most one task, which ends with this.
    driver: JoinSet<()>,
    gone: Arc<Notify>,
}

impl Forward {
    pub(super) fn new(upstream: &str) -> Self {
        Self { upstream: upstream.to_owned(), sender: None, driver: JoinSet::new(), gone: Arc::default() }
    }

    /// Told when the server's connection has ended.
    pub(super) fn gone(&self) -> Arc<Notify> {
        Arc::clone(&self.gone)
    }

    /// Sends a request and waits for the head of its answer.
    pub(super) async fn send(
        &mut self,
        request: Request<Incoming>,
        record: &Record,
    ) -> Result<Response<Incoming>, Broken> {
        if self.sender.is_none() {
            self.sender = Some(self.connect().await.map_err(|_| Broken)?);
        }
        let sender = self.sender.as_mut().ok_or(Broken)?;
        sender.ready().await.map_err(|_| Broken)?;
        let request = request.map(|body| Upload::new(body, record.clone()));
        record.note(|entry| entry.forwarded = true);
        match sender.try_send_request(request).await {
            Ok(answer) => {
                record.note(|entry| entry.answered = Some(answer.status()));
                Ok(answer)
            }
            Err(mut error) => {
                if error.take_message().is_some() {
                    // It came back: not a byte of it was written.
                    record.note(|entry| entry.forwarded = false);
                }
                Err(Broken)
            }
        }
    }

    async fn connect(&mut self) -> io::Result<SendRequest<Upload>> {
        let stream = TcpStream::connect(&self.upstream).await?;
        stream.set_nodelay(true)?;
        let (sender, connection) = http1::Builder::new()
            .preserve_header_case(true)
            .handshake(TokioIo::new(stream))
            .await
            .map_err(io::Error::other)?;
        let gone = Arc::clone(&self.gone);
        self.driver.spawn(async move {
            // Its failure comes out at the request that it has failed.
            let _ = connection.await;
            gone.notify_one();
        });
        Ok(sender)
    }
}
