//! The requests about one key, and what their answers are to the protocol.
//!
//! The only place where errors of the client are read: what is decided of them is in [`protocol`](crate::protocol).

use std::time::Duration;

use etcd_client::Endpoint;
use etcd_client::v2::{Action, Client, Compare, Header, Key, KeysResponse};
use futures_util::StreamExt as _;

use crate::protocol::{CreateAnswer, OwnKey, Place, ReleaseAnswer, RenewAnswer};
use crate::timing::Timing;

/// One key, and how its requests are sent.
#[derive(Clone, Debug)]
pub(crate) struct KeyCalls {
    pub(crate) client: Client,
    pub(crate) key: Key,
    pub(crate) timing: Timing,
    /// Renews by writing the value again, for servers without refresh.
    pub(crate) rewrites: bool,
}

/// An answer as the protocol takes it, and what came with it.
#[derive(Debug)]
pub(crate) struct Reply<A> {
    pub(crate) answer: A,
    /// What the server said of itself, where it answered well.
    pub(crate) header: Option<Header>,
    /// What went wrong, else.
    pub(crate) error: Option<etcd_client::Error>,
    /// Whether more than one copy of the request may have gone out.
    pub(crate) copies: bool,
}

impl<A> Reply<A> {
    fn good(answer: A, response: KeysResponse) -> Self {
        Self { answer, header: Some(response.header), error: None, copies: response.attempts > 1 }
    }

    fn bad(answer: A, error: etcd_client::Error) -> Self {
        let copies = !error.outcome().is_not_applied();
        Self { answer, header: None, error: Some(error), copies }
    }

    /// Whether another cluster answered.
    pub(crate) fn is_cluster_changed(&self) -> bool {
        self.error.as_ref().is_some_and(etcd_client::Error::is_cluster_changed)
    }

    /// The error, if asking again would end the same way.
    pub(crate) fn into_permanent(self) -> Result<Self, etcd_client::Error> {
        match self.error {
            Some(error) if !may_pass(&error) => Err(error),
            error => Ok(Self { error, ..self }),
        }
    }
}

impl KeyCalls {
    /// Makes the key, if there is none.
    pub(crate) async fn create(&self, value: &str) -> Reply<CreateAnswer> {
        let create = self.client.create(&self.key, value).ttl(self.timing.ttl());
        match create.timeout(self.limit()).resolve(true).budget_exempt(true).await {
            Ok(made) => Reply::good(CreateAnswer::Created { created: made.node.created_index.get() }, made),
            Err(error) if error.is_key_exists() => Reply::bad(CreateAnswer::Exists, error),
            Err(error) => Reply::bad(CreateAnswer::Unknown, error),
        }
    }

    /// Reads the key by quorum; it is ours if it holds `value`.
    pub(crate) async fn read(&self, value: &str) -> Reply<OwnKey> {
        let get = self.client.get(&self.key).quorum(true);
        match get.timeout(self.limit()).budget_exempt(true).await {
            Ok(read) => {
                let found = OwnKey::Found {
                    created: read.node.created_index.get(),
                    modified: read.node.modified_index.get(),
                    is_ours: !read.node.dir && read.node.text() == value,
                };
                Reply::good(found, read)
            }
            Err(error) if error.is_key_not_found() => Reply::bad(OwnKey::Missing, error),
            Err(error) => Reply::bad(OwnKey::Unknown, error),
        }
    }

    /// Renews the key, if nobody has changed it since.
    pub(crate) async fn renew(
        &self,
        place: &Place,
        value: &str,
        limit: Duration,
        leader: Option<&Endpoint>,
    ) -> Reply<RenewAnswer> {
        if self.rewrites {
            return self.rewrite(place, value, limit).await;
        }
        let refresh = self.client.refresh(&self.key, self.timing.ttl());
        let refresh = refresh.compare(Compare::index(place.modified));
        let refresh = refresh.timeout(limit).resolve(true).budget_exempt(true);
        let refresh = match leader {
            Some(leader) => refresh.endpoint(leader.clone()),
            None => refresh,
        };
        renewal(refresh.await)
    }

    /// Writes a value into the key, if nobody has changed it since; it lives for the ttl from then on.
    pub(crate) async fn rewrite(&self, place: &Place, value: &str, limit: Duration) -> Reply<RenewAnswer> {
        let swap = self.client.compare_and_swap(&self.key, value, Compare::index(place.modified));
        let swap = swap.ttl(self.timing.ttl()).timeout(limit);
        renewal(swap.resolve(true).budget_exempt(true).await)
    }

    /// Deletes the key, if nobody has changed it since. `again` says that an earlier release may have done it.
    pub(crate) async fn release(&self, place: &Place, again: bool) -> Reply<ReleaseAnswer> {
        let delete = self.client.compare_and_delete(&self.key, Compare::index(place.modified));
        match delete.timeout(self.limit()).resolve(true).budget_exempt(true).await {
            Ok(deleted) => Reply::good(ReleaseAnswer::Released, deleted),
            Err(error) if error.is_key_not_found() => {
                let unproved = again || !error.outcome().is_not_applied();
                let answer = if unproved { self.deleted_by(place).await } else { ReleaseAnswer::NotFound };
                Reply::bad(answer, error)
            }
            Err(error) if error.is_compare_failed() => Reply::bad(ReleaseAnswer::CompareFailed, error),
            // The head of a success was seen.
            Err(error) if error.outcome().is_applied() => Reply::bad(ReleaseAnswer::Released, error),
            Err(error) => Reply::bad(ReleaseAnswer::Unknown, error),
        }
    }

    /// Whose doing it was that the key is gone, by the history: a copy of our release, or not. A copy that hangs keeps
    /// the client from asking, since it may yet be answered.
    async fn deleted_by(&self, place: &Place) -> ReleaseAnswer {
        // The first event behind: a renewal leaves none.
        let poll = self.client.poll(&self.key).after(place.modified).timeout(self.limit());
        let first = tokio::time::timeout(self.limit(), async { poll.await.ok()?.events.next().await?.ok() });
        let Ok(Some(event)) = first.await else { return ReleaseAnswer::NotFoundAfterUnknown };
        let compared =
            event.prev_node.as_ref().is_some_and(|node| node.modified_index.get() == place.modified);
        if event.action == Action::CompareAndDelete && event.node.key == self.key && compared {
            return ReleaseAnswer::Released;
        }
        let is_removal = event.action.is_removal() && self.key.is_at_or_below(&event.node.key);
        // Of a change that is no removal nothing follows: it is not known what came behind it.
        if is_removal { ReleaseAnswer::NotFound } else { ReleaseAnswer::NotFoundAfterUnknown }
    }

    /// How long a request may take.
    pub(crate) fn limit(&self) -> Duration {
        self.timing.request_limit()
    }
}

fn renewal(answer: Result<KeysResponse, etcd_client::Error>) -> Reply<RenewAnswer> {
    match answer {
        Ok(renewed) => {
            let created = renewed.node.created_index.get();
            let modified = renewed.node.modified_index.get();
            Reply::good(RenewAnswer::Renewed { created, modified }, renewed)
        }
        // A renewal deletes nothing: whoever did, the key is gone.
        Err(error) if error.is_key_not_found() => Reply::bad(RenewAnswer::NotFound, error),
        Err(error) if !error.outcome().is_not_applied() => Reply::bad(RenewAnswer::Unknown, error),
        Err(error) if error.is_compare_failed() => Reply::bad(RenewAnswer::CompareFailed, error),
        Err(error) => Reply::bad(RenewAnswer::NotApplied, error),
    }
}

/// Whether the same may go well a little later, or at another member.
pub(crate) fn may_pass(error: &etcd_client::Error) -> bool {
    let of_the_key = error.is_key_not_found() || error.is_compare_failed() || error.is_key_exists();
    // Something between that answers in place of etcd comes and goes.
    let of_a_gateway = error.is_status() || error.is_not_etcd() || error.is_unreadable();
    let transient = error.is_retryable() || !error.outcome().is_not_applied();
    !error.is_cluster_changed() && (of_the_key || of_a_gateway || transient)
}
