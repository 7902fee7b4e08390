//! Connecting within a limit.
//!
//! A failure here is a failure to connect for the pool above, and so a proof that nothing was sent; that
//! holds for the limit too, since no request is given to a connection that is not there.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use etcd_proto::BoxError;
use http::Uri;
use hyper_util::client::legacy::connect::HttpConnector;
use tower_service::Service;

/// hyper-util's connector with one limit over name lookup and all addresses; its own limit leaves out the
/// lookup.
///
/// A silent connection is probed by TCP keep-alive: first after 30 s, then each 10 s, closed after 3 probes
/// without an answer.
///
/// A name is looked up anew for each connection. Of several addresses the first family is tried first and the
/// other after 300 ms beside it, as hyper-util does by default. The addresses of one family are tried one after
/// the other: at once behind one that refuses, and behind one that hangs after its equal share of the limit.
#[derive(Clone, Debug)]
pub(crate) struct Connector<C = HttpConnector> {
    inner: C,
    /// Over everything up to an open connection.
    limit: Duration,
}

impl Connector {
    /// hyper-util's own, with name lookup by the operating system.
    #[cfg(any(test, not(feature = "_tls")))]
    pub(crate) fn new(limit: Duration) -> Self {
        Self::over(tcp(HttpConnector::new(), limit), limit)
    }
}

impl<C> Connector<C> {
    /// Limits another connector, all that it does: with TLS its handshake too.
    pub(crate) fn over(inner: C, limit: Duration) -> Self {
        Self { inner, limit }
    }
}

/// hyper-util's connector as it is wanted here, with any name lookup.
pub(crate) fn tcp<R>(mut inner: HttpConnector<R>, limit: Duration) -> HttpConnector<R> {
    // hyper-util parts it among the addresses; without it the first that hangs would use up all.
    inner.set_connect_timeout(Some(limit));
    // A request is one small write: waiting for more would cost 40 ms.
    inner.set_nodelay(true);
    // A watch is silent for hours, and a server that is gone says nothing: without probes it would wait
    // for ever, and a box on the way would forget the connection.
    inner.set_keepalive(Some(PROBE_AFTER));
    inner.set_keepalive_interval(Some(PROBE_INTERVAL));
    inner.set_keepalive_retries(Some(PROBES));
    // The same for what was sent and is not acknowledged.
    #[cfg(any(target_os = "android", target_os = "fuchsia", target_os = "linux"))]
    inner.set_tcp_user_timeout(Some(PROBE_AFTER + PROBES * PROBE_INTERVAL));
    inner
}

impl<C> Service<Uri> for Connector<C>
where
    C: Service<Uri, Error: Into<BoxError>, Future: Send + 'static>,
{
    type Response = C::Response;
    type Error = BoxError;
    /// Boxed, since the pool wants it `Unpin`; one allocation per connection.
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, BoxError>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.inner.poll_ready(cx).map_err(Into::into)
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        let connecting = self.inner.call(uri);
        let limit = self.limit;
        Box::pin(async move {
            // On this machine a connect may be done at once, before any limit is looked at: zero fails all
            // the same.
            let connected =
                if limit.is_zero() { None } else { tokio::time::timeout(limit, connecting).await.ok() };
            // The pool marks whatever fails here as a failure to connect.
            connected.map_or_else(|| Err(too_slow(limit)), |connected| connected.map_err(Into::into))
        })
    }
}

fn too_slow(limit: Duration) -> BoxError {
    io::Error::new(io::ErrorKind::TimedOut, format!("no connection within {limit:?}")).into()
}

/// How long a connection may be silent before it is probed.
const PROBE_AFTER: Duration = Duration::from_secs(30);

/// How long a probe waits for its answer.
const PROBE_INTERVAL: Duration = Duration::from_secs(10);

/// How many probes go without an answer before the connection is closed, where the system lets that be set.
const PROBES: u32 = 3;

#[cfg(test)]
mod tests {
    use std::net::{IpAddr, SocketAddr};
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::sync::{Arc, Mutex};

    use hyper_util::client::legacy::connect::dns::Name;

    use super::*;

    /// A listener on each of these addresses of this machine, all with one port; a backlog of 1 each.
    async fn listeners<const N: usize>(hosts: [&str; N]) -> [tokio::net::TcpListener; N] {
        for _ in 0..20 {
            let mut port = 0;
            let bound = hosts.map(|host| {
                let socket = tokio::net::TcpSocket::new_v4().ok()?;
                socket.bind(format!("{host}:{port}").parse().unwrap()).ok()?;
                let listener = socket.listen(1).ok()?;
                port = listener.local_addr().unwrap().port();
                Some(listener)
            });
            if bound.iter().all(Option::is_some) {
                return bound.map(Option::unwrap);
            }
        }
        panic!("no port is free on all of {hosts:?}");
    }

    type Lookup = Arc<Mutex<Vec<IpAddr>>>;

    /// A connector whose lookup says these, and the count of lookups.
    fn looked_up(
        answer: &Lookup,
        limit: Duration,
    ) -> (Connector<HttpConnector<impl Resolver>>, Arc<AtomicUsize>) {
        let (answer, count) = (Arc::clone(answer), Arc::new(AtomicUsize::new(0)));
        let counted = Arc::clone(&count);
        let resolver = tower::service_fn(move |_: Name| {
            counted.fetch_add(1, Ordering::SeqCst);
            let addresses = answer.lock().unwrap().clone();
            std::future::ready(Ok::<_, io::Error>(
                addresses
                    .into_iter()
                    .map(|address| SocketAddr::new(address, 0))
                    .collect::<Vec<_>>()
                    .into_iter(),
            ))
        });
        (Connector::over(tcp(HttpConnector::new_with_resolver(resolver), limit), limit), count)
    }

    /// What hyper-util takes as a name lookup.
    trait Resolver:
        Service<
            Name,
            Response = std::vec::IntoIter<SocketAddr>,
            Error = io::Error,
            Future = std::future::Ready<io::Result<std::vec::IntoIter<SocketAddr>>>,
        > + Clone
        + Send
        + Sync
        + 'static
    {
    }

    impl<T> Resolver for T where
        T: Service<
                Name,
                Response = std::vec::IntoIter<SocketAddr>,
                Error = io::Error,
                Future = std::future::Ready<io::Result<std::vec::IntoIter<SocketAddr>>>,
            > + Clone
            + Send
            + Sync
            + 'static
    {
    }

    fn lookup<const N: usize>(hosts: [&str; N]) -> Lookup {
        Arc::new(Mutex::new(hosts.map(|host| host.parse().unwrap()).into()))
    }

    #[tokio::test]
    async fn behind_an_address_that_hangs_the_next_one_has_a_share_of_the_limit() {
        let [dark, good] = listeners(["127.0.0.1", "127.0.0.2"]).await;
        let mut queue = Vec::new();
        let full = Duration::from_millis(100);
        while let Ok(stream) =
            tokio::time::timeout(full, tokio::net::TcpStream::connect(dark.local_addr().unwrap())).await
        {
            queue.push(stream.unwrap());
        }
        let uri: Uri = format!("http://name:{}/", good.local_addr().unwrap().port()).parse().unwrap();
        let (mut connector, _) = looked_up(&lookup(["127.0.0.1", "127.0.0.2"]), Duration::from_secs(2));
        let stream = connector.call(uri).await.unwrap();
        assert_eq!(stream.inner().peer_addr().unwrap(), good.local_addr().unwrap());
    }

    #[tokio::test]
    async fn behind_an_address_that_refuses_comes_the_next_and_names_are_looked_up_each_time() {
        let [good, other] = listeners(["127.0.0.2", "127.0.0.3"]).await;
        let uri: Uri = format!("http://name:{}/", good.local_addr().unwrap().port()).parse().unwrap();
        let answer = lookup(["127.0.0.1", "127.0.0.2"]);
        let (mut connector, lookups) = looked_up(&answer, Duration::from_secs(2));
        let stream = connector.call(uri.clone()).await.unwrap();
        assert_eq!(stream.inner().peer_addr().unwrap(), good.local_addr().unwrap());
        // The name has moved.
        *answer.lock().unwrap() = vec!["127.0.0.3".parse().unwrap()];
        let stream = connector.call(uri).await.unwrap();
        assert_eq!(stream.inner().peer_addr().unwrap(), other.local_addr().unwrap());
        assert_eq!(lookups.load(Ordering::SeqCst), 2);
    }

    #[cfg(target_os = "linux")]
    #[tokio::test]
    async fn a_connection_is_probed_while_it_is_silent() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let uri = format!("http://{}/", listener.local_addr().unwrap()).parse().unwrap();
        let stream = Connector::new(Duration::from_secs(2)).call(uri).await.unwrap();
        let local = stream.inner().local_addr().unwrap();
        // The kernel's own table: the kind of the timer that runs is in column 5, and 02 is that of
        // keep-alive.
        let table = std::fs::read_to_string("/proc/net/tcp").unwrap();
        let line = table.lines().find(|line| line.contains(&format!(": 0100007F:{:04X}", local.port())));
        let timer = line.unwrap().split_whitespace().nth(5).unwrap();
        assert!(timer.starts_with("02:"), "{timer}");
    }

    #[tokio::test(start_paused = true)]
    async fn a_connect_that_hangs_ends_at_the_limit_and_says_so() {
        let inner = tower::service_fn(async |_: Uri| std::future::pending::<Result<(), BoxError>>().await);
        let mut connector = Connector { inner, limit: Duration::from_secs(2) };
        let began = tokio::time::Instant::now();
        let error = connector.call(Uri::from_static("http://a:2379/")).await.unwrap_err();
        assert_eq!(began.elapsed().as_secs(), 2);
        let error = error.downcast::<io::Error>().unwrap();
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
        assert_eq!(error.to_string(), "no connection within 2s");
    }

    #[tokio::test(start_paused = true)]
    async fn a_connect_that_fails_in_time_fails_as_it_does() {
        let inner = tower::service_fn(async |_: Uri| Err::<(), _>(io::Error::other("refused")));
        let mut connector = Connector { inner, limit: Duration::from_secs(2) };
        let error = connector.call(Uri::from_static("http://a:2379/")).await.unwrap_err();
        assert_eq!(error.to_string(), "refused");
    }
}
