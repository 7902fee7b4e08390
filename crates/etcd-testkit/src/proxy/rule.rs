//! Which requests meet a fault.

use http::{Method, Uri};

use super::Fault;
use crate::turn::Turn;

/// Which requests meet a fault: all, until conditions say otherwise.
///
/// Its conditions mean the same as those of the rules of the in-memory etcd, but for escapes in a path, which count
/// here as they are sent. A rule sees and counts every request from when it is added, also one that meets another
/// rule's fault.
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
    place: Option<Place>,
    watches: Option<bool>,
    turn: Turn,
    /// How many requests have met the other conditions.
    seen: u64,
}

impl Rule {
    /// A rule for all requests.
    pub fn new(fault: Fault) -> Self {
        Self { fault, method: None, place: None, watches: None, turn: Turn::All, seen: 0 }
    }

    /// Only requests of this method.
    pub fn method(mut self, method: Method) -> Self {
        self.method = Some(method);
        self
    }

    /// Only requests on this key and on those below it: `/a` means `/a` and `/a/b`, but not `/ab`; `/` all keys.
    ///
    /// The slash in front may be missing, and one at the end means nothing.
    pub fn key_prefix(mut self, key: impl AsRef<str>) -> Self {
        let elements = key.as_ref().split('/').filter(|element| !element.is_empty());
        self.place = Some(Place::Key(elements.fold(KEYS.to_owned(), |path, element| path + "/" + element)));
        self
    }

    /// Only requests whose path begins so, such as `/v2/members`, as it is sent: escapes count as they stand. It
    /// replaces a prefix of keys.
    pub fn path_prefix(mut self, prefix: impl Into<String>) -> Self {
        self.place = Some(Place::Text(prefix.into()));
        self
    }

    /// Only polls and streams: a `GET` whose first `wait` is what Go's `strconv.ParseBool` reads as true.
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
        self.method.as_ref().is_none_or(|wanted| wanted == method)
            && self.place.as_ref().is_none_or(|place| place.has(uri.path()))
            && self.watches.is_none_or(|wanted| wanted == is_watch(method, uri))
    }
}

/// Which paths are meant.
#[derive(Clone, Debug)]
enum Place {
    /// This path, and all below it.
    Key(String),
    /// Paths that begin with this text.
    Text(String),
}

impl Place {
    fn has(&self, path: &str) -> bool {
        match self {
            Self::Key(key) => path
                .strip_prefix(key.as_str())
                .is_some_and(|below| below.is_empty() || below.starts_with('/')),
            Self::Text(prefix) => path.starts_with(prefix.as_str()),
        }
    }
}

fn is_watch(method: &Method, uri: &Uri) -> bool {
    let pairs = uri.query().unwrap_or_default().split('&');
    let wait = pairs.filter_map(|pair| pair.strip_prefix("wait=")).next();
    method == Method::GET && wait.is_some_and(|wait| TRUE.contains(&wait))
}

const KEYS: &str = "/v2/keys";
/// What etcd reads as true.
const TRUE: [&str; 6] = ["1", "t", "T", "TRUE", "true", "True"];

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
    fn keys_go_by_element_as_in_the_server_in_memory() {
        for prefix in ["a", "/a", "/a/"] {
            let mut rule = Rule::new(Fault::Hang).key_prefix(prefix);
            assert!(
                meets(&mut rule, Method::GET, "/v2/keys/a") && meets(&mut rule, Method::GET, "/v2/keys/a/b")
            );
            assert!(!meets(&mut rule, Method::GET, "/v2/keys/ab") && !meets(&mut rule, Method::GET, "/v2/a"));
        }
        assert!(meets(&mut Rule::new(Fault::Hang).key_prefix("/"), Method::GET, "/v2/keys/ab"));
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
