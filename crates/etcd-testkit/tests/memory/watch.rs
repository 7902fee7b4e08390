//! Watches, live and from the history, with each oddity and without it.

use etcd_testkit::memory::{Profile, Quirks, Store, WatchMode};

use crate::client::{Client, event};

fn without(change: impl FnOnce(Quirks) -> Quirks) -> Client {
    Client::of(Store::builder().profile(Profile::V3_4).quirks(change(Quirks::faithful())))
}

#[test]
fn a_poll_gives_one_event_and_is_forgotten() {
    let mut client = Client::new();
    let watch = client.watch("/a");
    assert_eq!(watch.mode, WatchMode::Poll);
    assert_eq!(client.store.watcher_count(0), 1);
    client.put("/a");
    client.put("/a");
    assert_eq!(client.store.take_woken(), [watch.watcher]);
    assert_eq!(client.events(&watch), [event("set", "/a", 4)]);
    assert_eq!(client.store.watcher_count(0), 0);
    assert!(client.store.take_woken().is_empty());
}

#[test]
fn a_closed_watch_is_woken_by_nothing() {
    let mut client = Client::new();
    let watch = client.watch("/a?stream=true");
    client.put("/a");
    client.store.close_watch(watch.watcher);
    client.put("/a");
    assert!(client.store.take_woken().is_empty());
    assert_eq!(client.store.read_watch(watch.watcher), None);
    client.store.close_watch(watch.watcher);
}

#[test]
fn a_stream_from_the_history_gets_one_event_and_then_silence() {
    let mut client = Client::new();
    client.put("/a");
    client.put("/a");
    let watch = client.watch("/a?stream=true&waitIndex=4");
    assert_eq!(client.store.take_woken(), [watch.watcher]);
    client.put("/a");
    assert_eq!(client.events(&watch), [event("set", "/a", 4)]);
    assert_eq!(client.store.watcher_count(0), 0);
}

#[test]
fn without_the_oddity_a_stream_from_the_history_is_complete() {
    let mut client = without(|quirks| quirks.history_ends_streams(false));
    client.put("/a");
    client.put("/b");
    client.put("/a");
    let watch = client.watch("/a?stream=true&waitIndex=4");
    client.put("/a");
    let expected = [event("set", "/a", 4), event("set", "/a", 6), event("set", "/a", 7)];
    assert_eq!(client.events(&watch), expected);
}

#[test]
fn a_stream_that_nobody_reads_is_dropped_after_a_hundred_events() {
    let mut client = Client::new();
    let watch = client.watch("/a?stream=true");
    for _ in 0..150 {
        client.put("/a");
    }
    assert_eq!(client.store.watcher_count(0), 0);
    let events = client.events(&watch);
    assert_eq!(events.len(), 100);
    assert_eq!(events.last(), Some(&event("set", "/a", 103)));
    client.put("/a");
    assert!(client.events(&watch).is_empty());
}

#[test]
fn without_the_oddity_a_slow_stream_loses_nothing() {
    let mut client = without(|quirks| quirks.streams_overflow(false));
    let watch = client.watch("/a?stream=true");
    for _ in 0..150 {
        client.put("/a");
    }
    assert_eq!(client.events(&watch).len(), 150);
    assert_eq!(client.store.watcher_count(0), 1);
}

#[test]
fn a_stream_on_the_deleted_key_gets_the_event_twice_and_one_above_once() {
    for quirk in [true, false] {
        let mut client = without(|quirks| quirks.doubled_deletes(quirk));
        client.put("/d/x");
        let own = client.watch("/d/x?stream=true");
        let above = client.watch("/d?stream=true&recursive=true");
        client.delete("/d/x");
        assert_eq!(client.events(&own).len(), if quirk { 2 } else { 1 });
        assert_eq!(client.events(&above), [event("delete", "/d/x", 5)]);
    }
}

#[test]
fn every_existing_path_below_a_removed_directory_hears_of_it_and_no_other() {
    let mut client = Client::new();
    client.put("/d/s/y");
    let below = client.watch("/d/s/y");
    let between = client.watch("/d/s");
    let missing = client.watch("/d/none");
    let sibling = client.watch("/dzzz");
    let above = client.watch("/?recursive=true");
    let not_recursive = client.watch("/");
    client.delete("/d");
    for watch in [&below, &between, &above] {
        assert_eq!(client.events(watch), [event("delete", "/d", 5)]);
    }
    for watch in [&missing, &sibling, &not_recursive] {
        assert!(client.events(watch).is_empty());
    }
}

#[test]
fn watchers_of_a_deletion_are_woken_from_below_and_then_from_the_root_down() {
    let mut client = Client::new();
    client.put("/d/s/y");
    let order = ["/?recursive=true", "/d", "/d/s/y", "/d/s"].map(|target| client.watch(target).watcher);
    client.delete("/d");
    assert_eq!(client.store.take_woken(), [order[2], order[3], order[1], order[0]]);
}

#[test]
fn hidden_keys_are_seen_from_inside_only() {
    let mut client = Client::new();
    let above = client.watch("/?recursive=true");
    let inside = client.watch("/a/_h?recursive=true");
    let own = client.watch("/a/_h/x");
    client.put("/a/_h/x");
    assert!(client.events(&above).is_empty());
    assert_eq!(client.events(&inside), [event("set", "/a/_h/x", 4)]);
    assert_eq!(client.events(&own), [event("set", "/a/_h/x", 4)]);
    let history = client.watch("/?recursive=true&waitIndex=4");
    assert_eq!(client.events(&history), [event("set", "/a/_h/x", 4)]);
}

#[test]
fn without_the_oddities_the_history_shows_what_a_live_watch_would() {
    let mut client = Client::of(Store::builder().profile(Profile::V3_4).quirks(Quirks::none()));
    client.put("/a/_h/x");
    client.put("/d/x");
    client.delete("/d");
    let hidden = client.watch("/a?recursive=true&waitIndex=4");
    let sibling = client.watch("/dzzz?waitIndex=4");
    assert!(client.events(&hidden).is_empty());
    assert!(client.events(&sibling).is_empty());
}

#[test]
fn a_watch_ignores_what_comes_before_its_index() {
    let mut client = Client::new();
    let watch = client.watch("/a?waitIndex=6");
    for _ in 0..4 {
        client.put("/a");
    }
    assert_eq!(client.events(&watch), [event("set", "/a", 6)]);
}

#[test]
fn the_head_of_a_watch_shows_the_index_of_its_opening() {
    let mut client = Client::new();
    client.put("/a");
    let watch = client.watch("/a?waitIndex=99");
    assert_eq!(watch.head.headers()["x-etcd-index"], "4");
    assert_eq!(watch.head.headers()["content-type"], "application/json");
}

#[test]
fn a_refresh_wakes_nobody() {
    let mut client = Client::new();
    client.put("/a");
    let watch = client.watch("/a");
    let answer = client.json("PUT", "/v2/keys/a?refresh=true&ttl=100&prevExist=true");
    assert_eq!((&answer["action"], &answer["node"]["modifiedIndex"]), (&"update".into(), &5.into()));
    assert!(client.events(&watch).is_empty());
    let history = client.watch("/a?waitIndex=5");
    assert!(client.events(&history).is_empty());
}

#[test]
fn five_thousand_watchers_of_one_key_share_one_event() {
    let mut client = Client::new();
    let watches: Vec<_> = (0..5000).map(|_| client.watch("/a")).collect();
    client.put("/a");
    assert_eq!(client.store.take_woken().len(), 5000);
    let first = client.store.read_watch(watches[0].watcher).unwrap();
    let last = client.store.read_watch(watches[4999].watcher).unwrap();
    assert_eq!(first.as_ptr(), last.as_ptr());
}
