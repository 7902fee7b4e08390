//! Runnable examples of the workspace; the programs stand in `examples/`.
//!
//! | run | shows |
//! | --- | --- |
//! | `cargo run --example quickstart` | every keys call with its answer, on an etcd in memory or on the one that the environment names |
//! | `cargo run --release --example memory_figures` | what the etcd in memory can carry, beside the aims |
#![forbid(unsafe_code)]

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
