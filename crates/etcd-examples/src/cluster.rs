//! Where an example runs.

use std::error::Error;
use std::net::TcpListener;

use etcd_client::v2::ClientBuilder;
use etcd_testkit::Etcd as _;
use etcd_testkit::memory::{MemoryEtcd, Profile};

/// The etcd that the environment names, or one in memory that ends with this value.
#[derive(Debug)]
pub struct Cluster {
    builder: ClientBuilder,
    memory: Option<MemoryEtcd>,
}

/// Finds or starts one, and prints where that is in memory.
///
/// # Errors
/// Those of [`ClientBuilder::from_env`], and of an etcd in memory that finds no port.
pub async fn cluster() -> Result<Cluster, Box<dyn Error>> {
    let builder = ClientBuilder::from_env()?;
    if builder.has_endpoints() {
        return Ok(Cluster { builder, memory: None });
    }
    println!("{NO_ENDPOINT}");
    let memory = MemoryEtcd::builder().profile(Profile::V3_5).start().await?;
    Ok(Cluster { builder, memory: Some(memory) })
}

/// A key that nobody else uses, in no directory: the examples run on clusters in use, too. Give it a ttl, and nothing
/// of it stays.
#[must_use]
pub fn fresh_key(name: &str) -> String {
    format!("/example-{name}-{:016x}", fastrand::u64(..))
}

impl Cluster {
    /// A builder of clients of it.
    pub fn builder(&self) -> ClientBuilder {
        match &self.memory {
            Some(memory) => self.builder.clone().endpoints(memory.endpoints()),
            None => self.builder.clone(),
        }
    }

    /// The same. The one in memory stands behind a member that refuses connections, so that the first call takes
    /// two attempts; the environment's is taken as it is.
    ///
    /// # Errors
    /// If no port is free.
    pub fn builder_behind_a_refusal(&self) -> std::io::Result<ClientBuilder> {
        let Some(memory) = &self.memory else { return Ok(self.builder()) };
        // It was free a moment ago, and nobody listens there.
        let refusing = format!("http://{}", TcpListener::bind("127.0.0.1:0")?.local_addr()?);
        println!("{refusing} refuses connections, {} serves\n", memory.endpoints().join(" and "));
        Ok(self.builder.clone().endpoints([refusing]).endpoints(memory.endpoints()))
    }
}

const NO_ENDPOINT: &str =
    "no endpoint in the environment: using an etcd in memory; set ETCDCTL_ENDPOINTS to use a real one";
