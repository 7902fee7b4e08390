//! Elections in programs without async.

use std::time::Duration;

use etcd_leader::blocking::{Items, Wait};
use etcd_leader::{Election, TwoStep};
use etcd_testkit::Etcd as _;
use etcd_testkit::memory::MemoryEtcd;

#[test]
fn all_can_be_waited_for_in_place_of_being_awaited() {
    let etcd =
        async { Ok::<_, etcd_client::Error>(MemoryEtcd::builder().start().await.unwrap()) }.wait().unwrap();
    let client = etcd_client::v2::Client::connect(etcd.endpoints()).unwrap();
    let election = Election::new(&client, "my-cluster");
    let mut leaders = election.observe().unwrap().items();
    assert!(leaders.next().unwrap().unwrap().leader().is_none());

    let leadership = election.campaign("one").wait().unwrap();
    leadership.check().unwrap();
    leadership.proclaim("two").wait().unwrap();
    let error = election.set_timeout("three", Duration::from_secs(5), Duration::ZERO).wait().unwrap_err();
    assert!(error.is_timed_out(), "{error:?}");
    leadership.resign().wait().unwrap();
    for value in [Some("one"), Some("two"), None] {
        let change = leaders.next().unwrap().unwrap();
        assert_eq!(change.leader().map(|leader| leader.value()), value);
    }

    let two_step = TwoStep::new(&client, "/nsr", "one").settle(Duration::from_millis(10));
    let leadership = two_step.campaign().wait().unwrap();
    assert_eq!(two_step.leader().wait().unwrap().unwrap().token(), leadership.token());
    // Outside of any runtime.
    drop(leadership);
}

#[tokio::test]
async fn inside_a_runtime_nothing_is_sent() {
    let client = etcd_client::v2::Client::connect("http://127.0.0.1:1").unwrap();
    let error = Election::new(&client, "my-cluster").leader().wait().unwrap_err();
    assert!(error.client().is_some_and(etcd_client::Error::is_invalid_config), "{error:?}");
}
