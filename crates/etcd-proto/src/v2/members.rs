//! Members of the cluster (etcd 2.0 to 3.5; 0.x has none of these calls).
//!
//! | call | success | refused with |
//! | --- | --- | --- |
//! | [`ListMembers`] | 200, the list | |
//! | [`Leader`] | 200, one member | 503 while there is no leader |
//! | [`AddMember`] | 201, the member without a name | 400 a bad URL, 409 a URL in use |
//! | [`UpdateMember`] | 204 | 404 unknown id, 409 a URL of another member |
//! | [`RemoveMember`] | 204 | 404 unknown id, 410 removed before |
//!
//! Reading is open to all; changes need a user with the role `root` where auth is on (401).
//!
//! A change is also answered by **500** "Internal Server Error", after 7 s or at once: too few members are
//! well, one was started less than 5 s ago, one that was added has not been started yet. The server does not
//! say which, and where it gave up waiting the change may still be made: the outcome is unknown.

use bytes::Bytes;
use http::{Method, Request};
use serde::{Deserialize, Serialize};

use super::Response;
use super::call::calls;
use super::decode::Answer;
use super::encode::{RequestBuilder, path_element};
use crate::{Error, ErrorKind, Idempotence};

/// Any call about members.
#[derive(Clone, Debug)]
pub enum MembersOperation {
    /// All members.
    ListMembers(ListMembers),
    /// A new member.
    AddMember(AddMember),
    /// Other peer URLs for a member.
    UpdateMember(UpdateMember),
    /// One member less.
    RemoveMember(RemoveMember),
    /// The leader.
    Leader(Leader),
}

/// Lists the members that the answering one knows of, ordered by id.
///
/// It answers from its own copy, also without a leader: a member that was just added can be missing.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct ListMembers {}

/// Adds a member, before its process is started.
///
/// A cluster of one has no quorum from then on until the new member runs. After an unknown outcome list the
/// members and compare peer URLs before trying again.
///
/// # Examples
/// ```
/// use etcd_proto::v2::members::AddMember;
/// use etcd_proto::v2::{Call, Operation};
/// use http::{HeaderMap, StatusCode};
///
/// let add = Operation::from(AddMember::new(["http://10.0.0.7:2380"]));
/// assert_eq!(add.encode()?.body().as_ref(), br#"{"peerURLs":["http://10.0.0.7:2380"]}"#);
///
/// let body = br#"{"id":"98d0a","name":"","peerURLs":["http://10.0.0.7:2380"],"clientURLs":[]}"#;
/// let member = AddMember::response(add.decode(StatusCode::CREATED, &HeaderMap::new(), body)?)?;
/// assert!(member.name.is_empty(), "its process has not said yet what it is called");
/// # Ok::<(), etcd_proto::Error>(())
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct AddMember {
    /// Where the other members will reach it, such as `http://10.0.0.7:2380`; at least one.
    ///
    /// With a scheme (`http`, `https`, `unix`, `unixs`) and a port; the server checks that, not this crate.
    pub peer_urls: Vec<String>,
}

/// Gives a member other peer URLs, all at once: those that are not named are gone.
///
/// The others use them from now on; the member itself listens where its own settings say.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct UpdateMember {
    /// The member's id in hexadecimal.
    pub id: String,
    /// Where the other members reach it from now on; at least one.
    pub peer_urls: Vec<String>,
}

/// Removes a member. It cannot come back under its id (410). Its process ends by itself.
///
/// After an unknown outcome the call may be made again: 410 then means that the first copy did it.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct RemoveMember {
    /// The member's id in hexadecimal.
    pub id: String,
}

/// Asks for the leader; any member answers, with 503 while there is none.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Leader {}

impl ListMembers {
    /// Lists the members.
    #[must_use]
    pub fn new() -> Self {
        Self {}
    }
}

impl AddMember {
    /// Adds a member that the others reach at `peer_urls`.
    pub fn new(peer_urls: impl IntoIterator<Item = impl Into<String>>) -> Self {
        Self { peer_urls: peer_urls.into_iter().map(Into::into).collect() }
    }
}

impl UpdateMember {
    /// Gives member `id` the peer URLs `peer_urls`.
    pub fn new(id: impl Into<String>, peer_urls: impl IntoIterator<Item = impl Into<String>>) -> Self {
        Self { id: id.into(), peer_urls: peer_urls.into_iter().map(Into::into).collect() }
    }
}

impl RemoveMember {
    /// Removes member `id`.
    pub fn new(id: impl Into<String>) -> Self {
        Self { id: id.into() }
    }
}

impl Leader {
    /// Asks for the leader.
    #[must_use]
    pub fn new() -> Self {
        Self {}
    }
}

/// A member of the cluster.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Member {
    /// Its id in hexadecimal.
    pub id: String,
    /// Its name; empty until it was started.
    #[serde(default)]
    pub name: String,
    /// Where other members reach it.
    #[serde(rename = "peerURLs", default, deserialize_with = "super::decode::null_as_default")]
    pub peer_urls: Vec<String>,
    /// Where it says that clients reach it; it may be wrong. Empty until it was started.
    #[serde(rename = "clientURLs", default, deserialize_with = "super::decode::null_as_default")]
    pub client_urls: Vec<String>,
}

impl MembersOperation {
    pub(super) fn idempotence(&self) -> Idempotence {
        match self {
            Self::ListMembers(_) | Self::Leader(_) => Idempotence::Read,
            // The id never comes back, so a second copy cannot remove anything else.
            Self::RemoveMember(_) => Idempotence::Guarded,
            Self::AddMember(_) | Self::UpdateMember(_) => Idempotence::Once,
        }
    }

    pub(super) fn is_leader_only(&self) -> bool {
        match self {
            Self::Leader(_) => true,
            Self::ListMembers(_) | Self::AddMember(_) | Self::UpdateMember(_) | Self::RemoveMember(_) => {
                false
            }
        }
    }

    pub(super) fn encode(&self) -> Result<Request<Bytes>, Error> {
        match self {
            Self::ListMembers(_) => RequestBuilder::new(Method::GET, PATH).build(),
            Self::Leader(_) => RequestBuilder::new(Method::GET, format!("{PATH}/leader")).build(),
            Self::AddMember(call) => {
                RequestBuilder::new(Method::POST, PATH).json(&PeerUrls::new(&call.peer_urls)?)?.build()
            }
            Self::UpdateMember(call) => RequestBuilder::new(Method::PUT, member_path(&call.id)?)
                .json(&PeerUrls::new(&call.peer_urls)?)?
                .build(),
            Self::RemoveMember(call) => RequestBuilder::new(Method::DELETE, member_path(&call.id)?).build(),
        }
    }

    pub(super) fn decode(&self, answer: &Answer<'_>) -> Result<Response, Error> {
        match self {
            Self::ListMembers(_) => Ok(Response::Members(answer.json::<MemberList>()?.members)),
            Self::AddMember(_) | Self::Leader(_) => Ok(Response::Member(answer.json()?)),
            Self::UpdateMember(_) | Self::RemoveMember(_) => answer.done().map(Response::Done),
        }
    }
}

fn member_path(id: &str) -> Result<String, Error> {
    Ok(format!("{PATH}/{}", path_element("member id", id)?))
}

#[derive(Serialize)]
struct PeerUrls<'a> {
    #[serde(rename = "peerURLs")]
    peer_urls: &'a [String],
}

impl<'a> PeerUrls<'a> {
    fn new(peer_urls: &'a [String]) -> Result<Self, Error> {
        if peer_urls.is_empty() {
            return Err(Error::new(ErrorKind::InvalidName, "a member needs at least one peer URL"));
        }
        Ok(Self { peer_urls })
    }
}

#[derive(Deserialize)]
struct MemberList {
    #[serde(deserialize_with = "super::decode::null_as_default")]
    members: Vec<Member>,
}

calls!(Members(MembersOperation):
    ListMembers, "member list" -> Members(Vec<Member>),
    AddMember, "member add" -> Member(Member),
    UpdateMember, "member update" -> Done(()),
    RemoveMember, "member remove" -> Done(()),
    Leader, "leader" -> Member(Member),
);

const PATH: &str = "/v2/members";

#[cfg(test)]
mod tests;
