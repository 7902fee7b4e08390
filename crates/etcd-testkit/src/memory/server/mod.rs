//! The cluster on loopback ports.

mod connection;
mod link;
mod listener;
mod port;
mod socket;
mod uploads;
mod watch;

pub(crate) use self::listener::Listener;
pub(crate) use self::port::Port;
pub(crate) use self::uploads::Uploads;
