//! Members of the cluster.

use std::collections::BTreeMap;
use std::future::IntoFuture;

use etcd_proto::v2::members::{self, Member};
use futures_util::future::BoxFuture;

use super::call::limit_setters;
use super::{Call, Client};
use crate::Result;

/// The members calls of a client, see [`Client::members`].
#[derive(Clone, Debug)]
pub struct Members(Client);

impl Client {
    /// Members of the cluster (etcd 2.0 and later).
    #[must_use]
    pub fn members(&self) -> Members {
        Members(self.clone())
    }
}

impl Members {
    /// Lists the members that the answering one knows of.
    ///
    /// # Errors
    /// As for every call; [`ErrorKind::V2NotEnabled`](crate::ErrorKind::V2NotEnabled) on etcd 0.x, which has no
    /// such call.
    ///
    /// # Cancel safety
    /// May be dropped at any time.
    pub fn list(&self) -> Call<members::ListMembers> {
        Call::new(&self.0, members::ListMembers::new())
    }

    /// Lists the members, by id.
    ///
    /// # Errors
    /// As [`list`](Members::list).
    ///
    /// # Cancel safety
    /// May be dropped at any time.
    pub fn by_id(&self) -> MembersById {
        MembersById(self.list())
    }

    /// Adds a member that the others reach at `peer_urls`, before its process is started.
    ///
    /// **A cluster of one has no quorum from then on** until the new member runs.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidName`](crate::ErrorKind::InvalidName) without any URL;
    /// [`ErrorKind::Api`](crate::ErrorKind::Api) if a member with such a URL exists (409) or a URL is bad (400);
    /// [`ErrorKind::ClusterUnavailable`](crate::ErrorKind::ClusterUnavailable) if the members did not agree,
    /// and then the member may have been added, or may be added later: list them before trying again.
    ///
    /// # Cancel safety
    /// After a drop the outcome is unknown.
    pub fn add(&self, peer_urls: impl IntoIterator<Item = impl Into<String>>) -> Call<members::AddMember> {
        Call::new(&self.0, members::AddMember::new(peer_urls))
    }

    /// Gives member `id` other peer URLs.
    ///
    /// # Errors
    /// As [`add`](Members::add); [`ErrorKind::Api`](crate::ErrorKind::Api) with status 404 if there is no such
    /// member.
    ///
    /// # Cancel safety
    /// After a drop the outcome is unknown.
    pub fn update(
        &self,
        id: impl Into<String>,
        peer_urls: impl IntoIterator<Item = impl Into<String>>,
    ) -> Call<members::UpdateMember> {
        Call::new(&self.0, members::UpdateMember::new(id, peer_urls))
    }

    /// Removes member `id`. It cannot come back under its id.
    ///
    /// # Errors
    /// [`ErrorKind::Api`](crate::ErrorKind::Api) with status 404 if there is no such member and 410 if it was
    /// removed already; [`ErrorKind::ClusterUnavailable`](crate::ErrorKind::ClusterUnavailable) if too few
    /// members are well, and then it may have been removed.
    ///
    /// # Cancel safety
    /// After a drop the outcome is unknown.
    pub fn remove(&self, id: impl Into<String>) -> Call<members::RemoveMember> {
        Call::new(&self.0, members::RemoveMember::new(id))
    }

    /// Asks for the leader.
    ///
    /// # Errors
    /// [`ErrorKind::ClusterUnavailable`](crate::ErrorKind::ClusterUnavailable) while there is none.
    ///
    /// # Cancel safety
    /// May be dropped at any time.
    #[doc(alias = "etcd_leader")]
    pub fn leader(&self) -> Call<members::Leader> {
        Call::new(&self.0, members::Leader::new())
    }
}

/// A list of members by id, made when it is awaited, see [`Members::by_id`].
#[derive(Clone, Debug)]
#[must_use = "a call does nothing unless it is awaited"]
pub struct MembersById(Call<members::ListMembers>);

impl MembersById {
    limit_setters!(0);
}

impl IntoFuture for MembersById {
    type Output = Result<BTreeMap<String, Member>>;
    type IntoFuture = BoxFuture<'static, Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async move {
            let members = self.0.await?;
            Ok(members.into_iter().map(|member| (member.id.clone(), member)).collect())
        })
    }
}
