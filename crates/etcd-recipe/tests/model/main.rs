//! Every order of what can happen to a few clients of the queue: the functions of `protocol` against losses, delays,
//! pauses, expiries and rivals.
//!
//! The model is a server by the rules of etcd v2, a network that loses and delays, clocks, and clients that do what
//! `protocol` says. What is bounded is how many clients there are, how often they come back, and how many faults there
//! are; renewals, waits, ticks and the time that anything takes are not. Run the large ones by `cargo xtask model`.

mod client;
mod moves;
mod properties;
mod reach;
mod server;
mod settings;
mod state;

use std::collections::BTreeSet;

use stateright::{Checker, HasDiscoveries, Model};

use self::moves::{Move, Queue};
use self::reach::reach;
use self::settings::{Clocks, Settings};
use self::state::State;

#[test]
fn two_clients_with_clocks_within_the_margin_never_both_believe() {
    holds("2 clients, clocks within the margin", Settings::bounded(2, 1));
}

#[test]
fn two_clients_with_clocks_that_lie_are_kept_apart_by_their_tokens() {
    holds("2 clients, clocks that lie", Settings::wild(2, 1));
}

#[test]
fn an_old_token_releases_nobody_else() {
    holds(
        "2 clients, old tokens released",
        Settings { release_by: true, work: false, ..Settings::wild(2, 1) },
    );
}

#[test]
fn wherever_two_clients_get_to_somebody_is_granted_next() {
    goes_on("2 clients, I11", Settings { work: false, ..Settings::wild(2, 1) });
}

#[test]
#[ignore = "minutes: cargo xtask model"]
fn three_clients_with_clocks_within_the_margin() {
    holds("3 clients, clocks within the margin", Settings::bounded(3, 0));
}

#[test]
#[ignore = "minutes: cargo xtask model"]
fn three_clients_with_clocks_that_lie() {
    holds("3 clients, clocks that lie", Settings::wild(3, 0));
}

#[test]
#[ignore = "minutes: cargo xtask model"]
fn three_clients_and_a_fault_as_far_as_28_steps_go() {
    holds_for("3 clients, 1 fault, 28 steps", Settings { work: false, ..Settings::wild(3, 1) }, Some(28));
}

#[test]
#[ignore = "minutes: cargo xtask model"]
fn two_clients_and_two_faults() {
    holds("2 clients, 2 faults", Settings::bounded(2, 2));
}

#[test]
#[ignore = "minutes: cargo xtask model"]
fn two_clients_that_come_back() {
    holds(
        "2 clients, 2 attempts, clocks within the margin",
        Settings { attempts: 2, ..Settings::bounded(2, 1) },
    );
}

#[test]
fn a_mutant_that_posts_leaves_a_key_behind() {
    caught(Settings { post: true, ..Settings::wild(2, 1) }, properties::NOTHING_LEFT);
}

#[test]
fn a_mutant_that_releases_without_a_compare_deletes_what_is_not_its_own() {
    caught(Settings { unfenced_release: true, ..Settings::wild(2, 1) }, properties::OWN_RELEASE);
}

#[test]
fn a_mutant_that_takes_every_write_takes_an_older_token() {
    caught(Settings { unfenced_resource: true, ..Settings::wild(2, 0) }, properties::FENCED);
}

#[test]
fn a_mutant_that_believes_a_flag_believes_too_long() {
    caught(Settings { flag_for_clock: true, ..Settings::bounded(2, 0) }, properties::ONE_BELIEVES);
}

#[test]
fn a_margin_below_the_skew_is_none() {
    let clocks = Clocks::Bounded { ttl: 3, margin: 0, skew: 1 };
    caught(Settings { clocks, ..Settings::bounded(2, 0) }, properties::ONE_BELIEVES);
}

/// Looks at every state.
fn holds(what: &str, settings: Settings) {
    holds_for(what, settings, None);
}

/// Looks at every state that can be got to in so many steps.
fn holds_for(what: &str, settings: Settings, steps: Option<usize>) {
    let start = tokio::time::Instant::now();
    let mut checker = Queue(settings).checker().threads(2).finish_when(HasDiscoveries::AnyFailures);
    if let Some(steps) = steps {
        checker = checker.target_max_depth(steps);
    }
    let checker = checker.spawn_bfs().join();
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
    let checker = Queue(settings).checker().threads(2).finish_when(found).spawn_bfs().join();
    let path = checker.assert_any_discovery(property).into_actions();
    println!("{property}: broken by {} steps: {path:?}", path.len());
}

/// I11: from every state in which somebody acquires, a grant can be reached without another fault (or that nobody
/// acquires any more: of a client whose key has run out).
fn goes_on(what: &str, settings: Settings) {
    let start = tokio::time::Instant::now();
    let found = reach(
        &Queue(settings),
        |state: &State, action: &Move| action.is_calm(state),
        |state| state.clients.iter().any(|client| client.is_acquiring()),
        |state| {
            let nobody = !state.clients.iter().any(|client| client.is_acquiring());
            nobody || state.clients.iter().any(|client| client.believes(&settings))
        },
    );
    println!("{what}: {} states, {:.1} s", found.states, start.elapsed().as_secs_f64());
    assert!(found.stuck.is_none(), "nothing more is granted from here: {}", found.stuck.unwrap_or_default());
}
