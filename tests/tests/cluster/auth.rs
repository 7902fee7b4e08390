//! Users, roles, and what is forbidden to whom.

use etcd_client::v2::{Client, ErrorCode, Permissions};
use etcd_client::{Error, Outcome};
use etcd_testkit::Etcd as _;
use etcd_tests::{Needs, Scope, Server, canary, each_server, guest, patient};

fn assert_refused(error: &Error, status: u16) {
    assert!(error.is_api(), "{error:?}");
    assert_eq!(error.outcome(), Outcome::NotApplied);
    assert_eq!(error.http_status().unwrap().as_u16(), status);
}

fn assert_unauthorized(error: &Error) {
    assert!(error.is_unauthorized() && !error.is_retryable(), "{error:?}");
    assert_eq!(error.outcome(), Outcome::NotApplied);
    assert_eq!(error.http_status().unwrap().as_u16(), 401);
}

fn login(server: &Server, user: &str, password: &str) -> Client {
    patient(server.endpoints()).credentials(user, canary::password(password)).build().unwrap()
}

#[tokio::test]
async fn auth_is_switched_on_refuses_and_is_switched_off() {
    each_server(Needs::members(1), async |server| {
        let guest = guest(server.endpoints()).build().unwrap();
        let scope = Scope::new(server);
        assert!(!guest.auth().status().await.unwrap().enabled);
        assert_refused(&guest.auth().enable().await.unwrap_err(), 409);
        let made = guest.auth().users().create("root", canary::password("s3cret:+ü")).await.unwrap();
        assert!(made.created && made.user.name == "root");
        guest.auth().enable().await.unwrap();
        assert!(guest.auth().status().await.unwrap().enabled);

        let root = login(server, "root", "s3cret:+ü");
        assert_refused(&root.auth().enable().await.unwrap_err(), 409);
        assert_unauthorized(&guest.auth().users().list().await.unwrap_err());
        guest.set(scope.key("a"), "guests may all until it is taken").await.unwrap();
        root.auth().roles().revoke("guest", Permissions::new().read_write("/*")).await.unwrap();
        for error in [
            guest.get(scope.key("a")).await.unwrap_err(),
            guest.set(scope.key("a"), "2").await.unwrap_err(),
            guest.exists(scope.key("none")).await.unwrap_err(),
            guest.watch(scope.key("a")).next_event().await.unwrap_err(),
            login(server, "root", "wrong").get(scope.key("a")).await.unwrap_err(),
            login(server, "nobody", "s3cret:+ü").set(scope.key("a"), "2").await.unwrap_err(),
        ] {
            assert_unauthorized(&error);
            assert_eq!(error.api().unwrap().code, Some(ErrorCode::Unauthorized));
        }
        assert_unauthorized(&login(server, "root", "wrong").auth().disable().await.unwrap_err());
        // Open to all.
        guest.version().await.unwrap();
        guest.members().list().await.unwrap();
        assert_unauthorized(&guest.members().remove("dead").await.unwrap_err());

        root.auth().users().create("ann", canary::password("pw")).await.unwrap();
        let part = Permissions::new().read_write(scope.key("mine/*")).read(scope.key("a"));
        root.auth().roles().create("part", part).await.unwrap();
        root.auth().users().grant("ann", ["part"]).await.unwrap();
        let ann = login(server, "ann", "pw");
        assert_eq!(ann.set(scope.key("mine/x"), "1").await.unwrap().text(), "1");
        ann.get(scope.key("a")).await.unwrap();
        assert_unauthorized(&ann.set(scope.key("a"), "2").await.unwrap_err());
        assert_refused(&root.auth().users().delete("root").await.unwrap_err(), 403);

        root.auth().disable().await.unwrap();
        assert!(!guest.auth().status().await.unwrap().enabled);
        assert_eq!(guest.get(scope.key("mine/x")).await.unwrap().text(), "1");
        assert_refused(&guest.auth().disable().await.unwrap_err(), 409);
    })
    .await;
}

#[tokio::test]
async fn users_are_made_changed_and_deleted() {
    each_server(Needs::members(1), async |server| {
        let client = patient(server.endpoints()).build().unwrap();
        let users = client.auth().users();
        assert!(users.list().await.unwrap().is_empty());
        let read = Permissions::new().read("/x/*");
        client.auth().roles().create("reader", read.clone()).await.unwrap();
        client.auth().roles().create("other", Permissions::new()).await.unwrap();

        assert!(users.create("ann", canary::password("pw1")).await.unwrap().created);
        let changed = users.change_password("ann", canary::password("pw2")).await.unwrap();
        assert!(!changed.created && changed.user.name == "ann");
        let with_roles = users.create("bob b", canary::password("pw")).roles(["reader"]).await.unwrap();
        assert_eq!(with_roles.user.roles[0].name, "reader");
        assert_refused(
            &users.create("ann", canary::password("pw")).roles(["reader"]).await.unwrap_err(),
            409,
        );

        let granted = users.grant("ann", ["reader", "other"]).await.unwrap();
        let mut names: Vec<_> = granted.user.roles.into_iter().map(|role| role.name).collect();
        names.sort_unstable();
        assert_eq!(names, ["other", "reader"]);
        assert_refused(&users.grant("ann", ["reader"]).await.unwrap_err(), 409);
        users.revoke("ann", ["other"]).await.unwrap();
        assert_refused(&users.revoke("ann", ["other"]).await.unwrap_err(), 409);
        assert_refused(&users.grant("nobody", ["reader"]).await.unwrap_err(), 404);

        let ann = users.get("ann").await.unwrap();
        assert_eq!((ann.roles.len(), ann.roles[0].permissions.as_ref()), (1, Some(&read)));
        let names: Vec<_> = users.list().await.unwrap().into_iter().map(|user| user.name).collect();
        assert_eq!(names, ["ann", "bob b"]);
        users.delete("bob b").await.unwrap();
        assert_refused(&users.delete("bob b").await.unwrap_err(), 404);
        assert_refused(&users.get("bob b").await.unwrap_err(), 404);
        for unsent in [
            users.create("ann", "").await.unwrap_err(),
            users.create("a/b", canary::password("pw")).await.unwrap_err(),
            users.grant("ann", [""; 0]).await.unwrap_err(),
        ] {
            assert!(unsent.is_invalid_name() && unsent.outcome().is_not_applied(), "{unsent:?}");
        }
    })
    .await;
}

#[tokio::test]
async fn roles_are_made_changed_and_deleted() {
    each_server(Needs::members(1), async |server| {
        let client = patient(server.endpoints()).build().unwrap();
        let roles = client.auth().roles();
        let read = Permissions::new().read("/x/*");
        let made = roles.create("r 1", read.clone()).await.unwrap();
        assert_eq!((made.name.as_str(), &made.permissions), ("r 1", &read));
        assert_refused(&roles.create("r 1", read.clone()).await.unwrap_err(), 409);
        assert_refused(&roles.create("root", read.clone()).await.unwrap_err(), 403);

        let granted = roles.grant("r 1", Permissions::new().write("/y")).await.unwrap();
        assert_eq!(granted.permissions, read.clone().write("/y"));
        assert_refused(&roles.grant("r 1", read.clone()).await.unwrap_err(), 409);
        // etcd would make a role of it.
        let unsent = roles.grant("none", Permissions::new()).await.unwrap_err();
        assert!(unsent.is_invalid_name() && unsent.outcome().is_not_applied(), "{unsent:?}");
        assert_refused(&roles.grant("none", read.clone()).await.unwrap_err(), 404);
        let revoked = roles.revoke("r 1", read.clone()).await.unwrap();
        assert_eq!(revoked.permissions, Permissions::new().write("/y"));
        assert_refused(&roles.revoke("r 1", read).await.unwrap_err(), 400);
        assert!(roles.revoke("none", Permissions::new()).await.unwrap_err().is_invalid_name());
        assert_eq!(roles.get("r 1").await.unwrap(), revoked);

        let names: Vec<_> = roles.list().await.unwrap().into_iter().map(|role| role.name).collect();
        assert!(names.contains(&"root".to_owned()) && names.contains(&"r 1".to_owned()), "{names:?}");
        roles.delete("r 1").await.unwrap();
        assert_refused(&roles.delete("r 1").await.unwrap_err(), 404);
        assert_refused(&roles.get("r 1").await.unwrap_err(), 404);
        assert_refused(&roles.delete("root").await.unwrap_err(), 403);
    })
    .await;
}
