//! Every order of what can happen to a few candidates of the two-step election.
//!
//! It has the two invariants of the Murphi model that the program `leader` of old came with, "Only One" and "Reach
//! Stability", with what that model left out: answers that are lost behind the write, candidates that are paused beyond
//! the ttl and believe in themselves when they go on, and keys that run out while their owner lives. What is bounded is
//! how many candidates and lost answers there are; terms, renewals and the time that anything takes are not.

mod candidate;
mod moves;
mod properties;
#[path = "../../../etcd-recipe/tests/model/reach.rs"]
mod reach;
mod server;
mod settings;
mod state;

use std::collections::BTreeSet;

use stateright::{Checker, HasDiscoveries, Model};

use self::moves::{Election, Move};
use self::reach::reach;
use self::settings::Settings;
use self::state::State;

#[test]
fn of_two_candidates_only_one_leads() {
    holds("2 candidates, clocks within the margin", Settings::new(&[1, 2], 2));
}

#[test]
fn of_two_equals_only_one_leads() {
    holds("2 equal candidates, clocks within the margin", Settings::new(&[7, 7], 1));
}

#[test]
fn two_candidates_with_clocks_that_lie_are_kept_apart_by_their_tokens() {
    holds("2 candidates, clocks that lie", Settings { bounded: false, ..Settings::new(&[1, 2], 1) });
}

#[test]
fn wherever_two_candidates_get_to_stability_is_within_reach() {
    stable("2 candidates, Reach Stability", Settings::new(&[1, 2], 1));
}

#[test]
#[ignore = "minutes: cargo xtask model"]
fn of_three_candidates_only_one_leads() {
    holds("3 candidates, clocks within the margin", Settings::new(&[1, 2, 3], 1));
}

#[test]
#[ignore = "minutes: cargo xtask model"]
fn three_candidates_with_clocks_that_lie() {
    holds("3 candidates, clocks that lie", Settings { bounded: false, ..Settings::new(&[1, 2, 3], 0) });
}

#[test]
#[ignore = "minutes: cargo xtask model"]
fn wherever_three_candidates_get_to_stability_is_within_reach() {
    stable("3 candidates, Reach Stability", Settings::new(&[1, 2, 3], 0));
}

#[test]
fn a_mutant_that_confirms_without_a_compare_takes_over_a_leader() {
    let settings = Settings { confirm_without_compare: true, ..Settings::new(&[1, 2], 0) };
    caught(settings.clone(), properties::ONLY_ONE);
    caught(settings, properties::FINAL);
}

#[test]
fn a_mutant_that_nominates_without_a_compare_takes_over_a_leader() {
    let settings = Settings { nominate_without_compare: true, ..Settings::new(&[1, 2], 0) };
    caught(settings.clone(), properties::ONLY_ONE);
    caught(settings, properties::FINAL);
}

/// Looks at every state.
fn holds(what: &str, settings: Settings) {
    let start = tokio::time::Instant::now();
    let checker = Election(settings).checker().threads(2);
    let checker = checker.finish_when(HasDiscoveries::AnyFailures).spawn_bfs().join();
    println!(
        "{what}: {} states, {} of them unique, depth {}, {:.1} s",
        checker.state_count(),
        checker.unique_state_count(),
        checker.max_depth(),
        start.elapsed().as_secs_f64()
    );
    checker.assert_properties();
}

/// Sees the property broken.
fn caught(settings: Settings, property: &'static str) {
    let found = HasDiscoveries::AnyOf(BTreeSet::from([property]));
    let checker = Election(settings).checker().threads(2).finish_when(found).spawn_bfs().join();
    let path = checker.assert_any_discovery(property).into_actions();
    println!("{property}: broken by {} steps: {path:?}", path.len());
}

/// "Reach Stability": from every state in which somebody campaigns there is a way to one leader whose vote is
/// confirmed, on which all answers come (or to one in which all have led and resigned).
fn stable(what: &str, settings: Settings) {
    let start = tokio::time::Instant::now();
    let found = reach(
        &Election(settings),
        |_: &State, action: &Move| !matches!(action, Move::Cut(_) | Move::Resign(_)),
        |state| state.clients.iter().any(|client| client.is_campaigning()),
        properties::is_stable,
    );
    println!("{what}: {} states, {:.1} s", found.states, start.elapsed().as_secs_f64());
    assert!(found.stuck.is_none(), "nobody leads from here: {}", found.stuck.unwrap_or_default());
}
