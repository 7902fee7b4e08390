//! Runnable examples of the workspace; the programs stand in `examples/`.
//!
//! | run | shows |
//! | --- | --- |
//! | `cargo run --example quickstart` | every keys call with its answer, on an etcd in memory or on the one that the environment names |
//! | `cargo run --example tower_layers` | one tower layer at each seam, printing what it sees |
//! | `cargo run --example lock -- [NAME COMMAND [ARGUMENTS]]` | a lock that is held while a command runs, which ends with it |
//! | `cargo run --example fenced_write` | a holder that is late, and what keeps it from doing harm |
//! | `cargo run --example metrics` | attempts as metrics, by an `Observer` |
//! | `cargo run --example opentelemetry` | attempts as OpenTelemetry spans, by an `Observer` |
//! | `cargo run --release --example memory_figures` | what the etcd in memory can carry, beside the aims |
//! | `cargo run --example watch -- [ENDPOINTS [KEY]]` | what happens below a key, as lines of JSON |
//! | `cargo run --release --example watch_figures -- [ENDPOINTS]` | what a watch adds to a set, and that it keeps up |
//! | `cargo run --example leader` | candidates, an observer, and the old `leader` program's way |
//! | `cargo run --example leader_worker` | work that is dropped when it leads no more, and begun again |
//! | `cargo run --example register_service` | services that register, and who is there |
//!
//! `quickstart`, `tower_layers`, `lock`, `fenced_write`, `leader`, `leader_worker`, `register_service`, `metrics` and
//! `opentelemetry` run on the etcd that the environment names, see `ClientBuilder::from_env`, and else on one in
//! memory: [`cluster()`].
#![forbid(unsafe_code)]

mod cluster;

pub use cluster::{Cluster, cluster, fresh_key};

/// The programs of the README, so that they are compiled with the tests.
#[cfg(doctest)]
#[doc = include_str!("../../../README.md")]
#[derive(Debug)]
pub struct Readme;

/// The programs of the guide to failures.
#[cfg(doctest)]
#[doc = include_str!("../../../docs/failures.md")]
#[derive(Debug)]
pub struct Failures;

/// The programs of the guide to watching.
#[cfg(doctest)]
#[doc = include_str!("../../../docs/watching.md")]
#[derive(Debug)]
pub struct Watching;

/// The programs of the guide to locks and leaders.
#[cfg(doctest)]
#[doc = include_str!("../../../docs/locks-and-leaders.md")]
#[derive(Debug)]
pub struct LocksAndLeaders;
