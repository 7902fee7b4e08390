//! One of those in a queue, as others see it.

use std::fmt;
use std::time::Duration;

use etcd_client::v2::{Key, Node};

use crate::Token;
use crate::protocol::Listed;

/// A contender in a queue, as a list by quorum shows it.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Contender {
    /// Its key.
    pub key: Key,
    /// Its fencing token.
    pub token: Token,
    /// What its key holds: what was given as [`value`](crate::Queue::value).
    pub value: String,
    /// How long it lives if it is not renewed: whole seconds, rounded up, by the clock of the member that was asked.
    /// `None` where it has run out, or never will.
    pub expires_in: Option<Duration>,
    /// The index of its last change.
    pub(crate) modified: u64,
}

impl Contender {
    /// The contender with this key; `None` if it is none: a directory, or a name that no contender has.
    pub(crate) fn of_node(node: &Node, cluster_id: Option<&str>) -> Option<Self> {
        if node.dir || !Self::is_name(node.key.name()) {
            return None;
        }
        let expires_in = node.ttl.and_then(|ttl| u64::try_from(ttl).ok()).map(Duration::from_secs);
        Some(Self {
            key: node.key.clone(),
            token: Token::of_key(node.created_index.get(), cluster_id),
            value: node.text().to_owned(),
            expires_in,
            modified: node.modified_index.get(),
        })
    }

    /// Its name: the last element of its key.
    #[must_use]
    pub fn name(&self) -> &str {
        self.key.name()
    }

    /// Whether a file of this name, right in the directory of a queue, is one of a contender: 128 bits in hexadecimal. All
    /// else there is somebody else's.
    #[must_use]
    pub fn is_name(name: &str) -> bool {
        name.len() == NAME_LEN && name.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
    }

    pub(crate) fn listed(&self) -> Listed {
        Listed { name: self.name().to_owned(), created: self.token.index() }
    }
}

impl fmt::Debug for Contender {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The value is the caller's own affair.
        f.debug_struct("Contender")
            .field("key", &self.key)
            .field("token", &self.token)
            .field("expires_in", &self.expires_in)
            .finish_non_exhaustive()
    }
}

/// A name that nobody else has.
pub(crate) fn new_name() -> String {
    format!("{:032x}", fastrand::u128(..))
}

/// 128 bits in hexadecimal.
const NAME_LEN: usize = 32;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_known_by_their_form() {
        for _ in 0..100 {
            assert!(Contender::is_name(&new_name()));
        }
        assert_ne!(new_name(), new_name());
        for name in ["", "0", "00000000000000000042", "zz345678901234567890123456789012"] {
            assert!(!Contender::is_name(name), "{name}");
        }
    }
}
