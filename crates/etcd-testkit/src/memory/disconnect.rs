//! How a connection fails, for clients that have none.

use std::error::Error;
use std::fmt;
use std::io::{self, ErrorKind};
use std::sync::LazyLock;

use etcd_proto::BoxError;
use http::StatusCode;

/// No connection could be made: the member is down, unknown, or a fault refuses it.
///
/// Only the in-process services fail with it; over a socket the operating system says so itself. A client that
/// tells "nothing was sent" from "nothing came back" takes this for the former: no byte of the request was read.
///
/// Its source is the [`io::Error`] that a socket would have given: [`ErrorKind::ConnectionRefused`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ConnectRefused;

/// The connection ended before the answer did: **the request may have been carried out or not**.
///
/// It is the error of in-process services, and of bodies, where a client with a socket would find the connection
/// reset or closed.
///
/// Its source is an [`io::Error`] as a socket would have given it: [`ErrorKind::ConnectionReset`] or
/// [`ErrorKind::UnexpectedEof`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Disconnected {
    reset: bool,
}

impl Disconnected {
    pub(crate) const RESET: Self = Self { reset: true };
    pub(crate) const CLOSED: Self = Self { reset: false };

    /// Whether it was reset (`RST`): the member was killed, or a fault did it.
    #[must_use]
    pub fn is_reset(&self) -> bool {
        self.reset
    }

    /// Whether it was closed in order (`FIN`), but too early: by a fault.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        !self.reset
    }
}

impl fmt::Display for ConnectRefused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("connection refused")
    }
}

impl Error for ConnectRefused {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&*REFUSED)
    }
}

impl fmt::Display for Disconnected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.is_reset() { "connection reset" } else { "connection closed" })
    }
}

impl Error for Disconnected {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(if self.is_reset() { &*RESET } else { &*CLOSED })
    }
}

// Shared, so that the errors can be copied and compared.
static REFUSED: LazyLock<io::Error> = LazyLock::new(|| ErrorKind::ConnectionRefused.into());
static RESET: LazyLock<io::Error> = LazyLock::new(|| ErrorKind::ConnectionReset.into());
static CLOSED: LazyLock<io::Error> = LazyLock::new(|| ErrorKind::UnexpectedEof.into());

/// Why a request gets no answer.
#[derive(Debug)]
pub(crate) enum NoAnswer {
    Refused,
    Lost(Disconnected),
    Unread(Unread),
}

/// Why the body of a request was not read.
#[derive(Debug)]
pub(crate) struct Unread {
    pub(crate) error: BoxError,
    /// What the client is told, if it is still there to be told.
    pub(crate) status: Option<StatusCode>,
}

impl From<NoAnswer> for BoxError {
    fn from(reason: NoAnswer) -> Self {
        match reason {
            NoAnswer::Refused => ConnectRefused.into(),
            NoAnswer::Lost(how) => how.into(),
            NoAnswer::Unread(unread) => unread.error,
        }
    }
}
