//! What happens to the cluster on demand.

use tokio::time::Instant;

use super::State;
use crate::memory::{Change, Error};

impl State {
    /// Has something happen now, or nothing at all where it names what does not exist.
    pub(crate) fn change(&mut self, change: &Change) -> Result<(), Error> {
        let now = Instant::now();
        let date = self.date();
        // A time that tokio cannot show lasts for ever.
        match change {
            Change::NoLeader(lasts) => {
                self.store.set_leader(None, date)?;
                self.leader_returns = now.checked_add(*lasts);
            }
            Change::Lag { member, lasts } => {
                self.store.freeze(*member)?;
                match now.checked_add(*lasts) {
                    Some(end) => self.lag_ends.insert(*member, end),
                    None => self.lag_ends.remove(member),
                };
            }
            Change::StalledWrites(fate) => self.stalled_writes = *fate,
            Change::Kill(member) => {
                self.store.check_member(*member)?;
                self.killed.insert(*member);
                let mut lost = self.backlog.lose(|held_by| held_by == *member);
                self.unanswered.append(&mut lost);
            }
            Change::Restart(member) => {
                self.store.check_member(*member)?;
                self.killed.remove(member);
            }
            Change::ClearHistory => self.store.clear_history(),
            Change::ClusterId(id) => self.store.set_cluster_id(*id),
            Change::Index(index) => self.store.set_index(*index),
            Change::ClockForward(by) => {
                self.clock.forward(*by);
                self.tick();
            }
            Change::ClockBack(by) => {
                self.clock.back(*by);
                self.tick();
            }
            Change::Expire(key) => self.store.expire_key(key, date)?,
            Change::ExpireAll => self.store.expire_all(date),
        }
        Ok(())
    }
}
