//! One server of a cluster.
//!
//! Read by hand rather than with a crate for URLs: the grammar is smaller than theirs, and what they accept
//! beyond it (paths, user information, percent-encoding in hosts) has to be refused anyway.

use std::fmt;
use std::net::{IpAddr, Ipv6Addr};
use std::str::FromStr;

use http::uri::{Authority, Scheme};

use crate::{Endpoints, Error, ErrorKind};

/// One server: scheme `http` or `https`, host and port. Cloning it costs a reference count.
///
/// Written as a URL or as `host[:port]` or `[v6]:port`; the port is 2379 where none is given. The host is
/// compared without regard to case.
///
/// | written | is |
/// | --- | --- |
/// | `http://a:4001`, `a:4001`, `http://a:4001/` | `http://a:4001` |
/// | `a` | `http://a:2379` |
/// | `[::1]`, `[::1]:2379` | `http://[::1]:2379` |
/// | `a:`, `a:0`, `a:65536`, `::1`, `http://a/v2` | an error that names it |
/// | `https://a` | `https://a:2379`; without a TLS feature an error that names it |
/// | `user:password@a` | an error that names only `a` |
///
/// ```
/// use etcd_transport::Endpoint;
///
/// let endpoint: Endpoint = "example.net".parse()?;
/// assert_eq!(endpoint.to_string(), "http://example.net:2379");
/// # Ok::<(), etcd_transport::Error>(())
/// ```
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Endpoint {
    /// Whether it is asked over TLS.
    https: bool,
    /// Always with a port, never with user information.
    authority: Authority,
}

impl Endpoint {
    /// Reads one server of a list.
    ///
    /// # Errors
    ///
    /// Kinds `InvalidEndpoint` and `TlsUnavailable`; the message names the item, but never a user or password
    /// in it.
    pub(crate) fn parse(item: &str, default_port: u16) -> Result<Self, Error> {
        // First of all, so that no other message can print what stands before the `@`.
        if let Some((_, behind)) = item.rsplit_once('@') {
            return Err(Self::with_user_information(behind));
        }
        let (https, rest) = match item.split_once("://") {
            Some((scheme, rest)) if scheme.eq_ignore_ascii_case("http") => (false, rest),
            Some((scheme, _)) if scheme.eq_ignore_ascii_case("https") && cfg!(not(feature = "_tls")) => {
                return Err(Error::new(ErrorKind::TlsUnavailable).detail(item));
            }
            Some((scheme, rest)) if scheme.eq_ignore_ascii_case("https") => (true, rest),
            Some((scheme, _)) => {
                return Err(invalid(format!("server `{item}` has the unknown scheme `{scheme}`")));
            }
            None => (false, item),
        };
        let (server, path) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
        if !matches!(path, "" | "/") {
            return Err(invalid(format!("server `{item}` has a path, query or fragment")));
        }
        let (host, port) = split_port(item, server)?;
        let port = port.map_or(Ok(default_port), |port| parse_port(item, port))?;
        check_host(item, host)?;
        let authority = format!("{}:{port}", host.to_ascii_lowercase());
        let authority = Authority::try_from(authority)
            .map_err(|cause| invalid(format!("server `{item}` has no usable host")).caused_by(cause))?;
        Ok(Self { https, authority })
    }

    /// The error for `user:password@behind`, of which it names only the host behind the last `@`.
    pub(crate) fn with_user_information(behind: &str) -> Error {
        let host = behind.split(['/', '?', '#']).next().unwrap_or_default();
        invalid(format!(
            "server `{host}` is given with user information, which does not belong in a list of servers"
        ))
    }

    /// The host as it stands in a URL: IPv6 addresses in brackets.
    #[must_use]
    pub fn host(&self) -> &str {
        self.authority.host()
    }

    /// The port.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.authority.port_u16().unwrap_or(Endpoints::DEFAULT_PORT)
    }

    /// Whether it is asked over TLS.
    #[must_use]
    pub fn is_https(&self) -> bool {
        self.https
    }

    /// The scheme of its URIs.
    pub(crate) fn scheme(&self) -> Scheme {
        if self.https { Scheme::HTTPS } else { Scheme::HTTP }
    }

    /// What a URI has between the scheme and the path.
    pub(crate) fn authority(&self) -> &Authority {
        &self.authority
    }

    /// Whether what is sent there stays on this machine: `localhost`, `127.0.0.0/8` or `::1`.
    pub(crate) fn is_loopback(&self) -> bool {
        let host = self.host().trim_start_matches('[').trim_end_matches(']');
        host == "localhost" || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
    }
}

impl FromStr for Endpoint {
    type Err = Error;

    fn from_str(item: &str) -> Result<Self, Error> {
        Self::parse(item.trim(), Endpoints::DEFAULT_PORT)
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}", self.scheme(), self.authority)
    }
}

impl fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Cuts the port off; `host:` with nothing behind is an error, unlike in the C client.
fn split_port<'a>(item: &str, server: &'a str) -> Result<(&'a str, Option<&'a str>), Error> {
    // The colons of an address in brackets are not the port's.
    let host_end = if server.starts_with('[') { server.find(']').map_or(0, |end| end + 1) } else { 0 };
    let (host, port) = match server[host_end..].find(':') {
        Some(colon) => (&server[..host_end + colon], Some(&server[host_end + colon + 1..])),
        None => (server, None),
    };
    match port {
        Some("") => Err(invalid(format!("server `{item}` has a colon but no port"))),
        Some(port) if port.contains(':') && host_end == 0 => {
            Err(invalid(format!("server `{item}` has several colons; an IPv6 address needs brackets")))
        }
        port => Ok((host, port)),
    }
}

/// Takes 1 to 65535 in digits; `u16` alone would take `+80` and 0.
fn parse_port(item: &str, port: &str) -> Result<u16, Error> {
    let digits = port.bytes().all(|byte| byte.is_ascii_digit());
    match port.parse() {
        Ok(port) if digits && port != 0 => Ok(port),
        _ => Err(invalid(format!("server `{item}` has no port between 1 and 65535"))),
    }
}

/// Takes names, IPv4 addresses, and IPv6 addresses in brackets.
fn check_host(item: &str, host: &str) -> Result<(), Error> {
    let good = match host.strip_prefix('[') {
        Some(rest) => rest.strip_suffix(']').is_some_and(|address| address.parse::<Ipv6Addr>().is_ok()),
        None => {
            !host.is_empty()
                && host.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_'))
        }
    };
    if good { Ok(()) } else { Err(invalid(format!("server `{item}` has no usable host"))) }
}

fn invalid(message: String) -> Error {
    Error::new(ErrorKind::InvalidEndpoint).detail(message)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(item: &str) -> Result<Endpoint, Error> {
        item.parse()
    }

    #[test]
    fn urls_and_hosts_with_and_without_port_are_read() {
        for (item, wanted) in [
            ("http://a:4001", "http://a:4001"),
            ("HTTP://A.Example/", "http://a.example:2379"),
            ("a", "http://a:2379"),
            ("10.0.0.7:80", "http://10.0.0.7:80"),
            ("[::1]:7", "http://[::1]:7"),
            ("[FE80::1]", "http://[fe80::1]:2379"),
            ("http://[::1]/", "http://[::1]:2379"),
            ("my_host-1.local:65535", "http://my_host-1.local:65535"),
        ] {
            assert_eq!(parse(item).unwrap().to_string(), wanted, "{item}");
        }
    }

    #[test]
    fn every_error_names_the_item() {
        for item in [
            "a:",
            "http://a:/",
            ":80",
            "http://",
            "a:0",
            "a:65536",
            "a:+80",
            "a:8x",
            "::1",
            "1::2:80",
            "[::1",
            "[::1]x",
            "[zz]:80",
            "a/b",
            "a?x",
            "http://a#f",
            "http://a//",
            "ftp://a",
            "a b",
            "ä",
            "a%20b",
            "[]",
        ] {
            let error = parse(item).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::InvalidEndpoint, "{item}");
            assert!(error.to_string().contains(&format!("`{item}`")), "{item}: {error}");
        }
    }

    #[test]
    fn user_information_is_refused_and_never_printed() {
        for item in ["http://u53r:canary@a:80/x", "u53r:canary@a:80", "https://u53r:ca@nary@a", "u53r@a"] {
            let error = parse(item).unwrap_err();
            let text = format!("{error} {error:?}");
            assert!(!text.contains("u53r") && !text.contains("canary") && !text.contains("nary@"), "{text}");
            assert!(text.contains("`a"), "{text}");
        }
    }

    #[cfg(feature = "_tls")]
    #[test]
    fn https_is_kept_and_is_another_server_than_http() {
        let endpoint = parse("HTTPS://A").unwrap();
        assert_eq!(endpoint.to_string(), "https://a:2379");
        assert!(endpoint.is_https() && endpoint != parse("a").unwrap());
        assert_eq!(parse("https://[::1]:7/").unwrap().to_string(), "https://[::1]:7");
    }

    #[cfg(not(feature = "_tls"))]
    #[test]
    fn https_says_that_there_is_no_tls() {
        let error = parse("https://a:2379").unwrap_err();
        assert_eq!(error.kind(), ErrorKind::TlsUnavailable);
        assert_eq!(
            error.to_string(),
            "cannot use server `https://a:2379`: this build has no TLS (feature `tls`)"
        );
    }

    #[test]
    fn only_this_machine_is_loopback() {
        for (item, wanted) in [
            ("localhost", true),
            ("127.0.0.9:1", true),
            ("[::1]:1", true),
            ("10.0.0.1", false),
            ("local", false),
        ] {
            assert_eq!(parse(item).unwrap().is_loopback(), wanted, "{item}");
        }
    }
}
