//! What changes, stops or kills a server: each test starts its own of each etcd under test.

mod auth;
mod failover;
mod leader;
mod members;
mod silent;
mod sync;
mod v2_off;
