//! Keys that etcd can hold.

use std::fmt;
use std::sync::Arc;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::encode::MAX_REQUEST_LINE;
use crate::{Error, ErrorKind};

/// The path of a key: `/`, or elements each behind a slash. Cheap to clone.
///
/// Any text can stand in an element but the slash: etcd decodes `%2F` before it splits the path, so a slash
/// always separates. An element that is empty, `.` or `..` cannot be held (etcd answers 301 and does nothing),
/// and a key whose request line would exceed 4096 bytes is cut off by the server without an answer. Such keys
/// are refused here.
///
/// A leading slash may be left out and one at the end is dropped, as etcd does: `a/b`, `/a/b` and `/a/b/` are
/// one key.
///
/// # Examples
/// ```
/// use etcd_proto::v2::Key;
///
/// let key = Key::new("/config/db")?;
/// assert_eq!(key, Key::new("config/db/")?);
/// assert_eq!(key.name(), "db");
/// assert_eq!(key.parent().unwrap().as_str(), "/config");
/// assert!(Key::new("/config/../secret").is_err());
/// # Ok::<(), etcd_proto::Error>(())
/// ```
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key(Arc<str>);

impl Key {
    /// Takes a path for a key.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidKey`], naming the key and the element that etcd cannot hold.
    pub fn new(path: impl AsRef<str>) -> Result<Self, Error> {
        let path = path.as_ref();
        if path == "/" {
            return Ok(Self::root());
        }
        let inner = path.strip_prefix('/').unwrap_or(path);
        let inner = inner.strip_suffix('/').unwrap_or(inner);
        if path.is_empty() {
            return Err(invalid("key is empty; the root is \"/\"".into()));
        }
        if let Some(element) = inner.split('/').find(|element| matches!(*element, "" | "." | "..")) {
            return Err(invalid(format!("key {path:?} has an element {element:?}, which etcd cannot hold")));
        }
        let key = Self(format!("/{inner}").into());
        let line = key.request_line_len();
        if line > MAX_REQUEST_LINE {
            return Err(invalid(format!(
                "key {:?}… is too long: its request line has {line} bytes, etcd takes {MAX_REQUEST_LINE}",
                inner.chars().take(40).collect::<String>()
            )));
        }
        Ok(key)
    }

    /// The root directory, `/`.
    #[must_use]
    pub fn root() -> Self {
        Self("/".into())
    }

    /// A key as a server wrote it: taken as it is, since a listing must not fail for a key in it.
    pub(crate) fn from_server(path: &str) -> Self {
        if path.starts_with('/') { Self(path.into()) } else { Self(format!("/{path}").into()) }
    }

    /// The path, with a leading slash and none at the end.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether this is the root directory.
    #[must_use]
    pub fn is_root(&self) -> bool {
        &*self.0 == "/"
    }

    /// The elements of the path; none for the root.
    pub fn elements(&self) -> impl DoubleEndedIterator<Item = &str> {
        self.0.split('/').filter(|element| !element.is_empty())
    }

    /// The last element; empty for the root.
    #[must_use]
    pub fn name(&self) -> &str {
        self.0.rsplit('/').next().unwrap_or_default()
    }

    /// The directory that the key stands in; `None` for the root.
    #[must_use]
    pub fn parent(&self) -> Option<Self> {
        if self.is_root() {
            return None;
        }
        match self.0.rsplit_once('/') {
            None | Some(("", _)) => Some(Self::root()),
            Some((parent, _)) => Some(Self(parent.into())),
        }
    }

    /// The key at `path` below this one.
    ///
    /// A path that begins with a slash stays below as well, and a slash within it separates:
    /// ```
    /// use etcd_proto::v2::Key;
    ///
    /// let app = Key::new("/app")?;
    /// assert_eq!(app.join("/db/host")?.as_str(), "/app/db/host");
    /// // What comes from outside cannot lead out.
    /// assert!(app.join("../secret").is_err());
    /// // Any other character can stand in an element.
    /// assert_eq!(app.join("50 % of a?b#c")?.name(), "50 % of a?b#c");
    /// # Ok::<(), etcd_proto::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::InvalidKey`] as for [`Key::new`].
    pub fn join(&self, path: impl AsRef<str>) -> Result<Self, Error> {
        let path = path.as_ref();
        Self::new(format!("{}/{}", self.0.trim_end_matches('/'), path.strip_prefix('/').unwrap_or(path)))
    }

    /// Whether this key is `ancestor` or lies below it. Compares elements: `/foobar` is not below `/foo`.
    #[must_use]
    pub fn is_at_or_below(&self, ancestor: &Self) -> bool {
        self.relative_to(ancestor).is_some()
    }

    /// What follows `ancestor` in this key: empty for the same key, without a leading slash; `None` if the key
    /// is not at or below `ancestor`.
    #[must_use]
    pub fn relative_to(&self, ancestor: &Self) -> Option<&str> {
        if ancestor.is_root() {
            return Some(self.0.trim_start_matches('/'));
        }
        let rest = self.0.strip_prefix(ancestor.as_str())?;
        if rest.is_empty() { Some(rest) } else { rest.strip_prefix('/') }
    }

    /// Whether the last element starts with `_`: etcd leaves such keys out of listings and of watches from above.
    ///
    /// What lies below a hidden directory is left out with it, though it says `false` here.
    #[must_use]
    pub fn is_hidden(&self) -> bool {
        self.name().starts_with('_')
    }

    /// The request path of the key: `/v2/keys` and each element percent-encoded.
    ///
    /// The root is `/v2/keys/`, since etcd 0.x knows `/v2/keys` only with the slash.
    pub(crate) fn request_path(&self) -> String {
        let mut path = String::with_capacity(PREFIX.len() + self.0.len() + 16);
        path.push_str(PREFIX);
        if self.is_root() {
            path.push('/');
        }
        for element in self.elements() {
            path.push('/');
            path.extend(utf8_percent_encode(element, ENCODED));
        }
        path
    }

    /// Bytes of the longest plain request line with this key, `DELETE`'s.
    fn request_line_len(&self) -> usize {
        "DELETE ".len() + self.request_path().len() + " HTTP/1.1\r\n".len()
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", &*self.0)
    }
}

impl AsRef<str> for Key {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

impl TryFrom<&str> for Key {
    type Error = Error;

    fn try_from(path: &str) -> Result<Self, Error> {
        Self::new(path)
    }
}

impl TryFrom<String> for Key {
    type Error = Error;

    fn try_from(path: String) -> Result<Self, Error> {
        Self::new(path)
    }
}

impl TryFrom<&String> for Key {
    type Error = Error;

    fn try_from(path: &String) -> Result<Self, Error> {
        Self::new(path)
    }
}

impl From<&Self> for Key {
    fn from(key: &Self) -> Self {
        key.clone()
    }
}

impl std::str::FromStr for Key {
    type Err = Error;

    fn from_str(path: &str) -> Result<Self, Error> {
        Self::new(path)
    }
}

impl Serialize for Key {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Key {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let path = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        Self::new(path).map_err(serde::de::Error::custom)
    }
}

fn invalid(message: String) -> Error {
    Error::new(ErrorKind::InvalidKey, message)
}

const PREFIX: &str = "/v2/keys";

/// All but the unreserved characters of RFC 3986, section 2.3.
pub(super) const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

#[cfg(test)]
mod tests {
    use super::*;

    fn key(path: &str) -> Key {
        Key::new(path).unwrap()
    }

    #[test]
    fn one_key_has_one_spelling() {
        for path in ["a/b", "/a/b", "/a/b/"] {
            assert_eq!(key(path).as_str(), "/a/b");
        }
        assert!(key("/").is_root());
    }

    #[test]
    fn what_etcd_cannot_hold_is_refused_by_name() {
        for path in ["", "//", "/a//b", "/a/./b", "/a/../b", "..", ".", "/a/b//"] {
            let error = Key::new(path).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::InvalidKey, "{path}");
            assert!(error.outcome().is_not_applied());
            assert!(path.is_empty() || error.to_string().contains(&format!("{path:?}")), "{error}");
        }
    }

    #[test]
    fn a_key_is_too_long_when_its_request_line_is() {
        let overhead = "DELETE /v2/keys/ HTTP/1.1\r\n".len();
        let longest = "a".repeat(MAX_REQUEST_LINE - overhead);
        assert!(Key::new(&longest).is_ok());
        assert_eq!(Key::new(longest + "a").unwrap_err().kind(), ErrorKind::InvalidKey);
        // Encoded, a space has three bytes.
        assert!(Key::new(" ".repeat((MAX_REQUEST_LINE - overhead) / 3)).is_ok());
        assert!(Key::new(" ".repeat(MAX_REQUEST_LINE / 3)).is_err());
    }

    #[test]
    fn each_element_is_encoded() {
        assert_eq!(
            key("/a b/%2F/?#;&+\"\n\0/ä").request_path(),
            "/v2/keys/a%20b/%252F/%3F%23%3B%26%2B%22%0A%00/%C3%A4"
        );
        assert_eq!(key("/...").request_path(), "/v2/keys/...");
        assert_eq!(Key::root().request_path(), "/v2/keys/");
    }

    #[test]
    fn ancestry_compares_elements() {
        assert!(key("/foo/bar").is_at_or_below(&key("/foo")));
        assert!(!key("/foobar").is_at_or_below(&key("/foo")));
        assert_eq!(key("/foo/bar").relative_to(&key("/foo")), Some("bar"));
        assert_eq!(key("/foo").relative_to(&key("/foo")), Some(""));
        assert_eq!(key("/foo").relative_to(&Key::root()), Some("foo"));
        assert_eq!(Key::root().relative_to(&Key::root()), Some(""));
        assert_eq!(key("/a").parent(), Some(Key::root()));
        assert_eq!(Key::root().parent(), None);
        assert_eq!(Key::root().join("a/b").unwrap(), key("/a/b"));
        assert_eq!(key("/a").join("/b").unwrap(), key("/a/b"));
    }
}
