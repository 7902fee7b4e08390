//! Locks in programs without async.
//!
//! Bring [`Wait`] into scope, and all that is awaited elsewhere can be waited for:
//!
//! ```no_run
//! use etcd_client::v2::Client;
//! use etcd_lock::Lock;
//! use etcd_lock::blocking::Wait as _;
//!
//! # fn main() -> Result<(), etcd_lock::Error> {
//! let client = Client::connect("http://127.0.0.1:2379")?;
//! let guard = Lock::new(&client, "nightly").acquire().wait()?;
//! for part in 0..100 {
//!     guard.check()?; // before each thing that needs the lock: nothing can end a thread from outside
//!     println!("part {part} under token {}", guard.token());
//! }
//! guard.release().wait()?;
//! # Ok(())
//! # }
//! ```
//!
//! The lock is renewed in the background, by the thread that drives the connections of all waiting callers. A drop of
//! the guard is seen to by that thread as well; at the end of `main` there is no time for it, so release.

pub use etcd_client::blocking::Wait;
