//! Keys that no other test uses.

use std::sync::atomic::{AtomicU32, Ordering};

use etcd_client::RetryConfig;
use etcd_client::v2::{Client, ClientBuilder};
use etcd_testkit::Etcd;

use crate::{PATIENCE, canary};

/// A client of a server, and a directory on it that no other test uses.
#[derive(Clone, Debug)]
pub struct Scope {
    /// A client that sees the whole store.
    pub client: Client,
    dir: String,
}

impl Scope {
    /// A fresh directory; it is not made.
    ///
    /// # Panics
    /// If the server's endpoints are none.
    pub fn new(etcd: &dyn Etcd) -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let client = patient(etcd.endpoints()).build().expect("a test server has endpoints");
        Self { client, dir: format!("/test-{}-{number}", std::process::id()) }
    }

    /// The directory.
    pub fn dir(&self) -> &str {
        &self.dir
    }

    /// A key below the directory.
    pub fn key(&self, below: &str) -> String {
        format!("{}/{below}", self.dir)
    }

    /// A client that has the directory as its root: for tests that read better with short keys.
    ///
    /// # Panics
    /// Never: the directory is a key.
    pub fn inside(&self) -> Client {
        self.client.namespace(self.dir.as_str()).expect("a key")
    }
}

/// A builder with limits that a busy machine does not reach.
pub fn patient(endpoints: impl IntoIterator<Item = impl AsRef<str>>) -> ClientBuilder {
    patiently(canary::builder(), endpoints)
}

/// As [`patient`], and without credentials in any run: for tests of what those are refused who have none.
pub fn guest(endpoints: impl IntoIterator<Item = impl AsRef<str>>) -> ClientBuilder {
    patiently(Client::builder(), endpoints)
}

fn patiently(builder: ClientBuilder, endpoints: impl IntoIterator<Item = impl AsRef<str>>) -> ClientBuilder {
    builder
        .endpoints(endpoints.into_iter().collect::<Vec<_>>())
        .connect_timeout(PATIENCE)
        .attempt_timeout(PATIENCE)
        .call_timeout(PATIENCE)
        // What fails is told at once, and nothing is sent twice.
        .retry(RetryConfig::off())
}
