//! What an endpoint layer sees of the connections: their version, and which they are.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use etcd_client::v2::ClientBuilder;
use etcd_transport::RespBody;
use http::{Response, Version};
use hyper_util::client::legacy::connect::HttpInfo;
use tower::util::MapResponseLayer;

/// The version of each answer, and our address of its connection.
#[derive(Clone, Debug, Default)]
pub(crate) struct Seen(Arc<Mutex<Vec<(Version, SocketAddr)>>>);

impl Seen {
    pub(crate) fn on(&self, builder: ClientBuilder) -> ClientBuilder {
        let seen = self.clone();
        builder.endpoint_layer(MapResponseLayer::new(move |response: Response<RespBody>| {
            let address = response.extensions().get::<HttpInfo>().unwrap().local_addr();
            seen.0.lock().unwrap().push((response.version(), address));
            response
        }))
    }

    pub(crate) fn versions(&self) -> Vec<Version> {
        self.0.lock().unwrap().iter().map(|(version, _)| *version).collect()
    }

    /// How many connections there were.
    pub(crate) fn connections(&self) -> usize {
        self.0.lock().unwrap().iter().map(|(_, address)| *address).collect::<BTreeSet<_>>().len()
    }
}
