//! The client on a cluster without sockets: what it knows of a write that failed.

use etcd_client::v2::Client;
use etcd_client::{BoxError, Endpoints, Error, Outcome};
use etcd_testkit::Etcd as _;
use etcd_testkit::memory::{ConnectRefused, Fault, InProcess, MemoryEtcd, Rule};
use etcd_transport::{ConnectError, Transport};
use http::Method;
use tower::util::MapErr;

/// A client of the cluster's, by the mapping of the guide.
fn client(etcd: &InProcess) -> Client {
    let connection = MapErr::new(etcd.http_service(), |error: BoxError| -> BoxError {
        match error.downcast::<ConnectRefused>() {
            Ok(refused) => ConnectError::new(refused).into(),
            Err(other) => other,
        }
    });
    let endpoints = Endpoints::parse(&etcd.endpoints().join(",")).unwrap();
    Client::from_transport(Transport::builder(endpoints).build_with(connection).unwrap())
}

fn cluster(members: usize) -> InProcess {
    MemoryEtcd::builder().members(members).in_process().unwrap()
}

/// Why a write failed that no member would take twice, and whether it was made all the same.
async fn failed_create(fault: Fault) -> (Error, bool) {
    let etcd = cluster(1);
    etcd.faults().add(Rule::new(fault).method(Method::PUT));
    let error = client(&etcd).create("/a", "1").await.unwrap_err();
    (error, etcd.log().entries().iter().any(|entry| entry.applied))
}

#[tokio::test(start_paused = true)]
async fn a_refused_connection_proves_that_nothing_was_sent() {
    let (error, applied) = failed_create(Fault::Refuse).await;
    assert_eq!((error.outcome(), applied), (Outcome::NotApplied, false), "{error:?}");
}

#[tokio::test(start_paused = true)]
async fn a_lost_connection_proves_nothing() {
    for (fault, was_applied) in [(Fault::DropAnswer, true), (Fault::ResetBeforeHead, false)] {
        let (error, applied) = failed_create(fault.clone()).await;
        assert_eq!((error.outcome(), applied), (Outcome::Unknown, was_applied), "{fault:?}: {error:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_connection_lost_behind_a_good_head_proves_that_the_write_was_made() {
    let (error, applied) = failed_create(Fault::ResetAfterHead).await;
    assert_eq!((error.outcome(), applied), (Outcome::Applied, true), "{error:?}");
}

#[tokio::test(start_paused = true)]
async fn a_write_goes_on_to_the_next_member_when_the_first_refuses() {
    let etcd = cluster(2);
    etcd.kill(0).unwrap();
    client(&etcd).create("/a", "1").await.unwrap();
    assert_eq!(etcd.log().entries().iter().filter(|entry| entry.applied).count(), 1);
}
