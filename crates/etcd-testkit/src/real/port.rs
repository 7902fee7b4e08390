//! Free loopback ports.

use std::net::{Ipv4Addr, TcpListener};

use super::error::{Error, ErrorKind, Result};

/// Picks `count` different free TCP ports of 127.0.0.1.
///
/// etcd cannot take over an open listener, so the ports are closed again before it starts, and another process
/// may take one in between: whoever starts etcd retries with new ones. All stay open until the last is
/// picked, or the system might give the same port twice.
pub(super) fn pick(count: usize) -> Result<Vec<u16>> {
    let listeners = (0..count)
        .map(|_| TcpListener::bind((Ipv4Addr::LOCALHOST, 0)))
        .collect::<Result<Vec<_>, _>>()
        .map_err(no_port)?;
    listeners
        .iter()
        .map(|listener| listener.local_addr().map(|address| address.port()))
        .collect::<Result<_, _>>()
        .map_err(no_port)
}

fn no_port(error: std::io::Error) -> Error {
    Error::new(ErrorKind::Start, "no free port on 127.0.0.1").with_source(error)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn ports_differ_and_can_be_bound() {
        let ports = pick(6).unwrap();
        assert_eq!(ports.iter().collect::<HashSet<_>>().len(), 6);
        assert!(ports.iter().all(|&port| port != 0));
    }
}
