//! Runnable examples of the workspace; the programs stand in `examples/`.
//!
//! | run | shows |
//! | --- | --- |
//! | `cargo run --example quickstart` | every keys call against an etcd, in a namespace that it deletes again |
#![forbid(unsafe_code)]

/// The programs of the README, so that they are compiled with the tests.
#[cfg(doctest)]
#[doc = include_str!("../../../README.md")]
#[derive(Debug)]
pub struct Readme;
