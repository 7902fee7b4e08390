//! Who is a candidate, by the items of a watch: a function of what came, without I/O.

use std::collections::BTreeMap;

use etcd_client::v2::{Key, KeysEvent, Node, ResyncCause, WatchItem};
use etcd_recipe::{Contender, Token};

use super::LeaderChange;
use crate::Leader;

/// The candidates of an election by their keys, and who was shown as the leader last.
#[derive(Debug)]
pub(super) struct Roster {
    dir: Key,
    candidates: BTreeMap<Key, Candidate>,
    /// `None` until the first was shown.
    shown: Option<Option<Leader>>,
}

/// A candidate as its key shows it.
#[derive(Clone, Debug)]
struct Candidate {
    created: u64,
    value: String,
}

impl Roster {
    pub(super) fn new(dir: Key) -> Self {
        Self { dir, candidates: BTreeMap::new(), shown: None }
    }

    /// What an item says of the leader; `None` where it says nothing new. `cluster_id` is of the cluster that the item
    /// came from.
    pub(super) fn take(&mut self, item: &WatchItem, cluster_id: Option<&str>) -> Option<LeaderChange> {
        match item {
            WatchItem::Event(event) => self.event(event),
            WatchItem::AncestorRemoved(_) => self.candidates.clear(),
            WatchItem::Resync { snapshot, cause, .. } => {
                self.replace(snapshot.as_ref());
                let leader = self.leader(cluster_id);
                self.shown = Some(leader.clone());
                return Some(match cause {
                    ResyncCause::Started => LeaderChange::Leader(leader),
                    cause => LeaderChange::Resynced { leader, cause: *cause },
                });
            }
            // Kinds of items that a later client may have tell of no candidate.
            _ => return None,
        }
        let leader = self.leader(cluster_id);
        if self.shown.as_ref() == Some(&leader) {
            return None;
        }
        self.shown = Some(leader.clone());
        Some(LeaderChange::Leader(leader))
    }

    /// The candidate whose key was made first. What was made later has a greater index, so the token of this one
    /// only rises.
    fn leader(&self, cluster_id: Option<&str>) -> Option<Leader> {
        let first = self.candidates.values().min_by_key(|candidate| candidate.created)?;
        // An id that no server sends leaves a token without one; an index of 0 is no key's.
        let token =
            Token::new(first.created, cluster_id).or_else(|_| Token::new(first.created, None)).ok()?;
        Some(Leader::new(first.value.clone(), token))
    }

    fn event(&mut self, event: &KeysEvent) {
        let key = &event.node.key;
        if event.action.is_removal() {
            self.candidates.retain(|candidate, _| !candidate.is_at_or_below(key));
        } else {
            self.put(&event.node);
        }
    }

    fn replace(&mut self, snapshot: Option<&Node>) {
        self.candidates.clear();
        for node in snapshot.iter().flat_map(|node| &node.nodes) {
            self.put(node);
        }
    }

    /// Only files right in the directory, by the names that candidates have, are some: as in the list that grants.
    fn put(&mut self, node: &Node) {
        let is_child = node.key.parent().as_ref() == Some(&self.dir);
        if !is_child || node.dir || !Contender::is_name(node.key.name()) {
            return;
        }
        let candidate = Candidate { created: node.created_index.get(), value: node.text().to_owned() };
        self.candidates.insert(node.key.clone(), candidate);
    }
}

#[cfg(test)]
mod tests {
    use etcd_client::v2::{Action, Index};

    use super::*;

    const X: &str = "/e/0000000000000000000000000000000f";
    const W: &str = "/e/0000000000000000000000000000000e";

    fn key(path: &str) -> Key {
        Key::new(path).unwrap()
    }

    fn node(path: &str, value: &str, created: u64, modified: u64) -> Node {
        let mut node = Node::new(key(path), Index::from(modified), Index::from(created));
        node.value = Some(value.to_owned());
        node
    }

    fn event(action: Action, node: Node) -> WatchItem {
        WatchItem::Event(KeysEvent::new(action, node, None))
    }

    fn roster() -> Roster {
        let mut roster = Roster::new(key("/e"));
        let first = roster.take(&started(None), Some("ab"));
        assert!(matches!(first, Some(LeaderChange::Leader(None))));
        roster
    }

    fn started(snapshot: Option<Node>) -> WatchItem {
        WatchItem::Resync { snapshot, index: Index::from(1), cause: ResyncCause::Started }
    }

    fn shown(change: Option<LeaderChange>) -> Option<(String, u64)> {
        match change? {
            LeaderChange::Leader(leader) | LeaderChange::Resynced { leader, .. } => {
                leader.map(|leader| (leader.value().to_owned(), leader.token().index()))
            }
        }
    }

    #[test]
    fn only_the_first_of_the_candidates_is_shown_and_each_change_once() {
        let mut roster = roster();
        let a = roster.take(&event(Action::Create, node(X, "a", 5, 5)), Some("ab"));
        assert_eq!(shown(a), Some(("a".to_owned(), 5)));
        assert!(roster.take(&event(Action::Create, node(W, "b", 6, 6)), Some("ab")).is_none());
        // An old server's renewal: the value is written again.
        assert!(roster.take(&event(Action::CompareAndSwap, node(X, "a", 5, 7)), Some("ab")).is_none());
        let other = roster.take(&event(Action::CompareAndSwap, node(X, "c", 5, 8)), Some("ab"));
        assert_eq!(shown(other), Some(("c".to_owned(), 5)));
        let next = roster.take(&event(Action::Expire, node(X, "", 5, 9)), Some("ab"));
        assert_eq!(shown(next), Some(("b".to_owned(), 6)));
    }

    #[test]
    fn what_is_no_file_right_in_the_directory_is_no_candidate() {
        let mut roster = roster();
        let mut dir = node("/e/d", "", 5, 5);
        dir.dir = true;
        assert!(roster.take(&event(Action::Create, dir), None).is_none());
        assert!(roster.take(&event(Action::Create, node("/e/d/a", "a", 6, 6)), None).is_none());
        assert!(roster.take(&event(Action::Create, node("/elsewhere", "a", 7, 7)), None).is_none());
        assert!(
            roster.take(&event(Action::Create, node("/e/00000000000000000042", "a", 8, 8)), None).is_none()
        );
    }

    #[test]
    fn a_key_written_anew_by_hand_is_another_candidate_behind_the_others() {
        let mut roster = roster();
        roster.take(&event(Action::Create, node(X, "a", 5, 5)), None);
        roster.take(&event(Action::Create, node(W, "b", 6, 6)), None);
        let set = roster.take(&event(Action::Set, node(X, "a", 7, 7)), None);
        assert_eq!(shown(set), Some(("b".to_owned(), 6)));
    }

    #[test]
    fn a_directory_that_goes_takes_all_candidates_along() {
        for removed in ["/e", X] {
            let mut roster = roster();
            roster.take(&event(Action::Create, node(X, "a", 5, 5)), None);
            let gone = roster.take(&event(Action::Delete, node(removed, "", 5, 6)), None);
            assert!(matches!(gone, Some(LeaderChange::Leader(None))), "{removed}");
        }
        let mut roster = roster();
        roster.take(&event(Action::Create, node(X, "a", 5, 5)), None);
        let above = WatchItem::AncestorRemoved(KeysEvent::new(Action::Delete, node("/", "", 1, 6), None));
        assert!(matches!(roster.take(&above, None), Some(LeaderChange::Leader(None))));
    }

    #[test]
    fn a_lost_history_is_marked_even_where_the_leader_is_the_same() {
        let mut roster = roster();
        roster.take(&event(Action::Create, node(X, "a", 5, 5)), None);
        let mut dir = node("/e", "", 4, 4);
        dir.dir = true;
        dir.nodes.push(node(X, "a", 5, 5));
        let lost = WatchItem::Resync {
            snapshot: Some(dir),
            index: Index::from(2000),
            cause: ResyncCause::HistoryCleared,
        };
        let change = roster.take(&lost, None).unwrap();
        assert!(change.is_resynced());
        assert_eq!(shown(Some(change)), Some(("a".to_owned(), 5)));
    }
}
