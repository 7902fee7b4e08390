//! The client itself: a handle on the operation seam.

use std::any::Any;
use std::fmt;

use bytes::Bytes;
use etcd_proto::BoxError;
use etcd_proto::v2::{Request, Response};
use etcd_transport::{HttpService, Transport};
use tower_layer::Layer;
use tower_service::Service;

use super::codec::Codec;
use super::limits::Limits;
use super::{
    ClientBuilder, DynOperationService, EndpointList, Namespace, NamespaceLayer, OperationService,
    ResolveLayer,
};
use crate::Result;

/// A client of etcd's v2 API.
///
/// Cheap to clone; a clone shares connections and all else. Making one does no I/O and spawns nothing: the
/// first call connects, inside the tokio runtime that it runs in.
///
/// Methods that make calls return a [`Call`](super::Call), which is sent when it is awaited.
///
/// The client is closed when its last clone is dropped.
///
/// # Examples
/// ```no_run
/// # async fn example() -> Result<(), etcd_client::Error> {
/// use std::time::Duration;
/// use etcd_client::v2::{Client, Compare};
///
/// let client = Client::connect("http://127.0.0.1:2379")?;
/// client.set("/foo/bar", "Hello World").ttl(Duration::from_secs(60)).await?;
/// client.compare_and_swap("/foo/bar", "Goodbye", Compare::value("Hello World")).await?;
/// println!("{}", client.get("/foo/bar").await?.text());
/// # Ok(())
/// # }
/// ```
#[doc(alias = "etcd_close")]
#[doc(alias = "etcd_close_str")]
#[derive(Clone)]
pub struct Client {
    service: DynOperationService,
    /// What has the list of servers; `None` where the client stands on somebody else's service.
    transport: Option<Transport>,
}

impl Client {
    /// A client of the members in `endpoints`: one text or a list, see [`EndpointList`].
    ///
    /// # Errors
    /// [`ErrorKind::InvalidConfig`](crate::ErrorKind::InvalidConfig) for an empty list or for an item that is no
    /// endpoint, naming it; [`ErrorKind::TlsUnavailable`](crate::ErrorKind::TlsUnavailable) for `https` in a build
    /// without TLS.
    #[doc(alias = "EtcdServer")]
    #[doc(alias = "etcd_open")]
    #[doc(alias = "etcd_open_str")]
    pub fn connect(endpoints: impl EndpointList) -> Result<Self> {
        Self::builder().endpoints(endpoints).build()
    }

    /// A client with settings of its own.
    pub fn builder() -> ClientBuilder {
        ClientBuilder::new()
    }

    /// A client by the environment variables that etcdctl and the old C client read, see
    /// [`ClientBuilder::from_env`].
    ///
    /// # Errors
    /// As [`ClientBuilder::from_env`] and [`ClientBuilder::build`].
    pub fn from_env() -> Result<Self> {
        ClientBuilder::from_env()?.build()
    }

    /// A client on any HTTP service: a [`Transport`](etcd_transport::Transport) of one's own, or a double.
    ///
    /// Requests have a URI of path and query only, and carry a [`CallContext`](etcd_transport::CallContext).
    ///
    /// The list of servers of a built [`Transport`](etcd_transport::Transport) is the client's:
    /// [`endpoints`](Self::endpoints), [`sync`](Self::sync). Any other service, also a transport in layers of
    /// one's own, hides whether it has one.
    pub fn from_transport<S, B>(transport: S) -> Self
    where
        S: HttpService<B>,
        B: http_body::Body<Data = Bytes> + Send + 'static,
        B::Error: Into<BoxError>,
    {
        let built = (&transport as &dyn Any).downcast_ref::<Transport>().cloned();
        let client = Self::from_service(Codec::new(transport, Limits::default()));
        Self { transport: built, ..client }
    }

    /// A client on any service of typed requests: the operation seam.
    ///
    /// # Examples
    /// A double that answers every call with one error:
    /// ```
    /// # #[tokio::main(flavor = "current_thread")] async fn main() {
    /// use etcd_client::v2::{Client, Request, Response};
    ///
    /// let double = tower::service_fn(|_request: Request| async { Err::<Response, _>("no such thing") });
    /// let error = Client::from_service(double).get("/a").await.unwrap_err();
    /// assert!(error.is_layer());
    /// # }
    /// ```
    pub fn from_service<S: OperationService>(service: S) -> Self {
        Self::over(ResolveLayer::new().layer(service))
    }

    /// A client on a service that resolves unknown outcomes already.
    pub(super) fn over<S: OperationService>(service: S) -> Self {
        Self { service: DynOperationService::new(service), transport: None }
    }

    /// The same with the transport at the bottom of it.
    pub(super) fn with_transport(self, transport: Transport) -> Self {
        Self { transport: Some(transport), ..self }
    }

    /// What has the list of servers, if it is known.
    pub(super) fn transport(&self) -> Option<&Transport> {
        self.transport.as_ref()
    }

    /// This client with a layer around its operation seam. The list of servers is the same.
    #[must_use]
    pub fn layer<L>(&self, layer: L) -> Self
    where
        L: Layer<DynOperationService>,
        L::Service: OperationService,
    {
        let transport = self.transport.clone();
        Self { transport, ..Self::over(layer.layer(self.service.clone())) }
    }

    /// This client with all its keys below `prefix`: the root of the new client is `prefix` of this one.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidKey`](crate::ErrorKind::InvalidKey) for a prefix that etcd cannot hold.
    pub fn namespace(
        &self,
        prefix: impl TryInto<super::Key, Error: Into<etcd_proto::Error>>,
    ) -> Result<Self> {
        let prefix = prefix.try_into().map_err(Into::into)?;
        Ok(self.layer(NamespaceLayer::new(prefix)))
    }

    pub(super) async fn call_service(&self, request: Request) -> Result<Response, BoxError> {
        self.service.clone().call(request).await
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").finish_non_exhaustive()
    }
}

const _: () = {
    const fn shared<T: Clone + Send + Sync + fmt::Debug + 'static>() {}
    shared::<Client>();
    shared::<Namespace<DynOperationService>>();
};
