//! The mutants. To add one: a name, what is replaced by what, and the test that must see it. It must fail the test, not
//! make it run for ever. `docs/locks-and-leaders.md` has the same table for readers.

use super::patch::Patch;
use super::{Kind, Mutant};

pub(super) const MUTANTS: &[Mutant] = &[
    patched(
        "grant on a read error",
        "crates/etcd-recipe/src/protocol/list.rs",
        "let Some(list) = list else { return AfterList::Again };",
        "let Some(list) = list else { return AfterList::Grant };",
        &queue_model("two_clients_with_clocks_that_lie"),
    ),
    patched(
        "own key missing grants",
        "crates/etcd-recipe/src/protocol/list.rs",
        "None => return AfterList::Lost(Loss::Gone),",
        "None => return AfterList::Grant,",
        &queue_model("two_clients_with_clocks_that_lie"),
    ),
    patched(
        "a list that shows another creation of the own key grants",
        "crates/etcd-recipe/src/protocol/list.rs",
        "Some(own) if own.created != place.created => return",
        "Some(own) if own.created == u64::MAX => return",
        &queue_model("two_clients_with_clocks_that_lie"),
    ),
    patched(
        "any key but the first grants",
        "crates/etcd-recipe/src/protocol/list.rs",
        "match ahead.max_by_key(|listed| listed.created) {",
        "match ahead.skip(1).max_by_key(|listed| listed.created) {",
        &queue_model("two_clients_with_clocks_within"),
    ),
    patched(
        "what may have run out by the own clock grants",
        "crates/etcd-recipe/src/protocol/list.rs",
        "None if is_valid => AfterList::Grant,",
        "None if is_valid || !is_valid => AfterList::Grant,",
        &["--package", "etcd-recipe", "--lib", "protocol::list"],
    ),
    patched(
        "any event of the predecessor grants",
        "crates/etcd-recipe/src/protocol/wake.rs",
        "Wake::Event | Wake::Nothing => AfterList::Again,",
        "Wake::Event => AfterList::Grant,\n        Wake::Nothing => AfterList::Again,",
        &queue_model("two_clients_with_clocks_that_lie"),
    ),
    patched(
        "renew without a check of the created index",
        "crates/etcd-recipe/src/protocol/renew.rs",
        "OwnKey::Found { created, modified, .. } if created == place.created => {",
        "OwnKey::Found { modified, .. } => {",
        &queue_model("two_clients_with_clocks_that_lie"),
    ),
    patched(
        "a renewal of another creation prolongs",
        "crates/etcd-recipe/src/protocol/renew.rs",
        "RenewAnswer::Renewed { created, modified } if created == place.created => {",
        "RenewAnswer::Renewed { modified, .. } => {",
        &["--package", "etcd-recipe", "--lib", "protocol::renew"],
    ),
    patched(
        "a release of another creation",
        "crates/etcd-recipe/src/protocol/release.rs",
        "OwnKey::Found { created, modified, .. } if created == place.created => {",
        "OwnKey::Found { modified, .. } => {",
        &queue_model("two_clients_with_clocks_that_lie"),
    ),
    patched(
        "a creation that ran into another's key is ours",
        "crates/etcd-recipe/src/protocol/create.rs",
        "OwnKey::Found { is_ours: false, .. } => AfterCreate::Rename,",
        "OwnKey::Found { created, modified, is_ours: false } => {\n            \
         AfterCreate::Placed(Place { name: name.to_owned(), created, modified })\n        }",
        &["--package", "etcd-recipe", "--lib", "protocol::create"],
    ),
    switched("POST instead of a named key", &queue_model("a_mutant_that_posts")),
    switched("unfenced release", &queue_model("a_mutant_that_releases_without_a_compare")),
    switched("unfenced resource", &queue_model("a_mutant_that_takes_every_write")),
    patched(
        "the fence lets older tokens pass",
        "crates/etcd-recipe/src/protocol/fence.rs",
        "Some(stored) if token < stored => Fence::Refuse,",
        "Some(stored) if token == u64::MAX && token < stored => Fence::Refuse,",
        &queue_model("two_clients_with_clocks_that_lie"),
    ),
    switched("validity by a flag", &queue_model("a_mutant_that_believes_a_flag")),
    patched(
        "validity by a flag instead of the clock, in the code",
        "crates/etcd-recipe/src/held/validity.rs",
        "Known { valid_until, .. } if self.clock.now() >= valid_until => {",
        "Known { valid_until, .. } if valid_until < Timestamp::default() => {",
        &["--package", "etcd-recipe", "--lib", "the_first_question_behind_the_deadline"],
    ),
    patched(
        "a late renewal brings back what has ended",
        "crates/etcd-recipe/src/held/validity.rs",
        "if self.clock.now() >= known.valid_until {",
        "if known.valid_until < Timestamp::default() {",
        &["--package", "etcd-recipe", "--lib", "a_late_renewal_does_not_bring_back"],
    ),
    switched("a margin below the skew", &queue_model("a_margin_below_the_skew")),
    switched("confirm without a compare", &election_model("a_mutant_that_confirms_without_a_compare")),
    switched("nominate without a compare", &election_model("a_mutant_that_nominates_without_a_compare")),
    patched(
        "a fitter candidate takes over a confirmed vote",
        "crates/etcd-leader/src/vote/step.rs",
        "State::Tentative if me.fitness() > vote.candidate.fitness() => {",
        "State::Tentative | State::Confirmed if me.fitness() > vote.candidate.fitness() => {",
        &election_model("of_two_candidates_only_one_leads"),
    ),
    patched(
        "anybody takes over a tentative vote",
        "crates/etcd-leader/src/vote/step.rs",
        "State::Tentative if me.fitness() > vote.candidate.fitness() => {",
        "State::Tentative if me.fitness() >= vote.candidate.fitness() => {",
        &election_model("of_two_equals_only_one_leads"),
    ),
    patched(
        "who is refused waits for ever",
        "crates/etcd-leader/src/vote/step.rs",
        "Read::Nobody => return Step::Nominate,",
        "Read::Nobody => return Step::Wait,",
        &election_model("wherever_two_candidates"),
    ),
    patched(
        "a confirmed vote of the own name makes a leader",
        "crates/etcd-leader/src/vote/step.rs",
        "State::Confirmed if is_mine && confirming.is_some_and(|it| it.created == ballot.created) => {",
        "State::Confirmed if is_mine => {",
        &["--package", "etcd-leader", "--lib", "a_name_alone_makes_no_leader"],
    ),
];

const fn patched(
    name: &'static str,
    file: &'static str,
    text: &'static str,
    replacement: &'static str,
    test: &'static [&'static str],
) -> Mutant {
    Mutant { name, kind: Kind::Patched(Patch { file, text, replacement }), test }
}

const fn switched(name: &'static str, test: &'static [&'static str]) -> Mutant {
    Mutant { name, kind: Kind::Switched, test }
}

const fn queue_model(test: &'static str) -> [&'static str; 5] {
    ["--package", "etcd-recipe", "--test", "model", test]
}

const fn election_model(test: &'static str) -> [&'static str; 5] {
    ["--package", "etcd-leader", "--test", "model", test]
}
