//! Whether a member can be reached.

use tokio::sync::watch::Receiver;

/// Whether a member can be reached.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Gate {
    /// How often the member was killed: what was opened under another number is cut.
    pub(crate) kills: u64,
    /// Whether it is dead now.
    pub(crate) is_down: bool,
    /// Whether it takes new connections.
    pub(crate) is_open: bool,
    /// How often it has changed.
    version: u64,
}

/// Waits until a member is killed that had been killed `kills` times.
///
/// Nothing of the gate is held when it returns: the select around it may drop the body of a watch, which has the
/// engine look at all gates.
pub(crate) async fn killed(gate: &mut Receiver<Gate>, kills: u64) {
    // An error would mean that the engine is gone, and its members with it.
    let _ = gate.wait_for(|gate| gate.kills != kills).await;
}

impl Gate {
    /// Notes the state; `true` if it is another one.
    pub(super) fn update(&mut self, is_down: bool, is_open: bool) -> bool {
        if (self.is_down, self.is_open) == (is_down, is_open) {
            return false;
        }
        self.kills += u64::from(is_down && !self.is_down);
        self.version += 1;
        (self.is_down, self.is_open) = (is_down, is_open);
        true
    }

    /// Becomes `other` if that is newer, and says so: what is told late must not undo what came after it.
    pub(super) fn renew(&mut self, other: Self) -> bool {
        let is_newer = self.version < other.version;
        if is_newer {
            *self = other;
        }
        is_newer
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kill_counts_once() {
        let mut gate = Gate::default();
        assert!(gate.update(false, true));
        assert!(gate.update(true, false));
        assert!(!gate.update(true, false));
        assert!(gate.update(false, true));
        assert!(gate.update(true, false));
        assert_eq!(gate.kills, 2);
    }

    #[test]
    fn late_news_are_no_news() {
        let mut gate = Gate::default();
        gate.update(true, false);
        let killed = gate;
        gate.update(false, true);
        let mut told = Gate::default();
        assert!(told.renew(gate));
        assert!(!told.renew(killed));
        assert!(!told.is_down && told.kills == 1);
    }
}
