//! A password that is not printed.

use std::fmt;

use serde::{Serialize, Serializer};

/// A password on its way to the server. Never printed; Debug shows `***`.
///
/// `Serialize` does write it, since that is how it gets into a request's body: keep it out of files and logs
/// that are made with serde. etcd stores a bcrypt hash and never sends either back.
///
/// # Examples
/// ```
/// use etcd_proto::v2::auth::{CreateUser, Password};
///
/// let create = CreateUser::new("alice", Password::from("s3cret"));
/// assert!(!format!("{create:?}").contains("s3cret"));
/// assert_eq!(create.password.expose(), "s3cret");
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct Password(Box<str>);

impl Password {
    /// The password itself.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl From<&str> for Password {
    fn from(password: &str) -> Self {
        Self(password.into())
    }
}

impl From<String> for Password {
    fn from(password: String) -> Self {
        Self(password.into())
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

impl Serialize for Password {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}
