//! A user and a password.
//!
//! Where the password is: here, wiped on drop; and in the header value of the transport, marked as sensitive,
//! which hyper keeps out of its own output. It is in no error, span, event or Debug output.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::HeaderValue;
use secrecy::{ExposeSecret, SecretString};

use crate::{Error, ErrorKind};

/// A user and a password for basic authentication.
///
/// The password is wiped when the last copy is dropped, and never printed. The header made of it lives as
/// long as the transport, marked as sensitive; that copy is not wiped.
///
/// ```
/// let credentials = etcd_transport::Credentials::new("root", "secret")?;
/// assert!(!format!("{credentials:?}").contains("secret"));
/// # Ok::<(), etcd_transport::Error>(())
/// ```
#[derive(Clone)]
pub struct Credentials {
    /// Without a colon.
    user: String,
    password: SecretString,
}

impl Credentials {
    /// Takes a user and a password.
    ///
    /// # Errors
    ///
    /// `InvalidCredentials` for a user name with a colon, which basic authentication cannot carry.
    pub fn new(user: impl Into<String>, password: impl Into<String>) -> Result<Self, Error> {
        let (user, password) = (user.into(), SecretString::from(password.into()));
        if user.contains(':') {
            let message = format!("user name `{}` has a colon in it", printable(&user));
            return Err(Error::new(ErrorKind::InvalidCredentials).detail(message));
        }
        Ok(Self { user, password })
    }

    /// The user's name.
    #[must_use]
    pub fn user(&self) -> &str {
        &self.user
    }

    /// The value of the `Authorization` header, marked as sensitive.
    pub(crate) fn header(&self) -> HeaderValue {
        let pair = SecretString::from(format!("{}:{}", self.user, self.password.expose_secret()));
        let text = SecretString::from(format!("Basic {}", STANDARD.encode(pair.expose_secret())));
        let mut value = HeaderValue::from_str(text.expose_secret())
            .expect("base64 is made of characters that headers allow");
        value.set_sensitive(true);
        value
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credentials").field("user", &self.user).field("password", &"***").finish()
    }
}

/// A user's name up to a colon: what is behind it is a password, more often than not.
pub(crate) fn printable(user: &str) -> String {
    match user.split_once(':') {
        Some((user, _)) => format!("{user}:…"),
        None => user.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_header_is_basic_and_sensitive() {
        let header = Credentials::new("root", "päss:word").unwrap().header();
        assert_eq!(header.to_str().unwrap(), "Basic cm9vdDpww6Rzczp3b3Jk");
        assert!(header.is_sensitive());
        assert_eq!(format!("{header:?}"), "Sensitive");
    }

    #[test]
    fn debug_shows_no_password() {
        let text = format!("{:?}", Credentials::new("root", "canary").unwrap());
        assert_eq!(text, r#"Credentials { user: "root", password: "***" }"#);
    }

    #[test]
    fn a_colon_in_the_user_is_an_error() {
        let error = Credentials::new("ro:ot", "canary").unwrap_err();
        assert!(error.is_invalid_credentials());
        assert_eq!(error.to_string(), "user name `ro:…` has a colon in it");
    }

    #[test]
    fn what_is_behind_a_colon_in_the_user_is_printed_nowhere() {
        // `user:password` given where the user alone belongs.
        let error = Credentials::new("root:hunter2", "canary").unwrap_err();
        assert!(!format!("{error} {error:?} {error:#?}").contains("hunter2"), "{error:?}");
        let builder = crate::Transport::builder("a".parse().unwrap()).credentials("root:hunter2", "canary");
        let text = format!("{builder:?} {builder:#?}");
        assert!(text.contains("root") && !text.contains("hunter2"), "{text}");
    }
}
