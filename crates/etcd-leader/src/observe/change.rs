//! What an observer is told.

use etcd_client::v2::ResyncCause;

use crate::Leader;

/// What an observer of an election is told, see [`Observe`](super::Observe).
#[derive(Clone, Debug, PartialEq)]
pub enum LeaderChange {
    /// Who leads now, by which value; `None` while nobody does. The first item of a stream is one.
    Leader(Option<Leader>),
    /// Changes were lost: the server no longer had them. Who leads now; between this and the item before it there may
    /// have been others.
    Resynced {
        /// Who leads now.
        leader: Option<Leader>,
        /// Why changes were lost. Behind [`ResyncCause::IndexWentBack`] tokens may be smaller than before: the cluster
        /// was restored from an older state.
        cause: ResyncCause,
    },
}

impl LeaderChange {
    /// Who leads now; `None` while nobody does.
    #[must_use]
    pub fn leader(&self) -> Option<&Leader> {
        match self {
            Self::Leader(leader) | Self::Resynced { leader, .. } => leader.as_ref(),
        }
    }

    /// Who leads now, to keep.
    #[must_use]
    pub fn into_leader(self) -> Option<Leader> {
        match self {
            Self::Leader(leader) | Self::Resynced { leader, .. } => leader,
        }
    }

    /// Whether changes were lost before it.
    #[must_use]
    pub fn is_resynced(&self) -> bool {
        match self {
            Self::Leader(_) => false,
            Self::Resynced { .. } => true,
        }
    }
}
