//! A request's place in the log.

use http::Response;

use super::Engine;
use crate::memory::disconnect::NoAnswer;
use crate::memory::journal::{EntryId, Reply};
use crate::memory::service::Body;

/// A request's place in the log. Dropped before it is closed it says that the client has left.
pub(super) struct Ticket<'a> {
    engine: &'a Engine,
    pub(super) entry: EntryId,
    is_closed: bool,
}

impl<'a> Ticket<'a> {
    pub(super) fn new(engine: &'a Engine, entry: EntryId) -> Self {
        Self { engine, entry, is_closed: false }
    }

    /// Notes what the client is told.
    pub(super) fn close(mut self, answer: &Result<Response<Body>, NoAnswer>) {
        let (reply, status) = match answer {
            Ok(response) => (Reply::Answered, Some(response.status())),
            Err(NoAnswer::Refused) => (Reply::Refused, None),
            Err(NoAnswer::Lost(_)) => (Reply::Cut, None),
            Err(NoAnswer::Unread(unread)) => match unread.status {
                Some(status) => (Reply::Answered, Some(status)),
                None => (Reply::Abandoned, None),
            },
        };
        self.is_closed = true;
        self.engine.amend(self.entry, |entry| (entry.reply, entry.status) = (reply, status));
    }
}

impl Drop for Ticket<'_> {
    fn drop(&mut self) {
        if !self.is_closed {
            self.engine.amend(self.entry, |entry| entry.reply = Reply::Abandoned);
        }
    }
}
