//! Who a request says it comes from.

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;

/// What the `Authorization` header says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Credentials {
    /// Nothing: the guest.
    None,
    /// A user and a password.
    Basic {
        /// The user's name.
        user: String,
        /// The password in the clear.
        password: String,
    },
    /// Something else, which is refused and never taken for the guest.
    Malformed,
}

impl Credentials {
    /// Reads the header as Go does: the scheme in any case, one blank, base64 with padding, split at the first
    /// colon. An empty header is none.
    pub(crate) fn from_header(header: Option<&[u8]>) -> Self {
        let Some(header) = header.filter(|header| !header.is_empty()) else { return Self::None };
        Self::basic(header).unwrap_or(Self::Malformed)
    }

    fn basic(header: &[u8]) -> Option<Self> {
        let (scheme, encoded) = header.split_at_checked(SCHEME.len())?;
        if !scheme.eq_ignore_ascii_case(SCHEME) {
            return None;
        }
        let decoded = String::from_utf8(BASE64.decode(encoded).ok()?).ok()?;
        let (user, password) = decoded.split_once(':')?;
        Some(Self::Basic { user: user.into(), password: password.into() })
    }
}

const SCHEME: &[u8] = b"Basic ";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_well_formed_basic_credentials_name_a_user() {
        let read = |text: &str| Credentials::from_header(Some(text.as_bytes()));
        let root = Credentials::Basic { user: "root".into(), password: "root:pw".into() };
        assert_eq!(read("Basic cm9vdDpyb290OnB3"), root);
        assert_eq!(read("bAsIc cm9vdDpyb290OnB3"), root);
        for bad in ["Bearer x", "Basic", "Basic cm9vdA==", "Basic ???", "Basic  cm9vdDpyb290OnB3"] {
            assert_eq!(read(bad), Credentials::Malformed, "{bad}");
        }
        assert_eq!(read(""), Credentials::None);
        assert_eq!(Credentials::from_header(None), Credentials::None);
    }
}
