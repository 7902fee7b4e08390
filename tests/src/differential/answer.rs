//! What a server answered, and what of it is compared.

use http::HeaderMap;
use serde_json::Value;

use super::time;

/// The head and the whole body of an answer, or as much of it as there is.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// Head and body in one line, cut where it gets long.
    pub(crate) fn line(&self) -> String {
        let shown: Vec<_> =
            SAME.iter().filter_map(|name| Some(format!("{name}: {}", self.header(name)?))).collect();
        let body = self.body.get(..SHOWN).unwrap_or(&self.body);
        format!("{} {{{}}} {}", self.status, shown.join(", "), String::from_utf8_lossy(body).trim_end())
    }
}

/// Whether two answers are the same to a client; else what is not.
pub(crate) fn compare(ours: &Answer, theirs: &Answer, sorted: bool) -> Result<(), String> {
    compare_heads(ours, theirs)?;
    compare_bodies(&ours.body, &theirs.body, sorted)
}

/// Status and headers.
pub(crate) fn compare_heads(ours: &Answer, theirs: &Answer) -> Result<(), String> {
    if ours.status != theirs.status {
        return Err("status".to_owned());
    }
    if let Some(name) = SAME.iter().find(|name| ours.header(name) != theirs.header(name)) {
        return Err(format!("header {name}"));
    }
    let present = |name: &&&str| ours.header(name).is_some() != theirs.header(name).is_some();
    PRESENT.iter().find(present).map_or(Ok(()), |name| Err(format!("presence of header {name}")))
}

/// Bodies: byte by byte but for times, and for the order of a listing that was not asked to be sorted.
pub(crate) fn compare_bodies(ours: &[u8], theirs: &[u8], sorted: bool) -> Result<(), String> {
    let (ours, our_times) = time::take(&String::from_utf8_lossy(ours));
    let (theirs, their_times) = time::take(&String::from_utf8_lossy(theirs));
    if ours == theirs {
        let near = our_times.len() == their_times.len()
            && our_times.iter().zip(&their_times).all(|(ours, theirs)| ours.abs_diff(*theirs) <= 1);
        return if near { Ok(()) } else { Err("times".to_owned()) };
    }
    // The members of a random listing have their times in another order too; their values were compared when
    // they were written.
    if !sorted && pieces(&ours) == pieces(&theirs) && listing(&ours) == listing(&theirs) {
        return Ok(());
    }
    Err("body".to_owned())
}

/// What stands between braces, in any order: shows whether each node has its fields in the same order.
fn pieces(body: &str) -> Vec<&str> {
    let mut pieces: Vec<_> = body.split(['{', '}']).collect();
    pieces.sort_unstable();
    pieces
}

/// The body with each directory's nodes by key; `None` if it is no event.
fn listing(body: &str) -> Option<Value> {
    let mut value: Value = serde_json::from_str(body).ok()?;
    sort(value.get_mut("node")?);
    Some(value)
}

fn sort(node: &mut Value) {
    let Some(nodes) = node.get_mut("nodes").and_then(Value::as_array_mut) else { return };
    nodes.iter_mut().for_each(sort);
    // By all they have: keys that are not UTF-8 may look the same.
    nodes.sort_by_cached_key(Value::to_string);
}

/// Headers that must be the same.
const SAME: [&str; 5] = ["content-type", "allow", "location", "x-etcd-index", "x-etcd-cluster-id"];
/// Bytes of a body that are printed.
const SHOWN: usize = 2_000;
/// Headers that must be there on both sides or on neither: numbers of the log, which the tick of the sync moves.
const PRESENT: [&str; 2] = ["x-raft-index", "x-raft-term"];

#[cfg(test)]
mod tests {
    use super::*;

    fn same(ours: &str, theirs: &str, sorted: bool) -> bool {
        compare_bodies(ours.as_bytes(), theirs.as_bytes(), sorted).is_ok()
    }

    #[test]
    fn times_may_differ_by_a_second() {
        let body = |fraction: &str, ttl: i64| {
            format!(r#"{{"expiration":"2026-11-21T07:31:16{fraction}Z","ttl":{ttl},"modifiedIndex":4}}"#)
        };
        assert!(same(&body(".5", 9), &body("", 10), true));
        assert!(!same(&body("", 9), &body("", 11), true));
        assert!(!same(r#"{"modifiedIndex":4}"#, r#"{"modifiedIndex":5}"#, true));
    }

    #[test]
    fn the_order_counts_only_where_it_was_asked_for() {
        let body = |first: &str, second: &str| {
            format!(r#"{{"action":"get","node":{{"dir":true,"nodes":[{{{first}}},{{{second}}}]}}}}"#)
        };
        let (a, b) = (r#""key":"/a","value":"1""#, r#""key":"/b","value":"2""#);
        assert!(same(&body(a, b), &body(b, a), false));
        assert!(!same(&body(a, b), &body(b, a), true));
        assert!(!same(&body(a, b), &body(a, r#""value":"2","key":"/b""#), false));
        assert!(!same(&body(a, b), &body(a, a), false));
    }
}
