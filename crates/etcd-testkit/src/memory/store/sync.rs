//! The beat at which keys expire.
//!
//! etcd's leader proposes a sync every 500 ms while any key has a time to live, and what has ended by then goes. So a
//! key lives up to 500 ms longer than asked for, and for as long as there is no leader: it is read with an end in
//! the past then. Clients that hold a lock by a key have to mind that (3.x and 2.x alike).

use std::time::SystemTime;

use super::Store;
use super::log::Entry;
use crate::memory::time;

impl Store {
    /// When the next key can expire: the beat of 500 ms at or after its end.
    ///
    /// `None` while no key has a time to live, and while there is no leader or no majority: nothing expires
    /// then. A front sleeps until that time and calls [`sync`](Self::sync); any call in between may change it.
    #[must_use]
    pub fn next_sync(&self) -> Option<SystemTime> {
        self.next_beat().and_then(time::system_time)
    }

    /// Expires what is due at `now`, beat by beat. Cheap when nothing is; [`handle`](Self::handle) does it first.
    ///
    /// A clock that jumps forward expires all at once in the order of the ends; one that jumps back makes keys live longer.
    pub fn sync(&mut self, now: SystemTime) {
        let now = time::nanos(now);
        while let Some(beat) = self.next_beat().filter(|beat| *beat <= now) {
            self.last_sync = beat;
            // The commit cannot fail: an expiry has no conditions.
            let _ = self.commit(Entry::Expire(beat), beat);
        }
        // Set back as well where the clock went back: etcd's beat does not depend on it, only the ends do.
        self.last_sync = floor(now, self.started);
    }

    /// The next beat at which something ends, in nanoseconds since 1970. A beat that was done does not come again.
    fn next_beat(&self) -> Option<i64> {
        if !self.has_working_leader() {
            return None;
        }
        let (end, _) = self.keyspace.tree.first_expiry()?;
        let after_last = self.last_sync.saturating_add(BEAT);
        Some(ceiling(end, self.started).max(after_last))
    }
}

/// The last beat at or before `time`, counted from `start`.
fn floor(time: i64, start: i64) -> i64 {
    time.saturating_sub(time.saturating_sub(start).rem_euclid(BEAT))
}

/// The first beat at or after `time`.
fn ceiling(time: i64, start: i64) -> i64 {
    let floor = floor(time, start);
    if floor == time { time } else { floor.saturating_add(BEAT) }
}

/// etcd's own, in nanoseconds (2.0 to 3.5).
const BEAT: i64 = time::SECOND / 2;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn beats_are_counted_from_the_start() {
        let start = 100;
        assert_eq!(ceiling(100, start), 100);
        assert_eq!(ceiling(101, start), 100 + BEAT);
        assert_eq!(floor(100 + BEAT - 1, start), 100);
        assert_eq!(ceiling(99, start), 100);
        let _ = (floor(i64::MIN, i64::MAX), ceiling(i64::MAX, i64::MIN), ceiling(i64::MAX, 3));
    }
}
