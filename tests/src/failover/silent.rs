//! Endpoints that take connections, or not even those, and say nothing.

use std::net::{Ipv4Addr, SocketAddr};

use etcd_testkit::real::Server;
use tokio::net::{TcpListener, TcpSocket, TcpStream};

use super::Calls;
use super::refusing::follower_first;
use crate::canary;

/// A port whose connections are taken by the system and never by anybody: what is sent to it is read by nobody.
#[derive(Debug)]
pub struct Silent {
    listener: TcpListener,
}

/// A port that no new connection reaches: its queue is full, and the system leaves out the answer to a SYN.
#[derive(Debug)]
pub struct SynHang {
    address: SocketAddr,
    _listener: TcpListener,
    _queued: Vec<TcpStream>,
}

impl Silent {
    /// Listens on a port of this machine.
    ///
    /// # Panics
    /// If there is no port.
    pub async fn start() -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a port of this machine");
        Self { listener }
    }

    /// Its URL.
    ///
    /// # Panics
    /// Never: the listener has an address.
    pub fn endpoint(&self) -> String {
        format!("http://{}", self.listener.local_addr().expect("it listens"))
    }
}

impl SynHang {
    /// Fills the queue of a port of this machine.
    ///
    /// # Panics
    /// If the queue does not fill up.
    pub async fn start() -> Self {
        let socket = TcpSocket::new_v4().expect("a socket");
        socket.bind((Ipv4Addr::LOCALHOST, 0).into()).expect("a port of this machine");
        let listener = socket.listen(1).expect("a queue of one");
        let address = listener.local_addr().expect("it listens");
        let mut queued = Vec::new();
        for _ in 0..FILL {
            // A connect that does not end within this time found the queue full.
            match tokio::time::timeout(FULL_AFTER, TcpStream::connect(address)).await {
                Ok(stream) => queued.push(stream.expect("the queue takes it")),
                Err(_) => return Self { address, _listener: listener, _queued: queued },
            }
        }
        panic!("the queue of {address} took {FILL} connections and is not full");
    }

    /// Its URL.
    pub fn endpoint(&self) -> String {
        format!("http://{}", self.address)
    }
}

/// Freezes the follower that a client is using (SIGSTOP), reads on, and lets it go on at the end.
///
/// # Panics
/// If the servers do not do what they are told.
pub async fn member_frozen(server: &Server, calls: usize) -> Calls {
    let (place, endpoints) = follower_first(server).await;
    let client = canary::builder().endpoints(endpoints).build().expect("a test server has endpoints");
    client.set("/failover/read", "1").await.expect("a healthy cluster");
    let call = async |_| client.get("/failover/read").await;
    let before = Calls::make(12, call).await;
    assert_eq!((before.errors().len(), before.repeated()), (0, 0), "{:?}", before.errors());
    server.member(place).stop().unwrap_or_else(|error| panic!("{error}"));
    let after = Calls::make(calls, call).await;
    server.member(place).resume().unwrap_or_else(|error| panic!("{error}"));
    after
}

/// More than any queue of one takes.
const FILL: usize = 16;
const FULL_AFTER: std::time::Duration = std::time::Duration::from_millis(300);
