//! Building a transport.
//!
//! The order of the stack is written down in one place, [`Builder::build_with`].

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use etcd_proto::BoxError;
use http_body::Body;
#[cfg(feature = "_tls")]
use hyper_util::client::legacy::connect::HttpConnector;
use secrecy::{ExposeSecret, SecretString};
use tower_layer::{Identity, Layer, Stack, layer_fn};

use crate::connection::Connection;
use crate::connector::Connector;
use crate::credentials::printable;
use crate::observer::SharedObserver;
use crate::strays::Strays;
#[cfg(feature = "_tls")]
use crate::tls::{Https, TlsConfig, TlsSource};
use crate::transport::Cluster;
use crate::{
    AttemptSpanLayer, AttemptTimeoutLayer, AuthorizationLayer, ClassifyLayer, ClusterId, ClusterPinLayer,
    CollectLayer, Credentials, DeadlineLayer, DynService, Ejection, Endpoint, Endpoints, Error, ErrorKind,
    HttpService, MonotonicReadsLayer, ObserveLayer, Observer, RedirectLayer, ReissueLayer,
    RequestLineLimitLayer, RequestSpanLayer, RetryConfig, RetryLayer, RouteLayer, SeenIndex, Sticky,
    Strategy, Transport, UserAgentLayer,
};

/// Sets up a [`Transport`]. Nothing is checked before [`Builder::build`].
///
/// Layers of tower, tower-http or one's own go in at three seams. The layer added first to a seam is its
/// outermost, as in tower's `ServiceBuilder`.
///
/// | seam | sees |
/// | --- | --- |
/// | [`call_layer`](Builder::call_layer) | each call once: path-only URI, the final result |
/// | [`attempt_layer`](Builder::attempt_layer) | each attempt: path-only URI, its result, the body read |
/// | [`endpoint_layer`](Builder::endpoint_layer) | what one server gets: absolute URI; an instance each |
///
/// A layer that counts or limits what the servers see belongs at the attempt or endpoint seam; at the call
/// seam it would miss the repetitions:
///
/// ```
/// use etcd_transport::{Endpoints, Transport};
/// use tower::limit::ConcurrencyLimitLayer;
///
/// let transport = Transport::builder(Endpoints::parse("http://127.0.0.1:2379")?)
///     .credentials("root", "secret")
///     .endpoint_layer(ConcurrencyLimitLayer::new(64)) // 64 for each server, not for all
///     .build()?;
/// # Ok::<(), etcd_transport::Error>(())
/// ```
///
/// Layers may change the response body; every seam takes any. A layer that drops the request's extensions
/// makes the request one that is never sent twice, see [`CallContext`](crate::CallContext).
#[derive(Clone)]
#[must_use = "a builder does nothing until it is built"]
pub struct Builder<C = Identity, A = Identity, E = Identity> {
    settings: Settings,
    call: C,
    attempt: A,
    endpoint: E,
}

/// What has no type of its own.
#[derive(Clone)]
struct Settings {
    endpoints: Endpoints,
    credentials: Option<(String, SecretString)>,
    plaintext_auth: bool,
    connect_timeout: Duration,
    strategy: Arc<dyn Strategy>,
    ejection: Ejection,
    race: Option<Duration>,
    user_agent: Option<String>,
    #[cfg(feature = "_tls")]
    tls: Option<TlsConfig>,
    trace_bodies: bool,
    redirect_hosts: Vec<String>,
    cluster_id: ClusterId,
    monotonic_reads: bool,
    request_line_limit: usize,
    observer: Option<SharedObserver>,
    retry: RetryConfig,
}

impl Builder {
    /// With all defaults and no layers.
    pub(crate) fn new(endpoints: Endpoints) -> Self {
        let settings = Settings {
            endpoints,
            credentials: None,
            plaintext_auth: false,
            connect_timeout: CONNECT_TIMEOUT,
            strategy: Arc::new(Sticky),
            ejection: Ejection::default(),
            race: Some(Duration::from_millis(250)),
            user_agent: None,
            #[cfg(feature = "_tls")]
            tls: None,
            trace_bodies: false,
            redirect_hosts: Vec::new(),
            cluster_id: ClusterId::learned(),
            monotonic_reads: false,
            request_line_limit: RequestLineLimitLayer::DEFAULT,
            observer: None,
            retry: RetryConfig::default(),
        };
        Self { settings, call: Identity::new(), attempt: Identity::new(), endpoint: Identity::new() }
    }
}

impl<C, A, E> Builder<C, A, E> {
    /// User and password for basic authentication. Default: none.
    ///
    /// They are checked by [`Builder::build`]. The header is set at the bottom, for every attempt, and no
    /// layer of others sees it.
    pub fn credentials(mut self, user: impl Into<String>, password: impl Into<String>) -> Self {
        self.settings.credentials = Some((user.into(), SecretString::from(password.into())));
        self
    }

    /// Whether the password may be sent unencrypted to a server that is not on this machine. Default false.
    ///
    /// Whoever can read the network there then has the password.
    pub fn allow_plaintext_auth(mut self, allow: bool) -> Self {
        self.settings.plaintext_auth = allow;
        self
    }

    /// How long name lookup and connecting to one server may take together. Default 2 s; zero always fails.
    ///
    /// A call with a shorter limit goes on earlier, see [`AttemptTimeoutLayer`]. An open connection is probed
    /// after 30 s of silence and closed after three probes without an answer, 10 s each.
    ///
    /// Without effect on [`Builder::build_with`].
    pub fn connect_timeout(mut self, limit: Duration) -> Self {
        self.settings.connect_timeout = limit;
        self
    }

    /// How an endpoint is chosen for each attempt. Default [`Sticky`]: the same until it fails.
    pub fn strategy(mut self, strategy: impl Strategy) -> Self {
        self.settings.strategy = Arc::new(strategy);
        self
    }

    /// When an endpoint that keeps failing is left out, and for how long. Default: after 3 failures in a row,
    /// for 1 s and then twice as long each time, up to 30 s.
    pub fn ejection(mut self, ejection: Ejection) -> Self {
        self.settings.ejection = ejection;
        self
    }

    /// How long a connect may hang before the next endpoint is tried beside it, see
    /// [`RouteLayer::connect_race`]; `None` to wait for each. Default 250 ms.
    pub fn connect_race(mut self, delay: Option<Duration>) -> Self {
        self.settings.race = delay;
        self
    }

    /// How to speak TLS with `https` servers. Default: [`TlsConfig::new`].
    ///
    /// It is checked by [`Builder::build`], which refuses it for servers that are not `https`. Without effect
    /// on [`Builder::build_with`].
    #[cfg(feature = "_tls")]
    #[cfg_attr(docsrs, doc(cfg(feature = "tls")))]
    pub fn tls(mut self, config: TlsConfig) -> Self {
        self.settings.tls = Some(config);
        self
    }

    /// The `User-Agent` header. Default: name and version of this crate.
    pub fn user_agent(mut self, text: impl Into<String>) -> Self {
        self.settings.user_agent = Some(text.into());
        self
    }

    /// Whether bodies are shown in trace events. Default false.
    ///
    /// **They hold stored values and the passwords of new users**, see [`AttemptSpanLayer::trace_bodies`].
    pub fn trace_bodies(mut self, show: bool) -> Self {
        self.settings.trace_bodies = show;
        self
    }

    /// Lets redirects lead to this server too. Default: to the servers of the list only.
    ///
    /// Written as in a list of servers, the port being 2379 where none is given; a `Location` without a port
    /// means 80. Nothing but a redirect leads there. **Credentials are sent there as well.** It is checked by
    /// [`Builder::build`].
    pub fn allow_redirect_to(mut self, server: impl Into<String>) -> Self {
        self.settings.redirect_hosts.push(server.into());
        self
    }

    /// Takes answers of this cluster only, see [`ClusterPinLayer`]. Default: of the cluster that answers
    /// first.
    pub fn expected_cluster_id(self, id: impl AsRef<str>) -> Self {
        self.cluster_id(ClusterId::expected(id))
    }

    /// The cluster's id, to share it or to keep a copy. Default: a fresh [`ClusterId::learned`].
    pub fn cluster_id(mut self, id: ClusterId) -> Self {
        self.settings.cluster_id = id;
        self
    }

    /// Whether reads are refused that are older than what was seen, see [`MonotonicReadsLayer`]. Default
    /// false; a request can say otherwise.
    pub fn monotonic_reads(mut self, on: bool) -> Self {
        self.settings.monotonic_reads = on;
        self
    }

    /// How long a request line may be, in bytes with its line break. Default 4096, what etcd takes on a new
    /// connection without TLS, see [`RequestLineLimitLayer`].
    pub fn request_line_limit(mut self, bytes: usize) -> Self {
        self.settings.request_line_limit = bytes;
        self
    }

    /// Tells of the beginning and the end of each attempt, see [`Observer`]. Default: nobody; the last one
    /// given counts.
    pub fn observer(self, observer: impl Observer) -> Self {
        self.shared_observer(SharedObserver::new(observer))
    }

    /// As [`Builder::observer`], for one that is shared already.
    pub fn shared_observer(mut self, observer: SharedObserver) -> Self {
        self.settings.observer = Some(observer);
        self
    }

    /// What is sent again, how often and after which pauses. Defaults: see [`RetryConfig`].
    pub fn retry(mut self, config: RetryConfig) -> Self {
        self.settings.retry = config;
        self
    }

    /// Adds a layer around whole calls.
    ///
    /// It sees a call once, however many attempts it takes, and its time counts against no limit. A failure
    /// of its own has the outcome `NotApplied` as long as nothing was begun below.
    pub fn call_layer<L>(self, layer: L) -> Builder<Stack<L, C>, A, E> {
        let Self { settings, call, attempt, endpoint } = self;
        Builder { settings, call: Stack::new(layer, call), attempt, endpoint }
    }

    /// Adds a layer around each attempt, before an endpoint is chosen.
    ///
    /// Its time counts against the limit of the call, not of the attempt. A layer here that repeats a request
    /// makes attempts like all others: they go to untried endpoints first and count in the outcome.
    pub fn attempt_layer<L>(self, layer: L) -> Builder<C, Stack<L, A>, E> {
        let Self { settings, call, attempt, endpoint } = self;
        Builder { settings, call, attempt: Stack::new(layer, attempt), endpoint }
    }

    /// Adds a layer around the connections to one server, with an instance for each.
    ///
    /// It does not see the `Authorization` and `User-Agent` headers, which are set below. It must send each
    /// request once, with its extensions: a repetition belongs at the attempt seam. A layer that repeats here
    /// all the same makes outcomes `Unknown`, and so does one that loses extensions: a failed connect then proves
    /// nothing.
    pub fn endpoint_layer<L>(self, layer: L) -> Builder<C, A, Stack<L, E>> {
        let Self { settings, call, attempt, endpoint } = self;
        Builder { settings, call, attempt, endpoint: Stack::new(layer, endpoint) }
    }

    /// Builds the transport over the built-in pools of connections. Nothing is connected; for `https` servers
    /// the files of [`TlsConfig`](crate::Builder::tls) are read, which blocks.
    ///
    /// Plain text is HTTP/1.1. Over TLS it is HTTP/2 where the server offers it: one connection to each server
    /// for calls, and another for those whose answer is a stream, so that a watch that nobody reads holds up
    /// no call. With the feature `http2` a request of the version HTTP/2 goes out as such also in plain text,
    /// without asking the server first, which is what gRPC does.
    ///
    /// # Errors
    ///
    /// `InvalidTls`, `InvalidCredentials`, `InvalidUserAgent`; `InvalidEndpoint` for a server that redirects may
    /// lead to; `InsecureEndpoint` for one of those that is not `https` where the others are; `InsecureAuth` for
    /// credentials together with a server that is neither `https` nor on this machine, unless
    /// [`Builder::allow_plaintext_auth`]. Of `https` and other servers only one sort is taken.
    pub fn build<CB, AB, EB>(self) -> Result<Transport, Error>
    where
        C: Layer<DynService, Service: HttpService<CB>>,
        A: Layer<DynService, Service: HttpService<AB>>,
        E: Layer<DynService, Service: HttpService<EB>> + Clone + Send + Sync + 'static,
        CB: Body<Data = Bytes, Error: Into<BoxError>> + Send + 'static,
        AB: Body<Data = Bytes, Error: Into<BoxError>> + Send + 'static,
        EB: Body<Data = Bytes, Error: Into<BoxError>> + Send + 'static,
    {
        let connection = self.settings.connection()?;
        let plain = !self.settings.is_secure();
        self.assemble(connection, plain)
    }

    /// Builds the transport over another connection service: a double, or another HTTP stack.
    ///
    /// ```
    /// use etcd_transport::{ConnectError, Endpoints, ReqBody, RespBody, Transport};
    ///
    /// let servers = tower::service_fn(async |request: http::Request<ReqBody>| match request.uri().host() {
    ///     Some("a") => Err(ConnectError::new("a is down")),
    ///     _ => Ok(http::Response::new(RespBody::from("{}"))),
    /// });
    /// let transport = Transport::builder(Endpoints::parse("a, b")?).build_with(servers)?;
    /// # drop(transport);
    /// # Ok::<(), etcd_transport::Error>(())
    /// ```
    ///
    /// It gets absolute URIs. Its failures count as "may have been sent", but for those with a
    /// [`ConnectError`](crate::ConnectError) among their sources.
    ///
    /// # Errors
    ///
    /// As [`Builder::build`], but for `https` servers, which are the connection's business.
    pub fn build_with<N, NB, CB, AB, EB>(self, connection: N) -> Result<Transport, Error>
    where
        N: HttpService<NB>,
        C: Layer<DynService, Service: HttpService<CB>>,
        A: Layer<DynService, Service: HttpService<AB>>,
        E: Layer<DynService, Service: HttpService<EB>> + Clone + Send + Sync + 'static,
        NB: Body<Data = Bytes, Error: Into<BoxError>> + Send + 'static,
        CB: Body<Data = Bytes, Error: Into<BoxError>> + Send + 'static,
        AB: Body<Data = Bytes, Error: Into<BoxError>> + Send + 'static,
        EB: Body<Data = Bytes, Error: Into<BoxError>> + Send + 'static,
    {
        self.assemble(connection, false)
    }

    /// The stack over a connection service, which may be one without TLS.
    fn assemble<N, NB, CB, AB, EB>(self, connection: N, plain: bool) -> Result<Transport, Error>
    where
        N: HttpService<NB>,
        C: Layer<DynService, Service: HttpService<CB>>,
        A: Layer<DynService, Service: HttpService<AB>>,
        E: Layer<DynService, Service: HttpService<EB>> + Clone + Send + Sync + 'static,
        NB: Body<Data = Bytes, Error: Into<BoxError>> + Send + 'static,
        CB: Body<Data = Bytes, Error: Into<BoxError>> + Send + 'static,
        AB: Body<Data = Bytes, Error: Into<BoxError>> + Send + 'static,
        EB: Body<Data = Bytes, Error: Into<BoxError>> + Send + 'static,
    {
        let Self { settings, call, attempt, endpoint } = self;
        let strays = Strays::default();
        let connection = settings.bottom(connection, &strays)?;
        let guarded = settings.credentials.is_some() && !settings.plaintext_auth;
        let endpoint = layer_fn(move |connection: DynService| DynService::new(endpoint.layer(connection)));
        let pin = ClusterPinLayer::new(settings.cluster_id.clone());
        let route = RouteLayer::with_ejection(settings.endpoints.clone(), settings.ejection.clone())
            .strays(&strays)
            .strategy(Arc::clone(&settings.strategy))
            .connect_race(settings.race)
            .endpoint_layer(pin.clone())
            .endpoint_layer(endpoint.clone());
        let servers = route.handle().guarding_password(guarded).without_tls(plain);
        let seen = SeenIndex::new();
        let monotonic = MonotonicReadsLayer::new(seen.clone()).by_default(settings.monotonic_reads);
        let redirect = RedirectLayer::among(servers.clone());
        let redirect = match settings.redirect_servers()? {
            None => redirect,
            Some(outside) => {
                settings.check_redirect_servers(&outside, plain)?;
                let route = RouteLayer::new(outside.clone()).strays(&strays).endpoint_layer(pin.clone());
                let route = route.endpoint_layer(endpoint.clone());
                redirect.also_to(outside, DynService::new(route.layer(connection.clone())))
            }
        };

        let observe = ObserveLayer::of(settings.observer.clone());
        let spans = AttemptSpanLayer::new().trace_bodies(settings.trace_bodies);
        let inner = CollectLayer::new().layer(redirect.layer(route.layer(connection)));
        let inner = RequestLineLimitLayer::new(settings.request_line_limit).layer(monotonic.layer(inner));
        let inner = spans.layer(observe.layer(AttemptTimeoutLayer::new().layer(inner)));
        let inner = DynService::new(attempt.layer(DynService::new(inner)));
        let inner = RetryLayer::new().config(&settings.retry).layer(inner);
        let inner = ReissueLayer::new().config(&settings.retry).layer(inner);
        let inner = DeadlineLayer::new().layer(inner);
        let inner = DynService::new(RequestSpanLayer::new().layer(inner));
        let cluster = Cluster { servers, strays, id: settings.cluster_id, seen };
        Ok(Transport::built(DynService::new(call.layer(inner)), cluster))
    }
}

impl Settings {
    /// The servers outside of the list that redirects may lead to.
    fn redirect_servers(&self) -> Result<Option<Endpoints>, Error> {
        let hosts = &self.redirect_hosts;
        (!hosts.is_empty()).then(|| Endpoints::new(hosts.iter().map(String::as_str))).transpose()
    }

    /// Refuses servers outside of the list whose scheme does not fit those in it.
    fn check_redirect_servers(&self, outside: &Endpoints, plain: bool) -> Result<(), Error> {
        let secure = self.is_secure();
        if let Some(downgrade) = outside.iter().find(|server| secure && !server.is_https()) {
            return Err(Error::new(ErrorKind::InsecureEndpoint).at(Some(downgrade.clone())));
        }
        if let Some(https) = outside.iter().find(|server| plain && server.is_https()) {
            let text =
                format!("redirects may lead to `{https}`, and the servers are not https: TLS is not set up");
            return Err(Error::new(ErrorKind::InvalidTls).detail(text));
        }
        Ok(())
    }

    /// Whether the servers have TLS: a list is of one sort.
    fn is_secure(&self) -> bool {
        self.endpoints.iter().all(Endpoint::is_https)
    }

    /// The built-in pools.
    #[cfg(feature = "_tls")]
    fn connection(&self) -> Result<Connection, Error> {
        let tls = match (self.endpoints.iter().find(|endpoint| !endpoint.is_https()), &self.tls) {
            (Some(_), None) => None,
            (Some(plain), Some(_)) => {
                let text = format!("TLS is set up, and server `{plain}` is not https");
                return Err(Error::new(ErrorKind::InvalidTls).detail(text));
            }
            (None, tls) => Some(TlsSource::new(tls.clone().unwrap_or_default())?),
        };
        let https = Https::new(crate::connector::tcp(HttpConnector::new(), self.connect_timeout), tls);
        Ok(Connection::new(Connector::over(https, self.connect_timeout)))
    }

    /// The built-in pools.
    #[cfg(not(feature = "_tls"))]
    fn connection(&self) -> Result<Connection, Error> {
        Ok(Connection::new(Connector::new(self.connect_timeout)))
    }

    /// What is the same for every request: classification of failures, and constant headers above it.
    fn bottom<N, NB>(&self, connection: N, strays: &Strays) -> Result<DynService, Error>
    where
        N: HttpService<NB>,
        NB: Body<Data = Bytes, Error: Into<BoxError>> + Send + 'static,
    {
        let agent = match &self.user_agent {
            Some(text) => UserAgentLayer::new(text)?,
            None => UserAgentLayer::default(),
        };
        let connection = agent.layer(ClassifyLayer::counting(strays).layer(connection));
        let Some((user, password)) = &self.credentials else { return Ok(DynService::new(connection)) };
        let credentials = Credentials::new(user, password.expose_secret())?;
        let redirect_servers = self.redirect_servers()?;
        let mut servers = self.endpoints.iter().chain(redirect_servers.iter().flatten());
        let exposed = servers.find(|endpoint| !endpoint.is_https() && !endpoint.is_loopback());
        if let (Some(endpoint), false) = (exposed, self.plaintext_auth) {
            return Err(Error::new(ErrorKind::InsecureAuth).at(Some(endpoint.clone())));
        }
        Ok(DynService::new(AuthorizationLayer::basic(&credentials).layer(connection)))
    }
}

impl<C, A, E> fmt::Debug for Builder<C, A, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Settings { endpoints, credentials, connect_timeout, user_agent, .. } = &self.settings;
        f.debug_struct("Builder")
            .field("endpoints", endpoints)
            .field("user", &credentials.as_ref().map(|(user, _)| printable(user)))
            .field("connect_timeout", connect_timeout)
            .field("user_agent", user_agent)
            .finish_non_exhaustive()
    }
}

const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);
