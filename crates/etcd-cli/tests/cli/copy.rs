//! Export and import: every byte of every key, and again after an interruption.

use std::process::Stdio;

use etcd_testkit::Etcd;
use etcd_tests::{Needs, each_server};
use serde_json::{Value, json};

use crate::program::{feed, of, ok, run};

/// So many keys, in directories, with values of all sorts.
fn tree(keys: usize) -> String {
    let odd = [
        "",
        " ",
        "two\nlines\r\n",
        "\0\u{1}\u{7f}\u{9b}",
        "=&;%+?#\"\\'",
        "grün 日本 🦀",
        "\u{2028}\u{202e}\u{feff}",
    ];
    let nodes = (0..keys).map(|number| {
        let value = match number % 10 {
            kind @ 0..7 => format!("{0}{number}{0}", odd[kind]),
            7 => "x".repeat(number % 2_000),
            _ => String::new(),
        };
        let key = format!("/big/dir {}/é%{}/{number}", number % 17, number % 5);
        json!({ "key": key, "value": value }).to_string()
    });
    let nodes: Vec<_> = nodes.chain([json!({ "key": "/big/empty", "dir": true }).to_string()]).collect();
    format!("{{\"format\":\"etcd v2 keys 1\",\"root\":\"/big\",\"nodes\":[\n{}\n]}}\n", nodes.join(",\n"))
}

fn nodes(document: &str) -> Vec<Value> {
    let document: Value = serde_json::from_str(document).unwrap();
    let nodes = document["nodes"].as_array().unwrap().iter();
    let mut files: Vec<_> = nodes.filter(|node| node["dir"] != true).cloned().collect();
    files.sort_by_key(|node| node["key"].to_string());
    files
}

#[tokio::test]
async fn a_tree_of_ten_thousand_keys_comes_back_byte_by_byte() {
    each_server(Needs::members(1), async |etcd| {
        let directory = tempfile::tempdir().unwrap();
        let path = |name: &str| directory.path().join(name).to_str().unwrap().to_owned();
        let made = tree(KEYS);
        std::fs::write(path("made"), &made).unwrap();
        assert_eq!(ok(etcd, &["import", &path("made")]), format!("{KEYS} keys, 1 directories\n"));
        ok(etcd, &["export", "/big", &path("first")]);
        let first = std::fs::read_to_string(path("first")).unwrap();
        assert_eq!(nodes(&first), nodes(&made));
        assert!(first.contains(r#"{"key":"/big/empty","dir":true}"#));
    })
    .await;
}

#[tokio::test]
async fn what_was_exported_comes_back_to_the_same_bytes_there_and_elsewhere() {
    each_server(Needs::members(1), async |etcd| {
        assert_eq!(feed(of(etcd).arg("import"), tree(300).as_bytes()).code, Some(0));
        let first = ok(etcd, &["export", "/big"]);
        ok(etcd, &["rm", "-r", "/big"]);
        assert_eq!(feed(of(etcd).arg("import"), first.as_bytes()).code, Some(0));
        assert_eq!(ok(etcd, &["export", "/big"]), first);
        assert_eq!(feed(of(etcd).args(["import", "--to", "/copy"]), first.as_bytes()).code, Some(0));
        let copy = ok(etcd, &["export", "/copy"]);
        assert_eq!(copy.replace("\"/copy", "\"/big"), first);
    })
    .await;
}

#[tokio::test]
async fn an_interrupted_import_can_be_run_again() {
    each_server(Needs::members(1), async |etcd| {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("made").to_str().unwrap().to_owned();
        let made = tree(1_500);
        std::fs::write(&path, &made).unwrap();
        let mut command = of(etcd);
        // One after the other: slow enough to be interrupted.
        let child =
            command.args(["import", &path, "--parallel", "1"]).stderr(Stdio::piped()).spawn().unwrap();
        etcd_tests::eventually("some keys are there", async || (count(etcd) >= 20).then_some(())).await;
        crate::signal::send(child.id(), rustix::process::Signal::INT);
        let ended = child.wait_with_output().unwrap();
        assert_eq!(ended.status.code(), Some(130));
        assert!(count(etcd) < 1_500, "it was not interrupted at all");
        ok(etcd, &["import", &path]);
        assert_eq!(nodes(&ok(etcd, &["export", "/big"])), nodes(&made));
    })
    .await;
}

fn count(etcd: &dyn Etcd) -> usize {
    let listed = run(etcd, &["export", "/big"]);
    if listed.code == Some(0) { nodes(&listed.stdout).len() } else { 0 }
}

#[tokio::test]
async fn ttls_and_directories_come_along() {
    each_server(Needs::members(1), async |etcd| {
        ok(etcd, &["set", "/t/a", "1", "-t", "1000"]);
        ok(etcd, &["mkdir", "/t/d", "-t", "2000"]);
        ok(etcd, &["set", "/t/d/b", "2"]);
        let exported = ok(etcd, &["export", "/t"]);
        let document: Value = serde_json::from_str(&exported).unwrap();
        let ttl = |key: &str| {
            let nodes = document["nodes"].as_array().unwrap();
            nodes.iter().find(|node| node["key"] == key).unwrap()["ttl"].as_u64()
        };
        assert!((900..=1000).contains(&ttl("/t/a").unwrap()));
        assert!((1900..=2000).contains(&ttl("/t/d").unwrap()));
        assert_eq!(ttl("/t/d/b"), None);
        ok(etcd, &["rm", "-r", "/t"]);
        assert_eq!(feed(of(etcd).arg("import"), exported.as_bytes()).code, Some(0));
        let ttl = |key| -> Option<u64> {
            let read: Value = serde_json::from_str(&ok(etcd, &["get", key, "-w", "json"])).unwrap();
            read["node"]["ttl"].as_u64()
        };
        assert!(ttl("/t/a").is_some_and(|ttl| ttl > 800) && ttl("/t/d").is_some_and(|ttl| ttl > 1800));
        // Once more: the directory is there by now. etcd 3.5 cannot change its ttl, which is no failure.
        assert_eq!(feed(of(etcd).arg("import"), exported.as_bytes()).code, Some(0));
        // Keys that are there may be kept.
        ok(etcd, &["set", "/t/d/b", "mine"]);
        assert_eq!(feed(of(etcd).args(["import", "--keep"]), exported.as_bytes()).code, Some(0));
        assert_eq!(ok(etcd, &["get", "/t/d/b"]), "mine\n");
    })
    .await;
}

#[tokio::test]
async fn what_is_no_export_is_refused_without_its_values() {
    each_server(Needs::members(1), async |etcd| {
        for text in [
            "",
            "[]",
            "{\"secret\":1}",
            "{\"format\":\"etcd v2 keys 1\",\"root\":\"/\",\"nodes\":[{\"key\":\"/a\",\"secret\":1}]}",
            "{\"format\":\"secret 9\",\"root\":\"/\",\"nodes\":[]}",
            "{\"format\":\"etcd v2 keys 1\",\"root\":\"/secret\",\"nodes\":[{\"key\":\"/../a\"}]}",
        ] {
            let ended = feed(of(etcd).arg("import"), text.as_bytes());
            assert_eq!(ended.code, Some(2), "{text}: {}", ended.stderr);
            assert!(!ended.stderr.contains("secret") || text.contains("secret 9"), "{}", ended.stderr);
        }
    })
    .await;
}

const KEYS: usize = 10_000;
