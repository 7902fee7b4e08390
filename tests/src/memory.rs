//! Servers in memory that outlive the runtime of a test.

use std::sync::LazyLock;

use etcd_testkit::memory::{MemoryBuilder, MemoryEtcd};
use tokio::runtime::{Builder, Runtime};

/// Starts a server on a thread of its own, as a process would be: tests share it, each of which has a runtime of
/// its own that ends with it, and tests of programs without async stop theirs.
///
/// # Panics
/// If it does not start.
pub(crate) async fn start(builder: MemoryBuilder) -> MemoryEtcd {
    static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| {
        let mut builder = Builder::new_multi_thread();
        builder.worker_threads(1).thread_name("etcd in memory").enable_all();
        builder.build().expect("a thread and a few file descriptors")
    });
    let started = RUNTIME.spawn(builder.start()).await;
    let started = started.unwrap_or_else(|ended| panic!("a server in memory does not start: {ended}"));
    started.unwrap_or_else(|error| panic!("{error}"))
}
