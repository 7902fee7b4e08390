//! What requests a recipe has sent, by kind.

use std::collections::{BTreeMap, HashSet};
use std::fmt;

use etcd_testkit::proxy::LogEntry;
use http::Method;

/// What a request of a queue is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// The first write of a key.
    Create,
    /// A read of the queue.
    List,
    /// A long poll.
    Poll,
    /// A further write of a key.
    Renew,
    /// A deletion.
    Delete,
    /// A read of a key: what a probe asks the leader, or a resolver whoever answers.
    Read,
    /// What is asked of the cluster: who leads it.
    Cluster,
    /// None of these.
    Other,
}

/// How many requests of each kind there were.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Requests {
    counts: BTreeMap<Kind, usize>,
    /// How many polls there were of each key.
    watchers: BTreeMap<String, usize>,
}

impl Requests {
    /// The requests of all contenders for the queue in `dir`. Only where nothing goes wrong: a creation that is sent
    /// twice counts as a renewal.
    pub fn of(dir: &str, entries: &[LogEntry]) -> Self {
        let (dir, mut made, mut requests) = (format!("/v2/keys{dir}"), HashSet::new(), Self::default());
        for entry in entries {
            requests.add(&dir, &mut made, &entry.method, &entry.target);
        }
        requests
    }

    fn add(&mut self, dir: &str, made: &mut HashSet<String>, method: &Method, target: &str) {
        let path = target.split_once('?').map_or(target, |(path, _)| path);
        let kind = kind(dir, method, path, target, made);
        *self.counts.entry(kind).or_default() += 1;
        if kind == Kind::Poll {
            *self.watchers.entry(path.to_owned()).or_default() += 1;
        }
    }

    /// How many there were of one kind.
    pub fn count(&self, kind: Kind) -> usize {
        self.counts.get(&kind).copied().unwrap_or_default()
    }

    /// How many there were of these kinds.
    pub fn sum(&self, kinds: &[Kind]) -> usize {
        kinds.iter().map(|kind| self.count(*kind)).sum()
    }

    /// How many there were.
    pub fn total(&self) -> usize {
        self.counts.values().sum()
    }

    /// Adds those of another count.
    pub fn merge(&mut self, other: &Self) {
        for (kind, count) in &other.counts {
            *self.counts.entry(*kind).or_default() += count;
        }
        for (key, count) in &other.watchers {
            *self.watchers.entry(key.clone()).or_default() += count;
        }
    }

    /// How many polls waited for the same key, at most: no end of a key has woken more waiters.
    pub fn most_watchers(&self) -> usize {
        self.watchers.values().copied().max().unwrap_or_default()
    }
}

impl fmt::Display for Requests {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let counts: Vec<_> =
            self.counts.iter().map(|(kind, count)| format!("{count} {}", kind.name())).collect();
        f.write_str(&counts.join(", "))
    }
}

impl Kind {
    fn name(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::List => "list",
            Self::Poll => "poll",
            Self::Renew => "renew",
            Self::Delete => "delete",
            Self::Read => "read",
            Self::Cluster => "cluster",
            Self::Other => "other",
        }
    }
}

fn kind(dir: &str, method: &Method, path: &str, target: &str, made: &mut HashSet<String>) -> Kind {
    if path.starts_with("/v2/members") || path.starts_with("/v2/stats") {
        return Kind::Cluster;
    }
    let Some(below) = path.strip_prefix(dir) else { return Kind::Other };
    if *method == Method::GET {
        return match below {
            _ if target.contains("wait=true") => Kind::Poll,
            "" | "/" => Kind::List,
            _ => Kind::Read,
        };
    }
    if *method == Method::DELETE {
        return Kind::Delete;
    }
    if *method != Method::PUT {
        return Kind::Other;
    }
    if made.insert(path.to_owned()) { Kind::Create } else { Kind::Renew }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_are_told_apart() {
        let (mut requests, mut made) = (Requests::default(), HashSet::new());
        for (method, target, kind) in [
            (Method::PUT, "/v2/keys/q/a", Kind::Create),
            (Method::PUT, "/v2/keys/q/b", Kind::Create),
            (Method::PUT, "/v2/keys/q/a", Kind::Renew),
            (Method::GET, "/v2/keys/q?quorum=true", Kind::List),
            (Method::GET, "/v2/keys/q/a?wait=true&waitIndex=7", Kind::Poll),
            (Method::GET, "/v2/keys/q/a?quorum=true", Kind::Read),
            (Method::DELETE, "/v2/keys/q/a?prevIndex=7", Kind::Delete),
            (Method::GET, "/v2/members/leader", Kind::Cluster),
            (Method::GET, "/v2/keys/other", Kind::Other),
            (Method::POST, "/v2/keys/q", Kind::Other),
        ] {
            let before = requests.count(kind);
            requests.add("/v2/keys/q", &mut made, &method, target);
            assert_eq!(requests.count(kind), before + 1, "{method} {target}");
        }
        assert_eq!((requests.total(), requests.most_watchers()), (10, 1));
        requests.add("/v2/keys/q", &mut made, &Method::GET, "/v2/keys/q/a?wait=true");
        assert_eq!(requests.most_watchers(), 2);
    }
}
