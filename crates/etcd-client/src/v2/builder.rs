//! Settings of a client.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use etcd_proto::BoxError;
use etcd_proto::v2::auth::Password;
use etcd_transport::{
    ClusterId, DynService, Ejection, Endpoints, HttpService, Observer, RetryConfig, SharedObserver, Strategy,
    Transport,
};
use tower_layer::Layer;

use super::codec::Codec;
use super::http_layer::HttpLayers;
use super::limits::Limits;
use super::{Client, DynOperationService, EndpointList, OperationService, ResolveLayer};
use crate::Result;

/// Settings of a client, see [`Client::builder`]. Nothing is checked before [`build`](ClientBuilder::build).
///
/// # Where layers go
/// | seam | sees | added by |
/// | --- | --- | --- |
/// | operation | each typed request once, watches included | [`operation_layer`](ClientBuilder::operation_layer) |
/// | call | each HTTP call once; its final result | [`call_layer`](ClientBuilder::call_layer) |
/// | attempt | each attempt, before a member is chosen | [`attempt_layer`](ClientBuilder::attempt_layer) |
/// | endpoint | each attempt at one member, with the absolute URI | [`endpoint_layer`](ClientBuilder::endpoint_layer) |
///
/// At each seam the layer added first is outermost. Any tower or tower-http layer fits that keeps the request's
/// extensions: a request that loses them is never sent twice and has the default limits. Each layer added stands
/// in a box of its own that is always ready; layers that go by each other's readiness (a concurrency limit and
/// the load shedding above it) go in together, as one `tower::ServiceBuilder`.
///
/// # Examples
/// ```
/// use std::time::Duration;
/// use etcd_client::v2::Client;
///
/// let client = Client::builder()
///     .endpoints(["10.0.0.1:2379", "10.0.0.2:2379"])
///     .connect_timeout(Duration::from_millis(500))
///     .call_timeout(Duration::from_secs(5))
///     .build()?;
/// # Ok::<(), etcd_client::Error>(())
/// ```
#[derive(Clone)]
#[must_use = "a builder does nothing until it is built"]
pub struct ClientBuilder {
    endpoints: Vec<String>,
    /// Those of the environment.
    environment: Option<String>,
    /// What is asked where neither is given.
    fallback: Option<&'static str>,
    credentials: Option<(String, Password)>,
    allow_plaintext_auth: bool,
    connect_timeout: Option<Duration>,
    routing: Routing,
    user_agent: Option<String>,
    #[cfg(feature = "_tls")]
    tls: Option<crate::TlsConfig>,
    trace_bodies: bool,
    redirect_hosts: Vec<String>,
    cluster_id: Option<ClusterId>,
    monotonic_reads: bool,
    observer: Option<SharedObserver>,
    limits: Limits,
    retry: RetryConfig,
    call: HttpLayers,
    attempt: HttpLayers,
    endpoint: HttpLayers,
    operation: OperationLayers,
}

impl ClientBuilder {
    pub(super) fn new() -> Self {
        Self {
            endpoints: Vec::new(),
            environment: None,
            fallback: None,
            credentials: None,
            allow_plaintext_auth: false,
            connect_timeout: None,
            routing: Routing::default(),
            user_agent: None,
            #[cfg(feature = "_tls")]
            tls: None,
            trace_bodies: false,
            redirect_hosts: Vec::new(),
            cluster_id: None,
            monotonic_reads: false,
            observer: None,
            limits: Limits::default(),
            retry: RetryConfig::default(),
            call: HttpLayers::default(),
            attempt: HttpLayers::default(),
            endpoint: HttpLayers::default(),
            operation: OperationLayers::default(),
        }
    }

    /// Adds members. The first call replaces those of the environment.
    pub fn endpoints(mut self, endpoints: impl EndpointList) -> Self {
        self.endpoints.push(endpoints.into_list());
        self
    }

    /// Whether members are given, by [`endpoints`](Self::endpoints) or by the environment: without, a builder
    /// [of the environment](Self::from_env) asks this machine, and any other is refused by
    /// [`build`](Self::build).
    ///
    /// ```
    /// use etcd_client::v2::ClientBuilder;
    ///
    /// let mut builder = ClientBuilder::from_env()?;
    /// if !builder.has_endpoints() {
    ///     builder = builder.endpoints("etcd.example.org");
    /// }
    /// # Ok::<(), etcd_client::Error>(())
    /// ```
    #[must_use]
    pub fn has_endpoints(&self) -> bool {
        !self.endpoints.is_empty() || self.environment.is_some()
    }

    /// Members to ask where none are given by [`endpoints`](Self::endpoints): those of the environment, or else
    /// the default.
    pub(crate) fn default_endpoints(mut self, environment: Option<String>, fallback: &'static str) -> Self {
        self.environment = environment;
        self.fallback = Some(fallback);
        self
    }

    /// Sends a user's name and password with every request (basic auth; etcd 2.1 and later). None by default.
    ///
    /// The server runs bcrypt on each such request, which takes it tens to hundreds of milliseconds.
    pub fn credentials(mut self, user: impl Into<String>, password: impl Into<Password>) -> Self {
        self.credentials = Some((user.into(), password.into()));
        self
    }

    /// Lets credentials go in plain text to members that are not on this machine. Off by default.
    pub fn allow_plaintext_auth(mut self, allow: bool) -> Self {
        self.allow_plaintext_auth = allow;
        self
    }

    /// Limits the looking up of a name and connecting to it; 2 s by default. Zero lets no connection be made.
    pub fn connect_timeout(mut self, timeout: Duration) -> Self {
        self.connect_timeout = Some(timeout);
        self
    }

    /// How a member is chosen for each attempt. By default [`Sticky`](crate::Sticky): always the same until it
    /// fails; see [`RoundRobin`](crate::RoundRobin) and [`LeaderFirst`](crate::LeaderFirst).
    pub fn strategy(mut self, strategy: impl Strategy) -> Self {
        self.routing.strategy = Some(Arc::new(strategy));
        self
    }

    /// When a member that keeps failing is left out, and for how long. By default after 3 failures in a row, for
    /// 1 s and then twice as long each time, up to 30 s.
    pub fn ejection(mut self, ejection: Ejection) -> Self {
        self.routing.ejection = Some(ejection);
        self
    }

    /// How long a connect may hang before the next member is tried beside it; one copy of the request is sent.
    /// `None` waits for each. 250 ms by default.
    pub fn connect_race(mut self, delay: Option<Duration>) -> Self {
        self.routing.race = Some(delay);
        self
    }

    /// How long a request line may be, in bytes with its line break: a longer one is
    /// [`ErrorKind::RequestTooLong`](crate::ErrorKind::RequestTooLong) and not sent. 4096 by default, which etcd
    /// takes on a new connection without TLS.
    pub fn request_line_limit(mut self, bytes: usize) -> Self {
        self.routing.request_line_limit = Some(bytes);
        self
    }

    /// Limits each attempt but those of watches; zero fails it unsent. By default 5 s for reads, 8 s for keys
    /// writes, 16 s for members and auth writes.
    ///
    /// etcd gives a write up after 7 s by itself. A limit below that makes outcomes unknown that its answer
    /// would have made clear.
    pub fn attempt_timeout(mut self, timeout: Duration) -> Self {
        self.limits.attempt = Some(timeout);
        self
    }

    /// Limits each call with all its attempts, but watches; zero fails it unsent. By default 15 s, for
    /// members and auth writes 30 s.
    pub fn call_timeout(mut self, timeout: Duration) -> Self {
        self.limits.call = Some(timeout);
        self
    }

    /// What is sent again, how often and after which pauses: see [`RetryConfig`] for the defaults, and
    /// [`Call::idempotent`](super::Call::idempotent), [`Call::retry`](super::Call::retry),
    /// [`Call::reissue`](super::Call::reissue) for what single calls may say.
    ///
    /// ```
    /// use etcd_client::{RetryConfig, v2::Client};
    ///
    /// // A call to servers that cannot be reached fails after one round over them, and not when its time is up.
    /// let client = Client::builder().endpoints("10.0.0.1,10.0.0.2").retry(RetryConfig::off()).build()?;
    /// # Ok::<(), etcd_client::Error>(())
    /// ```
    pub fn retry(mut self, config: RetryConfig) -> Self {
        self.retry = config;
        self
    }

    /// Bytes that an answer may have; 64 MiB by default. A larger one is
    /// [`ErrorKind::BodyTooLarge`](crate::ErrorKind::BodyTooLarge).
    pub fn response_limit(mut self, bytes: usize) -> Self {
        self.limits.response = bytes;
        self
    }

    /// Whom to trust and who we are, for `https` members, which all have to be then. By default the roots of the
    /// operating system, and no certificate.
    ///
    /// Files are read by [`build`](Self::build), and again for a new connection once they have changed.
    #[cfg(feature = "_tls")]
    #[cfg_attr(docsrs, doc(cfg(feature = "tls")))]
    pub fn tls(mut self, config: crate::TlsConfig) -> Self {
        self.tls = Some(config);
        self
    }

    /// The `User-Agent` header; name and version of the transport by default.
    pub fn user_agent(mut self, user_agent: impl Into<String>) -> Self {
        self.user_agent = Some(user_agent.into());
        self
    }

    /// Shows bodies of requests and answers in events of the level TRACE. **They hold stored values and new users'
    /// passwords.** Off by default.
    pub fn trace_bodies(mut self, trace: bool) -> Self {
        self.trace_bodies = trace;
        self
    }

    /// Lets redirects (307, 308) lead to this server too, with the credentials. Only the endpoints by default.
    pub fn allow_redirect_to(mut self, server: impl Into<String>) -> Self {
        self.redirect_hosts.push(server.into());
        self
    }

    /// Takes answers of this cluster only, by its id in hexadecimal; others are
    /// [`ErrorKind::ClusterChanged`](crate::ErrorKind::ClusterChanged). By default the first answer says which
    /// cluster it is.
    pub fn expected_cluster_id(self, id: impl AsRef<str>) -> Self {
        self.cluster_id(ClusterId::expected(id))
    }

    /// The cluster's id, to keep a copy of it: for reading the id, and for forgetting it after the cluster was
    /// replaced on purpose.
    pub fn cluster_id(mut self, id: ClusterId) -> Self {
        self.cluster_id = Some(id);
        self
    }

    /// Refuses reads that are older than what this client has seen: the next member is asked, and at the end
    /// it is [`ErrorKind::IndexWentBack`](crate::ErrorKind::IndexWentBack). Off by default; watches are not
    /// refused. A read can say otherwise for itself.
    pub fn monotonic_reads(mut self, on: bool) -> Self {
        self.monotonic_reads = on;
        self
    }

    /// Tells of the beginning and the end of each attempt at a member: for metrics, or for tracing with something
    /// else than `tracing`. Nobody by default; the last one given counts.
    pub fn observer(mut self, observer: impl Observer) -> Self {
        self.observer = Some(SharedObserver::new(observer));
        self
    }

    /// Adds a layer that sees each typed request once.
    pub fn operation_layer<L>(mut self, layer: L) -> Self
    where
        L: Layer<DynOperationService> + Send + Sync + 'static,
        L::Service: OperationService,
    {
        self.operation
            .0
            .push(OperationLayer(Arc::new(move |inner| DynOperationService::new(layer.layer(inner)))));
        self
    }

    /// Adds a layer that sees each HTTP call once, above deadline, failover and limits.
    pub fn call_layer<L, B>(mut self, layer: L) -> Self
    where
        L: Layer<DynService> + Send + Sync + 'static,
        L::Service: HttpService<B>,
        B: http_body::Body<Data = Bytes> + Send + 'static,
        B::Error: Into<BoxError>,
    {
        self.call.push(layer);
        self
    }

    /// Adds a layer that sees each attempt, before a member is chosen for it.
    pub fn attempt_layer<L, B>(mut self, layer: L) -> Self
    where
        L: Layer<DynService> + Send + Sync + 'static,
        L::Service: HttpService<B>,
        B: http_body::Body<Data = Bytes> + Send + 'static,
        B::Error: Into<BoxError>,
    {
        self.attempt.push(layer);
        self
    }

    /// Adds a layer of which each member has an instance of its own, right above the connection.
    pub fn endpoint_layer<L, B>(mut self, layer: L) -> Self
    where
        L: Layer<DynService> + Send + Sync + 'static,
        L::Service: HttpService<B>,
        B: http_body::Body<Data = Bytes> + Send + 'static,
        B::Error: Into<BoxError>,
    {
        self.endpoint.push(layer);
        self
    }

    /// Makes the client. No connection, no task, no runtime is needed; files of certificates are read.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidConfig`](crate::ErrorKind::InvalidConfig) without any endpoint, for an item that is no
    /// endpoint or is plain text beside `https`, for credentials or a user agent that no header can hold, for
    /// certificates that cannot be used, naming each;
    /// [`ErrorKind::TlsUnavailable`](crate::ErrorKind::TlsUnavailable) for `https` in a build without TLS;
    /// [`ErrorKind::InsecureAuth`](crate::ErrorKind::InsecureAuth) for credentials over plain text to another
    /// machine, unless [allowed](ClientBuilder::allow_plaintext_auth).
    pub fn build(self) -> Result<Client> {
        let endpoints = match self.environment.as_deref().or(self.fallback) {
            Some(default) if self.endpoints.is_empty() => Endpoints::parse(default)?,
            _ => Endpoints::parse(&self.endpoints.join(","))?,
        };
        let mut transport = self
            .routing
            .apply(Transport::builder(endpoints))
            .allow_plaintext_auth(self.allow_plaintext_auth)
            .trace_bodies(self.trace_bodies)
            .retry(self.retry)
            .call_layer(self.call)
            .attempt_layer(self.attempt)
            .endpoint_layer(self.endpoint);
        if let Some((user, password)) = self.credentials {
            transport = transport.credentials(user, password.expose());
        }
        if let Some(timeout) = self.connect_timeout {
            transport = transport.connect_timeout(timeout);
        }
        if let Some(user_agent) = self.user_agent {
            transport = transport.user_agent(user_agent);
        }
        let resolve = ResolveLayer::with_limits(self.limits.clone());
        transport = transport.monotonic_reads(self.monotonic_reads);
        if let Some(observer) = self.observer {
            transport = transport.shared_observer(observer);
        }
        if let Some(id) = self.cluster_id {
            transport = transport.cluster_id(id);
        }
        for server in self.redirect_hosts {
            transport = transport.allow_redirect_to(server);
        }
        #[cfg(feature = "_tls")]
        if let Some(tls) = self.tls {
            transport = transport.tls(tls);
        }
        let transport = transport.build()?;
        let codec = Codec::new(transport.clone(), self.limits);
        let service = DynOperationService::new(resolve.layer(codec));
        Ok(Client::over(self.operation.layer(service)).with_transport(transport))
    }
}

impl fmt::Debug for ClientBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Neither endpoints, which are not checked yet and may hold a password, nor who logs in with which.
        f.debug_struct("ClientBuilder")
            .field("credentials", &self.credentials.as_ref().map(|_| "***"))
            .field("connect_timeout", &self.connect_timeout)
            .field("limits", &self.limits)
            .finish_non_exhaustive()
    }
}

/// How members are chosen; `None` leaves the transport's default.
#[derive(Clone, Debug, Default)]
struct Routing {
    strategy: Option<Arc<dyn Strategy>>,
    ejection: Option<Ejection>,
    race: Option<Option<Duration>>,
    request_line_limit: Option<usize>,
}

impl Routing {
    fn apply(self, mut transport: etcd_transport::Builder) -> etcd_transport::Builder {
        if let Some(strategy) = self.strategy {
            transport = transport.strategy(strategy);
        }
        if let Some(ejection) = self.ejection {
            transport = transport.ejection(ejection);
        }
        if let Some(delay) = self.race {
            transport = transport.connect_race(delay);
        }
        if let Some(bytes) = self.request_line_limit {
            transport = transport.request_line_limit(bytes);
        }
        transport
    }
}

/// A user's operation layers, the first added outermost.
#[derive(Clone, Debug, Default)]
struct OperationLayers(Vec<OperationLayer>);

#[derive(Clone)]
struct OperationLayer(Arc<dyn Fn(DynOperationService) -> DynOperationService + Send + Sync>);

impl OperationLayers {
    fn layer(&self, inner: DynOperationService) -> DynOperationService {
        self.0.iter().rev().fold(inner, |inner, layer| (layer.0)(inner))
    }
}

impl fmt::Debug for OperationLayer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OperationLayer").finish_non_exhaustive()
    }
}
