//! Killing, stopping and restarting members.

use std::net::TcpListener;
use std::time::Duration;

use etcd_testkit::Etcd;
use etcd_testkit::real::{Member, Server, binaries_under_test};

use crate::http::{ask, get, set};

#[tokio::test]
async fn data_survives_the_kill_of_a_single_node() {
    for binary in binaries_under_test().unwrap() {
        let server = Server::builder(binary).start().await.unwrap();
        let member = server.member(0);
        set(member.endpoint(), "kept", "1");
        let before = member.pid().unwrap();
        member.kill().unwrap();
        assert!(!member.is_running());
        assert!(ask(member.endpoint(), "GET /version", "", "").is_err());
        member.kill().unwrap();
        assert!(member.stop().unwrap_err().is_not_running());
        assert!(member.resume().unwrap_err().is_not_running());
        member.restart().await.unwrap();
        assert_ne!(member.pid().unwrap(), before);
        assert!(get(member.endpoint(), "kept").contains("\"value\":\"1\""));
    }
}

#[tokio::test]
async fn a_killed_member_of_three_comes_back_with_what_it_missed() {
    for binary in binaries_under_test().unwrap() {
        let server = Server::builder(binary).members(3).start().await.unwrap();
        server.member(0).kill().unwrap();
        // The killed one may have led: a new election has to pass first.
        while !set(server.member(1).endpoint(), "missed", "1").starts_with("HTTP/1.1 20") {}
        server.member(0).restart().await.unwrap();
        assert!(get(server.member(0).endpoint(), "missed").contains("\"value\":\"1\""));
        server.kill().unwrap();
        assert!(server.members().iter().all(|member| !member.is_running()));
        server.restart().await.unwrap();
        assert!(get(&server.endpoints()[2], "missed").contains("\"value\":\"1\""));
    }
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_stopped_member_stands_still_until_it_is_resumed() {
    for binary in binaries_under_test().unwrap() {
        let server = Server::builder(binary).start().await.unwrap();
        let member = server.member(0);
        member.stop().unwrap();
        assert_eq!(crate::end::state(member.pid().unwrap()), Some('T'));
        assert!(member.is_running());
        member.stop().unwrap();
        member.resume().unwrap();
        assert!(set(member.endpoint(), "a", "1").starts_with("HTTP/1.1 201"));
    }
}

#[tokio::test]
async fn a_stopped_member_ends_in_good_order_and_by_force() {
    for binary in binaries_under_test().unwrap() {
        let server = Server::builder(binary).start().await.unwrap();
        let member = server.member(0);
        member.stop().unwrap();
        member.terminate().await.unwrap();
        assert!(!member.is_running());
        member.terminate().await.unwrap();
        member.restart().await.unwrap();
        member.stop().unwrap();
        member.restart().await.unwrap();
        assert!(set(member.endpoint(), "a", "1").starts_with("HTTP/1.1 201"));
    }
}

#[tokio::test]
async fn a_restart_waits_for_its_port() {
    for binary in binaries_under_test().unwrap() {
        let server = Server::builder(binary).start().await.unwrap();
        let member = server.member(0);
        member.kill().unwrap();
        let taken = TcpListener::bind(member.endpoint().trim_start_matches("http://")).unwrap();
        let (restarted, ()) = tokio::join!(member.restart(), release_when_missed(taken, member));
        restarted.unwrap();
        assert!(set(member.endpoint(), "a", "1").starts_with("HTTP/1.1 201"));
    }
}

/// Closes the listener as soon as the member has found its port taken.
async fn release_when_missed(taken: TcpListener, member: &Member) {
    while !std::fs::read_to_string(member.log_path()).unwrap().contains("address already in use") {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    drop(taken);
}
