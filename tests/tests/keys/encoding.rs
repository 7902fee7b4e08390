//! Keys and values of every sort of bytes come back as they were.

use etcd_client::v2::Compare;
use etcd_tests::{Scope, each_etcd};

/// Elements of keys: each class of bytes that has a meaning of its own in a path, a query, a form or JSON.
const ELEMENTS: [&str; 27] = [
    "with space",
    " ",
    "plus+plus",
    "100%",
    "%2F",
    "%2e%2e",
    "%00",
    "what?wait=true",
    "frag#ment",
    "semi;colon",
    "amp&ersand=1",
    "\"double\"",
    "'single'",
    "new\nline",
    "carriage\r\nreturn",
    "tab\t",
    "nul\0",
    "control\u{1}\u{1f}\u{7f}",
    "<angle>",
    "back\\slash",
    "grün",
    "ключ",
    "🦀",
    "line\u{2028}separator",
    "...",
    "a.b~c-d_e",
    "[]{}|^`!*(),:@$",
];

/// Values: the same and what cannot stand in a key.
const VALUES: [&str; 14] = [
    "",
    " ",
    "\n",
    "\0",
    "a\nb\r\nc\n",
    "/a//b/../c",
    "a=b&value=c;ttl=1#?",
    "%2F %zz 100% +",
    "{\"errorCode\":100,\"node\":{}}",
    "</script>\u{2028}\u{2029}",
    "\u{feff}bom",
    "\u{0}\u{1}\u{2}\u{1f}\u{7f}",
    "grün ключ 🦀 \u{10ffff}",
    "\\u0000 \\ \"",
];

#[tokio::test]
async fn keys_of_every_sort_of_bytes_come_back() {
    each_etcd(async |etcd| {
        let scope = Scope::new(etcd);
        for element in ELEMENTS {
            for key in [scope.key(element), scope.key(&format!("d/{element}/x"))] {
                let set = scope.client.set(&key, "1").await.unwrap();
                assert_eq!(set.node.key.as_str(), key);
                assert_eq!(scope.client.get(&key).await.unwrap().node, set.node, "{element:?}");
                let missing = scope.client.get(format!("{key}-none")).await.unwrap_err();
                assert_eq!(missing.api().unwrap().cause, Some(format!("{key}-none")), "{element:?}");
                let swap = scope.client.compare_and_swap(&key, "2", Compare::value("1"));
                assert_eq!(swap.await.unwrap().node.key.as_str(), key);
                let event = scope.client.watch(&key).from(set.index()).next_event().await.unwrap();
                assert_eq!(event.node, set.node, "{element:?}");
                scope.client.delete(&key).await.unwrap();
            }
        }
    })
    .await;
}

#[tokio::test]
async fn listings_show_keys_of_every_sort_of_bytes() {
    each_etcd(async |etcd| {
        let scope = Scope::new(etcd);
        let mut wanted: Vec<_> = ELEMENTS.map(|element| scope.key(element)).into();
        for key in &wanted {
            scope.client.set(key, "1").await.unwrap();
        }
        wanted.sort_unstable();
        let listed = scope.client.get(scope.dir()).sorted(true).await.unwrap();
        let listed: Vec<_> = listed.node.nodes.iter().map(|node| node.key.as_str().to_owned()).collect();
        assert_eq!(listed, wanted);
    })
    .await;
}

#[tokio::test]
async fn values_of_every_sort_of_bytes_come_back() {
    each_etcd(async |etcd| {
        let scope = Scope::new(etcd);
        for value in VALUES.into_iter().chain(ELEMENTS) {
            let set = scope.client.set(scope.key("a"), value).await.unwrap();
            assert_eq!(set.node.value.as_deref(), Some(value));
            assert_eq!(scope.client.get(scope.key("a")).await.unwrap().node, set.node, "{value:?}");
            let queued = scope.client.create_in_order(scope.key("queue"), value).await.unwrap();
            assert_eq!(queued.text(), value);
            let event = scope.client.watch(scope.key("queue")).recursive(true).from(queued.index());
            assert_eq!(event.next_event().await.unwrap().node, queued.node, "{value:?}");
        }
    })
    .await;
}

#[tokio::test]
async fn long_values_come_back() {
    each_etcd(async |etcd| {
        let scope = Scope::new(etcd);
        // Each character here takes three bytes in the form.
        for value in ["0123456789abcdef".repeat(1 << 16), "%+\n;".repeat(1 << 18), "ü".repeat(1 << 19)] {
            assert_eq!(value.len(), 1 << 20);
            scope.client.set(scope.key("long"), value.as_str()).await.unwrap();
            let read = scope.client.get(scope.key("long")).await.unwrap();
            assert!(read.text() == value, "{} of {} bytes", read.text().len(), value.len());
            let event = scope.client.watch(scope.key("long")).from(read.index()).next_event().await.unwrap();
            assert!(event.node.text() == value);
        }
    })
    .await;
}

#[tokio::test]
async fn an_empty_value_is_no_missing_value() {
    each_etcd(async |etcd| {
        let scope = Scope::new(etcd);
        let set = scope.client.set(scope.key("a"), "").await.unwrap();
        let read = scope.client.get(scope.key("a")).await.unwrap();
        assert_eq!(read.node.value.as_deref(), Some(""));
        let swap = scope.client.compare_and_swap(scope.key("a"), "", Compare::index(set.index()));
        assert_eq!(swap.await.unwrap().node.value.as_deref(), Some(""));
    })
    .await;
}

#[tokio::test]
async fn the_longest_key_that_is_taken_works_on_a_fresh_connection() {
    each_etcd(async |etcd| {
        let scope = Scope::new(etcd);
        // The key that just fits by itself, found from above: one byte more is refused before it is sent.
        let mut name = "k".repeat(4096);
        while scope.client.get(scope.key(&name)).await.is_err_and(|error| error.is_invalid_key()) {
            name.pop();
        }
        let set = Scope::new(etcd).client.set(scope.key(&name), "1").await.unwrap();
        let fresh = Scope::new(etcd).client;
        assert_eq!(fresh.get(scope.key(&name)).await.unwrap().node, set.node);
        // With parameters the request line is too long, which is found before it is sent, too.
        let error = fresh.get(scope.key(&name)).recursive(true).quorum(true).await.unwrap_err();
        assert!(error.is_request_too_long() && error.outcome().is_not_applied(), "{error:?}");
        scope.client.delete(scope.key(&name)).await.unwrap();
    })
    .await;
}
