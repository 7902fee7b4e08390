//! Locks on the cluster in memory, in virtual time.

#[cfg(feature = "blocking")]
mod blocking;
mod defects;
mod fenced_key;
mod guard;
mod lock;
mod seed;
mod spin;
mod support;
