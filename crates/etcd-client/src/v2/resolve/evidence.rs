//! What proves that a guarded write was applied, or that it was not.
//!
//! Pure: from a write and what was read about it to a verdict.

use etcd_proto::v2::keys::KeysOperation;
use etcd_proto::v2::members::MembersOperation;
use etcd_proto::v2::{Action, Index, Key, KeysEvent, Node, Operation};

/// What is to be read after a refusal, to learn whether an earlier copy of the write is the cause of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Question {
    /// Which event of the key came first behind this index: it has taken the place of what was compared with.
    FirstEventBehind(Key, Index),
    /// What the key holds, and which event created it.
    WhoCreated(Key),
    /// Nothing: the refusal says it all.
    Nothing,
}

/// What is proved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// This write has taken the place.
    Applied,
    /// Another one has, and this one cannot any more.
    NotApplied,
    /// Nothing is proved.
    Undecided,
}

/// Whether a repeat of the call is harmless and its refusal can be explained: the calls with a guard.
pub(super) fn can_decide(operation: &Operation) -> bool {
    operation.idempotence() == etcd_proto::Idempotence::Guarded
}

/// What to read about a refused call.
pub(super) fn question(operation: &Operation) -> Question {
    match operation {
        Operation::Keys(KeysOperation::CompareAndSwap(swap)) => behind(&swap.key, swap.compare.prev_index()),
        Operation::Keys(KeysOperation::CompareAndDelete(delete)) => {
            behind(&delete.key, delete.compare.prev_index())
        }
        Operation::Keys(KeysOperation::Create(create)) => Question::WhoCreated(create.key.clone()),
        // Directories look alike; a refresh leaves no event; the rest is not guarded.
        Operation::Keys(
            KeysOperation::Get(_)
            | KeysOperation::Set(_)
            | KeysOperation::Update(_)
            | KeysOperation::Refresh(_)
            | KeysOperation::SetDir(_)
            | KeysOperation::CreateDir(_)
            | KeysOperation::UpdateDir(_)
            | KeysOperation::CreateInOrder(_)
            | KeysOperation::CreateDirInOrder(_)
            | KeysOperation::Delete(_)
            | KeysOperation::DeleteDir(_),
        )
        | Operation::Watch(_)
        | Operation::Members(_)
        | Operation::Stats(_)
        | Operation::Auth(_)
        | Operation::Cluster(_) => Question::Nothing,
    }
}

fn behind(key: &Key, index: Option<Index>) -> Question {
    index.map_or(Question::Nothing, |index| Question::FirstEventBehind(key.clone(), index))
}

/// Whether an event of a watch on `key` tells of the key itself: servers from 2.3 to 3.5 also send those of
/// siblings whose name begins alike, and name a deleted or expired directory above in place of the key.
pub(super) fn is_about(event: &KeysEvent, key: &Key) -> bool {
    event.node.key == *key || (event.action.is_removal() && key.is_at_or_below(&event.node.key))
}

/// What the first event of the key behind the compared index proves.
pub(super) fn by_first_event(operation: &Operation, event: &KeysEvent) -> Verdict {
    let replaced = event.prev_node.as_ref().map(|node| node.modified_index);
    let (mine, compared) = match operation {
        Operation::Keys(KeysOperation::CompareAndSwap(swap)) => (
            event.action == Action::CompareAndSwap && event.node.text() == swap.value,
            swap.compare.prev_index(),
        ),
        Operation::Keys(KeysOperation::CompareAndDelete(delete)) => {
            (event.action == Action::CompareAndDelete, delete.compare.prev_index())
        }
        _ => return Verdict::Undecided,
    };
    if mine && replaced == compared { Verdict::Applied } else { Verdict::NotApplied }
}

/// What the value that the key holds now proves, where the history is gone.
pub(super) fn by_value_now(operation: &Operation, node: Option<&Node>) -> Verdict {
    let Operation::Keys(KeysOperation::CompareAndSwap(swap)) = operation else { return Verdict::Undecided };
    let Some(node) = node else { return Verdict::Undecided };
    let moved = swap.compare.prev_index().is_some_and(|compared| node.modified_index > compared);
    if moved && !node.dir && node.text() == swap.value { Verdict::Applied } else { Verdict::Undecided }
}

/// Whether a key that exists holds what `operation` wanted to create.
pub(super) fn is_created(operation: &Operation, node: &Node) -> bool {
    let Operation::Keys(KeysOperation::Create(create)) = operation else { return false };
    !node.dir && node.text() == create.value
}

/// Whether this event is the creation that `operation` wanted, or tells that it was there until then.
pub(super) fn tells_of_creation(operation: &Operation, event: &KeysEvent) -> bool {
    let before = event.prev_node.as_ref().is_some_and(|node| is_created(operation, node));
    (event.action == Action::Create && is_created(operation, &event.node)) || before
}

/// Whether a refusal of the removal of a member says that it is removed.
pub(super) fn is_removed_member(operation: &Operation, status: Option<http::StatusCode>) -> bool {
    let removal = matches!(operation, Operation::Members(MembersOperation::RemoveMember(_)));
    removal && status == Some(http::StatusCode::GONE)
}
