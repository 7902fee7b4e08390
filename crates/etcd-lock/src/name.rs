//! From the name of a lock to its key.

use etcd_client::v2::{IntoKey, Key};

use crate::{Error, ErrorKind, Result};

/// A lock's name and the prefix that it is below: texts until the first call, which says what is wrong with them.
#[derive(Clone, Debug)]
pub(crate) struct Name {
    prefix: String,
    name: String,
}

impl Name {
    pub(crate) fn new(name: String) -> Self {
        Self { prefix: DEFAULT_PREFIX.to_owned(), name }
    }

    pub(crate) fn with_prefix(self, prefix: String) -> Self {
        Self { prefix, ..self }
    }

    /// The key of this name below its prefix.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidKey`], naming what is wrong.
    pub(crate) fn key(&self) -> Result<Key> {
        if matches!(&*self.name, "" | "/") {
            // It would be the prefix itself.
            return Err(invalid("the name is empty"));
        }
        let bad = |error: etcd_client::Error| invalid(text(&error));
        let prefix = Key::new(&self.prefix).map_err(|error| bad(error.into()))?;
        // By itself first: a bad one is to be named as it was given, without what stands before it.
        let name = Key::new(&self.name);
        name.and_then(|name| prefix.join(name.as_str())).map_err(|error| bad(error.into()))
    }
}

/// A key as a caller gives it, or what is wrong with it: told when it is used.
pub(crate) fn checked(key: impl IntoKey) -> Result<Key, String> {
    key.try_into().map_err(|error| text(&etcd_client::Error::from(error.into())))
}

/// The key.
pub(crate) fn taken(key: &Result<Key, String>) -> Result<Key> {
    key.clone().map_err(invalid)
}

/// What is wrong, in the words of those who know the grammar of keys.
fn text(error: &etcd_client::Error) -> String {
    std::error::Error::source(error).map_or_else(|| error.to_string(), ToString::to_string)
}

fn invalid(what: impl Into<String>) -> Error {
    Error::from(ErrorKind::InvalidKey).with_detail(what)
}

/// What locks are below unless told otherwise.
pub(crate) const DEFAULT_PREFIX: &str = "/locks";

#[cfg(test)]
mod tests {
    use super::*;

    fn key(prefix: Option<&str>, name: &str) -> Result<String> {
        let named = Name::new(name.to_owned());
        let named = match prefix {
            Some(prefix) => named.with_prefix(prefix.to_owned()),
            None => named,
        };
        named.key().map(|key| key.as_str().to_owned())
    }

    #[test]
    fn a_name_is_a_path_below_the_prefix() {
        assert_eq!(key(None, "mylock").unwrap(), "/locks/mylock");
        assert_eq!(key(None, "/jobs/nightly/").unwrap(), "/locks/jobs/nightly");
        assert_eq!(key(Some("/app/locks/"), "a").unwrap(), "/app/locks/a");
        assert_eq!(key(Some("/"), "a").unwrap(), "/a");
    }

    #[test]
    fn a_bad_name_is_refused_by_name() {
        let long = "x".repeat(5000);
        for (name, word) in [
            ("", "name is empty"),
            ("/", "name is empty"),
            ("a//b", "\"a//b\""),
            ("a/../b", "\"a/../b\""),
            (".", "\".\""),
            (&*long, "too long"),
        ] {
            let error = key(None, name).unwrap_err();
            assert!(error.is_invalid_key() && error.to_string().contains(word), "{error}");
        }
        let error = key(Some("p//q"), "c").unwrap_err();
        assert!(error.is_invalid_key() && error.to_string().contains("\"p//q\""), "{error}");
        assert!(checked("a//b").unwrap_err().contains("\"a//b\""));
    }
}
