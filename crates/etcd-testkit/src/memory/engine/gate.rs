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
    is_changed: bool,
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
    /// Notes the state; `true` if the member was killed by it.
    pub(super) fn update(&mut self, is_down: bool, is_open: bool) -> bool {
        let is_killed = is_down && !self.is_down;
        self.kills += u64::from(is_killed);
        self.is_changed |= (self.is_down, self.is_open) != (is_down, is_open);
        (self.is_down, self.is_open) = (is_down, is_open);
        is_killed
    }

    pub(super) fn take_changed(&mut self) -> bool {
        std::mem::take(&mut self.is_changed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kill_counts_once() {
        let mut gate = Gate::default();
        assert!(!gate.update(false, true));
        assert!(gate.take_changed());
        assert!(gate.update(true, false));
        assert!(!gate.update(true, false));
        assert!(!gate.update(false, true));
        assert!(gate.update(true, false));
        assert_eq!(gate.kills, 2);
        assert!(gate.take_changed());
        assert!(!gate.take_changed());
    }
}
