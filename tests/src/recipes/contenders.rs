//! Contenders in processes of their own.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use etcd_client::v2::Client;
use etcd_lock::Lock;
use etcd_testkit::Etcd as _;
use etcd_testkit::real::Server;

use super::journal::Journal;
use super::process::{Process, Task};
use super::resource::Resource;

/// Starts the contender of this number, which begins with a member of its own.
pub(super) fn start(
    program: &Path,
    server: &Server,
    dir: &str,
    number: usize,
    ttl: Duration,
    resource: &Resource,
    journal: &Arc<Journal>,
) -> Process {
    let mut endpoints = server.endpoints();
    let members = endpoints.len();
    endpoints.rotate_left(number % members);
    let (name, dir, resource) = (format!("contender-{number}"), dir.to_owned(), resource.address());
    Process::start(program, &Task { name, endpoints, dir, ttl, resource }, journal)
}

/// The lock whose queue is in this directory.
pub(super) fn lock(client: &Client, dir: &str) -> Lock {
    let (prefix, name) = dir.rsplit_once('/').expect("a directory below another one");
    Lock::new(client, name).prefix(prefix)
}

/// The shortest that there is.
pub(super) const TTL: Duration = Duration::from_secs(5);
