//! What all contenders have said, in the order in which it was heard.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::timeout;

use super::said::Said;

/// One thing that was said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// By whom.
    pub who: String,
    /// What.
    pub said: Said,
}

/// What all contenders have said, in the order in which it was heard.
#[derive(Debug)]
pub struct Journal {
    entries: Mutex<Vec<Entry>>,
    count: watch::Sender<usize>,
}

impl Journal {
    /// Nothing so far.
    pub fn new() -> Self {
        Self { entries: Mutex::default(), count: watch::Sender::new(0) }
    }

    /// Adds what somebody said.
    pub fn note(&self, who: &str, said: Said) {
        let mut entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        entries.push(Entry { who: who.to_owned(), said });
        self.count.send_replace(entries.len());
    }

    /// All of it.
    pub fn entries(&self) -> Vec<Entry> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// How much was said so far: where to wait from for what comes after.
    pub fn len(&self) -> usize {
        *self.count.borrow()
    }

    /// Whether nothing was said so far.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Waits for an entry, from the `begin`th on, that `pick` makes something of.
    ///
    /// # Panics
    /// If there is none for two minutes, naming `what` was waited for; if a contender says that it failed.
    pub async fn wait<T>(&self, what: &str, begin: usize, mut pick: impl FnMut(&Entry) -> Option<T>) -> T {
        let mut count = self.count.subscribe();
        let mut next = begin;
        let found = timeout(LIMIT, async {
            loop {
                let have = *count.borrow_and_update();
                if let Some(found) = self.scan(&mut next, have, &mut pick) {
                    return found;
                }
                count.changed().await.expect("the journal holds the sender");
            }
        });
        found.await.unwrap_or_else(|_| panic!("{what} did not happen within {LIMIT:?}"))
    }

    /// Waits until somebody is granted something, from the `begin`th entry on: who, with which token, and when.
    pub async fn granted(&self, what: &str, begin: usize) -> (String, u64, Duration) {
        self.wait(what, begin, |entry| match entry.said {
            Said::Granted { token, at } => Some((entry.who.clone(), token, at)),
            Said::Checked { .. } | Said::Released { .. } | Said::Wrote { .. } | Said::Failed { .. } => None,
        })
        .await
    }

    /// Who was granted something last, if the last that was heard of that is that it is held.
    pub fn holder(&self) -> Option<(String, u64)> {
        let entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        let of = |entry: &Entry| match entry.said {
            Said::Granted { token, .. } | Said::Checked { token, .. } | Said::Released { token, .. } => {
                Some(token)
            }
            Said::Wrote { .. } | Said::Failed { .. } => None,
        };
        let token = entries.iter().filter_map(of).max()?;
        let last = entries.iter().rev().find(|entry| of(entry) == Some(token))?;
        let is_held = matches!(last.said, Said::Checked { is_held: true, .. });
        is_held.then(|| (last.who.clone(), token))
    }

    fn scan<T>(
        &self,
        next: &mut usize,
        have: usize,
        pick: &mut impl FnMut(&Entry) -> Option<T>,
    ) -> Option<T> {
        let entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        while *next < have {
            let entry = &entries[*next];
            *next += 1;
            if let Said::Failed { why } = &entry.said {
                panic!("{} failed: {why}", entry.who);
            }
            if let Some(found) = pick(entry) {
                return Some(found);
            }
        }
        None
    }
}

impl Default for Journal {
    fn default() -> Self {
        Self::new()
    }
}

/// Far longer than any ttl here and an election together take on a busy machine.
const LIMIT: Duration = Duration::from_secs(120);
