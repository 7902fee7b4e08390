//! The local copy of what is watched.

use etcd_client::v2::{Entry, Index, Key, KeysEvent, ResyncCause, Tree, WatchItem};

fn key(text: &str) -> Key {
    Key::new(text).unwrap()
}

/// An event by its action, its key (a directory, if it ends with a slash), and its index as value.
fn event(action: &str, name: &str, index: u64) -> WatchItem {
    let (plain, dir) = (name.trim_end_matches('/'), name.ends_with('/'));
    let content = if dir { "\"dir\":true".to_owned() } else { format!("\"value\":\"{index}\"") };
    let json = format!(
        r#"{{"action":"{action}","node":{{"key":"{plain}",{content},"modifiedIndex":{index},"createdIndex":1}}}}"#
    );
    WatchItem::Event(serde_json::from_str::<KeysEvent>(&json).unwrap())
}

fn snapshot(json: &str, index: u64) -> WatchItem {
    let snapshot = Some(serde_json::from_str(json).unwrap());
    WatchItem::Resync { snapshot, index: Index::from(index), cause: ResyncCause::HistoryCleared }
}

/// Keys with what they hold; a directory is a slash.
fn shown(tree: &Tree) -> Vec<String> {
    let line = |(key, entry): (&Key, &Entry)| match entry {
        Entry::Dir => format!("{key}/"),
        Entry::File(text) => format!("{key}={text}"),
        other => format!("{other:?}"),
    };
    tree.iter().map(line).collect()
}

/// Applies an item; the keys that it changed.
fn changed(tree: &mut Tree, item: &WatchItem) -> Vec<String> {
    let changes = tree.apply(item);
    assert!(changes.iter().all(|change| change.before != change.after), "{changes:?}");
    changes.iter().map(|change| change.key.to_string()).collect()
}

#[test]
fn a_write_makes_the_directories_above_it_up_to_the_watched_key_and_not_the_root() {
    for (root, all) in
        [("/d", vec!["/d/", "/d/a/", "/d/a/b/", "/d/a/b/c=7"]), ("/d/a/b", vec!["/d/a/b/", "/d/a/b/c=7"])]
    {
        let mut tree = Tree::new(key(root));
        assert_eq!(changed(&mut tree, &event("set", "/d/a/b/c", 7)).len(), all.len());
        assert_eq!(shown(&tree), all);
    }
    let mut tree = Tree::new(key("/"));
    assert_eq!(changed(&mut tree, &event("set", "/z/a", 7)), ["/z", "/z/a"], "in order");
    assert_eq!(changed(&mut tree, &event("set", "/z/a", 7)), [""; 0], "as it was");
    assert_eq!(changed(&mut tree, &event("set", "/z/b", 8)), ["/z/b"], "its directory stays");
    assert_eq!((tree.index().get(), tree.len(), tree.text(&key("/z/b"))), (8, 3, Some("8")));
}

#[test]
fn a_removal_takes_all_below_along_and_no_more() {
    let mut tree = Tree::new(key("/"));
    for name in ["/d/a/x", "/d/a/y", "/d/ab", "/e"] {
        tree.apply(&event("set", name, 7));
    }
    assert_eq!(changed(&mut tree, &event("delete", "/d/a/", 8)), ["/d/a", "/d/a/x", "/d/a/y"]);
    assert_eq!(shown(&tree), ["/d/", "/d/ab=7", "/e=7"]);
    let WatchItem::Event(gone) = event("expire", "/", 9) else { unreachable!() };
    assert_eq!(changed(&mut tree, &WatchItem::AncestorRemoved(gone)).len(), 3);
    assert!(tree.is_empty());
}

#[test]
fn an_event_on_the_root_of_the_store_is_no_key() {
    let mut tree = Tree::new(key("/"));
    tree.apply(&event("set", "/a", 7));
    let item = event("update", "//", 8);
    assert_eq!(changed(&mut tree, &item), [""; 0]);
    assert_eq!(shown(&tree), ["/a=7"]);
}

#[test]
fn a_snapshot_replaces_all_and_says_what_differs_in_order() {
    let mut tree = Tree::new(key("/d"));
    for name in ["/d/a", "/d/b", "/d/m/x"] {
        tree.apply(&event("set", name, 7));
    }
    let json = r#"{"key":"/d","dir":true,"nodes":[
        {"key":"/d/b","value":"new"},{"key":"/d/m","dir":true,"nodes":[{"key":"/d/m/x","value":"7"}]},
        {"key":"/d/c","value":"7"},{"key":"/elsewhere","value":"of a server that lies"}]}"#;
    assert_eq!(changed(&mut tree, &snapshot(json, 9)), ["/d/a", "/d/b", "/d/c"]);
    assert_eq!(shown(&tree), ["/d/", "/d/b=new", "/d/c=7", "/d/m/", "/d/m/x=7"]);
    assert_eq!(tree.index().get(), 9);
    let mut tree = Tree::new(key("/"));
    let json = r#"{"key":"/","dir":true,"nodes":[{"key":"/a","value":"1"}]}"#;
    assert_eq!(changed(&mut tree, &snapshot(json, 9)), ["/a"], "the root is no key");
}
