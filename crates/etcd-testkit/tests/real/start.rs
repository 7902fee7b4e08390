//! Starting servers.

use std::collections::HashSet;
use std::net::TcpListener;
use std::time::Duration;

use etcd_testkit::Etcd;
use etcd_testkit::real::{Binary, Server, binaries_under_test};
use tokio::time::Instant;

use crate::http::{ask, get, set};

#[tokio::test]
async fn a_single_node_of_every_version_answers() {
    for binary in binaries_under_test().unwrap() {
        let version = binary.version();
        let server = Server::builder(binary).start().await.unwrap();
        assert_eq!(server.version(), version);
        assert_eq!(server.name(), format!("etcd {version}"));
        let endpoint = server.endpoints().remove(0);
        assert!(ask(&endpoint, "GET /version", "", "").unwrap().contains(&format!("\"{version}\"")));
        assert!(set(&endpoint, "a", "1").starts_with("HTTP/1.1 201"));
        assert!(get(&endpoint, "a").contains("\"value\":\"1\""));
    }
}

#[tokio::test]
async fn three_members_share_their_keys() {
    for binary in binaries_under_test().unwrap() {
        let server = Server::builder(binary).members(3).start().await.unwrap();
        let endpoints = server.endpoints();
        assert_eq!(endpoints.iter().collect::<HashSet<_>>().len(), 3);
        assert!(server.name().ends_with(", 3 members"));
        set(&endpoints[0], "shared", "yes");
        for endpoint in &endpoints {
            assert!(get(endpoint, "shared").contains("\"value\":\"yes\""), "{endpoint}");
        }
        let members = ask(&endpoints[2], "GET /v2/members", "", "").unwrap();
        for member in server.members() {
            assert!(members.contains(member.name()) && members.contains(member.peer_url()), "{members}");
        }
    }
}

#[tokio::test]
async fn the_v2_api_can_be_left_out() {
    for binary in binaries_under_test().unwrap() {
        let server = Server::builder(binary).without_v2().start().await.unwrap();
        let answer = ask(&server.endpoints()[0], "GET /v2/keys", "", "").unwrap();
        assert!(answer.starts_with("HTTP/1.1 404"), "{answer}");
    }
}

#[tokio::test]
async fn more_arguments_reach_the_server() {
    for binary in binaries_under_test().unwrap() {
        let server = Server::builder(binary).arg("--max-request-bytes=1000").start().await.unwrap();
        let endpoint = server.endpoints().remove(0);
        assert!(set(&endpoint, "small", "x").starts_with("HTTP/1.1 201"));
        let log = std::fs::read_to_string(server.member(0).log_path()).unwrap();
        assert!(log.contains("max-request-bytes"), "{log}");
    }
}

#[tokio::test]
async fn a_taken_port_is_told_with_the_end_of_the_log() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("--listen-client-urls=http://{}", taken.local_addr().unwrap());
    for binary in binaries_under_test().unwrap() {
        // The argument beats the picked port each time, so that new ports do not help.
        let error = Server::builder(binary).arg(url.as_str()).start().await.unwrap_err();
        assert!(error.is_start(), "{error}");
        assert!(error.to_string().contains("address already in use"), "{error}");
    }
}

#[tokio::test]
async fn a_server_that_refuses_its_arguments_is_not_waited_for() {
    for binary in binaries_under_test().unwrap() {
        let error = Server::builder(binary).arg("--election-timeout=1").start().await.unwrap_err();
        assert!(error.is_start(), "{error}");
        assert!(error.to_string().contains("election-timeout[1ms]"), "{error}");
    }
}

#[tokio::test]
async fn a_server_that_does_not_get_ready_is_an_error_at_the_limit() {
    for binary in binaries_under_test().unwrap() {
        // An election that takes longer than the limit.
        let server = Server::builder(binary)
            .members(3)
            .arg("--heartbeat-interval=1000")
            .arg("--election-timeout=50000")
            .arg("--initial-election-tick-advance=false")
            .start_limit(Duration::from_millis(1500));
        let begin = Instant::now();
        let error = server.start().await.unwrap_err();
        assert!(begin.elapsed() < Duration::from_secs(10), "the limit was 1.5 s");
        assert!(error.is_not_ready(), "{error}");
        assert!(error.to_string().contains("last lines of its log"), "{error}");
    }
}

#[test]
fn each_series_under_test_is_found_by_its_name() {
    for binary in binaries_under_test().unwrap() {
        let series = binary.version().series().unwrap();
        assert_eq!(Binary::find(series).unwrap(), binary);
        assert!(Binary::find_all().unwrap().contains(&binary));
    }
}
