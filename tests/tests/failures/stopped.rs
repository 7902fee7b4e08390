//! The client's own process stands still, and wakes when its time is over.

use std::time::Duration;

use etcd_client::v2::{Client, Compare, Index};
use etcd_client::{Error, Outcome};
use etcd_testkit::memory::{Fault, MemoryEtcd, Rule};
use etcd_tests::Wire;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Class {
    Read,
    Idempotent,
    Guarded,
    Resolved,
    Post,
}

const CLASSES: [Class; 5] = [Class::Read, Class::Idempotent, Class::Guarded, Class::Resolved, Class::Post];

async fn call(class: Class, client: Client, index: Index) -> Result<(), Error> {
    match class {
        Class::Read => client.get("/k").await.map(drop),
        Class::Idempotent => client.set("/k", "after").idempotent(true).await.map(drop),
        Class::Guarded => client.compare_and_swap("/k", "after", Compare::index(index)).await.map(drop),
        Class::Resolved => {
            client.compare_and_swap("/k", "after", Compare::index(index)).resolve(true).await.map(drop)
        }
        Class::Post => client.create_in_order("/queue", "after").await.map(drop),
    }
}

#[tokio::test(start_paused = true)]
async fn a_call_that_wakes_behind_its_limit_fails_and_sends_nothing_more() {
    for class in CLASSES {
        let etcd = MemoryEtcd::builder().members(3).in_process().unwrap();
        let client = Wire::client(&etcd);
        let index = client.set("/k", "before").await.unwrap().index();
        etcd.log().clear();
        // The first copy hangs; a second one would be answered.
        etcd.faults().add(Rule::new(Fault::Hang).first(1));
        let call = tokio::spawn(call(class, client, index));
        etcd.advance(Duration::from_millis(100)).await;
        assert_eq!(etcd.log().count(), 1, "{class:?}");

        // An hour passes at once: nobody is polled meanwhile.
        tokio::time::advance(Duration::from_secs(3600)).await;
        let error = call.await.unwrap().unwrap_err();
        etcd.advance(Duration::from_secs(60)).await;
        assert_eq!(etcd.log().count(), 1, "{class:?}: {error:?}");
        let outcome = if class == Class::Read { Outcome::NotApplied } else { Outcome::Unknown };
        assert_eq!(error.outcome(), outcome, "{class:?}: {error:?}");
    }
}
