//! Which events of the server are delivered.

use etcd_proto::v2::{Key, KeysEvent};

use super::WatchItem;

/// What is watched.
#[derive(Clone, Debug)]
pub(super) struct Scope {
    pub(super) key: Key,
    pub(super) recursive: bool,
}

impl Scope {
    /// The item for an event; `None` for one that is not about what is watched.
    ///
    /// The server's scan of its history differs from what it sends live (2.3 to 3.5, etcd-v2-api 12): it brings
    /// hidden keys to a watch from above, and the deletion of a directory to each watch whose path begins with
    /// the same letters. Neither is delivered, from whichever it comes.
    pub(super) fn item(&self, event: KeysEvent) -> Option<WatchItem> {
        match event.node.key.relative_to(&self.key) {
            Some("") => Some(WatchItem::Event(event)),
            Some(below) if self.recursive && !is_hidden(below) => Some(WatchItem::Event(event)),
            Some(_) => None,
            None if event.action.is_removal() && self.key.is_at_or_below(&event.node.key) => {
                Some(WatchItem::AncestorRemoved(event))
            }
            None => None,
        }
    }
}

/// Whether a path below the watched key goes through a hidden element. What is hidden above it does not count:
/// who watches a hidden directory wants to see it.
fn is_hidden(below: &str) -> bool {
    below.split('/').any(|element| element.starts_with('_'))
}

#[cfg(test)]
mod tests {
    use etcd_proto::v2::{Action, Index, Node};

    use super::*;

    fn delivered(watched: &str, recursive: bool, action: Action, key: &str) -> Option<bool> {
        let scope = Scope { key: Key::new(watched).unwrap(), recursive };
        let node = Node::new(Key::new(key).unwrap(), Index::from(7), Index::from(7));
        let item = scope.item(KeysEvent::new(action, node, None))?;
        Some(matches!(item, WatchItem::AncestorRemoved(_)))
    }

    #[test]
    fn the_key_itself_and_what_lies_below_a_recursive_watch_is_delivered() {
        assert_eq!(delivered("/d", false, Action::Set, "/d"), Some(false));
        assert_eq!(delivered("/d", true, Action::Set, "/d/a/b"), Some(false));
        assert_eq!(delivered("/d", false, Action::Set, "/d/a"), None);
        assert_eq!(delivered("/", true, Action::Set, "/d/a"), Some(false));
    }

    #[test]
    fn hidden_keys_are_not_unless_the_watch_is_inside() {
        assert_eq!(delivered("/d", true, Action::Set, "/d/_h"), None);
        assert_eq!(delivered("/d", true, Action::Set, "/d/_h/a"), None);
        assert_eq!(delivered("/d/_h", true, Action::Set, "/d/_h/a"), Some(false));
        assert_eq!(delivered("/d/_h", false, Action::Set, "/d/_h"), Some(false));
    }

    #[test]
    fn a_removed_directory_above_is_and_a_sibling_by_letters_is_not() {
        assert_eq!(delivered("/d/a", false, Action::Delete, "/d"), Some(true));
        assert_eq!(delivered("/d/a", true, Action::Expire, "/"), Some(true));
        assert_eq!(delivered("/dzzz", true, Action::Delete, "/d"), None);
        assert_eq!(delivered("/d/a", false, Action::Update, "/d"), None);
    }
}
