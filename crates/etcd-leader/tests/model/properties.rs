//! What must hold in every state, and what must be seen in some.

use stateright::Property;

use crate::moves::Election;
use crate::settings::Settings;
use crate::state::{Phase, Rule, State};

/// The properties of a model with these settings.
pub(crate) fn of(settings: &Settings) -> Vec<Property<Election>> {
    let mut properties = vec![
        Property::always(FINAL, |_, state: &State| !state.broken.contains(&Rule::ConfirmedIsFinal)),
        Property::always(FITTER, |_, state: &State| !state.broken.contains(&Rule::FitterTakesOver)),
        Property::always(FENCED, |_, state: &State| !state.broken.contains(&Rule::ResourceTakesNoOlderToken)),
        Property::always(ONE_PER_TOKEN, |_, state| one_per_token(state)),
        Property::sometimes("all have led and resigned", |_, state: &State| {
            state.clients.iter().all(|client| client.phase == Phase::Ended)
        }),
        Property::sometimes("a paused leader is followed by another", |_, state: &State| {
            let paused = state.clients.iter().any(|client| client.is_leader() && client.valid == 0);
            paused && believers(state) > 0
        }),
    ];
    if settings.bounded {
        properties.push(Property::always(ONLY_ONE, |_, state| believers(state) <= 1));
        properties.push(Property::always(VOTED, |_, state| leaders_have_their_vote(state)));
    } else {
        let seen = "two believe, for clocks lie";
        properties.push(Property::sometimes(seen, |_, state| believers(state) > 1));
    }
    if settings.faults > 0 {
        let seen = "a leader has been confirmed without an answer";
        properties.push(Property::sometimes(seen, |_, state: &State| {
            let confirmed = state.key.filter(|key| key.confirmed);
            let unheard = |created| state.clients.iter().any(|client| client.confirming == created);
            confirmed.is_some_and(|key| unheard(key.created))
        }));
    }
    properties
}

pub(crate) const ONLY_ONE: &str = "Only One: no two lead within their deadlines";
pub(crate) const VOTED: &str = "who leads within its deadline has the confirmed vote";
pub(crate) const FINAL: &str = "a confirmed vote is nobody else's while its key lives";
pub(crate) const FITTER: &str = "only a fitter candidate takes over a tentative vote";
pub(crate) const ONE_PER_TOKEN: &str = "no two lead by one token";
pub(crate) const FENCED: &str = "the fenced resource takes no older token";

pub(crate) fn believers(state: &State) -> usize {
    state.clients.iter().filter(|client| client.believes()).count()
}

/// "Reach Stability": one leads, and the vote says so.
pub(crate) fn is_stable(state: &State) -> bool {
    believers(state) == 1 && leaders_have_their_vote(state)
}

fn leaders_have_their_vote(state: &State) -> bool {
    state.clients.iter().enumerate().filter(|(_, client)| client.believes()).all(|(number, client)| {
        state.key.is_some_and(|key| key.confirmed && key.owner == number && key.created == client.created)
    })
}

fn one_per_token(state: &State) -> bool {
    let mut tokens: Vec<_> =
        state.clients.iter().filter(|client| client.is_leader()).map(|client| client.created).collect();
    tokens.sort_unstable();
    tokens.windows(2).all(|pair| pair[0] != pair[1])
}
