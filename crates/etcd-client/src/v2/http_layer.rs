//! A user's HTTP layers in one box, so that the builder has one nameable type.

use std::fmt;
use std::sync::Arc;

use bytes::Bytes;
use etcd_proto::BoxError;
use etcd_transport::{DynService, HttpService};
use tower_layer::Layer;

/// The layers that a user has put at one seam, the first added outermost.
#[derive(Clone, Default)]
pub(crate) struct HttpLayers(Vec<Arc<dyn Fn(DynService) -> DynService + Send + Sync>>);

impl HttpLayers {
    pub(crate) fn push<L, B>(&mut self, layer: L)
    where
        L: Layer<DynService> + Send + Sync + 'static,
        L::Service: HttpService<B>,
        B: http_body::Body<Data = Bytes> + Send + 'static,
        B::Error: Into<BoxError>,
    {
        self.0.push(Arc::new(move |inner| DynService::new(layer.layer(inner))));
    }
}

impl Layer<DynService> for HttpLayers {
    type Service = DynService;

    fn layer(&self, inner: DynService) -> DynService {
        self.0.iter().rev().fold(inner, |inner, layer| layer(inner))
    }
}

impl fmt::Debug for HttpLayers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("HttpLayers").field(&self.0.len()).finish()
    }
}
