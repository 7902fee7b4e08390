//! What holds for every key, value, condition and stream, on random ones.

mod bounds;
mod encoding;
#[path = "../recordings_support/go_url.rs"]
mod go_url;
mod strategy;
mod stream;

/// No file is written for a case that fails: the case is printed, and becomes a test of its own.
fn config() -> proptest::test_runner::Config {
    proptest::test_runner::Config { failure_persistence: None, ..Default::default() }
}
