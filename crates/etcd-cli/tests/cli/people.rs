//! Members, users and roles.

use etcd_testkit::Etcd as _;
use etcd_tests::{Needs, each_server};

use crate::program::{feed, of, ok, run};

#[tokio::test]
async fn users_and_roles_from_making_to_removing() {
    each_server(Needs::members(1), async |etcd| {
        assert_eq!(ok(etcd, &["user", "add", "root:secret"]), "User root created\n");
        assert_eq!(ok(etcd, &["role", "add", "reader"]), "Role reader created\n");
        assert_eq!(
            ok(etcd, &["role", "grant", "reader", "--path", "/r/*", "--read"]),
            "Role reader updated\n"
        );
        assert_eq!(ok(etcd, &["role", "get", "reader"]), "Role: reader\nKV Read:\n\t/r/*\nKV Write:\n");
        let added = feed(of(etcd).args(["user", "add", "bob", "--roles", "reader"]), b"hush\nnot this\n");
        assert_eq!((added.code, &*added.stdout), (Some(0), "User bob created\n"), "{}", added.stderr);
        // The same request would change the password.
        assert_eq!(run(etcd, &["user", "add", "bob:other"]).code, Some(5));
        assert_eq!(run(etcd, &["user", "add", "bob:hush", "--roles", "reader"]).code, Some(5));
        assert_eq!(ok(etcd, &["user", "get", "bob"]), "User: bob\nRoles: reader\n");
        assert_eq!(ok(etcd, &["set", "/r/a", "1"]), "1\n");
        assert_eq!(ok(etcd, &["auth", "enable"]), "Authentication Enabled\n");
        assert_eq!(ok(etcd, &["auth", "status"]), "Authentication Enabled\n");
        let root = ["-u", "root:secret"];
        let as_root = |args: &[&str]| ok(etcd, &[&root, args].concat());
        as_root(&["role", "revoke", "guest", "--path", "/*", "--readwrite"]);
        assert_eq!(run(etcd, &["get", "/r/a"]).code, Some(6));
        assert_eq!(ok(etcd, &["-u", "bob:hush", "get", "/r/a"]), "1\n");
        assert_eq!(run(etcd, &["-u", "bob:hush", "set", "/r/a", "2"]).code, Some(6));
        assert_eq!(as_root(&["user", "revoke", "bob", "--roles", "reader"]), "User bob updated\n");
        assert_eq!(run(etcd, &["-u", "bob:hush", "get", "/r/a"]).code, Some(6));
        assert_eq!(as_root(&["user", "grant", "bob", "--roles", "reader"]), "User bob updated\n");
        let passwd = feed(of(etcd).args(root).args(["user", "passwd", "bob"]), b"quiet");
        assert_eq!((passwd.code, &*passwd.stdout), (Some(0), "Password updated\n"), "{}", passwd.stderr);
        assert_eq!(run(etcd, &["-u", "bob:hush", "get", "/r/a"]).code, Some(6));
        assert_eq!(ok(etcd, &["-u", "bob:quiet", "get", "/r/a"]), "1\n");
        assert_eq!(feed(of(etcd).args(root).args(["user", "passwd", "eve"]), b"x").code, Some(3));
        assert_eq!(as_root(&["user", "list"]), "bob\nroot\n");
        assert_eq!(as_root(&["user", "remove", "bob"]), "User bob removed\n");
        assert_eq!(as_root(&["role", "remove", "reader"]), "Role reader removed\n");
        assert_eq!(as_root(&["role", "list"]), "guest\nroot\n");
        assert_eq!(as_root(&["auth", "disable"]), "Authentication Disabled\n");
    })
    .await;
}

#[tokio::test]
async fn members_are_added_changed_and_removed() {
    each_server(Needs::members(3), async |etcd| {
        assert_eq!(ok(etcd, &["members", "list"]).lines().count(), 3);
        assert_eq!(ok(etcd, &["member", "list"]).matches("isLeader=true").count(), 1);
        let list = ok(etcd, &["machines"]);
        let mut machines: Vec<_> = list.lines().collect();
        machines.sort_unstable();
        let mut endpoints = etcd.endpoints();
        endpoints.sort_unstable();
        assert_eq!(machines, endpoints);
        let leader: serde_json::Value = serde_json::from_str(&ok(etcd, &["leader", "-w", "json"])).unwrap();
        assert_eq!(format!("{}\n", leader["name"].as_str().unwrap()), ok(etcd, &["leader"]));
        // etcd takes a change of members once they have known each other for a while.
        let added = etcd_tests::eventually("a member is added", async || {
            let ended = run(etcd, &["members", "add", "infra9", "http://127.0.0.1:65009"]);
            (ended.code == Some(0)).then_some(ended.stdout)
        })
        .await;
        let lines: Vec<_> = added.lines().collect();
        let id = lines[0].strip_prefix("Added member named infra9 with ID ").unwrap();
        let id = id.strip_suffix(" to cluster").unwrap();
        assert_eq!(lines[2], "ETCD_NAME=\"infra9\"");
        assert!(
            lines[3].starts_with("ETCD_INITIAL_CLUSTER=\"")
                && lines[3].contains("infra9=http://127.0.0.1:65009")
        );
        assert_eq!(lines[4], "ETCD_INITIAL_CLUSTER_STATE=\"existing\"");
        assert!(
            ok(etcd, &["members"]).contains(&format!("{id}[unstarted]: peerURLs=http://127.0.0.1:65009"))
        );
        let updated = ok(etcd, &["members", "update", id, "http://127.0.0.1:65010"]);
        assert_eq!(updated, format!("Updated member with ID {id} in cluster\n"));
        assert_eq!(ok(etcd, &["members", "remove", id]), format!("Removed member {id} from cluster\n"));
        assert_eq!(ok(etcd, &["members"]).lines().count(), 3);
    })
    .await;
}
