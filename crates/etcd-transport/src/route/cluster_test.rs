use super::*;

fn cluster(endpoints: &str) -> Arc<Cluster> {
    Arc::new(Cluster::new(endpoints.parse().unwrap(), Ejection::default()))
}

fn leave(cluster: &Arc<Cluster>, place: usize) -> Leave {
    Leave::new(cluster, &cluster.roster().members[place])
}

fn fail(cluster: &Arc<Cluster>, place: usize, times: usize) {
    for _ in 0..times {
        leave(cluster, place).failed(Instant::now());
    }
}

fn begin(cluster: &Cluster) -> usize {
    cluster.begin(&cluster.roster())
}

fn conditions(cluster: &Cluster) -> Vec<Condition> {
    cluster.roster().members.iter().map(|member| member.condition()).collect()
}

#[test]
fn many_that_see_one_failure_move_on_once() {
    let cluster = cluster("a b c");
    let leaves: Vec<Leave> = (0..5).map(|_| leave(&cluster, 0)).collect();
    leaves.iter().for_each(|leave| leave.failed(Instant::now()));
    assert_eq!(begin(&cluster), 1);
    fail(&cluster, 2, 1);
    assert_eq!(begin(&cluster), 1);
}

#[test]
fn behind_the_last_comes_the_first() {
    let cluster = cluster("a b");
    fail(&cluster, 0, 1);
    fail(&cluster, 1, 1);
    assert_eq!(begin(&cluster), 0);
}

#[test]
fn the_next_is_one_that_has_not_failed_if_there_is_one() {
    let cluster = cluster("a b c d");
    fail(&cluster, 1, 1);
    fail(&cluster, 2, 3);
    fail(&cluster, 0, 1);
    assert_eq!(begin(&cluster), 3);
    fail(&cluster, 3, 1);
    assert_eq!(begin(&cluster), 0, "all have failed, and this one not often");
}

#[test]
fn calls_stay_where_they_are_when_all_others_are_ejected() {
    let cluster = cluster("a b");
    fail(&cluster, 0, 3);
    fail(&cluster, 1, 1);
    assert_eq!(begin(&cluster), 1);
}

#[test]
fn one_endpoint_is_always_left() {
    let cluster = cluster("a b c");
    for place in [0, 1, 2] {
        fail(&cluster, place, 9);
    }
    assert_eq!(conditions(&cluster), [Condition::Ejected, Condition::Ejected, Condition::Failing]);
    assert_eq!(begin(&cluster), 2);
}

#[tokio::test(start_paused = true)]
async fn calls_move_to_an_ejected_endpoint_whose_time_is_over_when_there_is_no_better() {
    let cluster = cluster("a b");
    fail(&cluster, 0, 3);
    tokio::time::advance(std::time::Duration::from_secs(1)).await;
    fail(&cluster, 1, 1);
    assert_eq!(begin(&cluster), 0);
    leave(&cluster, 0).serves();
    assert_eq!(conditions(&cluster), [Condition::Serving, Condition::Failing]);
}

/// Replaces the list when it is told of an ejection, as a program may that listens to events.
struct Reacts(Arc<Cluster>);

impl tracing::Subscriber for Reacts {
    fn enabled(&self, _: &tracing::Metadata<'_>) -> bool {
        true
    }

    fn new_span(&self, _: &tracing::span::Attributes<'_>) -> tracing::span::Id {
        tracing::span::Id::from_u64(1)
    }

    fn record(&self, _: &tracing::span::Id, _: &tracing::span::Record<'_>) {}

    fn record_follows_from(&self, _: &tracing::span::Id, _: &tracing::span::Id) {}

    fn event(&self, event: &tracing::Event<'_>) {
        if *event.metadata().level() == tracing::Level::DEBUG {
            assert!(self.0.changes.try_lock().is_ok(), "told under the lock");
            self.0.change(|list| list.now = "b".parse().unwrap());
        }
    }

    fn enter(&self, _: &tracing::span::Id) {}

    fn exit(&self, _: &tracing::span::Id) {}
}

#[test]
fn who_is_told_of_an_ejection_may_change_the_list() {
    let cluster = cluster("a b");
    let _told = tracing::subscriber::set_default(Reacts(Arc::clone(&cluster)));
    fail(&cluster, 0, 3);
    assert_eq!(cluster.roster().endpoints().len(), 1);
}
