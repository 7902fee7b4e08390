//! Which redirects may be followed: a function of texts, with no state.
//!
//! Only the server of a `Location` is taken from it. Path, query and body stay those of the request: etcd 0.x
//! names the same path at the leader, and a server that names another one could turn a write of one key into
//! a write of another.

use std::fmt;

use http::{HeaderValue, StatusCode, Uri};

/// What a status says of where the request belongs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Direction {
    /// It is not a redirect.
    None,
    /// 307 and 308: to another server, with method and body as they are.
    Elsewhere,
    /// 301, 302 and 303: the path is not one that etcd serves; most HTTP stacks would make a GET of it.
    Moved,
}

impl Direction {
    /// Reads the status.
    pub(super) fn of(status: StatusCode) -> Self {
        match status.as_u16() {
            301..=303 => Self::Moved,
            307 | 308 => Self::Elsewhere,
            _ => Self::None,
        }
    }
}

/// Why a redirect is not followed, and where it leads.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Refusal {
    pub(super) reason: Reason,
    /// Scheme, host and port, as far as they could be read; never user information, path or query.
    target: Option<String>,
}

/// Why a redirect is not followed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reason {
    /// There is no `Location`.
    Missing,
    /// The `Location` is no URL with `http` or `https`.
    Unreadable,
    /// It names a path at the same server, or the server that has answered.
    Itself,
    /// It has a user name or a password in it.
    UserInformation,
    /// It leads from `https` to `http`.
    Downgrade,
    /// It leads to a server that nobody has named.
    UnknownServer,
    /// It leads to another path.
    AnotherPath,
    /// It is one more than may be followed.
    TooMany,
    /// The call may ask one server only, and this is another.
    Pinned,
    /// The request has a body that exists only once.
    Unrepeatable,
}

impl Reason {
    /// Whether the answer is a redirect as HTTP knows it, so that the request was turned away and not served.
    pub(super) fn is_redirect(self) -> bool {
        match self {
            Self::Missing | Self::Unreadable => false,
            Self::Itself
            | Self::UserInformation
            | Self::Downgrade
            | Self::UnknownServer
            | Self::AnotherPath
            | Self::TooMany
            | Self::Pinned
            | Self::Unrepeatable => true,
        }
    }
}

impl Refusal {
    pub(super) fn new(reason: Reason, target: Option<&str>) -> Self {
        // Long enough for every name; a server may send more, and it ends up in logs.
        Self { reason, target: target.map(|target| target.chars().take(LONGEST_SHOWN).collect()) }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.target {
            Some(target) => write!(f, "redirects to {target}, ")?,
            None => f.write_str("redirects, ")?,
        }
        f.write_str(match self.reason {
            Reason::Missing => "but does not say where",
            Reason::Unreadable => "but not to a URL",
            Reason::Itself => "which is itself",
            Reason::UserInformation => "and would have a user name sent there",
            Reason::Downgrade => "from https to http",
            Reason::UnknownServer => "which is no server of this client",
            Reason::AnotherPath => "but to another path",
            Reason::TooMany => "after as many redirects as may be followed",
            Reason::Pinned => "but the call may ask this server only",
            Reason::Unrepeatable => "but the request's body can be sent only once",
        })
    }
}

/// Where a redirect leads: `scheme://host:port` of a server that may be asked instead.
///
/// `origin` is the server that has answered, in the same form, and `path` what it was asked for; `None` for a
/// server that is not known, which counts as one with `https`. `knows` says whether a server may be asked.
///
/// # Errors
///
/// Why it must not be followed.
pub(super) fn target(
    origin: Option<&str>,
    path: &str,
    location: Option<&HeaderValue>,
    knows: impl Fn(&str) -> bool,
) -> Result<String, Refusal> {
    let location = location.ok_or(Refusal::new(Reason::Missing, None))?;
    let unreadable = || Refusal::new(Reason::Unreadable, None);
    let location = location.to_str().map_err(|_| unreadable())?.trim();
    // `//host/path` takes the scheme over.
    let absolute = match (location.strip_prefix("//"), origin.and_then(|origin| origin.split_once("://"))) {
        (Some(rest), Some((scheme, _))) => &format!("{scheme}://{rest}"),
        _ => location,
    };
    let uri = absolute.parse::<Uri>().map_err(|_| unreadable())?;
    let (Some(scheme), Some(authority)) = (uri.scheme_str(), uri.authority()) else {
        let relative = location.starts_with('/') && !location.starts_with("//");
        return Err(if relative { Refusal::new(Reason::Itself, None) } else { unreadable() });
    };
    let https = match scheme.to_ascii_lowercase().as_str() {
        "https" => true,
        "http" => false,
        _ => return Err(unreadable()),
    };
    let (host, behind) = split(authority.as_str());
    let port: u16 = match behind.strip_prefix(':') {
        None if behind.is_empty() => {
            if https {
                443
            } else {
                80
            }
        }
        Some(digits) if digits.bytes().all(|byte| byte.is_ascii_digit()) => {
            digits.parse().ok().filter(|port| *port != 0).ok_or_else(unreadable)?
        }
        _ => return Err(unreadable()),
    };
    let scheme = if https { "https" } else { "http" };
    let target = format!("{scheme}://{}:{port}", host.to_ascii_lowercase());
    let refused = |reason| Err(Refusal::new(reason, Some(&target)));
    if authority.as_str().contains('@') {
        return refused(Reason::UserInformation);
    }
    if !https && origin.is_none_or(|origin| origin.starts_with("https://")) {
        return refused(Reason::Downgrade);
    }
    if origin == Some(target.as_str()) {
        return refused(Reason::Itself);
    }
    if !knows(&target) {
        return refused(Reason::UnknownServer);
    }
    if !decoded(uri.path()).eq(decoded(path)) {
        return refused(Reason::AnotherPath);
    }
    Ok(target)
}

/// The host of an authority, without user information, and what is behind it.
fn split(authority: &str) -> (&str, &str) {
    let server = authority.rsplit_once('@').map_or(authority, |(_, server)| server);
    let end = if server.starts_with('[') { server.find(']').map_or(0, |end| end + 1) } else { 0 };
    server.split_at(server[end..].find(':').map_or(server.len(), |colon| end + colon))
}

/// The bytes that a path stands for. Go's HTTP library does not write every path as it came.
fn decoded(path: &str) -> impl Iterator<Item = u8> {
    let mut rest = path.as_bytes();
    std::iter::from_fn(move || {
        let digit = |at: usize| char::from(*rest.get(at)?).to_digit(16);
        let (byte, length) = match (rest.first()?, digit(1), digit(2)) {
            (b'%', Some(high), Some(low)) => (u8::try_from(high * 16 + low).ok()?, 3),
            (byte, _, _) => (*byte, 1),
        };
        rest = &rest[length..];
        Some(byte)
    })
}

/// Of what a redirect leads to, in characters. A name has 253 at most.
const LONGEST_SHOWN: usize = 280;

#[cfg(test)]
#[path = "rule_test.rs"]
mod tests;
