//! The cluster on loopback ports.

mod connection;
mod listener;
mod port;

pub(crate) use self::listener::Listener;
pub(crate) use self::port::Port;
