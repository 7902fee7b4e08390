//! The server in memory answers as real ones do; `cargo xtask differential` does the same for longer.
//!
//! Recorded scenarios are replayed by the tests of etcd-testkit (`tests/memory/replay.rs`).

use std::env;

use etcd_testkit::memory::Quirks;
use etcd_testkit::real::{Binary, binaries_under_test};
use etcd_tests::differential::{self, KNOWN, Report};

#[tokio::test]
async fn random_operations_are_answered_as_real_servers_answer_them() {
    for binary in binaries() {
        check(&differential::run(binary, OPERATIONS, SEED).await.unwrap());
    }
}

#[tokio::test]
async fn concurrent_writers_are_answered_as_real_servers_answer_them() {
    for binary in binaries() {
        check(&differential::run_concurrently(binary, OPERATIONS / 5, SEED).await.unwrap());
    }
}

#[tokio::test]
async fn a_store_that_is_not_like_etcd_is_found_out() {
    // Each of them alone; all of it is printed, and this test fails only if nothing is.
    let faithful = Quirks::faithful;
    let others = [
        faithful().history_ends_streams(false),
        faithful().doubled_deletes(false),
        faithful().history_shows_hidden_keys(false),
        faithful().history_matches_siblings(false),
    ];
    for binary in binaries().into_iter().take(1) {
        for quirks in others {
            let report = differential::run_with(binary.clone(), quirks, OPERATIONS, SEED).await.unwrap();
            assert!(!report.differences.is_empty(), "{quirks:?}");
        }
    }
}

#[test]
fn the_docs_list_exactly_the_known_differences() {
    let known: Vec<_> = KNOWN.iter().map(|known| known.id).collect();
    assert_eq!(differential::documented(), known, "docs/in-memory-differences.md");
}

/// Real ones, of which there are none where the suite runs on servers in memory alone.
fn binaries() -> Vec<Binary> {
    let alone = env::var_os("ETCD_TEST_SERVERS").is_some_and(|kind| kind == "memory");
    let binaries = if alone { Ok(Vec::new()) } else { binaries_under_test() };
    let binaries = binaries.unwrap_or_else(|error| panic!("{error}"));
    if binaries.is_empty() {
        println!("not run: there is no real etcd to compare with");
    }
    binaries
}

fn check(report: &Report) {
    println!("{report}");
    assert!(report.differences.is_empty(), "{} differences, see above", report.differences.len());
}

/// Per version.
const OPERATIONS: u64 = 5_000;
const SEED: u64 = 20_261_121;
