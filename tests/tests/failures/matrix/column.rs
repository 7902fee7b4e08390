//! The classes of requests.

use etcd_client::Error;
use etcd_client::v2::{Client, Compare, Index};
use http::Method;

/// A class of requests, by one call that stands for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Column {
    /// A quorum read.
    Read,
    /// A set whose caller says that a repeat does no harm.
    Idempotent,
    /// A compare-and-swap by index.
    Guarded,
    /// The same, whose caller wants to know what became of it.
    Resolved,
    /// An in-order create.
    Post,
}

impl Column {
    pub(super) const ALL: [Self; 5] =
        [Self::Read, Self::Idempotent, Self::Guarded, Self::Resolved, Self::Post];

    pub(super) fn method(self) -> Method {
        match self {
            Self::Read => Method::GET,
            Self::Idempotent | Self::Guarded | Self::Resolved => Method::PUT,
            Self::Post => Method::POST,
        }
    }

    pub(super) fn path(self) -> String {
        format!("/v2/keys{}", self.key())
    }

    pub(super) fn is_read(self) -> bool {
        self == Self::Read
    }

    /// Makes the call on a cluster where [`KEY`] is `before` at this index, and [`QUEUE`] is not there.
    pub(super) async fn call(self, client: &Client, index: Index) -> Result<(), Error> {
        let swap = || client.compare_and_swap(KEY, AFTER, Compare::index(index));
        match self {
            Self::Read => client.get(KEY).quorum(true).await.map(drop),
            Self::Idempotent => client.set(KEY, AFTER).idempotent(true).await.map(drop),
            Self::Guarded => swap().await.map(drop),
            Self::Resolved => swap().resolve(true).await.map(drop),
            Self::Post => client.create_in_order(QUEUE, AFTER).await.map(drop),
        }
    }

    /// How often the call has happened.
    pub(super) async fn happened(self, direct: &Client) -> usize {
        match self {
            Self::Read => 0,
            Self::Idempotent | Self::Guarded | Self::Resolved => {
                let answer = direct.get(KEY).await.expect("it was there before");
                usize::from(answer.text() == AFTER)
            }
            Self::Post => match direct.get(QUEUE).await {
                Ok(answer) => answer.node.nodes.len(),
                Err(error) if error.is_key_not_found() => 0,
                Err(error) => panic!("{error:?}"),
            },
        }
    }

    fn key(self) -> &'static str {
        if self == Self::Post { QUEUE } else { KEY }
    }
}

pub(super) const KEY: &str = "/k";
pub(super) const BEFORE: &str = "before";
const AFTER: &str = "after";
const QUEUE: &str = "/queue";
