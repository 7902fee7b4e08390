//! What must hold in every state, and what must be seen in some, so that no model passes because nothing happens in it.

use stateright::Property;

use crate::moves::Queue;
use crate::settings::{Clocks, Settings};
use crate::state::{End, Phase, Rule, State};

/// The properties of a model with these settings.
pub(crate) fn of(settings: &Settings) -> Vec<Property<Queue>> {
    let mut properties = vec![
        Property::always(TOKENS, |_, state| keeps(state, Rule::TokensIncrease)),
        Property::always(FENCED, |_, state| keeps(state, Rule::ResourceTakesNoOlderToken)),
        Property::always(LISTED, |_, state| keeps(state, Rule::GrantOnlyByTheList)),
        Property::always(OWN_RENEWAL, |_, state| keeps(state, Rule::RenewalOfOwnKeyOnly)),
        Property::always(OWN_RELEASE, |_, state| keeps(state, Rule::ReleaseOfOwnKeyOnly)),
        Property::always(PREDECESSOR, |_, state| keeps(state, Rule::WatchThePredecessorOnly)),
        Property::always(READ_ERROR, |_, state| keeps(state, Rule::ReadErrorGrantsNothing)),
        Property::always(NAMES, |_, state| keeps(state, Rule::NamesAreUnique)),
        Property::always(NOTHING_LEFT, |_, state| nothing_is_left(state)),
        Property::sometimes("all are granted in turn", |_, state| all_ended(state, End::Released)),
        Property::sometimes("a paused holder is followed by another", takeover),
    ];
    if settings.faults > 0 {
        properties.push(Property::sometimes("a lock is held whose creation had no answer", held_in_doubt));
    }
    match settings.clocks {
        Clocks::Bounded { .. } => {
            properties.push(Property::always(ONE_BELIEVES, |queue, state| believers(queue, state) <= 1));
        }
        Clocks::Wild => {
            let seen = "two believe, for clocks lie";
            properties.push(Property::sometimes(seen, |queue, state| believers(queue, state) > 1));
        }
    }
    if settings.work {
        properties.push(Property::sometimes("a write with an older token arrives", |_, state: &State| {
            state.clients.iter().any(|client| client.work != 0 && client.work < state.resource)
        }));
    }
    properties
}

pub(crate) const TOKENS: &str = "I1: tokens increase from grant to grant";
pub(crate) const FENCED: &str = "I2: the fenced resource takes no older token";
pub(crate) const LISTED: &str = "I3: only a list that shows the own key first grants";
pub(crate) const OWN_RENEWAL: &str = "I5: a renewal never prolongs another's key";
pub(crate) const OWN_RELEASE: &str = "I5: a release never deletes another's key";
pub(crate) const NOTHING_LEFT: &str = "I6, I10: after a release or a cancelled acquire no key is left";
pub(crate) const PREDECESSOR: &str = "I7: a waiter watches the key just before its own";
pub(crate) const READ_ERROR: &str = "I9: a list that could not be read grants nothing";
pub(crate) const NAMES: &str = "I12: nobody runs into another's name";
pub(crate) const ONE_BELIEVES: &str = "within the margin no two believe at once";

fn keeps(state: &State, rule: Rule) -> bool {
    !state.broken.contains(&rule)
}

/// Nothing of an attempt that was ended properly is in the queue. One whose time ran out, without a release, has the
/// server to end its key.
fn nothing_is_left(state: &State) -> bool {
    state.keys.iter().all(|key| {
        let client = &state.clients[usize::from(key.name.client)];
        match client.phase {
            Phase::Ended(End::Released | End::Lost | End::Cancelled) => key.name.attempt != client.attempt,
            _ => true,
        }
    })
}

fn believers(queue: &Queue, state: &State) -> usize {
    state.clients.iter().filter(|client| client.believes(&queue.0)).count()
}

fn all_ended(state: &State, end: End) -> bool {
    state.clients.iter().all(|client| client.phase == Phase::Ended(end))
}

fn held_in_doubt(queue: &Queue, state: &State) -> bool {
    state.clients.iter().any(|client| client.create_doubt && client.believes(&queue.0))
}

/// One has not noticed yet that its time is over, and another holds the lock.
fn takeover(queue: &Queue, state: &State) -> bool {
    let paused = |client: &crate::state::Client| client.is_holder() && client.valid == 0;
    state.clients.iter().any(paused)
        && state.clients.iter().any(|client| client.valid > 0 && client.believes(&queue.0))
}
