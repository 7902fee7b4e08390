//! What etcd says of itself in the headers of an answer.

use http::HeaderMap;
use serde::Serialize;

use super::Index;

/// The state of the store and of the answering member, from the headers of an answer.
///
/// | field | on |
/// | --- | --- |
/// | `etcd_index` | answers and errors of the keys API |
/// | `raft_index`, `raft_term` | successes of the keys API |
/// | `cluster_id` | keys, members and auth answers of etcd 2.0 and later |
///
/// To wait for the next change of what a read has shown, watch from its `etcd_index` on:
/// ```
/// use etcd_proto::v2::Header;
/// use http::{HeaderMap, HeaderValue};
///
/// let mut headers = HeaderMap::new();
/// headers.insert(Header::ETCD_INDEX, HeaderValue::from_static("41"));
/// let header = Header::from_headers(&headers);
/// assert_eq!(header.etcd_index.next().get(), 42);
/// assert_eq!(header.raft_term, None);
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Header {
    /// `X-Etcd-Index`: for a read the index of the store at the read, for a write that of the write, for a
    /// watch the index when it was opened. [`Index::NONE`] where the server sent none.
    pub etcd_index: Index,
    /// `X-Raft-Index`: the commit index of the answering member; no version of the data.
    pub raft_index: Option<u64>,
    /// `X-Raft-Term`: the term of the answering member.
    pub raft_term: Option<u64>,
    /// `X-Etcd-Cluster-Id` as the server writes it, in hexadecimal. Indexes of different clusters have nothing
    /// to do with each other.
    pub cluster_id: Option<Box<str>>,
}

impl Header {
    /// Name of the header with the index of the store.
    pub const ETCD_INDEX: &'static str = "x-etcd-index";
    /// Name of the header with the cluster's id.
    pub const CLUSTER_ID: &'static str = "x-etcd-cluster-id";

    /// Reads what there is; a header that is missing or no number counts as not sent.
    #[must_use]
    pub fn from_headers(headers: &HeaderMap) -> Self {
        let number = |name: &str| headers.get(name)?.to_str().ok()?.trim().parse::<u64>().ok();
        Self {
            etcd_index: Index::from(number(Self::ETCD_INDEX).unwrap_or(0)),
            raft_index: number("x-raft-index"),
            raft_term: number("x-raft-term"),
            cluster_id: headers.get(Self::CLUSTER_ID).and_then(|id| id.to_str().ok()).map(Box::from),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_that_are_missing_or_no_number_count_as_not_sent() {
        let mut headers = HeaderMap::new();
        assert_eq!(Header::from_headers(&headers), Header::default());
        headers.insert("x-etcd-index", "7".parse().unwrap());
        headers.insert("x-raft-index", "minus one".parse().unwrap());
        headers.insert("x-etcd-cluster-id", "3b4adf01c45e0a8d".parse().unwrap());
        let header = Header::from_headers(&headers);
        assert_eq!(header.etcd_index.get(), 7);
        assert_eq!(header.raft_index, None);
        assert_eq!(header.cluster_id.as_deref(), Some("3b4adf01c45e0a8d"));
    }
}
