//! Locks in a program without async, on sockets in real time.

use etcd_client::v2::Client;
use etcd_lock::blocking::Wait as _;
use etcd_lock::{FencedKey, Lock, Spin};
use etcd_testkit::Etcd as _;
use etcd_testkit::memory::MemoryEtcd;

#[test]
fn a_program_without_async_locks_waits_and_writes() {
    let server = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let etcd = server.block_on(MemoryEtcd::builder().start()).unwrap();
    let client = Client::connect(etcd.endpoints()).unwrap();
    let lock = Lock::new(&client, "mylock");

    let guard = lock.acquire().wait().unwrap();
    guard.check().unwrap();
    guard.renew().wait().unwrap();
    assert!(lock.try_acquire().wait().unwrap().is_none());
    assert_eq!(lock.holder().wait().unwrap().unwrap().token, *guard.token());
    let state = FencedKey::new(&client, "/state");
    state.write(guard.token(), "one").wait().unwrap();
    assert_eq!(state.read().wait().unwrap().unwrap().value, "one");

    let second = lock.clone();
    let waiter = std::thread::spawn(move || second.acquire().wait());
    guard.release().wait().unwrap();
    let guard = waiter.join().unwrap().unwrap();
    let token = guard.detach();
    lock.release_by(&token).wait().unwrap();

    let spin = Spin::new(&client, "one").try_acquire().wait().unwrap().unwrap();
    spin.release().wait().unwrap();
}

#[test]
fn inside_a_runtime_it_is_an_error_and_nothing_is_sent() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let lock = Lock::new(&Client::connect("127.0.0.1:1").unwrap(), "mylock");
        let error = lock.acquire().wait().unwrap_err();
        assert!(error.client().unwrap().is_invalid_config(), "{error:?}");
    });
}
