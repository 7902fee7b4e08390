use super::*;

const A: usize = Copies::FIRST;

fn held() -> Copies {
    let mut copies = Copies::default();
    copies.go_out(A);
    copies.hold(A);
    copies
}

/// Two attempts, both held.
fn race() -> (Copies, usize) {
    let mut copies = held();
    let b = copies.add_lane();
    copies.go_out(b);
    copies.hold(b);
    (copies, b)
}

fn let_go(copies: &mut Copies) -> bool {
    copies.let_go(A) == Turn::Go
}

#[test]
fn what_is_held_was_not_sent_and_stays_once_that_is_said() {
    let mut copies = held();
    assert_eq!(copies.whereabouts(A), Whereabouts::Held);
    assert!(copies.seal(A));
    assert_eq!(copies.let_go(A), Turn::Never);
    assert!(copies.seal(A));
}

#[test]
fn what_nobody_holds_may_have_been_sent() {
    let mut copies = Copies::default();
    assert!(!copies.seal(A), "none has come to the bottom, as far as it tells");
    assert_eq!(copies.whereabouts(A), Whereabouts::Above);
    copies.go_out(A);
    assert!(!copies.seal(A));
    assert_eq!(copies.whereabouts(A), Whereabouts::Gone);
}

#[test]
fn what_is_polled_may_be_sent_at_this_very_moment() {
    let mut copies = held();
    assert!(let_go(&mut copies));
    assert!(!copies.seal(A));
    copies.polled(A, true);
    assert!(copies.seal(A));
}

#[test]
fn one_copy_that_was_sent_is_enough() {
    let mut copies = held();
    copies.go_out(A);
    copies.hold(A);
    assert!(let_go(&mut copies) && copies.several(A));
    copies.polled(A, false);
    assert!(!copies.seal(A));
}

#[test]
fn one_that_is_proved_unsent_does_not_count() {
    let mut copies = held();
    assert!(let_go(&mut copies));
    copies.polled(A, false);
    copies.come_back(A);
    assert!(!copies.any(A));
    copies.go_out(A);
    assert!(copies.any(A) && !copies.several(A));
}

#[test]
fn the_pool_is_polled_for_one_rival_at_a_time() {
    let (mut copies, b) = race();
    assert_eq!(copies.let_go(A), Turn::Go);
    assert_eq!(copies.let_go(b), Turn::Wait);
    copies.polled(A, true);
    assert_eq!(copies.let_go(b), Turn::Go);
    assert_eq!(copies.let_go(A), Turn::Wait);
}

#[test]
fn when_one_was_sent_the_others_never_are() {
    let (mut copies, b) = race();
    assert_eq!(copies.let_go(b), Turn::Go);
    copies.polled(b, false);
    assert_eq!(copies.let_go(A), Turn::Never);
    assert!(!copies.seal_all());
    assert!(copies.lose(A), "proved");
    assert!(!copies.lose(b));
}

#[test]
fn a_rival_that_is_proved_unsent_leaves_the_way_to_the_others() {
    let (mut copies, b) = race();
    assert_eq!(copies.let_go(b), Turn::Go);
    copies.polled(b, false);
    copies.come_back(b);
    assert_eq!(copies.let_go(A), Turn::Go);
}

#[test]
fn a_race_is_given_up_as_a_whole() {
    let (mut copies, b) = race();
    assert_eq!(copies.let_go(b), Turn::Go);
    assert!(!copies.seal_all());
    copies.polled(b, true);
    assert!(copies.seal_all());
    assert_eq!((copies.let_go(A), copies.let_go(b)), (Turn::Never, Turn::Never));
}

#[test]
fn a_loser_stays_out_even_if_the_winner_comes_back() {
    let (mut copies, b) = race();
    copies.lose(A);
    assert_eq!(copies.let_go(b), Turn::Go);
    copies.polled(b, false);
    copies.come_back(b);
    assert_eq!(copies.let_go(A), Turn::Never);
}

#[test]
fn what_follows_a_redirect_goes_its_way_whatever_is_left_of_the_race_before() {
    let (mut copies, b) = race();
    assert_eq!(copies.let_go(b), Turn::Go);
    copies.polled(b, false);
    let c = copies.begin_anew();
    copies.go_out(c);
    copies.hold(c);
    assert_eq!((copies.let_go(A), copies.let_go(c)), (Turn::Never, Turn::Go));
    copies.polled(c, true);
    assert!(copies.seal_all(), "by what counts now");
}
