//! One client's connection, request by request.

use std::pin::pin;
use std::sync::Arc;

use http::{Request, Response};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::sync::Mutex;
use tokio::time::sleep;

use super::Fault;
use super::answer;
use super::body::{Download, drain};
use super::connection::Shared;
use super::ending::{Broken, Ending, FarEnd};
use super::forward::Forward;
use super::journal::Record;
use super::page;

/// Serves a client's connection until it ends, or the server's has ended.
pub(super) async fn serve(io: FarEnd, connection: u64, shared: &Shared, ending: &Arc<Ending>) {
    let session = Session { connection, shared, ending, forward: Mutex::new(Forward::new(&shared.upstream)) };
    let gone = session.forward.lock().await.gone();
    let service = service_fn(|request| session.answer(request));
    let mut server = pin!(
        http1::Builder::new()
            .preserve_header_case(true)
            .auto_date_header(false)
            .max_buf_size(MAX_BUFFER)
            .serve_connection(TokioIo::new(io), service)
    );
    // How a connection has failed is the client's to say.
    tokio::select! {
        _ = server.as_mut() => return,
        () = gone.notified() => server.as_mut().graceful_shutdown(),
    }
    let _ = server.await;
}

/// One client's connection, and the server's that goes with it.
struct Session<'a> {
    connection: u64,
    shared: &'a Shared,
    ending: &'a Arc<Ending>,
    /// One request at a time has it.
    forward: Mutex<Forward>,
}

impl Session<'_> {
    async fn answer(&self, request: Request<Incoming>) -> Result<Response<Download>, Broken> {
        let (method, uri) = (request.method(), request.uri());
        let fault = self.shared.faults.choose(method, uri);
        let record = self.shared.log.record(self.connection, method, uri, fault.clone());
        let answer = self.meet(fault, request, &record).await;
        if let Ok(answer) = &answer {
            record.note(|entry| entry.status = Some(answer.status()));
        }
        answer
    }

    async fn meet(
        &self,
        fault: Option<Fault>,
        request: Request<Incoming>,
        record: &Record,
    ) -> Result<Response<Download>, Broken> {
        let Some(fault) = fault else {
            return self.forward(request, record).await;
        };
        let unsent = match fault {
            Fault::ResetBeforeHead => return Err(self.ending.reset()),
            Fault::Hang => None,
            Fault::DropRequest => Some(Err(Broken)),
            Fault::GatewayBefore(status) => Some(Ok(page::gateway(status))),
            Fault::Html(status) => Some(Ok(page::html(status))),
            Fault::Redirect { status, ref location } => Some(Ok(page::redirect(status, location))),
            Fault::Delay(by) => {
                sleep(by).await;
                return self.forward(request, record).await;
            }
            Fault::HangAnswer
            | Fault::ResetAfterHead
            | Fault::CutBody(_)
            | Fault::ResetBody(_)
            | Fault::DropAnswer
            | Fault::ResetAnswer
            | Fault::GatewayAfter(_)
            | Fault::Status(_)
            | Fault::ContentType(_)
            | Fault::FlipByte(_)
            | Fault::DelayAnswer(_)
            | Fault::Dribble { .. } => {
                let answer = self.send(request, record).await?;
                return answer::spoil(fault, answer, self.ending).await;
            }
        };
        // In whole: a client that is still writing would see another fault, a connection closed too early.
        drain(request.into_body()).await;
        match unsent {
            Some(answer) => answer.map(|page| page.map(|body| Download::page(body, Arc::clone(self.ending)))),
            None => std::future::pending().await,
        }
    }

    async fn forward(
        &self,
        request: Request<Incoming>,
        record: &Record,
    ) -> Result<Response<Download>, Broken> {
        let answer = self.send(request, record).await?;
        Ok(answer.map(|body| Download::from_server(body, Arc::clone(self.ending))))
    }

    async fn send(&self, request: Request<Incoming>, record: &Record) -> Result<Response<Incoming>, Broken> {
        let answer = self.forward.lock().await.send(request, record).await;
        answer.map_err(|_| self.ending.reset())
    }
}

/// Bytes of a head, and of what is read ahead.
const MAX_BUFFER: usize = 1024 * 1024;
