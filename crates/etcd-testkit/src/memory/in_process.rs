//! A cluster without ports.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use super::engine::Engine;
use super::{Change, Error, Faults, HttpService, Log, OperationService, Profile, Store};
use crate::{Etcd, Version};

/// A cluster in memory that listens nowhere: requests go in by its services.
///
/// It spawns nothing and needs no runtime to be made. Its time is tokio's: in a test with paused time nothing
/// waits really, and [`advance`](Self::advance) has times to live, delays and the like pass in order. Cheap to
/// clone; all clones are the same cluster.
///
/// # Examples
/// ```
/// use std::time::Duration;
///
/// use etcd_testkit::memory::MemoryEtcd;
/// use tower::ServiceExt;
///
/// # #[tokio::main(flavor = "current_thread", start_paused = true)]
/// # async fn main() -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
/// let etcd = MemoryEtcd::builder().in_process()?;
/// let put = http::Request::put("/v2/keys/a?value=1&ttl=60").body(String::new())?;
/// assert_eq!(etcd.http_service().oneshot(put).await?.status(), 201);
///
/// etcd.advance(Duration::from_secs(61)).await;
/// let get = http::Request::get("/v2/keys/a").body(String::new())?;
/// assert_eq!(etcd.http_service().oneshot(get).await?.status(), 404);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct InProcess {
    engine: Arc<Engine>,
    name: Arc<str>,
    version: Version,
    endpoints: Arc<[String]>,
}

impl InProcess {
    pub(crate) fn new(engine: Arc<Engine>, profile: Profile, endpoints: Vec<String>) -> Self {
        let version = profile.version();
        let name = match endpoints.len() {
            1 => format!("etcd {version} in memory"),
            count => format!("etcd {version} in memory, {count} members"),
        };
        Self { engine, name: name.into(), version, endpoints: endpoints.into() }
    }

    /// The cluster as an HTTP service.
    #[must_use]
    pub fn http_service(&self) -> HttpService {
        HttpService::new(Arc::clone(&self.engine), &self.endpoints)
    }

    /// The cluster as a service of typed calls.
    #[must_use]
    pub fn operation_service(&self) -> OperationService {
        OperationService::new(Arc::clone(&self.engine))
    }

    /// What goes wrong, to be changed while the cluster runs.
    #[must_use]
    pub fn faults(&self) -> Faults {
        Faults::new(Arc::clone(&self.engine))
    }

    /// What was served.
    #[must_use]
    pub fn log(&self) -> Log {
        Log::new(Arc::clone(&self.engine))
    }

    /// Kills a member, counted from 0: what is open is cut, and requests are refused.
    ///
    /// # Errors
    /// [`ErrorKind::NoMember`](super::ErrorKind::NoMember) if there is no such member, or it was removed.
    pub fn kill(&self, member: usize) -> Result<(), Error> {
        self.engine.change(&Change::Kill(member))
    }

    /// Brings a killed member back, with the state that the cluster has.
    ///
    /// # Errors
    /// [`ErrorKind::NoMember`](super::ErrorKind::NoMember) if there is no such member, or it was removed.
    pub fn restart(&self, member: usize) -> Result<(), Error> {
        self.engine.change(&Change::Restart(member))
    }

    /// Lets so much time pass on tokio's clock, with all that is due on the way.
    ///
    /// In paused time (`start_paused`) it returns as soon as nothing else can run; otherwise it really takes
    /// that long. To move the server's clock alone, and at once, apply [`Change::ClockForward`].
    ///
    /// # Cancel safety
    /// Dropping it has no effect but that it waits no longer.
    pub async fn advance(&self, time: Duration) {
        tokio::time::sleep(time).await;
    }

    /// The date in the cluster.
    #[must_use]
    pub fn now(&self) -> SystemTime {
        self.engine.with(|state| state.date())
    }

    /// Looks at the cluster's state, or changes it beyond what [`Change`] has, with all that is due done before;
    /// the closure gets the date. Watches that it gives something to read are woken when it returns.
    ///
    /// The cluster stands still meanwhile: the closure must not use the cluster by any other way, which would
    /// wait for ever, nor take [woken](Store::take_woken) watches.
    pub fn with_store<R>(&self, act: impl FnOnce(&mut Store, SystemTime) -> R) -> R {
        self.engine.with(|state| {
            let date = state.date();
            act(&mut state.store, date)
        })
    }

    pub(crate) fn engine(&self) -> &Arc<Engine> {
        &self.engine
    }
}

impl Etcd for InProcess {
    fn name(&self) -> &str {
        &self.name
    }

    /// Names that no resolver knows; [`HttpService`] does.
    fn endpoints(&self) -> Vec<String> {
        self.endpoints.to_vec()
    }

    fn version(&self) -> Version {
        self.version
    }
}
