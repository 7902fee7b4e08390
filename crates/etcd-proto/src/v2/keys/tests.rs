use super::*;
use crate::v2::{Compare, Index, Ttl};

/// Method, target and body as they are sent.
fn sent(call: impl Into<Operation>) -> (String, String, String) {
    let request = call.into().encode().unwrap();
    let content_type = request.headers().get("content-type").map(|it| it.to_str().unwrap());
    match &*request.method().to_string() {
        "PUT" | "POST" => assert_eq!(content_type, Some("application/x-www-form-urlencoded")),
        _ => assert!(content_type.is_none() && request.body().is_empty()),
    }
    (
        request.method().to_string(),
        request.uri().to_string(),
        String::from_utf8(request.body().to_vec()).unwrap(),
    )
}

fn is_sent(call: impl Into<Operation>, method: &str, target: &str, body: &str) {
    assert_eq!(sent(call), (method.into(), target.into(), body.into()));
}

fn key() -> Key {
    Key::new("/a b").unwrap()
}

fn ttl() -> Ttl {
    Ttl::from_secs(60).unwrap()
}

fn compare() -> Compare {
    Compare::value("old").and_index(7).build().unwrap()
}

/// Sends `$call` as it is, then with a ttl, then with the node left out, then with both.
macro_rules! writes {
    ($call:expr, $method:literal, $body:literal) => {{
        let call = $call;
        is_sent(call.clone(), $method, "/v2/keys/a%20b", $body);
        let mut with_ttl = call.clone();
        with_ttl.ttl = Some(ttl());
        is_sent(with_ttl.clone(), $method, "/v2/keys/a%20b", concat!($body, "&ttl=60"));
        with_ttl.no_value_on_success = true;
        is_sent(with_ttl, $method, "/v2/keys/a%20b", concat!($body, "&ttl=60&noValueOnSuccess=true"));
    }};
}

#[test]
fn a_get_says_in_its_query_what_it_wants() {
    is_sent(Get::new(key()), "GET", "/v2/keys/a%20b", "");
    is_sent(Get::new(Key::root()), "GET", "/v2/keys/", "");
    let mut get = Get::new(key());
    get.recursive = true;
    is_sent(get.clone(), "GET", "/v2/keys/a%20b?recursive=true", "");
    get.sorted = true;
    is_sent(get.clone(), "GET", "/v2/keys/a%20b?recursive=true&sorted=true", "");
    get.quorum = true;
    is_sent(get, "GET", "/v2/keys/a%20b?recursive=true&sorted=true&quorum=true", "");
}

#[test]
fn a_watch_says_in_its_query_what_it_waits_for() {
    is_sent(Watch::new(key()), "GET", "/v2/keys/a%20b?wait=true", "");
    let mut watch = Watch::new(key());
    watch.wait_index = Some(7.try_into().unwrap());
    is_sent(watch.clone(), "GET", "/v2/keys/a%20b?wait=true&waitIndex=7", "");
    (watch.recursive, watch.stream) = (true, true);
    is_sent(watch, "GET", "/v2/keys/a%20b?wait=true&recursive=true&stream=true&waitIndex=7", "");
}

#[test]
fn values_are_written_in_the_body_with_what_is_to_hold_before() {
    writes!(Set::new(key(), "a+b"), "PUT", "value=a%2Bb");
    writes!(Create::new(key(), "v"), "PUT", "value=v&prevExist=false");
    writes!(Update::new(key(), "v"), "PUT", "value=v&prevExist=true");
    writes!(CompareAndSwap::new(key(), "v", compare()), "PUT", "value=v&prevValue=old&prevIndex=7");
    writes!(CreateInOrder::new(key(), "v"), "POST", "value=v");
    is_sent(Set::new(key(), ""), "PUT", "/v2/keys/a%20b", "value=");
}

#[test]
fn directories_are_written_without_a_value() {
    writes!(SetDir::new(key()), "PUT", "dir=true");
    writes!(CreateDir::new(key()), "PUT", "prevExist=false&dir=true");
    writes!(UpdateDir::new(key()), "PUT", "prevExist=true&dir=true");
    writes!(CreateDirInOrder::new(key()), "POST", "dir=true");
}

#[test]
fn a_refresh_sends_no_value_and_wants_the_key_to_exist() {
    let mut refresh = Refresh::new(key(), ttl());
    is_sent(refresh.clone(), "PUT", "/v2/keys/a%20b", "refresh=true&prevExist=true&ttl=60");
    refresh.compare = Some(compare());
    refresh.no_value_on_success = true;
    let body = "refresh=true&prevExist=true&prevValue=old&prevIndex=7&ttl=60&noValueOnSuccess=true";
    is_sent(refresh, "PUT", "/v2/keys/a%20b", body);
}

#[test]
fn a_condition_is_by_value_or_by_index_or_by_both() {
    let by = |compare: Compare| sent(CompareAndSwap::new(key(), "v", compare)).2;
    assert_eq!(by(Compare::value("old").build().unwrap()), "value=v&prevValue=old");
    assert_eq!(by(Compare::index(7).build().unwrap()), "value=v&prevIndex=7");
    let by = |compare: Compare| sent(CompareAndDelete::new(key(), compare)).1;
    assert_eq!(by(Compare::value("o d").build().unwrap()), "/v2/keys/a%20b?prevValue=o%20d");
    assert_eq!(
        by(Compare::index(u64::MAX).build().unwrap()),
        format!("/v2/keys/a%20b?prevIndex={}", u64::MAX)
    );
}

#[test]
fn a_delete_has_all_in_its_query_since_no_server_reads_its_body() {
    is_sent(Delete::new(key()), "DELETE", "/v2/keys/a%20b", "");
    is_sent(DeleteDir::new(key()), "DELETE", "/v2/keys/a%20b?dir=true", "");
    let mut all = DeleteDir::new(key());
    all.recursive = true;
    is_sent(all, "DELETE", "/v2/keys/a%20b?dir=true&recursive=true", "");
    is_sent(
        CompareAndDelete::new(key(), compare()),
        "DELETE",
        "/v2/keys/a%20b?prevValue=old&prevIndex=7",
        "",
    );
}

#[test]
fn a_condition_that_does_not_fit_the_request_line_is_refused_before_anything_is_sent() {
    let long = Compare::value("v".repeat(5_000)).build().unwrap();
    let error = Operation::from(CompareAndDelete::new(key(), long.clone())).encode().unwrap_err();
    assert_eq!(error.kind(), crate::ErrorKind::RequestTooLong);
    assert!(error.outcome().is_not_applied() && error.to_string().contains("prevIndex"), "{error}");
    // In a body it has room.
    assert!(Operation::from(CompareAndSwap::new(key(), "v", long)).encode().is_ok());
}

#[test]
fn the_longest_key_fits_every_call_without_a_query_and_what_is_too_long_with_one_is_refused() {
    let longest = Key::new("a".repeat(4096 - "DELETE /v2/keys/ HTTP/1.1\r\n".len())).unwrap();
    assert!(Operation::from(Delete::new(longest.clone())).encode().is_ok());
    assert!(Operation::from(Set::new(longest.clone(), "v")).encode().is_ok());
    assert!(Operation::from(Get::new(longest.clone())).encode().is_ok());
    let error = Operation::from(Watch::new(longest)).encode().unwrap_err();
    assert_eq!(error.kind(), crate::ErrorKind::RequestTooLong);
}

#[test]
fn an_answer_tells_the_text_and_the_index_for_the_next_condition() {
    let node = Node { value: Some("v".into()), ..Node::new(key(), Index::from(8), Index::from(7)) };
    let answer = KeysResponse::new(KeysEvent::new(Action::Set, node, None), Header::default());
    assert_eq!((answer.text(), answer.index(), answer.attempts), ("v", Index::from(8), 1));
    assert_eq!(answer.index().next(), Index::from(9));
    assert_eq!(Index::from(u64::MAX).next(), Index::from(u64::MAX));
}

#[test]
fn an_action_keeps_the_servers_word_and_knows_whether_the_key_is_gone() {
    for (word, is_removal) in [
        ("get", false),
        ("set", false),
        ("create", false),
        ("update", false),
        ("compareAndSwap", false),
        ("delete", true),
        ("compareAndDelete", true),
        ("expire", true),
        ("somethingNew", false),
    ] {
        let action = Action::from(word.to_owned());
        assert_eq!((action.as_str(), action.is_removal()), (word, is_removal));
        assert_eq!(action.to_string(), word);
        assert_eq!(matches!(action, Action::Other(_)), word == "somethingNew");
    }
}
