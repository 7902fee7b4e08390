//! An etcd in memory, by the program itself.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Stdio};

use crate::program::{end, program};

fn serve(args: &[&str]) -> (Child, Vec<String>) {
    let mut command = program();
    command
        .args(["serve", "--listen", "127.0.0.1:0"])
        .args(args)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let members = if args.contains(&"3") { 3 } else { 1 };
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    (child, lines.take(members).map(Result::unwrap).collect())
}

#[test]
fn it_serves_until_it_is_told_to_end_and_says_what_it_is() {
    let (child, urls) = serve(&["--members", "3", "--profile", "3.4"]);
    assert_eq!(urls.len(), 3);
    let endpoints = urls.join(",");
    assert_eq!(end(program().args(["-s", &endpoints, "set", "/a", "1"])).code, Some(0));
    assert_eq!(end(program().args(["-s", &urls[2], "get", "/a"])).stdout, "1\n");
    let version = end(program().args(["-s", &endpoints, "version"])).stdout;
    assert!(version.contains("server: 3.4."), "{version}");
    crate::signal::send(child.id(), rustix::process::Signal::TERM);
    let ended = child.wait_with_output().unwrap();
    assert_eq!(ended.status.code(), Some(0));
    assert!(String::from_utf8_lossy(&ended.stderr).contains("for development"));
}

#[test]
fn it_ends_when_its_time_is_up() {
    let (child, _) = serve(&["--for", "50ms"]);
    assert_eq!(child.wait_with_output().unwrap().status.code(), Some(0));
}

#[test]
fn a_port_that_is_taken_is_named() {
    let (child, urls) = serve(&["--for", "60s"]);
    let address = urls[0].trim_start_matches("http://");
    let ended = end(program().args(["serve", "--listen", address]));
    assert!(ended.code == Some(1) && ended.stderr.contains(address), "{}", ended.stderr);
    crate::signal::send(child.id(), rustix::process::Signal::INT);
    assert_eq!(child.wait_with_output().unwrap().status.code(), Some(0));
}

#[test]
fn a_short_load_is_measured() {
    let (child, urls) = serve(&["--for", "60s"]);
    let ended = end(program().args(["-s", &urls[0], "check", "perf", "--for", "100ms", "-w", "json"]));
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    let rows: Vec<serde_json::Value> =
        ended.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let loads: Vec<_> =
        rows.iter().map(|row| (row["call"].as_str().unwrap(), row["inFlight"].as_u64().unwrap())).collect();
    assert_eq!(loads, [("set", 1), ("set", 64), ("get", 1), ("get", 64)]);
    assert!(rows.iter().all(|row| row["calls"].as_u64().unwrap() > 0));
    assert_eq!(end(program().args(["-s", &urls[0], "ls"])).stdout, "", "what it has written is gone");
    crate::signal::send(child.id(), rustix::process::Signal::INT);
    assert_eq!(child.wait_with_output().unwrap().status.code(), Some(0));
}
