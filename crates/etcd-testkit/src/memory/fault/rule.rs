//! Which requests meet a fault.

use bytes::Bytes;
use http::{Method, Request};
use percent_encoding::percent_decode_str;

use super::Fault;
use crate::memory::http::waits;
use crate::memory::store::path;
use crate::turn::Turn;

/// Which requests meet a fault: all, until conditions say otherwise. A request counts when its head arrives, and
/// conditions go by the head: parameters in a body are not looked at.
///
/// # Examples
/// ```
/// use etcd_testkit::memory::{Fault, Rule};
/// use http::Method;
///
/// // The third write below /jobs sent to the second member is made, and its answer lost.
/// let rule = Rule::new(Fault::DropAnswer).method(Method::PUT).key_prefix("/jobs").member(1).nth(3);
/// ```
#[derive(Clone, Debug)]
#[must_use = "a rule does nothing unless it is in a plan"]
pub struct Rule {
    fault: Fault,
    method: Option<Method>,
    place: Option<Place>,
    member: Option<usize>,
    watches: Option<bool>,
    turn: Turn,
    /// How many requests have met the other conditions.
    seen: u64,
}

/// Which paths are meant.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Place {
    /// This key in its canonical form, and all below it.
    Key(Bytes),
    /// Paths that begin with this text.
    Text(String),
}

impl Rule {
    /// A rule for all requests.
    pub fn new(fault: Fault) -> Self {
        Self { fault, method: None, place: None, member: None, watches: None, turn: Turn::All, seen: 0 }
    }

    /// Only requests of this method.
    pub fn method(mut self, method: Method) -> Self {
        self.method = Some(method);
        self
    }

    /// Only requests on this key and on those below it: `/a` means `/a` and `/a/b`, but not `/ab`; `/` all keys.
    ///
    /// The slash in front may be missing, and one at the end means nothing: `a`, `/a` and `/a/` are the same.
    /// Not meant are requests on a directory above the key, though a recursive read or watch of it shows the key.
    pub fn key_prefix(mut self, key: impl AsRef<str>) -> Self {
        self.place = Some(Place::Key(path::canonical(key.as_ref().as_bytes())));
        self
    }

    /// Only requests whose decoded path begins so, such as `/v2/members`; by text, so `/v2/keys/a` means
    /// `/v2/keys/ab` too. It replaces [`key_prefix`](Self::key_prefix), as that replaces it.
    pub fn path_prefix(mut self, prefix: impl Into<String>) -> Self {
        self.place = Some(Place::Text(prefix.into()));
        self
    }

    /// Only requests to this member, counted from 0.
    pub fn member(mut self, member: usize) -> Self {
        self.member = Some(member);
        self
    }

    /// Only polls and streams: a `GET` of a key with a true `wait` in its query.
    ///
    /// As in etcd, true is what Go's `strconv.ParseBool` reads so: `1`, `t`, `T`, `TRUE`, `true`, `True`; and of
    /// several values the first counts.
    pub fn watches(mut self) -> Self {
        self.watches = Some(true);
        self
    }

    /// All but polls and streams.
    pub fn no_watches(mut self) -> Self {
        self.watches = Some(false);
        self
    }

    /// Only the `n`th of the requests that meet the other conditions, from 1; 0 means none. It replaces
    /// [`every`](Self::every) and [`first`](Self::first), as they replace it.
    pub fn nth(mut self, n: u64) -> Self {
        self.turn = Turn::Nth(n);
        self
    }

    /// Only every `n`th of them: with 3 the third, the sixth; 0 means none.
    pub fn every(mut self, n: u64) -> Self {
        self.turn = Turn::Every(n);
        self
    }

    /// Only the first `n` of them.
    pub fn first(mut self, n: u64) -> Self {
        self.turn = Turn::First(n);
        self
    }

    /// The fault, if this request meets it. Counts it if it meets the other conditions.
    pub(crate) fn meets<B>(&mut self, member: usize, request: &Request<B>) -> Option<&Fault> {
        if !self.matches(member, request) {
            return None;
        }
        self.seen = self.seen.saturating_add(1);
        self.turn.is_turn_of(self.seen).then_some(&self.fault)
    }

    /// Whether no connection to the member is to be had at all.
    pub(crate) fn refuses(&self, member: usize) -> bool {
        self.fault == Fault::Refuse
            && self.method.is_none()
            && self.place.is_none()
            && self.watches.is_none()
            && self.turn == Turn::All
            && self.member.is_none_or(|wanted| wanted == member)
    }

    fn matches<B>(&self, member: usize, request: &Request<B>) -> bool {
        self.member.is_none_or(|wanted| wanted == member)
            && self.method.as_ref().is_none_or(|method| method == request.method())
            && self.place.as_ref().is_none_or(|place| place.has(request.uri().path()))
            && self.watches.is_none_or(|wanted| wanted == opens_watch(request))
    }
}

fn opens_watch<B>(request: &Request<B>) -> bool {
    let all_keys = Place::Key(Bytes::from_static(b"/"));
    request.method() == Method::GET && all_keys.has(request.uri().path()) && waits(request.uri().query())
}

impl Place {
    /// Whether a path, as it was sent, is meant.
    fn has(&self, path: &str) -> bool {
        let decoded: Vec<u8> = percent_decode_str(path).collect();
        match self {
            Self::Text(prefix) => decoded.starts_with(prefix.as_bytes()),
            Self::Key(key) => path::relative(&decoded, KEYS)
                .is_some_and(|below| path::relative(&path::canonical(below), key).is_some()),
        }
    }
}

/// Below it are the keys, in all versions.
const KEYS: &[u8] = b"/v2/keys";

#[cfg(test)]
mod tests {
    use super::*;

    fn met(rule: &mut Rule, member: usize, method: &str, target: &str) -> bool {
        let request = Request::builder().method(method).uri(target).body(()).unwrap();
        rule.meets(member, &request).is_some()
    }

    #[test]
    fn all_conditions_must_hold() {
        let mut rule = Rule::new(Fault::Hang).method(Method::PUT).key_prefix("/a b").member(1);
        assert!(met(&mut rule, 1, "PUT", "/v2/keys/a%20b/c"));
        assert!(!met(&mut rule, 0, "PUT", "/v2/keys/a%20b/c"));
        assert!(!met(&mut rule, 1, "GET", "/v2/keys/a%20b/c"));
        assert!(!met(&mut rule, 1, "PUT", "/v2/keys/a"));
        assert!(!met(&mut rule, 1, "PUT", "/v2/members"));
    }

    #[test]
    fn turns_count_the_requests_that_meet_the_other_conditions() {
        let turns = |mut rule: Rule| -> Vec<bool> {
            (0..6)
                .map(|_| {
                    assert!(!met(&mut rule, 0, "GET", "/v2/keys/a"));
                    met(&mut rule, 0, "PUT", "/v2/keys/a")
                })
                .collect()
        };
        let puts = || Rule::new(Fault::Hang).method(Method::PUT);
        assert_eq!(turns(puts().nth(2)), [false, true, false, false, false, false]);
        assert_eq!(turns(puts().every(3)), [false, false, true, false, false, true]);
        assert_eq!(turns(puts().first(2)), [true, true, false, false, false, false]);
        assert_eq!(turns(puts().every(0)), [false; 6]);
    }

    #[test]
    fn watches_are_told_by_their_query() {
        let mut watches = Rule::new(Fault::Hang).watches();
        let mut others = Rule::new(Fault::Hang).no_watches();
        for (target, is_watch) in [
            ("/v2/keys/a?wait=true", true),
            ("/v2/keys/a?recursive=true&wait=true", true),
            ("/v2/keys/a?wait=1", true),
            ("/v2/keys/a?wait=t", true),
            ("/v2/keys/a?wait=T", true),
            ("/v2/keys/a?wait=TRUE", true),
            ("/v2/keys/a?wait=True", true),
            ("/v2/keys/a?w%61it=%74rue", true),
            ("/v2/keys/a?wait=true&wait=false", true),
            ("/v2/keys/a?wait=false&wait=true", false),
            ("/v2/keys/a?wait=0", false),
            ("/v2/keys/a?wait=yes", false),
            ("/v2/keys/a?wait=", false),
            ("/v2/keys/a?await=true", false),
            ("/v2/members?wait=true", false),
            ("/v2/keys/a", false),
        ] {
            assert_eq!(met(&mut watches, 0, "GET", target), is_watch, "{target}");
            assert_eq!(met(&mut others, 0, "GET", target), !is_watch, "{target}");
        }
        assert!(!met(&mut watches, 0, "PUT", "/v2/keys/a?wait=true"), "which etcd refuses");
    }

    #[test]
    fn a_prefix_of_keys_goes_by_elements() {
        for prefix in ["a", "/a", "/a/", "//a"] {
            let mut rule = Rule::new(Fault::Hang).key_prefix(prefix);
            for target in ["/v2/keys/a", "/v2/keys/a/", "/v2/keys//a/b", "/v2/keys/%61/b?x=/c"] {
                assert!(met(&mut rule, 0, "GET", target), "{prefix} {target}");
            }
            for target in ["/v2/keys/ab", "/v2/keys", "/v2/keys/b/a", "/v2/keysa", "/v2/keys_a/a"] {
                assert!(!met(&mut rule, 0, "GET", target), "{prefix} {target}");
            }
        }
        for all in ["", "/"] {
            let mut rule = Rule::new(Fault::Hang).key_prefix(all);
            assert!(
                ["/v2/keys", "/v2/keys/", "/v2/keys/b"].map(|it| met(&mut rule, 0, "GET", it)) == [true; 3]
            );
            assert!(!met(&mut rule, 0, "GET", "/v2/members"));
        }
    }

    #[test]
    fn a_prefix_of_paths_goes_by_text_and_replaces_that_of_keys() {
        let mut rule = Rule::new(Fault::Hang).key_prefix("/x").path_prefix("/v2/keys/a");
        assert!(met(&mut rule, 0, "GET", "/v2/keys/ab"));
        assert!(!met(&mut rule, 0, "GET", "/v2/keys/x"));
    }

    #[test]
    fn only_a_rule_without_other_conditions_closes_the_door() {
        assert!(Rule::new(Fault::Refuse).refuses(3));
        assert!(Rule::new(Fault::Refuse).member(3).refuses(3));
        assert!(!Rule::new(Fault::Refuse).member(3).refuses(2));
        assert!(!Rule::new(Fault::Refuse).first(3).refuses(0));
        assert!(!Rule::new(Fault::Hang).refuses(0));
    }
}
