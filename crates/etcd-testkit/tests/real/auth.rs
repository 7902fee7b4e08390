//! Servers with v2 authentication.

use etcd_testkit::Etcd;
use etcd_testkit::real::{Server, binaries_under_test};

use crate::http::{ask, set};

/// `root:se"cret`: a password that needs care in JSON.
const ROOT: &str = "Authorization: Basic cm9vdDpzZSJjcmV0\r\n";

#[tokio::test]
async fn guests_keep_what_etcd_gives_them() {
    for binary in binaries_under_test().unwrap() {
        let server = Server::builder(binary).auth("se\"cret").start().await.unwrap();
        assert!(!format!("{server:?}").contains("cm9vdDpzZSJjcmV0"), "credentials are not printed");
        let endpoint = server.endpoints().remove(0);
        assert!(ask(&endpoint, "GET /v2/auth/enable", "", "").unwrap().contains("true"));
        assert!(ask(&endpoint, "GET /v2/auth/users", "", "").unwrap().starts_with("HTTP/1.1 401"));
        assert!(ask(&endpoint, "GET /v2/auth/users", ROOT, "").unwrap().starts_with("HTTP/1.1 200"));
        assert!(set(&endpoint, "open", "1").starts_with("HTTP/1.1 201"));
    }
}

#[tokio::test]
async fn without_guest_every_member_wants_credentials() {
    for binary in binaries_under_test().unwrap() {
        let server =
            Server::builder(binary).members(3).auth("se\"cret").without_guest().start().await.unwrap();
        for endpoint in server.endpoints() {
            assert!(set(&endpoint, "closed", "1").starts_with("HTTP/1.1 401"));
            let answer = ask(&endpoint, "GET /v2/keys", ROOT, "").unwrap();
            assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
        }
        server.member(0).restart().await.unwrap();
    }
}
