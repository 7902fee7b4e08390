//! The cluster on loopback ports.

mod connection;
mod link;
mod listener;
mod socket;
mod uploads;
mod watch;

pub(crate) use self::listener::Listener;
pub(crate) use self::uploads::Uploads;
