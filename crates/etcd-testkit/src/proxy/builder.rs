//! Starting a proxy.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use tokio::sync::watch;

use super::connection::Shared;
use super::switch::Switch;
use super::{ConnectionRule, Faults, Log, Proxy, Rule, listener};
use crate::port::Port;

/// Settings of a [`Proxy`] that is to be started.
#[derive(Clone, Debug)]
#[must_use = "a proxy runs only once it is started"]
pub struct ProxyBuilder {
    upstream: String,
    listen: SocketAddr,
    is_bytes_only: bool,
    rules: Vec<Rule>,
    connection_rules: Vec<ConnectionRule>,
}

impl ProxyBuilder {
    pub(super) fn new(upstream: String) -> Self {
        Self {
            upstream,
            listen: (Ipv4Addr::LOCALHOST, 0).into(),
            is_bytes_only: false,
            rules: Vec::new(),
            connection_rules: Vec::new(),
        }
    }

    /// Where to listen; default 127.0.0.1 and a free port. Port 0 means a free one.
    pub fn listen(mut self, address: SocketAddr) -> Self {
        self.listen = address;
        self
    }

    /// Does not look into the bytes: rules for requests and the log see nothing, and any protocol passes. Default:
    /// only for an upstream whose URL begins with `https:`.
    pub fn bytes_only(mut self) -> Self {
        self.is_bytes_only = true;
        self
    }

    /// Adds a rule for requests behind the others, from the start.
    pub fn rule(mut self, rule: Rule) -> Self {
        self.rules.push(rule);
        self
    }

    /// Adds a rule for connections, from the start.
    pub fn connection_rule(mut self, rule: ConnectionRule) -> Self {
        self.connection_rules.push(rule);
        self
    }

    /// Starts it. The upstream need not be there yet: it is connected to when a client asks for something.
    ///
    /// # Errors
    /// If the upstream is neither `host:port` nor a URL with a host and a port, or the port to listen on is not
    /// to be had.
    ///
    /// # Cancel safety
    /// If the future is dropped, nothing listens.
    pub async fn start(self) -> io::Result<Proxy> {
        let (is_tls, upstream) = authority(&self.upstream)?;
        let faults = Faults::default();
        faults.set(self.rules);
        for rule in self.connection_rules {
            faults.add_connection(rule);
        }
        let shared = Arc::new(Shared {
            upstream,
            is_bytes_only: self.is_bytes_only || is_tls,
            faults,
            log: Log::default(),
            taken: 0.into(),
            open: 0.into(),
        });
        let port = Port::reserve(self.listen)?;
        let address = port.address();
        let socket = port.listen()?;
        let switch = watch::Sender::new(Switch::default());
        let (is_listening, listening) = watch::channel(true);
        let run = listener::run(Arc::clone(&shared), port, socket, switch.subscribe(), is_listening);
        Ok(Proxy::new(shared, address, is_tls, switch, listening, tokio::spawn(run)))
    }
}

/// Whether it is for TLS, and host and port.
fn authority(upstream: &str) -> io::Result<(bool, String)> {
    let (scheme, rest) = upstream.split_once("://").unwrap_or(("http", upstream));
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let has_port = authority
        .rsplit_once(':')
        .is_some_and(|(host, port)| !host.is_empty() && !host.contains('@') && port.parse::<u16>().is_ok());
    if !has_port || !["http", "https"].contains(&scheme) {
        let message = "the upstream is not host:port nor a URL of http or https with a host and a port";
        return Err(io::Error::new(io::ErrorKind::InvalidInput, message));
    }
    Ok((scheme == "https", authority.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_upstream_is_an_address_or_a_url() {
        for (upstream, is_tls, wanted) in [
            ("127.0.0.1:2379", false, "127.0.0.1:2379"),
            ("[::1]:2379", false, "[::1]:2379"),
            ("http://localhost:2379/", false, "localhost:2379"),
            ("https://etcd.test:1", true, "etcd.test:1"),
        ] {
            assert_eq!(authority(upstream).unwrap(), (is_tls, wanted.to_owned()));
        }
        for upstream in ["", "localhost", "http://localhost", "unix://a:1", "http://user:secret@localhost:1"]
        {
            assert_eq!(authority(upstream).unwrap_err().kind(), io::ErrorKind::InvalidInput, "{upstream}");
        }
    }
}
