use super::super::cluster::Cluster;
use super::super::health::Ejection;
use super::*;

#[test]
fn a_call_that_still_has_the_old_list_does_not_bring_it_back() {
    let cluster = Cluster::new("a b".parse().unwrap(), Ejection::default());
    let old = cluster.roster();
    let made = Arc::new(std::sync::atomic::AtomicUsize::new(0));
    let count = Arc::clone(&made);
    let services =
        Services::new(Arc::clone(&old), move || count.fetch_add(1, std::sync::atomic::Ordering::SeqCst));
    cluster.change(|list| list.now = "b c".parse().unwrap());
    let new = cluster.roster();
    assert_eq!((*services.of(Arc::clone(&new)).at(0), *services.of(Arc::clone(&new)).at(1)), (1, 2));
    // The service of `b` is kept; that of `a` is gone.
    assert_eq!((*services.of(Arc::clone(&old)).at(0), *services.of(old).at(1)), (3, 1));
    assert_eq!(*services.of(new).at(1), 2, "not made once more");
}
