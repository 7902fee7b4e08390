//! One operation, as both sides get it.

use std::fmt;
use std::time::Duration;

use bytes::Bytes;
use http::Request;

/// A request that is played against both servers.
#[derive(Clone, Debug)]
pub(crate) struct Operation {
    pub(crate) method: &'static str,
    /// Path and query, as they go on the wire.
    pub(crate) target: String,
    pub(crate) content_type: Option<&'static str>,
    pub(crate) body: String,
    /// When a key may expire by it, counted from now; `None` if not within this run.
    pub(crate) ends_in: Option<Duration>,
}

impl Operation {
    /// The request; `None` if this HTTP library cannot say it.
    pub(crate) fn request(&self) -> Option<Request<Bytes>> {
        let mut request = Request::builder().method(self.method).uri(&self.target);
        if let Some(content_type) = self.content_type {
            request = request.header("content-type", content_type);
        }
        request.body(Bytes::from(self.body.clone())).ok()
    }

    /// Whether the order of a listing is part of the answer.
    pub(crate) fn is_sorted(&self) -> bool {
        self.target.matches("sorted").count() == 1 && self.target.contains("sorted=true")
    }
}

impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.method, self.target)?;
        if let Some(content_type) = self.content_type {
            write!(f, " [{content_type}]")?;
        }
        if self.body.is_empty() { Ok(()) } else { write!(f, " {}", self.body) }
    }
}
