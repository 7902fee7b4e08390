//! Writes that are applied, and whose answers are not heard.

use std::time::Duration;

use etcd_client::v2::{Client, Node};
use etcd_lock::{Lock, LockGuard};
use etcd_testkit::proxy::{Fault, Rule};
use etcd_testkit::real::Server;
use futures_util::future::join_all;
use http::{Method, StatusCode};

use super::contenders::lock;
use super::shown::Shown;
use crate::failover::Proxied;

/// What a contender writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Write {
    Create,
    Renew,
    Release,
    /// A renewal and a release of what somebody else has deleted.
    RenewDeleted,
    ReleaseDeleted,
}

const WRITES: [Write; 5] =
    [Write::Create, Write::Renew, Write::Release, Write::RenewDeleted, Write::ReleaseDeleted];

/// The server's answer does not come, in five ways.
fn faults() -> [Fault; 5] {
    [
        Fault::DropAnswer,
        Fault::ResetAnswer,
        Fault::GatewayAfter(StatusCode::GATEWAY_TIMEOUT),
        Fault::CutBody(20),
        Fault::HangAnswer,
    ]
}

/// Has each write lose its answer so many times, and asks members directly for the truth.
///
/// # Panics
/// If what nothing goes wrong with fails.
pub async fn answers_lost(server: &Server, runs: usize) -> Shown {
    let mut all = Shown::default();
    // At the same time: what hangs is waited for.
    for shown in join_all(WRITES.map(|write| answer_lost(server, write, runs))).await {
        all.merge(shown);
    }
    all
}

async fn answer_lost(server: &Server, write: Write, runs: usize) -> Shown {
    // Its own: what they have seen is forgotten at each run.
    let proxied = Proxied::all(server).await;
    let (mut shown, mut truthful) = (Shown::default(), 0);
    for number in 0..runs {
        let run = Run::new(write, number, &proxied);
        match run.make(&proxied).await {
            Ok(()) => truthful += 1,
            Err(lie) => shown.problems([format!("{write:?} {number} under {:?}: {lie}", run.fault)]),
        }
    }
    shown.figure(format!("answer lost: {}, told truly", write.what()), format!("{truthful} of {runs}"));
    shown
}

impl Write {
    fn what(self) -> &'static str {
        match self {
            Self::Create => "creation",
            Self::Renew => "renewal",
            Self::Release => "release",
            Self::RenewDeleted => "renewal of a deleted key",
            Self::ReleaseDeleted => "release of a deleted key",
        }
    }
}

struct Run {
    write: Write,
    dir: String,
    fault: Fault,
    /// At each member the first time, or at one alone.
    everywhere: bool,
    lock: Lock,
    direct: Client,
}

impl Run {
    fn new(write: Write, number: usize, proxied: &Proxied) -> Self {
        let faults = faults();
        let dir = format!("/recipes/lost/{write:?}-{number}");
        // A client of its own begins with the first member.
        let client = proxied.client().build().expect("proxies have endpoints");
        let lock = lock(&client, &dir).ttl(TTL).without_skew_probe();
        let fault = faults[number % faults.len()].clone();
        let everywhere = number / faults.len() % 2 == 1;
        Self { write, dir, fault, everywhere, lock, direct: proxied.direct() }
    }

    /// Makes the write and compares what is told with what is there.
    async fn make(&self, proxied: &Proxied) -> Result<(), String> {
        match self.write {
            Write::Create => self.create(proxied).await,
            Write::Renew => self.renew(proxied).await,
            Write::Release => self.release(proxied).await,
            Write::RenewDeleted | Write::ReleaseDeleted => self.deleted(proxied).await,
        }
    }

    async fn create(&self, proxied: &Proxied) -> Result<(), String> {
        self.lose(proxied, Method::PUT);
        let held = self.lock.acquire().await.map_err(|error| format!("not acquired: {error:?}"))?;
        self.was_lost(proxied)?;
        self.is_alone(&held).await?;
        held.release().await.map_err(|error| format!("not released: {error:?}"))?;
        self.is_empty().await
    }

    async fn renew(&self, proxied: &Proxied) -> Result<(), String> {
        let held = self.lock.acquire().await.expect("nobody else wants it");
        let before = self.is_alone(&held).await?;
        self.lose(proxied, Method::PUT);
        held.renew().await.map_err(|error| format!("not renewed: {error:?}"))?;
        self.was_lost(proxied)?;
        let after = self.is_alone(&held).await?;
        if after.modified_index <= before.modified_index {
            return Err("said to be renewed, and was not".to_owned());
        }
        // Shown are whole seconds, rounded up: it never believes in more than the servers grant.
        let granted = after.ttl.and_then(|ttl| u64::try_from(ttl).ok()).unwrap_or_default();
        let believed = held.remaining();
        if believed > Duration::from_secs(granted) {
            return Err(format!("believes in {believed:?} of {granted} s"));
        }
        held.release().await.map_err(|error| format!("not released: {error:?}"))?;
        self.is_empty().await
    }

    async fn release(&self, proxied: &Proxied) -> Result<(), String> {
        let held = self.lock.acquire().await.expect("nobody else wants it");
        self.lose(proxied, Method::DELETE);
        held.release().await.map_err(|error| format!("not released: {error:?}"))?;
        self.was_lost(proxied)?;
        self.is_empty().await
    }

    /// Somebody else has deleted the key before: that is a loss, whatever answers are lost.
    async fn deleted(&self, proxied: &Proxied) -> Result<(), String> {
        let held = self.lock.acquire().await.expect("nobody else wants it");
        self.is_alone(&held).await?;
        // Not by comparing its index: that would be the very event that a release of the holder's own makes.
        self.direct.delete(held.key()).await.map_err(|error| format!("not deleted: {error:?}"))?;
        let told = if self.write == Write::RenewDeleted {
            self.lose(proxied, Method::PUT);
            let told = held.renew().await;
            if held.check().is_ok() {
                return Err("believes in a key that is gone".to_owned());
            }
            told
        } else {
            self.lose(proxied, Method::DELETE);
            held.release().await
        };
        self.was_lost(proxied)?;
        match told {
            Err(error) if error.is_lost() => Ok(()),
            told => Err(format!("lost before, and told {told:?}")),
        }
    }

    fn lose(&self, proxied: &Proxied, method: Method) {
        proxied.forget();
        let rule = Rule::new(self.fault.clone()).method(method).key_prefix(&self.dir).nth(1);
        if self.everywhere { proxied.add(&rule) } else { proxied.add_to_first(rule) }
    }

    /// That an answer was lost whose request the server has had; nothing goes wrong from now on.
    fn was_lost(&self, proxied: &Proxied) -> Result<(), String> {
        let lost = proxied.entries().iter().any(|entry| entry.fault.is_some() && entry.forwarded);
        proxied.clear();
        if lost { Ok(()) } else { Err("no answer was lost: nothing was shown".to_owned()) }
    }

    /// The one key of the queue, if it is that of `held`.
    async fn is_alone(&self, held: &LockGuard) -> Result<Node, String> {
        held.check().map_err(|error| format!("held no more: {error:?}"))?;
        let nodes = self.nodes().await;
        match <[Node; 1]>::try_from(nodes) {
            Ok([node]) if node.created_index.get() == held.token().index() => Ok(node),
            Ok([node]) => Err(format!("{} is held, {} is there", held.token(), node.created_index.get())),
            Err(nodes) => Err(format!("{} keys are there", nodes.len())),
        }
    }

    async fn is_empty(&self) -> Result<(), String> {
        match self.nodes().await.len() {
            0 => Ok(()),
            keys => Err(format!("{keys} keys are left")),
        }
    }

    async fn nodes(&self) -> Vec<Node> {
        match self.direct.get(self.dir.as_str()).recursive(true).quorum(true).await {
            Ok(answer) => answer.node.nodes,
            Err(error) if error.is_key_not_found() => Vec::new(),
            Err(error) => panic!("{error:?}"),
        }
    }
}

/// A request may take a sixth of it: what hangs ends soon, and is not given up before it has come to a proxy.
const TTL: Duration = Duration::from_secs(12);
