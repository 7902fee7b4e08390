//! One call: a request with its options, sent when it is awaited.

use std::fmt;
use std::future::IntoFuture;
use std::sync::Arc;
use std::time::Duration;

use etcd_proto::v2::{Key, Operation, Request};
use etcd_transport::Endpoint;
use futures_util::future::BoxFuture;

use super::Client;
use super::limits::CallOptions;
use crate::{Error, Result};

/// A call that is sent when it is awaited.
///
/// `C` is the plain request of [`etcd_proto`]; its setters stand with the methods of [`Client`] that make it.
/// It can be cloned, kept and sent again. Bad input (a key that etcd cannot hold, a ttl of 0) is kept until the
/// call is awaited and returned then, before anything is sent.
///
/// Awaited outside a tokio runtime it is [`ErrorKind::NoRuntime`](crate::ErrorKind::NoRuntime).
///
/// # Cancel safety
/// Dropping the future of a call that writes leaves its outcome unknown: it may happen, or happen later.
/// Dropping one that reads does no harm.
///
/// # Examples
/// ```
/// # async fn example(client: etcd_client::v2::Client) -> Result<(), etcd_client::Error> {
/// use std::time::Duration;
///
/// let answer = client.get("/config").quorum(true).timeout(Duration::from_secs(2)).await?;
/// println!("{}", answer.text());
/// # Ok(())
/// # }
/// ```
#[must_use = "a call does nothing unless it is awaited"]
pub struct Call<C> {
    client: Client,
    request: Result<C, Bad>,
    options: CallOptions,
    idempotent: bool,
}

/// Why a call cannot be sent, and which.
#[derive(Clone, Debug)]
struct Bad {
    operation: &'static str,
    key: Option<Key>,
    error: Arc<etcd_proto::Error>,
}

impl<C: etcd_proto::v2::Call> Call<C> {
    pub(super) fn new(client: &Client, request: C) -> Self {
        Self::with_request(client, Ok(request))
    }

    /// A call about a key, made by `request` if there is nothing bad about it.
    pub(super) fn about(
        client: &Client,
        key: Result<Key, etcd_proto::Error>,
        request: impl FnOnce(Key) -> Result<C, etcd_proto::Error>,
    ) -> Self {
        let bad = |key, error| Bad { operation: C::NAME, key, error: Arc::new(error) };
        let request = match key {
            Ok(key) => request(key.clone()).map_err(|error| bad(Some(key), error)),
            Err(error) => Err(bad(None, error)),
        };
        Self::with_request(client, request)
    }

    /// Changes the request by a value that may turn out bad; the first bad one is kept.
    pub(super) fn try_with<T, E: Into<etcd_proto::Error>>(
        mut self,
        value: Result<T, E>,
        change: impl FnOnce(&mut C, T),
    ) -> Self {
        match (&mut self.request, value) {
            (Ok(request), Ok(value)) => change(request, value),
            (Ok(request), Err(error)) => {
                let operation: Operation = request.clone().into();
                let key = operation.key().cloned();
                self.request = Err(Bad { operation: C::NAME, key, error: Arc::new(error.into()) });
            }
            (Err(_), _) => {}
        }
        self
    }
}

impl<C> Call<C> {
    fn with_request(client: &Client, request: Result<C, Bad>) -> Self {
        Self { client: client.clone(), request, options: CallOptions::default(), idempotent: false }
    }

    /// Limits the call with all its attempts, in place of the client's limit. Zero fails it unsent.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.options.call_timeout = Some(timeout);
        self
    }

    /// Limits each attempt, in place of the client's limit. Zero fails it unsent.
    pub fn attempt_timeout(mut self, timeout: Duration) -> Self {
        self.options.attempt_timeout = Some(timeout);
        self
    }

    /// Asks this member and no other. It has to be one of the client's: else the call is
    /// [`ErrorKind::InvalidConfig`](crate::ErrorKind::InvalidConfig) and is not sent.
    ///
    /// For what each member answers for itself: health, version, statistics, how far its copy of a key is.
    pub fn endpoint(mut self, endpoint: Endpoint) -> Self {
        self.options.endpoint = Some(endpoint);
        self
    }

    /// Begins with the leader, where one is known from [`Client::sync`] or from a call that only the leader answers;
    /// else as every call. Off by default.
    ///
    /// It spares writes and quorum reads the way from member to leader, and a plain read is less likely to be an old
    /// one. **It promises nothing**: who was the leader may be it no more, and other members answer where it fails.
    /// For a read that is surely not old ask for a [quorum](Call::quorum).
    pub fn leader_first(mut self, leader_first: bool) -> Self {
        self.options.leader_first = leader_first;
        self
    }

    pub(super) fn with_monotonic_reads(mut self, on: bool) -> Self {
        self.options.monotonic_reads = Some(on);
        self
    }

    /// Whether the call may be repeated after it was sent, as far as its class allows: reads, and what is declared
    /// [`idempotent`](Call::idempotent). On by default.
    ///
    /// Off, it goes on only where there was no connection, to each member once, and is never sent twice.
    pub fn retry(mut self, retry: bool) -> Self {
        self.options.retry = Some(retry);
        self
    }

    /// Limits how many attempts the call makes, in place of the client's limit; failed connects count. 1 asks one
    /// member once, 0 counts as 1. By default its time and the budget are the only limits.
    pub fn max_attempts(mut self, attempts: usize) -> Self {
        self.options.max_attempts = Some(attempts);
        self
    }

    /// Whether a second copy goes to another member while the first has no answer for half a second. On by default
    /// for calls that only read; of a watch that is for the head of its answer.
    ///
    /// For a call that is declared [`idempotent`](Call::idempotent) it is a second word, since then two copies are
    /// under way at once: **the early one may land after a later write of your own**. After `.idempotent(true)`
    /// alone a repeat follows only when the first copy has failed. Without effect on all other writes.
    pub fn reissue(mut self, reissue: bool) -> Self {
        self.options.reissue = Some(reissue);
        self
    }

    /// Lets repeats of this call take nothing from the client's retry budget, and happen when it is empty. Off by
    /// default. For the few calls that cost more when they fail than they load a server: renewals of a lease.
    pub fn budget_exempt(mut self, exempt: bool) -> Self {
        self.options.budget_exempt = exempt;
        self
    }

    /// Changes the request, if there is still one.
    pub(super) fn with(mut self, change: impl FnOnce(&mut C)) -> Self {
        if let Ok(request) = &mut self.request {
            change(request);
        }
        self
    }

    /// The options, for a further call on behalf of this one.
    pub(super) fn again<D>(&self, request: D) -> Call<D> {
        Call {
            client: self.client.clone(),
            request: Ok(request),
            options: self.options.clone(),
            idempotent: false,
        }
    }

    /// The request, or what is bad about it.
    pub(super) fn checked(&self) -> Result<&C> {
        self.request
            .as_ref()
            .map_err(|bad| Error::from_shared(&bad.error).with_call(bad.operation, bad.key.as_ref()))
    }
}

impl<C: Repeatable> Call<C> {
    /// Says that a repeat does no harm: the client then sends the call again after an unknown outcome, within its
    /// limits, and [`Error::is_retryable`] says so too.
    ///
    /// Off by default, for a repeat can overwrite what somebody else wrote in between, and a repeated delete
    /// answers "key not found" for its own success: an error whose outcome is [`Outcome::Unknown`](crate::Outcome).
    /// See [`reissue`](Call::reissue) for copies that do not wait for a failure.
    pub fn idempotent(mut self, idempotent: bool) -> Self {
        self.idempotent = idempotent;
        self
    }
}

impl<C: Guarded> Call<C> {
    /// Finds out what became of the write where its answer is lost: it is sent again until it is answered, and
    /// where the answer is a refusal the key is read to learn whether an earlier copy is the cause.
    ///
    /// Off by default. **Values have to be unlike anybody else's for it**; the rules and their limits are those of
    /// [`ResolveLayer`](super::ResolveLayer). Without effect on a compare by value alone.
    pub fn resolve(mut self, resolve: bool) -> Self {
        self.options.resolve = resolve;
        self
    }
}

impl<C: etcd_proto::v2::Call> IntoFuture for Call<C> {
    type Output = Result<C::Response>;
    type IntoFuture = BoxFuture<'static, Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async move {
            let call = self.checked()?.clone();
            let mut request = Request::new(call);
            request.idempotent = self.idempotent;
            request.extensions.insert(self.options);
            self.client.send_request::<C>(request).await
        })
    }
}

impl<C: Clone> Clone for Call<C> {
    fn clone(&self) -> Self {
        Self {
            client: self.client.clone(),
            request: self.request.clone(),
            options: self.options.clone(),
            idempotent: self.idempotent,
        }
    }
}

impl<C: fmt::Debug> fmt::Debug for Call<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Call")
            .field("request", &self.request)
            .field("options", &self.options)
            .field("idempotent", &self.idempotent)
            .finish_non_exhaustive()
    }
}

/// A call whose sender may say that a repeat does no harm: set, update, refresh, delete and their like for
/// directories.
pub trait Repeatable: etcd_proto::v2::Call {}

macro_rules! repeatable {
    ($($call:ident),*) => {
        $(
            impl Repeatable for etcd_proto::v2::keys::$call {}
        )*
    };
}
repeatable!(Set, Update, Refresh, SetDir, UpdateDir, Delete, DeleteDir);

/// A call that applies at most once, however often it is sent, if its condition names an index or that there is no
/// key: create, create dir, compare-and-swap, compare-and-delete, refresh, and the removal of a member.
pub trait Guarded: etcd_proto::v2::Call {}

impl Guarded for etcd_proto::v2::keys::Create {}
impl Guarded for etcd_proto::v2::keys::CreateDir {}
impl Guarded for etcd_proto::v2::keys::CompareAndSwap {}
impl Guarded for etcd_proto::v2::keys::CompareAndDelete {}
impl Guarded for etcd_proto::v2::keys::Refresh {}
impl Guarded for etcd_proto::v2::members::RemoveMember {}

impl Client {
    /// Sends any request of [`etcd_proto`] as it is, with this client's limits.
    ///
    /// For requests that were stored, or made elsewhere:
    /// ```
    /// # async fn example(client: etcd_client::v2::Client) -> Result<(), etcd_client::Error> {
    /// use etcd_client::v2::{Key, proto::keys::Get};
    ///
    /// let mut get = Get::new(Key::new("/config")?);
    /// get.quorum = true;
    /// println!("{}", client.send(get).await?.text());
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As for the method that makes the same call.
    ///
    /// # Cancel safety
    /// After a drop the outcome of a write is unknown.
    pub async fn send<C: etcd_proto::v2::Call>(&self, call: C) -> Result<C::Response> {
        self.send_request::<C>(Request::new(call)).await
    }

    pub(super) async fn send_request<C: etcd_proto::v2::Call>(
        &self,
        request: Request,
    ) -> Result<C::Response> {
        let (name, key) = (request.operation.name(), request.operation.key().cloned());
        let idempotence = request.idempotence();
        self.call_service(request)
            .await
            .map_err(Error::from_box)
            .and_then(|response| Ok(C::response(response)?))
            .map_err(|error| error.with_idempotence(idempotence).with_call(name, key.as_ref()))
    }
}

/// The limits of a [`Call`] for what makes several calls, or reads the answer in its own way.
macro_rules! limit_setters {
    ($calls:tt) => {
        /// Limits each call with all its attempts, in place of the client's limit.
        pub fn timeout(mut self, timeout: std::time::Duration) -> Self {
            self.$calls = self.$calls.timeout(timeout);
            self
        }

        /// Limits each attempt, in place of the client's limit.
        pub fn attempt_timeout(mut self, timeout: std::time::Duration) -> Self {
            self.$calls = self.$calls.attempt_timeout(timeout);
            self
        }

        /// Whether each call may be repeated after it was sent, as far as its class allows. On by default.
        pub fn retry(mut self, retry: bool) -> Self {
            self.$calls = self.$calls.retry(retry);
            self
        }

        /// Limits how many attempts each call makes, in place of the client's limit.
        pub fn max_attempts(mut self, attempts: usize) -> Self {
            self.$calls = self.$calls.max_attempts(attempts);
            self
        }

        /// Whether a second copy of what only reads goes to another member while the first has no answer. On by
        /// default.
        pub fn reissue(mut self, reissue: bool) -> Self {
            self.$calls = self.$calls.reissue(reissue);
            self
        }

        /// Asks this member and no other.
        pub fn endpoint(mut self, endpoint: etcd_transport::Endpoint) -> Self {
            self.$calls = self.$calls.endpoint(endpoint);
            self
        }
    };
}
pub(super) use limit_setters;
