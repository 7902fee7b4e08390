//! What can go wrong with a request.

use std::time::Duration;

use http::StatusCode;

/// What a request meets in place of being passed on plainly.
///
/// "Applied" says whether the server has had the request: a write that it had and whose answer is lost is what a
/// client has to cope with most. Where a fault stands in for the answer of an applied request, the server's whole
/// answer is awaited first, so the write has been made by then; for a watch that may take for ever.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fault {
    /// The request is taken and never answered; the connection stays open. Not applied.
    Hang,
    /// As [`Hang`](Self::Hang), but applied: the server's answer has come to the proxy and goes no further.
    HangAnswer,
    /// The connection is reset before any byte of an answer. Not applied.
    ResetBeforeHead,
    /// The connection is closed without an answer. Not applied.
    DropRequest,
    /// Head out, then the connection is reset. Applied.
    ResetAfterHead,
    /// The connection is closed after so many bytes of the body; its head promised more. Applied.
    ///
    /// A body of known length that is not longer is answered in whole. A chunked one of this very length lacks its end.
    CutBody(usize),
    /// As [`CutBody`](Self::CutBody), but the connection is reset.
    ResetBody(usize),
    /// The connection is closed without an answer. Applied.
    DropAnswer,
    /// The connection is reset without an answer. Applied.
    ResetAnswer,
    /// A plain text page of a gateway, such as 502, 503 or 504. **Not** applied.
    GatewayBefore(StatusCode),
    /// A plain text page of a gateway, such as 504. Applied.
    GatewayAfter(StatusCode),
    /// A page of a proxy: HTML with this status, 200 included. Not applied.
    Html(StatusCode),
    /// This status, such as 301 or 307, to this URL. Not applied.
    Redirect {
        /// Of the answer.
        status: StatusCode,
        /// The header `Location`; one that cannot stand in a header is left out.
        location: String,
    },
    /// The server's answer under this status. Applied.
    Status(StatusCode),
    /// The server's answer under this media type; one that cannot stand in a header is taken away. Applied.
    ContentType(String),
    /// All bits of this byte of the answer's body, from 0, are inverted. Applied.
    FlipByte(usize),
    /// The request is passed on later.
    ///
    /// Known limit: a request whose client gives up during the delay is not applied. A network that had it would
    /// deliver it.
    Delay(Duration),
    /// The request is passed on at once, the head of its answer comes later. Applied.
    DelayAnswer(Duration),
    /// The body comes in pieces of at most so many bytes (0 counts as 1), with a pause before each. Applied.
    Dribble {
        /// Bytes of a piece.
        bytes: usize,
        /// The pause.
        every: Duration,
    },
}
