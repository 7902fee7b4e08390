//! Times to live: the beat of the sync, the order, and the arithmetic seen from outside.

use std::time::Duration;

use crate::client::{Client, event};

#[test]
fn a_key_expires_at_the_first_beat_after_its_end() {
    let mut client = Client::new();
    assert_eq!(client.store.next_sync(), None);
    client.advance(100);
    client.status("PUT", "/v2/keys/a?ttl=1");
    assert_eq!(client.store.next_sync(), Some(client.now + Duration::from_millis(1400)));
    client.advance(1399);
    assert_eq!(client.status("GET", "/v2/keys/a"), 200);
    client.advance(1);
    assert_eq!(client.status("GET", "/v2/keys/a"), 404);
    assert_eq!(client.store.index(), 5);
    assert_eq!(client.store.next_sync(), None);
}

#[test]
fn several_keys_expire_in_the_order_of_their_ends_each_with_its_own_index() {
    let mut client = Client::new();
    let watch = client.watch("/?recursive=true&stream=true");
    client.status("PUT", "/v2/keys/late?ttl=3");
    client.status("PUT", "/v2/keys/early?ttl=1");
    client.status("PUT", "/v2/keys/dir?ttl=2&dir=true");
    client.put("/dir/x");
    client.status("PUT", "/v2/keys/never?ttl=1");
    client.put("/never");
    client.events(&watch);
    client.advance(10_000);
    let expected = [event("expire", "/early", 10), event("expire", "/dir", 11), event("expire", "/late", 12)];
    assert_eq!(client.events(&watch), expected);
    assert_eq!(client.json("GET", "/v2/stats/store")["expireCount"], 3);
}

#[test]
fn nothing_expires_without_a_leader_and_the_ttl_goes_below_zero() {
    let mut client = Client::new();
    client.status("PUT", "/v2/keys/a?ttl=1");
    client.store.set_leader(None, client.now).unwrap();
    assert_eq!(client.store.next_sync(), None);
    client.advance(4500);
    assert_eq!(client.json("GET", "/v2/keys/a")["node"]["ttl"], -3);
    client.store.set_leader(Some(0), client.now).unwrap();
    client.advance(500);
    assert_eq!(client.status("GET", "/v2/keys/a"), 404);
}

#[test]
fn a_ttl_of_zero_expires_at_the_next_beat() {
    let mut client = Client::new();
    client.advance(100);
    let answer = client.json("PUT", "/v2/keys/a?ttl=0");
    assert!(answer["node"]["expiration"].is_string() && answer["node"]["ttl"].is_null());
    client.advance(399);
    assert_eq!(client.status("GET", "/v2/keys/a"), 200);
    client.advance(1);
    assert_eq!(client.status("GET", "/v2/keys/a"), 404);
}

#[test]
fn a_ttl_that_overflows_makes_a_new_key_permanent_and_ends_an_updated_one() {
    let mut client = Client::new();
    let answer = client.json("PUT", "/v2/keys/a?ttl=9300000000");
    assert!(answer["node"]["expiration"].is_null());
    let answer = client.json("PUT", "/v2/keys/a?ttl=9300000000&prevExist=true");
    assert!(answer["node"]["expiration"].as_str().unwrap().starts_with("17"));
    assert!(answer["node"]["ttl"].as_i64().unwrap() < 0);
    client.advance(500);
    assert_eq!(client.status("GET", "/v2/keys/a"), 404);
}

#[test]
fn a_write_without_ttl_makes_a_key_permanent() {
    for target in ["/v2/keys/a?value=1", "/v2/keys/a?prevExist=true", "/v2/keys/a?prevIndex=4"] {
        let mut client = Client::new();
        client.status("PUT", "/v2/keys/a?ttl=1");
        client.status("PUT", target);
        client.advance(5000);
        assert_eq!(client.status("GET", "/v2/keys/a"), 200, "{target}");
    }
}

#[test]
fn a_clock_that_jumps_back_does_not_stop_later_expiries() {
    let mut client = Client::new();
    client.advance(3_600_000);
    client.now -= Duration::from_secs(3600);
    client.status("PUT", "/v2/keys/a?ttl=1");
    client.advance(2000);
    assert_eq!(client.status("GET", "/v2/keys/a"), 404);
}
