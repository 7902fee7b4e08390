//! The servers of a cluster.
//!
//! The grammar is that of the C client's `ETCD_SERVERS` with URLs and IPv6 added. Unlike there, a colon with
//! nothing behind and a port out of range are errors, and the default port is 2379.

use std::str::FromStr;
use std::sync::Arc;

use crate::{Endpoint, Error, ErrorKind};

/// The servers of one cluster: at least one, each once, in the order given. Cloning costs a reference count.
///
/// A list is written with commas, semicolons or white space between the servers, any run of them, also in
/// front and at the end. Each server is a URL, `host[:port]` or `[v6]:port`.
///
/// ```
/// use etcd_transport::Endpoints;
///
/// let endpoints = Endpoints::parse("http://a:2379, b:4001; [::1]")?;
/// assert_eq!(endpoints.len(), 3);
/// # Ok::<(), etcd_transport::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoints {
    /// Not empty, none twice.
    servers: Arc<[Endpoint]>,
}

impl Endpoints {
    /// The port of a server that is given without one.
    pub const DEFAULT_PORT: u16 = 2379;

    /// Reads servers that are already apart, one in each item, for lists in configuration files.
    ///
    /// ```
    /// let endpoints = etcd_transport::Endpoints::new(["http://a:2379", "b"])?;
    /// assert_eq!(endpoints.first().host(), "a");
    /// # Ok::<(), etcd_transport::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// As [`Endpoints::parse`].
    pub fn new<I>(items: I) -> Result<Self, Error>
    where
        I: IntoIterator,
        I::Item: AsRef<str>,
    {
        Self::collect(items.into_iter().map(|item| Endpoint::parse(item.as_ref().trim(), Self::DEFAULT_PORT)))
    }

    /// Reads a list; servers without a port get 2379.
    ///
    /// # Errors
    ///
    /// `NoEndpoints` for an empty list, `InvalidEndpoint` for what is no server and for `http` beside `https`,
    /// `TlsUnavailable` for `https` in a build without TLS; the message names the item.
    pub fn parse(list: &str) -> Result<Self, Error> {
        Self::parse_with_default_port(list, Self::DEFAULT_PORT)
    }

    /// Reads a list; servers without a port get this one (old clients use 4001).
    ///
    /// # Errors
    ///
    /// As [`Endpoints::parse`].
    pub fn parse_with_default_port(list: &str, port: u16) -> Result<Self, Error> {
        // A password may hold a separator: with an `@` anywhere the items are not what they seem, and none of
        // them may be printed.
        if let Some((_, behind)) = list.rsplit_once('@') {
            return Err(Endpoint::with_user_information(
                behind.split(is_separator).next().unwrap_or_default(),
            ));
        }
        let items = list.split(is_separator).filter(|item| !item.is_empty());
        Self::collect(items.map(|item| Endpoint::parse(item, port)))
    }

    /// Takes servers in their order.
    ///
    /// # Errors
    ///
    /// `NoEndpoints`.
    pub(crate) fn of(servers: Vec<Endpoint>) -> Result<Self, Error> {
        Self::collect(servers.into_iter().map(Ok))
    }

    /// Takes servers that were read; the same server counts at its first place.
    fn collect(items: impl IntoIterator<Item = Result<Endpoint, Error>>) -> Result<Self, Error> {
        let mut servers = Vec::new();
        for item in items {
            let endpoint = item?;
            if !servers.contains(&endpoint) {
                servers.push(endpoint);
            }
        }
        if servers.is_empty() {
            return Err(Error::new(ErrorKind::NoEndpoints));
        }
        let list = Self { servers: servers.into() };
        match list.iter().find(|endpoint| !list.admits(endpoint)) {
            Some(plain) => Err(Error::new(ErrorKind::InvalidEndpoint).detail(format!(
                "server `{plain}` is not https, and others of the list are: nothing would be safe with it"
            ))),
            None => Ok(list),
        }
    }

    /// Whether a server may stand beside these: any, but none in plain text beside one that is `https`.
    ///
    /// For servers that a cluster itself names (its members, a redirect): what was meant for TLS must not go
    /// out without it.
    #[must_use]
    pub fn admits(&self, endpoint: &Endpoint) -> bool {
        endpoint.is_https() || !self.servers.iter().any(Endpoint::is_https)
    }

    /// The servers in their order.
    pub fn iter(&self) -> std::slice::Iter<'_, Endpoint> {
        self.servers.iter()
    }

    /// How many there are, at least 1; duplicates are not counted.
    #[must_use]
    #[expect(clippy::len_without_is_empty, reason = "a list is never empty")]
    pub fn len(&self) -> usize {
        self.servers.len()
    }

    /// The first server.
    #[must_use]
    pub fn first(&self) -> &Endpoint {
        // Never empty, see `collect`.
        &self.servers[0]
    }

    /// Whether the server is one of these.
    #[must_use]
    pub fn contains(&self, endpoint: &Endpoint) -> bool {
        self.servers.contains(endpoint)
    }
}

impl FromStr for Endpoints {
    type Err = Error;

    fn from_str(list: &str) -> Result<Self, Error> {
        Self::parse(list)
    }
}

impl<'a> IntoIterator for &'a Endpoints {
    type Item = &'a Endpoint;
    type IntoIter = std::slice::Iter<'a, Endpoint>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl From<Endpoint> for Endpoints {
    fn from(endpoint: Endpoint) -> Self {
        Self { servers: Arc::new([endpoint]) }
    }
}

fn is_separator(c: char) -> bool {
    matches!(c, ',' | ';') || c.is_whitespace()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(text: &str) -> Vec<String> {
        Endpoints::parse(text).unwrap().iter().map(Endpoint::to_string).collect()
    }

    #[test]
    fn any_run_of_separators_parts_the_servers() {
        for text in ["a:1,b:2", " a:1\t;\r\n b:2 ", ",;a:1 b:2,,", "a:1,b:2;a:1", "http://a:1/ http://b:2"] {
            assert_eq!(list(text), ["http://a:1", "http://b:2"], "{text:?}");
        }
    }

    #[test]
    fn the_default_port_can_be_another() {
        let endpoints = Endpoints::parse_with_default_port("a b:2379", 4001).unwrap();
        let ports: Vec<u16> = endpoints.iter().map(Endpoint::port).collect();
        assert_eq!(ports, [4001, 2379]);
    }

    #[test]
    fn the_same_server_counts_once_at_its_first_place() {
        assert_eq!(list("b a B:2379 http://b/"), ["http://b:2379", "http://a:2379"]);
    }

    #[test]
    fn an_empty_list_is_no_list() {
        for text in ["", "  ", ",;,"] {
            let error = Endpoints::parse(text).unwrap_err();
            assert!(error.is_no_endpoints());
            assert_eq!(error.to_string(), "no servers");
        }
        assert!(Endpoints::new(Vec::<String>::new()).unwrap_err().is_no_endpoints());
    }

    #[test]
    fn one_bad_server_spoils_the_list_and_is_named() {
        let error = Endpoints::parse("a, b:99999, c").unwrap_err();
        assert!(error.to_string().contains("`b:99999`"), "{error}");
        let error = Endpoints::new(["a", "b,c"]).unwrap_err();
        assert!(error.to_string().contains("`b,c`"), "{error}");
    }

    #[cfg(feature = "_tls")]
    #[test]
    fn plain_text_never_stands_beside_https() {
        for list in ["https://a http://b", "b https://a", "http://a https://a"] {
            let error = Endpoints::parse(list).unwrap_err();
            assert!(error.is_invalid_endpoint() && error.to_string().contains("`http://"), "{error}");
        }
        let list = Endpoints::parse("https://a https://b").unwrap();
        assert!(list.admits(&"https://c".parse().unwrap()) && !list.admits(&"http://a".parse().unwrap()));
        assert!(Endpoints::parse("a").unwrap().admits(&"https://b".parse().unwrap()));
    }

    #[test]
    fn a_password_with_a_separator_in_it_is_not_printed() {
        for text in
            ["http://user:can,ary@a:1", "b;http://user:can ary@a:1,c", "http://user:x@a http://user:can,y@b"]
        {
            let error = Endpoints::parse(text).unwrap_err();
            let text = format!("{error} {error:?}");
            assert!(!text.contains("can") && !text.contains("ary") && !text.contains("user:"), "{text}");
        }
        assert!(Endpoints::new(["http://user:can,ary@a"]).unwrap_err().is_invalid_endpoint());
    }
}
