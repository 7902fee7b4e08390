//! What an observer of a client is told.

#![cfg(feature = "v2")]

use std::net::TcpListener;
use std::sync::{Arc, Mutex};

use etcd_client::v2::Client;
use etcd_client::{AttemptEnd, AttemptStart, Observer, Outcome};

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<String>>>);

impl Observer for Log {
    type Attempt = &'static str;

    fn attempt_started(&self, start: &AttemptStart) -> &'static str {
        start.operation
    }

    fn attempt_ended(&self, attempt: &'static str, end: &AttemptEnd) {
        assert_eq!((attempt, end.outcome), (end.operation, Outcome::NotApplied));
        self.0.lock().unwrap().push(format!("{attempt} {} {:?}", end.number, end.kind));
    }
}

#[tokio::test]
async fn an_observer_is_told_of_every_attempt_with_the_name_of_the_call() {
    // A port that was just given back refuses.
    let refusing = || TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
    let log = Log::default();
    let client = Client::builder().endpoints([refusing(), refusing()]).observer(log.clone()).build().unwrap();
    assert!(client.set("/a", "1").retry(false).await.unwrap_err().is_connect());
    assert_eq!(*log.0.lock().unwrap(), ["set 1 Some(Connect)", "set 2 Some(Connect)"]);
}
