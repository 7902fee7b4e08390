//! What the server reads is what was meant.

use etcd_proto::ErrorKind;
use etcd_proto::v2::keys::{CompareAndDelete, CompareAndSwap, Get, Set};
use etcd_proto::v2::{Compare, Key, Operation};
use proptest::collection::vec;
use proptest::prelude::*;

use crate::config;
use crate::go_url;
use crate::strategy::{any_path, element};

proptest! {
    #![proptest_config(config())]

    #[test]
    fn the_server_reads_the_very_key_that_was_meant(elements in vec(element(), 0..6)) {
        let path = format!("/{}", elements.join("/"));
        let key = Key::new(&path).unwrap();
        prop_assert_eq!(key.elements().collect::<Vec<_>>(), &elements[..]);

        let request = encode(Get::new(key.clone()));
        let sent = request.uri().path();
        prop_assert!(sent.bytes().all(is_plain), "{}", sent);
        prop_assert_eq!(request.uri().query(), None);
        let read = String::from_utf8(go_url::path(sent).unwrap()).unwrap();
        prop_assert_eq!(read.strip_prefix("/v2/keys"), Some(key.as_str()));
        prop_assert_eq!(sent.split('/').count(), elements.len().max(1) + 3);
    }

    #[test]
    fn a_key_is_refused_for_its_elements_or_its_length_and_for_nothing_else(path in any_path()) {
        let inner = path.strip_prefix('/').unwrap_or(&path);
        let inner = inner.strip_suffix('/').unwrap_or(inner);
        let clean = path == "/" || inner.split('/').all(|it| !matches!(it, "" | "." | ".."));
        let sent = inner.split('/').map(escaped).collect::<Vec<_>>().join("/");
        let line = format!("DELETE /v2/keys/{sent} HTTP/1.1\r\n");
        match Key::new(&path) {
            Ok(key) => {
                prop_assert!(clean && line.len() <= 4096);
                prop_assert_eq!(key.as_str(), format!("/{}", if path == "/" { "" } else { inner }));
                prop_assert_eq!(Key::new(key.as_str()).unwrap(), key);
            }
            Err(error) => {
                prop_assert!(!clean || line.len() > 4096);
                prop_assert_eq!(error.kind(), ErrorKind::InvalidKey);
                prop_assert!(error.outcome().is_not_applied());
            }
        }
    }

    #[test]
    fn a_key_below_another_is_that_key_joined_with_the_rest(
        above in vec(element(), 0..3),
        rest in vec(element(), 1..3),
    ) {
        let above = Key::new(format!("/{}", above.join("/"))).unwrap();
        let key = above.join(rest.join("/")).unwrap();
        prop_assert!(key.is_at_or_below(&above) && !above.is_at_or_below(&key));
        let rest = rest.join("/");
        prop_assert_eq!(key.relative_to(&above), Some(&*rest));
        let mut ancestor = key;
        while ancestor != above {
            ancestor = ancestor.parent().unwrap();
        }
    }

    #[test]
    fn the_server_reads_the_very_value_that_was_meant(value in any::<String>(), new in any::<String>()) {
        let request = encode(Set::new(key(), &*value));
        prop_assert!(request.body().iter().all(|byte| is_plain(*byte) || b"=&".contains(byte)));
        prop_assert_eq!(form(request.body()), vec![("value".into(), value.clone())]);

        let Ok(compare) = Compare::value(&*value).and_index(7).build() else { return Ok(()) };
        let request = encode(CompareAndSwap::new(key(), &*new, compare.clone()));
        let wanted = [("value", &*new), ("prevValue", &*value), ("prevIndex", "7")];
        prop_assert_eq!(form(request.body()), wanted.map(|(name, it)| (name.into(), it.into())).to_vec());

        let request = encode(CompareAndDelete::new(key(), compare));
        prop_assert!(request.body().is_empty());
        let wanted = [("prevValue", &*value), ("prevIndex", "7")];
        let query = request.uri().query().unwrap().as_bytes();
        prop_assert_eq!(form(query), wanted.map(|(name, it)| (name.into(), it.into())).to_vec());
    }
}

fn key() -> Key {
    Key::new("/k").unwrap()
}

fn encode(call: impl Into<Operation>) -> http::Request<bytes::Bytes> {
    call.into().encode().unwrap()
}

/// Bytes that stand for themselves in a path, to every server and proxy.
fn is_plain(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-._~%/".contains(&byte)
}

/// Every byte that needs it percent-encoded, written a second time.
fn escaped(element: &str) -> String {
    let plain = |byte: u8| is_plain(byte) && !b"%/".contains(&byte);
    element
        .bytes()
        .map(|byte| if plain(byte) { char::from(byte).into() } else { format!("%{byte:02X}") })
        .collect()
}

/// The parameters as servers of both ages read them.
fn form(text: &[u8]) -> Vec<(String, String)> {
    let pairs = go_url::form(text, false).unwrap();
    assert_eq!(pairs, go_url::form(text, true).unwrap());
    pairs.into_iter().map(|(name, value)| (name, String::from_utf8(value).unwrap())).collect()
}
