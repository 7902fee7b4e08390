//! The list of a queue, by quorum.

use std::time::Duration;

use etcd_client::v2::{Header, Index};

use super::{Contender, Queue};
use crate::{Result, key};

/// A list, and the state of the store that it shows.
#[derive(Debug)]
pub(super) struct List {
    /// By created index.
    pub(super) contenders: Vec<Contender>,
    /// Where to wait from.
    pub(super) index: Index,
    pub(super) header: Header,
}

/// Lists the queue; `None` for an answer that is no list.
pub(super) async fn list(queue: &Queue, limit: Duration) -> Result<Option<List>> {
    let directory = key::taken(&queue.directory)?;
    let get = queue.client.get(&directory).recursive(true).quorum(true);
    let read = match get.timeout(limit).budget_exempt(true).await {
        Ok(read) => read,
        Err(error) if error.is_key_not_found() => {
            // The servers say no more with it than the index.
            let index = error.api().map_or(Index::NONE, |api| api.index);
            return Ok(Some(List { contenders: Vec::new(), index, header: Header::default() }));
        }
        Err(error) => return Err(error.into()),
    };
    if !read.node.dir || read.node.key != directory {
        return Ok(None);
    }
    let cluster_id = read.header.cluster_id.as_deref();
    let mut contenders: Vec<_> =
        read.node.nodes.iter().filter_map(|node| Contender::of_node(node, cluster_id)).collect();
    contenders.sort_by_key(|contender| contender.token.index());
    Ok(Some(List { contenders, index: read.header.etcd_index, header: read.header }))
}

/// All contenders, for one who asks: the ttl is for how long others may be silent, and says nothing of how long to wait
/// for an answer.
pub(super) async fn contenders(queue: &Queue) -> Result<Vec<Contender>> {
    let limit = queue.settings.timing()?.ttl();
    Ok(list(queue, limit.min(LIST_LIMIT)).await?.map_or_else(Vec::new, |list| list.contenders))
}

/// How long a list may take that is no step of a contender.
pub(super) const LIST_LIMIT: Duration = Duration::from_secs(15);
