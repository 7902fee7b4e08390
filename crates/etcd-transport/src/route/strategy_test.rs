use std::sync::Arc;

use etcd_proto::Idempotence;
use tokio::time::Instant;

use super::super::cluster::Leave;
use super::super::health::Ejection;
use super::*;

fn read() -> CallContext {
    CallContext { idempotence: Idempotence::Read, ..CallContext::default() }
}

struct Setting {
    cluster: Arc<Cluster>,
    tried: Vec<Endpoint>,
}

impl Setting {
    fn new(endpoints: &str) -> Self {
        let cluster = Cluster::new(endpoints.parse().unwrap(), Ejection::default());
        Self { cluster: Arc::new(cluster), tried: Vec::new() }
    }

    fn fail(self, place: usize, times: usize) -> Self {
        for _ in 0..times {
            Leave::new(&self.cluster, &self.cluster.roster().members()[place]).failed(Instant::now());
        }
        self
    }

    fn tried(mut self, tried: &str) -> Self {
        self.tried = tried.split(' ').map(|endpoint| endpoint.parse().unwrap()).collect();
        self
    }

    fn picks(&self, strategy: &dyn Strategy, context: &CallContext) -> usize {
        strategy.pick(&Servers::new(&self.cluster.roster(), &self.cluster, context, &self.tried))
    }

    fn best_from(&self, start: usize, context: &CallContext) -> usize {
        Servers::new(&self.cluster.roster(), &self.cluster, context, &self.tried).best_from(start)
    }
}

#[test]
fn sticky_stays_until_a_failure_and_then_stays_there() {
    let setting = Setting::new("a b c");
    assert_eq!([0, 1].map(|_| setting.picks(&Sticky, &read())), [0, 0]);
    let setting = setting.fail(0, 1);
    assert_eq!([0, 1].map(|_| setting.picks(&Sticky, &read())), [1, 1]);
}

#[test]
fn reads_go_round_and_writes_stay() {
    let setting = Setting::new("a b c");
    let strategy = RoundRobin::new();
    assert_eq!([0, 1, 2, 3].map(|_| setting.picks(&strategy, &read())), [0, 1, 2, 0]);
    assert_eq!([0, 1].map(|_| setting.picks(&strategy, &CallContext::default())), [0, 0]);
}

#[test]
fn reads_go_round_past_what_is_ejected() {
    let setting = Setting::new("a b c").fail(1, 3);
    let strategy = RoundRobin::new();
    assert_eq!([0, 1, 2, 3].map(|_| setting.picks(&strategy, &read())), [0, 2, 2, 0]);
}

#[test]
fn the_leader_comes_first_as_long_as_it_serves() {
    let setting = Setting::new("a b c");
    assert_eq!(setting.picks(&LeaderFirst, &read()), 0);
    setting.cluster.lead(Some(&"c".parse().unwrap()));
    assert_eq!(setting.picks(&LeaderFirst, &read()), 2);
    let setting = setting.fail(2, 3);
    assert_eq!(setting.picks(&LeaderFirst, &read()), 0);
}

#[test]
fn a_turn_begins_so_many_places_behind_the_one_that_the_strategy_begins_with() {
    let turn = |turn| CallContext { turn, ..read() };
    let setting = Setting::new("a b c");
    let turns = [0, 1, 2, 3, usize::MAX];
    assert_eq!(turns.map(|it| setting.picks(&Sticky, &turn(it))), [0, 1, 2, 0, usize::MAX % 3]);
    let setting = setting.fail(0, 1);
    assert_eq!(turns.map(|it| setting.picks(&Sticky, &turn(it))), [1, 2, 0, 1, (1 + usize::MAX % 3) % 3]);
    setting.cluster.lead(Some(&"c".parse().unwrap()));
    assert_eq!([0, 1, 2].map(|it| setting.picks(&LeaderFirst, &turn(it))), [2, 0, 1]);
}

#[test]
fn a_turn_passes_by_what_is_ejected_and_is_over_with_the_first_attempt() {
    let turn = |turn| CallContext { turn, ..read() };
    let setting = Setting::new("a b c").fail(1, 3);
    assert_eq!([0, 1, 2].map(|it| setting.picks(&Sticky, &turn(it))), [0, 2, 2]);
    let setting = Setting::new("a b c d").tried("b");
    assert_eq!(setting.picks(&Sticky, &turn(1)), 0);
}

#[test]
fn untried_ones_come_first_then_healthy_ones_then_the_nearest() {
    let best = |setting: Setting| setting.best_from(0, &read());
    assert_eq!(best(Setting::new("a b c").tried("a")), 1);
    assert_eq!(best(Setting::new("a b c").tried("a").fail(1, 1)), 2);
    assert_eq!(
        best(Setting::new("a b c").tried("a c").fail(1, 3)),
        1,
        "an ejected one, since no other is left"
    );
    assert_eq!(best(Setting::new("a b c").tried("a b c a")), 1);
    assert_eq!(best(Setting::new("a b c").tried("a b c").fail(0, 1)), 1);
}

#[test]
fn when_all_are_ejected_all_count_as_usable() {
    // The last that was left has been taken from the list.
    let setting = Setting::new("a b c").fail(0, 3).fail(1, 3);
    setting.cluster.change(|list| list.now = "a b".parse().unwrap());
    assert_eq!(setting.best_from(0, &read()), 0);
    assert_eq!(setting.best_from(1, &read()), 1);
}

#[tokio::test(start_paused = true)]
async fn a_probe_is_a_read() {
    let setting = Setting::new("a b").fail(0, 3);
    assert_eq!(setting.best_from(0, &read()), 1);
    tokio::time::advance(std::time::Duration::from_secs(1)).await;
    assert_eq!(setting.best_from(0, &read()), 0);
    assert_eq!(setting.best_from(0, &CallContext::default()), 1);
}
