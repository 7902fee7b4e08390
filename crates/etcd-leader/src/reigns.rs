//! Which leaderships of a candidate are still there: whoever was lost has to be dropped before the next campaign.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use etcd_recipe::Lost;
use futures_util::FutureExt as _;

use crate::{Error, ErrorKind, Result};

/// The leaderships that one candidate has, shared by its clones.
#[derive(Clone, Debug, Default)]
pub(crate) struct Reigns(Arc<Mutex<Book>>);

/// Guards data only: an entry is there exactly as long as its [`Reign`].
#[derive(Debug, Default)]
struct Book {
    next: u64,
    entries: Vec<(u64, Lost)>,
}

/// The entry of one leadership, which ends it when it is dropped.
#[derive(Debug)]
pub(crate) struct Reign {
    reigns: Reigns,
    number: u64,
}

impl Reigns {
    /// Enters a leadership.
    pub(crate) fn begin(&self, lost: Lost) -> Reign {
        let mut book = self.book();
        let number = book.next;
        book.next += 1;
        book.entries.push((number, lost));
        Reign { reigns: self.clone(), number }
    }

    /// Makes sure that there is none that was lost and is still kept.
    ///
    /// # Errors
    /// [`ErrorKind::NotStopped`] if there is one.
    pub(crate) fn require_stopped(&self) -> Result<()> {
        // A clone asks the clock anew.
        let lost: Vec<Lost> = self.book().entries.iter().map(|(_, lost)| lost.clone()).collect();
        match lost.into_iter().any(|lost| lost.now_or_never().is_some()) {
            true => Err(Error::new(ErrorKind::NotStopped)),
            false => Ok(()),
        }
    }

    fn book(&self) -> MutexGuard<'_, Book> {
        // Nothing panics while it is locked but for want of memory, and the entries are whole at any time.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Reign {
    fn drop(&mut self) {
        self.reigns.book().entries.retain(|(number, _)| *number != self.number);
    }
}
