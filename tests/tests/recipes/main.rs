//! Locks on real clusters of three: what is sent, and what is believed when holders, leaders and answers are lost.
//!
//! In small numbers; `cargo xtask locks` does the same in full and prints the figures. Nothing asserts on a time: what
//! takes long is waited for.

use std::path::Path;

use etcd_testkit::real::Server;
use etcd_tests::each_real_server;
use etcd_tests::recipes::{
    answers_lost, handed_over, holder_frozen, holder_killed, leader_killed, uncontended,
};

#[tokio::test]
async fn an_uncontended_lock_takes_three_requests_and_a_hand_over_wakes_the_next_in_line() {
    each_real_server(
        |binary| Server::builder(binary).members(3),
        async |server| {
            uncontended(server, 10).await.assert_right();
            handed_over(server, 16, 100).await.assert_right();
        },
    )
    .await;
}

#[tokio::test]
async fn a_write_whose_answer_is_lost_is_told_truly() {
    each_real_server(
        |binary| Server::builder(binary).members(3),
        async |server| answers_lost(server, 10).await.assert_right(),
    )
    .await;
}

#[tokio::test]
async fn a_holder_that_was_stopped_believes_no_more() {
    each_real_server(
        |binary| Server::builder(binary).members(3),
        async |server| holder_frozen(program(), server, 2).await.assert_right(),
    )
    .await;
}

#[tokio::test]
async fn the_next_in_line_follows_a_holder_that_was_killed() {
    each_real_server(
        |binary| Server::builder(binary).members(3),
        async |server| holder_killed(program(), server, 2).await.assert_right(),
    )
    .await;
}

#[tokio::test]
async fn locks_outlive_the_leader_of_the_cluster() {
    each_real_server(
        |binary| Server::builder(binary).members(3),
        async |server| leader_killed(program(), server, 1).await.assert_right(),
    )
    .await;
}

/// The program of the contenders.
fn program() -> &'static Path {
    Path::new(env!("CARGO_BIN_EXE_locks"))
}
