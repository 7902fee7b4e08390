//! TCP, and TLS over it for `https`.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use etcd_proto::BoxError;
use http::Uri;
use http::uri::Scheme;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioIo;
use tokio_rustls::TlsConnector;
use tower_service::Service;

use super::failure::TlsFailure;
use super::source::TlsSource;
use super::stream::MaybeTls;

/// Connects to `http` by TCP alone and to `https` by TLS; never to one as to the other.
#[derive(Clone, Debug)]
pub(crate) struct Https {
    tcp: HttpConnector,
    /// `None` if no server is `https`.
    tls: Option<TlsSource>,
}

impl Https {
    pub(crate) fn new(mut tcp: HttpConnector, tls: Option<TlsSource>) -> Self {
        tcp.enforce_http(false);
        Self { tcp, tls }
    }
}

impl Service<Uri> for Https {
    type Response = MaybeTls;
    type Error = BoxError;
    type Future = Pin<Box<dyn Future<Output = Result<MaybeTls, BoxError>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.tcp.poll_ready(cx).map_err(Into::into)
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        let connecting = self.tcp.call(uri.clone());
        let tls = self.tls.clone();
        Box::pin(async move {
            if uri.scheme() == Some(&Scheme::HTTP) {
                return Ok(MaybeTls::Plain(connecting.await?));
            }
            let tls = tls.ok_or("TLS is not set up for this server")?;
            let name = tls.name_for(&uri)?;
            let stream = connecting.await?.into_inner();
            let connector = TlsConnector::from(tls.current().await);
            match connector.connect(name, stream).await {
                Ok(stream) => Ok(MaybeTls::Tls(Box::new(TokioIo::new(stream)))),
                Err(error) => Err(TlsFailure::of_handshake(error)),
            }
        })
    }
}
