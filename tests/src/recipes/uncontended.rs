//! Taking and giving back what nobody else wants.

use etcd_lock::SkewProbe;
use etcd_testkit::real::Server;

use super::contenders::lock;
use super::requests::{Kind, Requests};
use super::shown::Shown;
use crate::failover::Proxied;

/// Acquires and releases so many times, each time another lock that nobody else wants, and counts what is sent: with
/// a probe of clock skew in each, and without.
///
/// # Panics
/// If an acquisition or a release fails.
pub async fn uncontended(server: &Server, rounds: usize) -> Shown {
    let proxied = Proxied::all(server).await;
    let client = proxied.client_from(0).build().expect("proxies have endpoints");
    let (mut shown, mut sent, mut probes) = (Shown::default(), Requests::default(), Requests::default());
    for number in 0..rounds {
        for probing in [false, true] {
            let dir = format!("/recipes/uncontended/{number}-{probing}");
            let lock = lock(&client, &dir);
            let lock = if probing { lock.skew_probe(&SkewProbe::new()) } else { lock.without_skew_probe() };
            proxied.forget();
            let held = lock.acquire().await.expect("nobody else wants it");
            held.check().expect("just acquired");
            held.release().await.expect("still held");
            let requests = Requests::of(&dir, &proxied.entries());
            let of_probe = requests.sum(&[Kind::Cluster, Kind::Read]);
            shown.expect(requests.total() - of_probe == 3, || format!("{dir}: {requests}"));
            shown.expect((of_probe > 0) == probing, || format!("{dir}: {requests}"));
            if probing {
                probes.merge(&requests)
            } else {
                sent.merge(&requests)
            };
        }
    }
    probed(&proxied, &mut shown).await;
    shown.figure(format!("uncontended acquire + release, {rounds} times"), sent);
    shown.figure("the same with a probe of skew each", probes);
    shown
}

/// What a probe finds that can ask the leader, which is behind no proxy: all members go by the clock of this machine.
async fn probed(proxied: &Proxied, shown: &mut Shown) {
    let probe = SkewProbe::new();
    let lock = lock(&proxied.direct(), "/recipes/probed").skew_probe(&probe);
    let held = lock.acquire().await.expect("nobody else wants it");
    held.release().await.expect("still held");
    let found = probe.report().and_then(|report| report.seconds);
    shown.figure("seconds of skew that a probe has found", format!("{found:?}"));
    shown.expect(found == Some(0), || format!("one clock, and a skew of {found:?} s"));
}
