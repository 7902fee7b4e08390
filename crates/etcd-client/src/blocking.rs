//! Calls from programs without async.
//!
//! Bring [`Wait`] into scope, and every call can be waited for in place of being awaited:
//!
//! ```no_run
//! use etcd_client::blocking::Wait;
//! use etcd_client::v2::Client;
//!
//! # fn main() -> Result<(), etcd_client::Error> {
//! let client = Client::connect("http://127.0.0.1:2379")?;
//! client.set("/greeting", "hello").wait()?;
//! println!("{}", client.get("/greeting").wait()?.text());
//! # Ok(())
//! # }
//! ```
//!
//! The first call starts one thread that drives the connections of all waiting callers, and what their calls have
//! started in the background, such as the renewal of a lock; it lives as long as the process. A client whose calls were awaited elsewhere keeps connections that only the runtime there drives, and a
//! waiting caller may be given one of those: make a client of its own for the threads that wait.

use std::future::IntoFuture;
use std::sync::OnceLock;

use futures_util::{Stream, StreamExt};
use tokio::runtime::{Builder, Handle, Runtime};

use crate::{Error, ErrorKind, Result};

/// Waits for a call in place of awaiting it: one of this crate, or of a crate on top whose errors are made of ours.
pub trait Wait: IntoFuture<Output = Result<Self::Answer, Self::Failure>> {
    /// What the call is answered by.
    type Answer;
    /// What it fails with.
    type Failure: From<Error>;

    /// Sends the call and blocks the thread until its answer is there.
    ///
    /// # Errors
    /// As for the call; [`ErrorKind::InvalidConfig`] inside a tokio runtime (its worker would be blocked; the
    /// threads of `spawn_blocking` count as inside), and if the system gives no thread. Nothing is sent then.
    fn wait(self) -> Result<Self::Answer, Self::Failure>;
}

impl<F, T, E> Wait for F
where
    F: IntoFuture<Output = Result<T, E>>,
    E: From<Error>,
{
    type Answer = T;
    type Failure = E;

    fn wait(self) -> Result<T, E> {
        if Handle::try_current().is_ok() {
            let error = Error::new(ErrorKind::InvalidConfig);
            return Err(error.with_source("a blocking call inside a tokio runtime; await it there").into());
        }
        runtime()?.block_on(self.into_future())
    }
}

/// Takes the items of a watch, or of a stream of a crate on top, one after the other, in a program without async.
///
/// ```no_run
/// use etcd_client::blocking::Items;
/// use etcd_client::v2::Client;
///
/// # fn main() -> Result<(), etcd_client::Error> {
/// let client = Client::connect("http://127.0.0.1:2379")?;
/// for item in client.watch("/config").recursive(true).start().items() {
///     println!("{:?}", item?);
/// }
/// # Ok(())
/// # }
/// ```
pub trait Items: Stream<Item = Result<Self::Of, Self::Failure>> + Unpin + Sized {
    /// What is taken.
    type Of;
    /// What it fails with.
    type Failure: From<Error>;

    /// An iterator whose `next` blocks the thread until there is an item, or the stream has ended.
    ///
    /// Inside a tokio runtime it yields one error of kind [`ErrorKind::InvalidConfig`], and no more.
    fn items(self) -> Blocking<Self>;
}

impl<S, T, E> Items for S
where
    S: Stream<Item = Result<T, E>> + Unpin,
    E: From<Error>,
{
    type Of = T;
    type Failure = E;

    fn items(self) -> Blocking<S> {
        Blocking { stream: Some(self) }
    }
}

/// The iterator of [`Items::items`].
#[derive(Debug)]
#[must_use = "iterators are lazy"]
pub struct Blocking<S> {
    /// `None` when it has ended.
    stream: Option<S>,
}

impl<S, T, E> Iterator for Blocking<S>
where
    S: Stream<Item = Result<T, E>> + Unpin,
    E: From<Error>,
{
    type Item = Result<T, E>;

    fn next(&mut self) -> Option<Result<T, E>> {
        let mut stream = self.stream.take()?;
        let next = async { Ok::<_, E>(stream.next().await) };
        let item = next.wait().unwrap_or_else(|error| Some(Err(error)));
        if matches!(item, Some(Ok(_))) {
            self.stream = Some(stream);
        }
        item
    }
}

/// The runtime of all waiting callers: one thread that goes on driving connections between calls.
fn runtime() -> Result<&'static Runtime> {
    static RUNTIME: OnceLock<Runtime> = OnceLock::new();
    if let Some(runtime) = RUNTIME.get() {
        return Ok(runtime);
    }
    let runtime = Builder::new_multi_thread()
        .worker_threads(1)
        .thread_name("etcd-client")
        .enable_all()
        .build()
        .map_err(|source| Error::new(ErrorKind::InvalidConfig).with_source(source))?;
    // Of two threads that come here at once, the second one's runtime is dropped unused.
    Ok(RUNTIME.get_or_init(|| runtime))
}
