//! Listeners that follow a script: for answers that no server gives.
//!
//! ```
//! use etcd_testkit::proxy::raw::{Listener, Script};
//! use tokio::io::{AsyncReadExt, AsyncWriteExt};
//! use tokio::net::TcpStream;
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> std::io::Result<()> {
//! // The first connection gets half an answer and a reset, each further one is closed at once.
//! let half = Script::new().read_head().write("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{").reset();
//! let listener = Listener::start([half]).await?;
//!
//! let mut client = TcpStream::connect(listener.addr()).await?;
//! client.write_all(b"GET /version HTTP/1.1\r\nHost: a\r\n\r\n").await?;
//! let mut answer = Vec::new();
//! assert!(client.read_to_end(&mut answer).await.is_err(), "reset");
//! assert!(answer.ends_with(b"\r\n\r\n{"));
//! assert!(listener.received(0).starts_with(b"GET /version "));
//! # Ok(())
//! # }
//! ```
//!
//! Hostile answers are generated while they are sent, not stored: [`Script::endless_headers`],
//! [`Script::endless_body`], [`Script::nested_json`], [`Script::drip`].
//!
//! Sockets live in real time: do not use a listener on a runtime whose clock is paused.

mod listener;
mod run;
mod script;

pub use self::listener::Listener;
pub use self::script::Script;
