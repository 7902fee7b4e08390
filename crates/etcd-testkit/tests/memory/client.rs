//! Asking a store in few words.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use etcd_testkit::memory::{Answer, OpenedWatch, Store, StoreBuilder};
use http::{Method, Request, Response};
use serde_json::Value;

/// A store and a clock that stands until it is moved.
pub(crate) struct Client {
    pub(crate) store: Store,
    pub(crate) now: SystemTime,
}

impl Client {
    /// One member that behaves like 3.4, with the first free index 4.
    pub(crate) fn new() -> Self {
        Self::of(Store::builder().profile(etcd_testkit::memory::Profile::V3_4))
    }

    pub(crate) fn of(builder: StoreBuilder) -> Self {
        let now = UNIX_EPOCH + Duration::from_secs(1_795_246_900);
        Self { store: builder.started_at(now).build(), now }
    }

    pub(crate) fn answer(&mut self, member: usize, method: &str, target: &str) -> Answer {
        let method: Method = method.parse().unwrap();
        let request = Request::builder().method(method).uri(target).body(Bytes::new()).unwrap();
        self.store.handle(member, &request, self.now)
    }

    pub(crate) fn whole(&mut self, member: usize, method: &str, target: &str) -> Response<Bytes> {
        match self.answer(member, method, target) {
            Answer::Complete(response) => response,
            other => panic!("{method} {target}: {other:?}"),
        }
    }

    /// The JSON of an answer of the first member; `Null` for an empty body.
    pub(crate) fn json(&mut self, method: &str, target: &str) -> Value {
        let response = self.whole(0, method, target);
        if response.body().is_empty() {
            return Value::Null;
        }
        serde_json::from_slice(response.body()).unwrap_or_else(|error| panic!("{target}: {error}"))
    }

    pub(crate) fn status(&mut self, method: &str, target: &str) -> u16 {
        self.whole(0, method, target).status().as_u16()
    }

    /// A request on users or roles with a JSON body.
    pub(crate) fn put_json(&mut self, target: &str, body: &str) -> u16 {
        self.with_body("PUT", target, body).status().as_u16()
    }

    pub(crate) fn with_body(&mut self, method: &str, target: &str, body: &str) -> Response<Bytes> {
        let request = Request::builder()
            .method(method.parse::<Method>().unwrap())
            .uri(target)
            .header("content-type", "application/json")
            .body(Bytes::copy_from_slice(body.as_bytes()))
            .unwrap();
        match self.store.handle(0, &request, self.now) {
            Answer::Complete(response) => response,
            other => panic!("{method} {target}: {other:?}"),
        }
    }

    /// Sets a key to `v`.
    pub(crate) fn put(&mut self, key: &str) {
        let status = self.status("PUT", &format!("/v2/keys{key}?value=v"));
        assert!(status < 300, "{key}: {status}");
    }

    pub(crate) fn delete(&mut self, key: &str) {
        let status = self.status("DELETE", &format!("/v2/keys{key}?recursive=true"));
        assert_eq!(status, 200, "{key}");
    }

    /// Opens a watch at the first member: `/key?recursive=true` and the like.
    pub(crate) fn watch(&mut self, target: &str) -> OpenedWatch {
        self.watch_at(0, target)
    }

    pub(crate) fn watch_at(&mut self, member: usize, target: &str) -> OpenedWatch {
        let joint = if target.contains('?') { '&' } else { '?' };
        match self.answer(member, "GET", &format!("/v2/keys{target}{joint}wait=true")) {
            Answer::Watch(watch) => watch,
            other => panic!("{target}: {other:?}"),
        }
    }

    /// The unread events of a watch, each as action, key and index.
    pub(crate) fn events(&mut self, watch: &OpenedWatch) -> Vec<(String, String, u64)> {
        let mut events = Vec::new();
        while let Some(line) = self.store.read_watch(watch.watcher) {
            let event: Value = serde_json::from_slice(&line).unwrap();
            let text = |value: &Value| value.as_str().unwrap().to_owned();
            let node = &event["node"];
            events.push((
                text(&event["action"]),
                text(&node["key"]),
                node["modifiedIndex"].as_u64().unwrap(),
            ));
        }
        events
    }

    pub(crate) fn advance(&mut self, milliseconds: u64) {
        self.now += Duration::from_millis(milliseconds);
        self.store.sync(self.now);
    }
}

/// An event as [`Client::events`] shows it.
pub(crate) fn event(action: &str, key: &str, index: u64) -> (String, String, u64) {
    (action.into(), key.into(), index)
}
