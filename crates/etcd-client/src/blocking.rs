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
//! The first call starts one thread that drives the connections of all waiting callers; it lives as long as the
//! process. A client whose calls were awaited elsewhere keeps connections that only the runtime there drives, and a
//! waiting caller may be given one of those: make a client of its own for the threads that wait.

use std::future::IntoFuture;
use std::sync::OnceLock;

use futures_util::{Stream, StreamExt};
use tokio::runtime::{Builder, Handle, Runtime};

use crate::{Error, ErrorKind, Result};

/// Waits for a call in place of awaiting it.
pub trait Wait: IntoFuture<Output = Result<Self::Answer>> {
    /// What the call is answered by.
    type Answer;

    /// Sends the call and blocks the thread until its answer is there.
    ///
    /// # Errors
    /// As for the call; [`ErrorKind::InvalidConfig`] inside a tokio runtime (its worker would be blocked; the
    /// threads of `spawn_blocking` count as inside), and if the system gives no thread. Nothing is sent then.
    fn wait(self) -> Result<Self::Answer>;
}

impl<F, T> Wait for F
where
    F: IntoFuture<Output = Result<T>>,
{
    type Answer = T;

    fn wait(self) -> Result<T> {
        if Handle::try_current().is_ok() {
            return Err(Error::new(ErrorKind::InvalidConfig)
                .with_source("a blocking call inside a tokio runtime; await it there"));
        }
        runtime()?.block_on(self.into_future())
    }
}

/// Takes the items of a watch, one after the other, in a program without async.
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
pub trait Items: Stream<Item = Result<Self::Of>> + Unpin + Sized {
    /// What is taken.
    type Of;

    /// An iterator whose `next` blocks the thread until there is an item, or the stream has ended.
    ///
    /// Inside a tokio runtime it yields one error of kind [`ErrorKind::InvalidConfig`], and no more.
    fn items(self) -> Blocking<Self>;
}

impl<S, T> Items for S
where
    S: Stream<Item = Result<T>> + Unpin,
{
    type Of = T;

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

impl<S, T> Iterator for Blocking<S>
where
    S: Stream<Item = Result<T>> + Unpin,
{
    type Item = Result<T>;

    fn next(&mut self) -> Option<Result<T>> {
        let mut stream = self.stream.take()?;
        let item = async { Ok(stream.next().await) }.wait().unwrap_or_else(|error| Some(Err(error)));
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
