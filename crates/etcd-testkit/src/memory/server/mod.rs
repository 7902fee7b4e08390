//! The cluster on loopback ports.

mod connection;
mod listener;
mod port;
mod uploads;

pub(crate) use self::listener::Listener;
pub(crate) use self::port::Port;
pub(crate) use self::uploads::Uploads;
