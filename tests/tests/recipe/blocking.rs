//! In programs without async.

use std::time::Duration;

use etcd_client::blocking::Wait as _;
use etcd_client::v2::Client;
use etcd_recipe::{KeepAlive, Queue, State};
use etcd_testkit::Etcd as _;
use etcd_testkit::memory::MemoryEtcd;

/// In real time, by sockets, with the server in a runtime of its own.
#[test]
fn a_thread_without_async_holds_for_longer_than_the_ttl() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let etcd = runtime.block_on(MemoryEtcd::builder().start()).unwrap();
    let client = Client::connect(etcd.endpoints()).unwrap();
    let queue = Queue::new(&client, "/locks/a").ttl(Duration::from_secs(5)).value("me");
    let held = queue.acquire().wait().unwrap();
    let here = KeepAlive::register(&client, "/here", "1", Duration::from_secs(5)).wait().unwrap();
    assert!(queue.try_acquire().wait().unwrap().is_none());
    // The thread that waits for nothing: it is renewed all the same.
    assert!(std::process::Command::new("sleep").arg("6").status().unwrap().success());
    assert_eq!(held.state(), State::Held);
    here.check().unwrap();
    assert_eq!(queue.holder().wait().unwrap().unwrap().value, "me");
    held.set_value("still me").wait().unwrap();
    assert_eq!(held.run(async { 7 }).wait().unwrap(), 7);
    held.release().wait().unwrap();
    drop(here);
    assert!(queue.holder().wait().unwrap().is_none());
    let error = runtime.block_on(async { queue.acquire().wait() }).unwrap_err();
    assert!(error.client().unwrap().is_invalid_config());
}
