//! The cluster as services, without sockets.

mod body;
mod future;
mod http;
mod operation;
mod upload;
mod watch;

pub use self::body::Body;
pub use self::future::ResponseFuture;
pub use self::http::HttpService;
pub use self::operation::OperationService;

pub(crate) use self::body::Shape;
pub(crate) use self::upload::read as read_upload;
pub(crate) use self::watch::Watch;
