//! Requests on keys: the order of checks, the counters, and what goes through consensus.

use etcd_testkit::memory::Contact;

use crate::client::Client;

#[test]
fn of_several_bad_parameters_the_first_in_etcds_order_is_named() {
    let bad = [
        ("prevIndex=x", "invalid value for \"prevIndex\""),
        ("waitIndex=x", "invalid value for \"waitIndex\""),
        ("recursive=x", "invalid value for \"recursive\""),
        ("sorted=x", "invalid value for \"sorted\""),
        ("wait=x", "invalid value for \"wait\""),
        ("dir=x", "invalid value for \"dir\""),
        ("quorum=x", "invalid value for \"quorum\""),
        ("stream=x", "invalid value for \"stream\""),
        ("wait=true", "\"wait\" can only be used with GET requests"),
        ("prevValue=", "\"prevValue\" cannot be empty"),
        ("noValueOnSuccess=x", "invalid value for \"noValueOnSuccess\""),
        ("ttl=x", "invalid value for \"ttl\""),
        ("prevExist=x", "invalid value for prevExist"),
        ("refresh=x", "invalid value for refresh"),
    ];
    let mut client = Client::new();
    for (place, (_, cause)) in bad.iter().enumerate() {
        let mut query: Vec<&str> = bad[place..].iter().map(|(parameter, _)| *parameter).collect();
        // The last ones stand first, so that the order in the query does not help.
        query.reverse();
        // Of `wait` only one value can be given: the first counts.
        if place <= 4 {
            query.retain(|parameter| *parameter != "wait=true");
        }
        let answer = client.json("PUT", &format!("/v2/keys/a?{}", query.join("&")));
        assert_eq!((&answer["cause"], &answer["index"]), (&(*cause).into(), &0.into()), "{query:?}");
    }
    let answer = client.json("PUT", "/v2/keys/a?refresh=true&value=x");
    assert_eq!(answer["errorCode"], 211);
    assert_eq!(client.json("PUT", "/v2/keys/a?refresh=true")["errorCode"], 212);
}

#[test]
fn etcd_counts_some_refusals_as_successes() {
    let mut client = Client::new();
    client.status("PUT", "/v2/keys/d?dir=true");
    client.put("/f");
    let cases = [
        ("DELETE", "/v2/keys/f?prevValue=zzz", "compareAndDelete", "Success"),
        ("DELETE", "/v2/keys/d?prevValue=zzz", "compareAndDelete", "Success"),
        ("DELETE", "/v2/keys/none?prevValue=zzz", "compareAndDelete", "Fail"),
        ("DELETE", "/v2/keys", "delete", "Success"),
        ("DELETE", "/v2/keys/d", "delete", "Fail"),
        ("PUT", "/v2/keys?prevExist=true", "update", "Success"),
        ("PUT", "/v2/keys/d?prevExist=true&value=x", "update", "Success"),
        ("PUT", "/v2/keys/none?prevExist=true", "update", "Fail"),
        ("PUT", "/v2/keys?prevValue=x", "compareAndSwap", "Success"),
        ("PUT", "/v2/keys/f?prevValue=zzz", "compareAndSwap", "Fail"),
        // A path through a file counts as a failed set besides.
        ("PUT", "/v2/keys/f/x?prevExist=false", "sets", "Fail"),
    ];
    for (method, target, counter, outcome) in cases {
        let name = format!("{counter}{outcome}");
        let before = client.json("GET", "/v2/stats/store")[&name].as_u64().unwrap();
        assert!(client.status(method, target) >= 400);
        let after = client.json("GET", "/v2/stats/store")[&name].as_u64().unwrap();
        assert_eq!(after, before + 1, "{method} {target}");
    }
}

#[test]
fn a_head_is_read_locally_whatever_it_asks_for() {
    let mut client = Client::new();
    client.put("/a");
    client.store.set_contact(0, Contact::NoLeader).unwrap();
    let head = client.whole(0, "HEAD", "/v2/keys/a?quorum=true");
    assert_eq!((head.status().as_u16(), head.body().len()), (200, 0));
}

#[test]
fn a_typed_operation_takes_the_same_way_as_its_http_request() {
    use etcd_proto::v2::keys::Set;
    use etcd_proto::v2::{Key, Operation, Request};
    use etcd_testkit::memory::Answer;

    let mut client = Client::new();
    let request = Request::from(Set::new(Key::new("/a b").unwrap(), "x&y"));
    let operation: &Operation = &request.operation;
    let answer = client.store.handle_operation(0, operation, client.now).unwrap();
    let Answer::Complete(answer) = answer else { panic!("{answer:?}") };
    let decoded = operation.decode(answer.status(), answer.headers(), answer.body()).unwrap();
    let etcd_proto::v2::Response::Keys(keys) = decoded else { panic!("{decoded:?}") };
    assert_eq!((keys.node.text(), keys.node.key.as_str()), ("x&y", "/a b"));
}
