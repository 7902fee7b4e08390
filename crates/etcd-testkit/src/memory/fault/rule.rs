//! Which requests meet a fault.

use http::{Method, Request};

use super::Fault;

/// Which requests meet a fault: all, until conditions say otherwise.
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
    path_prefix: Option<String>,
    member: Option<usize>,
    watches: Option<bool>,
    turn: Turn,
    /// How many requests have met the other conditions.
    seen: u64,
}

/// Which of the matching requests are meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Turn {
    All,
    Nth(u64),
    Every(u64),
    First(u64),
}

impl Rule {
    /// A rule for all requests.
    pub fn new(fault: Fault) -> Self {
        Self { fault, method: None, path_prefix: None, member: None, watches: None, turn: Turn::All, seen: 0 }
    }

    /// Only requests of this method.
    pub fn method(mut self, method: Method) -> Self {
        self.method = Some(method);
        self
    }

    /// Only requests on keys that begin so; by text, so `/a` means `/ab` too.
    pub fn key_prefix(self, prefix: impl AsRef<str>) -> Self {
        self.path_prefix(format!("/v2/keys{}", prefix.as_ref()))
    }

    /// Only requests whose decoded path begins so, such as `/v2/members`. It replaces a prefix of keys.
    pub fn path_prefix(mut self, prefix: impl Into<String>) -> Self {
        self.path_prefix = Some(prefix.into());
        self
    }

    /// Only requests to this member, counted from 0.
    pub fn member(mut self, member: usize) -> Self {
        self.member = Some(member);
        self
    }

    /// Only polls and streams: a query with `wait=true`.
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
        let is_its_turn = match self.turn {
            Turn::All => true,
            Turn::Nth(n) => self.seen == n,
            Turn::Every(n) => self.seen.is_multiple_of(n),
            Turn::First(n) => self.seen <= n,
        };
        is_its_turn.then_some(&self.fault)
    }

    /// Whether no connection to the member is to be had at all.
    pub(crate) fn refuses(&self, member: usize) -> bool {
        self.fault == Fault::Refuse
            && self.method.is_none()
            && self.path_prefix.is_none()
            && self.watches.is_none()
            && self.turn == Turn::All
            && self.member.is_none_or(|wanted| wanted == member)
    }

    fn matches<B>(&self, member: usize, request: &Request<B>) -> bool {
        let has_prefix = |prefix: &String| {
            let path: Vec<u8> = percent_encoding::percent_decode_str(request.uri().path()).collect();
            path.starts_with(prefix.as_bytes())
        };
        let waits = || {
            let query = request.uri().query().unwrap_or_default();
            query.split('&').any(|pair| pair == "wait=true")
        };
        self.member.is_none_or(|wanted| wanted == member)
            && self.method.as_ref().is_none_or(|method| method == request.method())
            && self.path_prefix.as_ref().is_none_or(has_prefix)
            && self.watches.is_none_or(|wanted| wanted == waits())
    }
}

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
            ("/v2/keys/a", false),
        ] {
            assert_eq!(met(&mut watches, 0, "GET", target), is_watch, "{target}");
            assert_eq!(met(&mut others, 0, "GET", target), !is_watch, "{target}");
        }
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
