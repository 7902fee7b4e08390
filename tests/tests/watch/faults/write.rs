//! Those who write, through a member that nothing is wrong with.

use std::time::Duration;

use bytes::Bytes;
use etcd_testkit::memory::Answer;
use tokio::time::sleep;

use super::scene::{Scene, WATCHED, WITNESS};

/// How fast the writers go.
#[derive(Clone, Copy, Debug)]
pub(super) enum Pace {
    /// Without a pause, and nobody else gets a turn before so many are made.
    Burst(u64),
    /// With pauses of so many milliseconds at most.
    Pauses(u64),
}

impl Scene {
    /// Some writes, at some pace.
    pub(super) async fn write_on(&mut self) {
        let pace = match self.rng.u8(0..4) {
            0 => Pace::Burst(self.rng.u64(1..60)),
            1 => Pace::Pauses(1),
            2 => Pace::Pauses(30),
            _ => Pace::Pauses(600),
        };
        let most = if matches!(pace, Pace::Pauses(600)) { 12 } else { 120 };
        let count = self.rng.u64(1..most);
        self.write(count, pace).await;
    }

    pub(super) async fn write(&mut self, count: u64, pace: Pace) {
        for number in 1..=count {
            self.write_one();
            match pace {
                Pace::Burst(every) if number % every == 0 => tokio::task::yield_now().await,
                Pace::Burst(_) => {}
                Pace::Pauses(most) => sleep(Duration::from_millis(self.rng.u64(0..=most))).await,
            }
        }
    }

    /// One write through a member that nothing is wrong with; whether it was taken.
    pub(super) fn write_one(&mut self) -> bool {
        self.writes += 1;
        let (method, target) = target(&mut self.rng, self.writes);
        if let Some((dir, _)) = target.split_once("/_hidden") {
            // A directory that only a hidden key has made is seen, and no watch hears of it.
            self.send("PUT", &format!("{dir}/0?value={}", self.writes));
        }
        self.send(method, &target)
    }

    /// Whether a request is carried out or refused, and not left for want of a leader.
    fn send(&self, method: &str, target: &str) -> bool {
        let request = http::Request::builder().method(method).uri(target).body(Bytes::new()).unwrap();
        let answer = self.etcd.with_store(|store, now| store.handle(WITNESS, &request, now));
        self.truth().take_down();
        match answer {
            Answer::Complete(_) => true,
            Answer::NoQuorum(_) => false,
            Answer::Watch(_) => unreachable!("nobody asks for one"),
        }
    }
}

/// Method and target of a write.
fn target(rng: &mut fastrand::Rng, number: u64) -> (&'static str, String) {
    let dir = format!("/v2/keys{WATCHED}/{}", rng.u8(0..4));
    let key = format!("{dir}/{}", rng.u8(0..6));
    match rng.u16(0..1000) {
        0..30 => ("DELETE", format!("{dir}?recursive=true")),
        30..90 => ("DELETE", key),
        90..100 => ("DELETE", format!("/v2/keys{WATCHED}?recursive=true")),
        100..103 => ("DELETE", format!("/v2/keys{ABOVE}?recursive=true")),
        // Nobody is to be told of these.
        103..150 => ("PUT", format!("{dir}/_hidden/{}?value={number}", rng.u8(0..3))),
        150..180 => ("PUT", format!("/v2/keys{SIBLING}/{}?value={number}", rng.u8(0..3))),
        180..200 => ("DELETE", format!("/v2/keys{SIBLING}?recursive=true")),
        200..240 => ("PUT", format!("/v2/keys/elsewhere/{}?value={number}", rng.u8(0..3))),
        // These end by themselves.
        240..270 => ("PUT", format!("{key}?value={number}&ttl={}", rng.u8(1..5))),
        270..290 => ("PUT", format!("{dir}/dir?dir=true")),
        _ => ("PUT", format!("{key}?value={number}")),
    }
}

const ABOVE: &str = "/a";
/// By its letters a directory above, by its elements a neighbour.
const SIBLING: &str = "/a/d";
