//! Which requests meet a fault.

use http::{Method, Uri};

use super::Fault;
use super::turn::Turn;

/// Which requests meet a fault: all, until conditions say otherwise.
///
/// A rule sees and counts every request from when it is added, also one that meets another rule's fault.
///
/// # Examples
/// ```
/// use etcd_testkit::proxy::{Fault, Rule};
/// use http::Method;
///
/// // The third write below /jobs reaches the server, and its answer is lost.
/// let rule = Rule::new(Fault::DropAnswer).method(Method::PUT).key_prefix("/jobs").nth(3);
/// ```
#[derive(Clone, Debug)]
#[must_use = "a rule does nothing unless a proxy has it"]
pub struct Rule {
    fault: Fault,
    method: Option<Method>,
    path_prefix: Option<String>,
    watches: Option<bool>,
    turn: Turn,
    /// How many requests have met the other conditions.
    seen: u64,
}

impl Rule {
    /// A rule for all requests.
    pub fn new(fault: Fault) -> Self {
        Self { fault, method: None, path_prefix: None, watches: None, turn: Turn::All, seen: 0 }
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

    /// Only requests whose path begins so, such as `/v2/members`, as it is sent: escapes count as they stand. It
    /// replaces a prefix of keys.
    pub fn path_prefix(mut self, prefix: impl Into<String>) -> Self {
        self.path_prefix = Some(prefix.into());
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
    pub(super) fn meets(&mut self, method: &Method, uri: &Uri) -> Option<&Fault> {
        if !self.matches(method, uri) {
            return None;
        }
        self.seen = self.seen.saturating_add(1);
        self.turn.is_turn_of(self.seen).then_some(&self.fault)
    }

    fn matches(&self, method: &Method, uri: &Uri) -> bool {
        let is_watch = || uri.query().is_some_and(|query| query.split('&').any(|pair| pair == "wait=true"));
        self.method.as_ref().is_none_or(|wanted| wanted == method)
            && self.path_prefix.as_ref().is_none_or(|prefix| uri.path().starts_with(prefix.as_str()))
            && self.watches.is_none_or(|wanted| wanted == is_watch())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn meets(rule: &mut Rule, method: Method, uri: &'static str) -> bool {
        rule.meets(&method, &Uri::from_static(uri)).is_some()
    }

    #[test]
    fn a_rule_counts_only_what_meets_its_other_conditions() {
        let mut rule = Rule::new(Fault::Hang).method(Method::PUT).key_prefix("/a").nth(2);
        assert!(!meets(&mut rule, Method::PUT, "/v2/keys/a"));
        assert!(!meets(&mut rule, Method::GET, "/v2/keys/a"));
        assert!(!meets(&mut rule, Method::PUT, "/v2/keys/b"));
        assert!(meets(&mut rule, Method::PUT, "/v2/keys/a/b?value=1"));
        assert!(!meets(&mut rule, Method::PUT, "/v2/keys/a"));
    }

    #[test]
    fn a_rule_tells_watches_from_other_requests() {
        let mut watches = Rule::new(Fault::Hang).watches();
        let mut others = Rule::new(Fault::Hang).no_watches();
        for (uri, is_watch) in
            [("/v2/keys/a?wait=true", true), ("/v2/keys/a?x=1&wait=true", true), ("/", false)]
        {
            assert_eq!(meets(&mut watches, Method::GET, uri), is_watch, "{uri}");
            assert_eq!(meets(&mut others, Method::GET, uri), !is_watch, "{uri}");
        }
    }
}
