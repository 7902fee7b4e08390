//! A user of a seed client finds each of its names in the documentation.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// What each seed calls it. Left out: `etcd_close`, `etcd_close_str`, `disconnect` (a client is dropped), locks and
/// elections (recipes), `install` and `start` (the testkit), `response` of J2's errors (an error's getters).
const NAMES: [&str; 53] = [
    // C
    "etcd_open",
    "etcd_open_str",
    "etcd_get",
    "etcd_watch",
    "etcd_set",
    "etcd_delete",
    "etcd_leader",
    // J1
    "EtcdServer",
    "get",
    "exists",
    "has_key",
    "set",
    "set_dir",
    "create",
    "create_dir",
    "update",
    "update_dir",
    "create_in_order",
    "add_child",
    "create_in_order_dir",
    "add_child_dir",
    "delete",
    "delete_dir",
    "compare_and_swap",
    "test_and_set",
    "compare_and_delete",
    "watch",
    "keep_watching",
    "keep_watching_index",
    "watch_until",
    "machines",
    "stats",
    // J2
    "connect",
    "haskey",
    "setdir",
    "createdir",
    "updatedir",
    "deletedir",
    "cas",
    "cad",
    "watchloop",
    "members",
    "leader",
    // Parameters
    "ttl",
    "sort",
    "recursive",
    "wait_index",
    "prev_value",
    "prev_index",
    // Kinds of statistics: store, self, leader
    "store",
    "self",
    // Errors
    "EtcdError",
    "HTTPError",
];

#[test]
fn each_name_of_a_seed_is_a_method_or_an_alias() {
    let known = documented_names();
    let missing: Vec<_> = NAMES.iter().filter(|name| !known.contains(**name)).collect();
    assert!(missing.is_empty(), "neither a public function nor a doc alias: {missing:?}");
}

#[test]
fn an_alias_is_given_once() {
    let mut seen = BTreeSet::new();
    for (_, text) in sources() {
        for alias in text.lines().filter_map(alias) {
            assert!(seen.insert(alias.to_owned()), "the alias {alias:?} stands at two places");
        }
    }
}

/// Public functions and aliases in the sources of the client and of the types that it re-exports.
fn documented_names() -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for (_, text) in sources() {
        for line in text.lines() {
            names.extend(alias(line).or_else(|| function(line)).map(str::to_owned));
        }
    }
    names
}

fn alias(line: &str) -> Option<&str> {
    line.trim().strip_prefix("#[doc(alias = \"")?.strip_suffix("\")]")
}

fn function(line: &str) -> Option<&str> {
    let rest = line.trim().strip_prefix("pub ")?.trim_start_matches("async ").strip_prefix("fn ")?;
    rest.split(['(', '<']).next()
}

fn sources() -> Vec<(PathBuf, String)> {
    let crates = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().join("crates");
    let mut sources = Vec::new();
    for name in ["etcd-client", "etcd-proto"] {
        read(&crates.join(name).join("src"), &mut sources);
    }
    assert!(sources.len() > 20, "the sources are not where they are looked for");
    sources
}

fn read(directory: &Path, into: &mut Vec<(PathBuf, String)>) {
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            read(&path, into);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            into.push((path.clone(), fs::read_to_string(&path).unwrap()));
        }
    }
}
