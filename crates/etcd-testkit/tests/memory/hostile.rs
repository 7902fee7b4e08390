//! Input that nobody should send.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use etcd_testkit::memory::{Answer, Store};
use http::{Method, Request};

use crate::client::Client;

#[test]
fn times_and_ttls_at_the_ends_of_their_ranges_do_no_harm() {
    let far = Duration::from_secs(u64::MAX >> 2);
    let times = [
        UNIX_EPOCH,
        UNIX_EPOCH + far.min(Duration::from_secs(1 << 50)),
        UNIX_EPOCH - Duration::from_secs(1 << 40),
    ];
    for start in times {
        for now in times {
            let mut store = Store::builder().started_at(start).initial_index(u64::MAX - 1).build();
            for ttl in [0, 1, 9_223_372_036, 9_223_372_037, u64::MAX >> 1, u64::MAX] {
                for target in
                    [format!("/v2/keys/a?ttl={ttl}"), format!("/v2/keys/a?ttl={ttl}&prevExist=true")]
                {
                    let request = Request::put(target).body(Bytes::new()).unwrap();
                    store.handle(0, &request, now);
                    let _: Option<SystemTime> = store.next_sync();
                }
                store.handle(0, &Request::get("/v2/keys?recursive=true").body(Bytes::new()).unwrap(), now);
            }
            store.set_index(u64::MAX);
            let watch = Request::get("/v2/keys/a?wait=true&waitIndex=18446744073709551615");
            store.handle(0, &watch.body(Bytes::new()).unwrap(), now);
        }
    }
}

#[test]
fn the_deepest_path_that_is_taken_can_be_written_listed_and_removed() {
    let mut client = Client::new();
    let deep = "/a".repeat(8000);
    assert_eq!(client.status("PUT", &format!("/v2/keys{deep}")), 201);
    let listing = client.whole(0, "GET", "/v2/keys?recursive=true");
    assert!(listing.body().len() > 60_000_000);
    client.delete("/a");
    assert_eq!(client.status("PUT", &format!("/v2/keys{}", "/a".repeat(9000))), 431);
}

#[test]
fn random_requests_are_answered_and_break_nothing() {
    let mut random = Random(7);
    let mut client = Client::new();
    let pieces: [&[u8]; 24] = [
        b"/v2/keys",
        b"/v2/members",
        b"/v2/auth/users",
        b"/v2/auth/roles",
        b"/v2/stats/self",
        b"/",
        b"a",
        b"_h",
        b"..",
        b"%2e",
        b"%",
        b"%zz",
        b"%ff",
        b"?",
        b"&",
        b"=",
        b";",
        b"wait=true",
        b"recursive=true",
        b"prevExist=true",
        b"ttl=1",
        b"value=x",
        b"prevIndex=4",
        b"dir=true",
    ];
    let methods = [Method::GET, Method::PUT, Method::POST, Method::DELETE, Method::HEAD, Method::OPTIONS];
    let mut answered = 0;
    for _ in 0..20_000 {
        let mut target = b"/v2/keys".to_vec();
        if random.below(4) == 0 {
            target.clear();
        }
        for _ in 0..random.below(10) {
            target.extend_from_slice(pieces[random.below(pieces.len())]);
        }
        let body: Vec<u8> = (0..random.below(20)).map(|_| b"{}[]\":,%&=;a\xff0"[random.below(14)]).collect();
        let content_type =
            ["application/json", "application/x-www-form-urlencoded", "x;y", "\u{e4}"][random.below(4)];
        let request = Request::builder()
            .method(methods[random.below(methods.len())].clone())
            .uri(&target[..])
            .header("content-type", content_type.as_bytes())
            .body(Bytes::from(body));
        let Ok(request) = request else { continue };
        client.advance(10);
        answered += 1;
        if let Answer::Watch(watch) = client.store.handle(0, &request, client.now) {
            client.store.read_watch(watch.watcher);
            client.store.close_watch(watch.watcher);
        }
    }
    assert!(answered > 10_000, "{answered}");
    assert_eq!(client.store.watcher_count(0), 0);
}

/// Xorshift: tests must repeat.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % u64::try_from(bound).unwrap()).unwrap()
    }
}
