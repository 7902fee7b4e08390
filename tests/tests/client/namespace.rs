//! All keys below a prefix.

use std::future::IntoFuture as _;

use etcd_client::Error;
use etcd_client::v2::{Action, Client, Compare};
use etcd_tests::{Scope, each_etcd, printed};
use futures_util::StreamExt as _;

/// Two namespaces in one directory.
fn two(scope: &Scope) -> (Client, Client) {
    let namespace = |name: &str| scope.client.namespace(scope.key(name)).unwrap();
    (namespace("ns1"), namespace("ns2"))
}

#[tokio::test]
async fn keys_in_answers_are_those_of_the_namespace() {
    each_etcd(async |etcd| {
        let scope = Scope::new(etcd);
        let (client, _) = two(&scope);
        let answers = [
            client.create("/d/a", "1").await.unwrap(),
            client.update("/d/a", "2").await.unwrap(),
            client.compare_and_swap("/d/a", "3", Compare::value("2")).await.unwrap(),
            client.get("/d/a").await.unwrap(),
            client.set("d/a", "4").await.unwrap(),
            client.modify("/d/a", |_| Some("5".into())).await.unwrap(),
            client.compare_and_delete("/d/a", Compare::value("5")).await.unwrap(),
            client.set("/d/a", "6").no_value_on_success(true).await.unwrap(),
            client.delete("/d/a").await.unwrap(),
        ];
        for answer in answers {
            assert_eq!(answer.node.key.as_str(), "/d/a", "{answer:?}");
            let before = answer.prev_node.as_ref().map_or("/d/a", |node| node.key.as_str());
            assert_eq!(before, "/d/a", "{answer:?}");
        }
        let queued = client.create_in_order("/queue", "x").await.unwrap();
        assert_eq!(queued.node.key.as_str(), format!("/queue/{:020}", queued.index().get()));
        let queued = client.create_in_order("/", "x").no_value_on_success(true).await.unwrap();
        assert_eq!(queued.node.key.as_str(), format!("/{:020}", queued.index().get()));
        // From outside it stands below the prefix.
        let outside = scope.client.get(scope.key(&format!("ns1{}", queued.node.key))).await.unwrap();
        assert_eq!(outside.text(), "x");
    })
    .await;
}

#[tokio::test]
async fn listings_are_those_of_the_namespace() {
    each_etcd(async |etcd| {
        let scope = Scope::new(etcd);
        let (client, other) = two(&scope);
        client.set("/b", "1").await.unwrap();
        client.set("/a/x", "1").await.unwrap();
        other.set("/c", "1").await.unwrap();
        let root = client.get("/").recursive(true).sorted(true).await.unwrap().node;
        let keys: Vec<_> = root.walk().map(|node| node.key.as_str()).collect();
        assert_eq!(keys, ["/", "/a", "/a/x", "/b"]);
        assert!(!client.exists("/c").await.unwrap() && !other.exists("/b").await.unwrap());
        let nested = client.namespace("/a").unwrap();
        assert_eq!(nested.get("/x").await.unwrap().node.key.as_str(), "/x");
        assert!(nested.get("/").await.unwrap().node.nodes[0].key.as_str() == "/x");
    })
    .await;
}

fn assert_inside(error: &Error, scope: &Scope, cause: &str) {
    assert_eq!(error.api().unwrap().cause.as_deref(), Some(cause), "{error:?}");
    let text = printed(error);
    assert!(!text.contains(scope.dir()) && !text.contains("ns1"), "the prefix is printed: {text}");
}

#[tokio::test]
async fn errors_name_keys_of_the_namespace() {
    each_etcd(async |etcd| {
        let scope = Scope::new(etcd);
        let (client, _) = two(&scope);
        // Nothing is there yet, so that the first missing element is above the namespace.
        let error = client.get("/none").await.unwrap_err();
        assert!(error.is_key_not_found() && error.key().unwrap().as_str() == "/none");
        assert_inside(&error, &scope, "/");
        client.set("/d/f", "1").await.unwrap();
        assert_inside(&client.get("/d/none/x").await.unwrap_err(), &scope, "/d/none");
        assert_inside(&client.create("/d/f", "1").await.unwrap_err(), &scope, "/d/f");
        assert_inside(&client.set("/d/f/x", "1").await.unwrap_err(), &scope, "/d/f");
        assert_inside(&client.set("/d", "1").await.unwrap_err(), &scope, "/d");
        assert_inside(&client.delete_dir("/d").await.unwrap_err(), &scope, "/d");
        let error = client.compare_and_swap("/d/f", "2", Compare::value("[/x")).await.unwrap_err();
        assert_inside(&error, &scope, "[[/x != 1]");
        assert_eq!(error.to_string(), "compare and swap /d/f: compare failed");
    })
    .await;
}

#[tokio::test]
async fn the_root_of_a_namespace_stays_a_directory() {
    each_etcd(async |etcd| {
        let scope = Scope::new(etcd);
        let (client, _) = two(&scope);
        for error in [
            client.set("/", "1").await.unwrap_err(),
            client.create("/", "1").await.unwrap_err(),
            client.update("/", "1").await.unwrap_err(),
            client.delete("/").await.unwrap_err(),
            client.compare_and_delete("/", Compare::value("1")).await.unwrap_err(),
        ] {
            assert!(error.is_root_read_only() && error.outcome().is_not_applied(), "{error:?}");
        }
        assert!(!scope.client.exists(scope.dir()).await.unwrap());
    })
    .await;
}

#[tokio::test]
async fn events_are_those_of_the_namespace() {
    each_etcd(async |etcd| {
        let scope = Scope::new(etcd);
        let (client, other) = two(&scope);
        let first = client.set("/d/a", "1").await.unwrap();
        other.set("/d/a", "not mine").await.unwrap();
        let second = client.set("/d/a", "2").await.unwrap();
        let event = client.watch("/").recursive(true).after(first.index()).next_event().await.unwrap();
        assert_eq!((&event.node, event.prev_node.as_ref()), (&second.node, Some(&first.node)));
        let mut stream = client.poll("/").recursive(true).stream(true).await.unwrap();
        other.set("/d/a", "not mine").await.unwrap();
        let third = client.delete("/d/a").await.unwrap();
        let event = stream.events.next().await.unwrap().unwrap();
        assert_eq!((event.node.key.as_str(), event.index()), ("/d/a", third.index()));
    })
    .await;
}

#[tokio::test]
async fn the_deletion_of_the_prefix_names_the_root() {
    each_etcd(async |etcd| {
        let scope = Scope::new(etcd);
        let (client, _) = two(&scope);
        client.set("/d/a", "1").await.unwrap();
        let mut inside = client.poll("/d/a").await.unwrap();
        let mut root = client.poll("/").recursive(true).await.unwrap();
        let deleted = scope.client.delete_dir(scope.dir()).recursive(true).await.unwrap();
        for watch in [&mut inside, &mut root] {
            let event = watch.events.next().await.unwrap().unwrap();
            assert!(event.node.key.is_root() && event.node.dir, "{event:?}");
            assert_eq!((event.action.clone(), event.index()), (Action::Delete, deleted.index()));
            assert!(event.prev_node.unwrap().key.is_root());
        }
    })
    .await;
}

#[tokio::test]
async fn an_event_beside_the_prefix_is_hidden_and_not_swallowed() {
    each_etcd(async |etcd| {
        let scope = Scope::new(etcd);
        // Out of the history etcd sends a deletion to watchers of every path that begins with the same letters.
        let client = scope.client.namespace(scope.key("ns10")).unwrap();
        let mine = client.set("/a", "1").await.unwrap();
        scope.client.set(scope.key("ns1/x"), "1").await.unwrap();
        let deleted = scope.client.delete_dir(scope.key("ns1")).recursive(true).await.unwrap();
        let mut poll = client.poll("/").recursive(true).after(mine.index()).await.unwrap();
        let event = poll.events.next().await.unwrap().unwrap();
        assert_eq!((event.node.key.as_str(), event.index()), ("/_outside-the-namespace", deleted.index()));
        // A watch leaves it out, and goes on behind it.
        let watch = client.watch("/").recursive(true).after(mine.index()).next_event();
        let (event, next) = tokio::join!(watch, client.set("/a", "2").into_future());
        assert_eq!(event.unwrap().node, next.unwrap().node);
    })
    .await;
}

#[tokio::test]
async fn calls_that_are_about_no_key_pass_unchanged() {
    each_etcd(async |etcd| {
        let scope = Scope::new(etcd);
        let (client, _) = two(&scope);
        assert_eq!(client.machines().await.unwrap(), etcd.endpoints());
        assert_eq!(client.members().list().await.unwrap(), scope.client.members().list().await.unwrap());
        client.ensure_dir("/").await.unwrap();
        client.set("/a", "1").await.unwrap();
        client.delete_dir("/").recursive(true).await.unwrap();
        assert!(!scope.client.exists(scope.key("ns1")).await.unwrap());
    })
    .await;
}
