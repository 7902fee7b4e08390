//! Random keys, values and events.

use etcd_proto::v2::{Action, Index, Key, KeysEvent, Node};
use proptest::collection::vec;
use proptest::prelude::*;
use serde_json::Value;

/// Anything that can stand between two slashes of a key.
pub(crate) fn element() -> impl Strategy<Value = String> {
    let any =
        vec(prop_oneof![any::<char>(), prop::sample::select(vec!['%', '+', ';', '.', ' ', '\0'])], 1..12);
    any.prop_map(|chars| chars.into_iter().filter(|c| *c != '/').collect::<String>())
        .prop_filter("an element that etcd can hold", |it| !matches!(&**it, "" | "." | ".."))
}

/// Paths of which many cannot be held.
pub(crate) fn any_path() -> impl Strategy<Value = String> {
    prop_oneof![
        any::<String>(),
        "[./ab]{0,8}",
        (4060..4085usize).prop_map(|len| "a".repeat(len)),
        (1350..1362usize).prop_map(|len| "/ ".repeat(len / 2)),
    ]
}

/// Objects and arrays with all that JSON has inside.
pub(crate) fn container() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<String>().prop_map(Value::from),
        "[{}\\[\\]\"\\\\]{0,6}".prop_map(Value::from),
    ];
    let grown = leaf.prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..4).prop_map(Value::from),
            vec((any::<String>(), inner), 0..4).prop_map(|pairs| Value::Object(pairs.into_iter().collect())),
        ]
    });
    vec(grown, 0..3).prop_flat_map(|values| {
        prop_oneof![
            Just(Value::Array(values.clone())),
            Just(values.into_iter().enumerate().map(|(n, value)| (n.to_string(), value)).collect()),
        ]
    })
}

/// What may stand between two values.
pub(crate) fn blank() -> impl Strategy<Value = String> {
    prop_oneof![Just(String::new()), "[ \n\r\t]{1,3}"]
}

pub(crate) fn event() -> impl Strategy<Value = KeysEvent> {
    let action = prop::sample::select(vec!["set", "expire", "compareAndDelete", "neverHeardOf"]);
    let action = action.prop_map(|word| Action::from(word.to_owned()));
    (action, node(), proptest::option::of(node()))
        .prop_map(|(action, node, prev)| KeysEvent::new(action, node, prev))
}

pub(crate) fn node() -> impl Strategy<Value = Node> {
    let leaf = (
        vec(element(), 1..3),
        proptest::option::of(any::<String>()),
        proptest::option::of(any::<i64>()),
        1..u64::MAX,
    )
        .prop_map(|(elements, value, ttl, index)| {
            let key = Key::new(elements.join("/")).unwrap();
            let mut node = Node::new(key, Index::from(index), Index::from(index / 2));
            node.dir = value.is_none();
            node.expiration = ttl.map(|ttl| format!("{ttl}"));
            (node.value, node.ttl) = (value, ttl);
            node
        });
    leaf.prop_recursive(2, 6, 3, |inner| {
        (inner.clone(), vec(inner, 0..3)).prop_map(|(mut node, nodes)| {
            node.nodes = nodes;
            node
        })
    })
}
