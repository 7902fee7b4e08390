//! A proxy in front of a real server that has things go wrong, and scripted listeners for what no server does.
//!
//! A [`Proxy`] listens on a loopback port and passes everything on, unchanged, until a rule says otherwise. It
//! writes down what it has seen, so that a test can say how many attempts a client has made, and whether a write
//! has reached the server once or twice:
//!
//! ```no_run
//! use etcd_testkit::proxy::{Fault, Proxy, Rule};
//! use http::Method;
//!
//! # async fn run() -> std::io::Result<()> {
//! let proxy = Proxy::builder("http://127.0.0.1:2379").start().await?;
//! proxy.faults().add(Rule::new(Fault::DropAnswer).method(Method::PUT).key_prefix("/jobs").nth(1));
//!
//! // .. a client that is given proxy.endpoint() writes /jobs/1: the write is made, its answer lost ..
//!
//! let puts = proxy.log().entries().into_iter().filter(|entry| entry.method == Method::PUT);
//! assert_eq!(puts.filter(|entry| entry.forwarded).count(), 1, "sent once");
//! # Ok(())
//! # } // the listener and all connections end when the proxy is dropped
//! ```
//!
//! # Two levels
//!
//! A [`Rule`] gives a [`Fault`] to *requests*. A request meets the fault of the first rule whose turn it is, as in
//! the server in memory. A [`ConnectionRule`] gives a [`ConnectionFault`] to *connections*, at the level of bytes
//! between the client and the proxy, chosen when the connection is taken; a connection meets all whose turn it is.
//! Both work at once: a connection that is slow can carry a request whose answer is lost.
//!
//! ```no_run
//! use std::time::Duration;
//!
//! use etcd_testkit::proxy::{ConnectionFault, ConnectionRule, Direction, Proxy};
//!
//! # async fn run() -> std::io::Result<()> {
//! let proxy = Proxy::builder("127.0.0.1:2379").start().await?;
//! let slow = ConnectionFault::Delay { direction: Direction::ToClient, by: Duration::from_millis(50) };
//! proxy.faults().add_connection(ConnectionRule::new(slow));
//! proxy.faults().add_connection(
//!     ConnectionRule::new(ConnectionFault::Reset { direction: Direction::ToClient, after: 100 }).nth(2),
//! );
//!
//! proxy.refuse().await; // connecting is refused, what is open goes on
//! proxy.reset_connections(); // and now it does not
//! proxy.restore().await?; // the same port
//! # Ok(())
//! # }
//! ```
//!
//! With [`ProxyBuilder::bytes_only`], or for an upstream whose URL begins with `https:`, the proxy does not look
//! into the bytes: TLS passes through, rules for connections work, and rules for requests and the log see nothing.
//!
//! # What passes unchanged
//!
//! Methods, targets, statuses, headers with the case of their names, bodies, chunked streams as they come, and
//! long polls. A connection of a client has one connection to the server of its own, made for the first request
//! and closed with it; it is never retried. One whose server is gone is reset. Not passed on: pipelining (requests
//! are sent one after another), trailers, upgrades, and the bounds of chunks.
//!
//! # Time
//!
//! Delays use tokio's clock, but sockets live in real time: on a runtime whose clock is paused every delay and every
//! limit passes at once while bytes are still under way. Tests with a proxy or a listener leave the clock alone.
//! For virtual time there are the services of the server in memory.
//!
//! # Limits
//!
//! The log keeps 10,000 requests, the first KiB of each target. A connection holds some 100 KiB for bytes at most
//! and 1 MiB for a head; 10,000 connections are taken at once. A client that does not close a connection that the
//! proxy has closed is waited for 5 s.
//!
//! # Map
//!
//! | | |
//! | --- | --- |
//! | [`Proxy`], [`ProxyBuilder`] | the proxy: its port, refusing, stalling, resetting |
//! | [`Faults`] | its rules, changed at any time |
//! | [`Rule`], [`Fault`] | which requests meet what |
//! | [`ConnectionRule`], [`ConnectionFault`], [`Direction`] | which connections meet what |
//! | [`Log`], [`LogEntry`] | what was seen, for assertions |
//! | [`raw`] | listeners that follow a script, and hostile answers |

mod answer;
mod body;
mod builder;
mod connection;
mod connection_fault;
mod ending;
mod fault;
mod faults;
mod forward;
mod handle;
mod journal;
mod listener;
mod page;
mod pipe;
pub mod raw;
mod rule;
mod session;
mod switch;

pub use self::builder::ProxyBuilder;
pub use self::connection_fault::{ConnectionFault, ConnectionRule, Direction};
pub use self::fault::Fault;
pub use self::faults::Faults;
pub use self::handle::Proxy;
pub use self::journal::{Log, LogEntry};
pub use self::rule::Rule;
