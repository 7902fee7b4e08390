//! What goes wrong while a watch runs.

use std::collections::BTreeMap;
use std::fmt;

use etcd_testkit::memory::Fault;

/// What goes wrong while a watch runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    /// A watch's connection is closed without a head.
    CutBeforeHead,
    /// It is closed behind the head, before any event.
    CutBeforeEvent,
    /// It is closed within an event.
    CutInsideEvent,
    /// It is reset, before the head or behind it.
    Reset,
    /// It stays open and brings nothing more: before the head, behind it, or within an event.
    SilentPeer,
    /// It is late, comes in pieces, or a proxy answers in its place.
    Slow,
    /// The member that it is at sees no majority any more: it answers, and nothing happens to it.
    Partition,
    /// The member that it is at dies and comes back, or all do.
    Restart,
    /// Nothing is decided for a time.
    LeaderLoss,
    /// The consumer does not read while more happens than the server keeps for a stream.
    Overflow,
    /// The consumer does not read while what it has not seen goes out of the history.
    HistoryCleared,
    /// The store is put back to what it was.
    IndexBack,
    /// The member that it is at lags.
    Stale,
}

/// How often what has happened; not what was meant to, but what a watch has met.
#[derive(Clone, Debug, Default)]
pub(super) struct Tally(BTreeMap<Kind, u64>);

impl Kind {
    pub(super) const ALL: [Self; 13] = [
        Self::CutBeforeHead,
        Self::CutBeforeEvent,
        Self::CutInsideEvent,
        Self::Reset,
        Self::SilentPeer,
        Self::Slow,
        Self::Partition,
        Self::Restart,
        Self::LeaderLoss,
        Self::Overflow,
        Self::HistoryCleared,
        Self::IndexBack,
        Self::Stale,
    ];

    /// So many of them in any order, each as often as the others, or once more.
    pub(super) fn deck(count: usize, rng: &mut fastrand::Rng) -> Vec<Self> {
        let mut deck = Vec::new();
        while deck.len() < count {
            let mut all = Self::ALL;
            rng.shuffle(&mut all);
            deck.extend(all.into_iter().take(count - deck.len()));
        }
        rng.shuffle(&mut deck);
        deck
    }

    /// A fault for the next watches that are opened; `None` for what happens to the cluster or to the consumer.
    pub(super) fn fault(self, rng: &mut fastrand::Rng) -> Option<Fault> {
        let time = std::time::Duration::from_millis(rng.u64(10..4_000));
        Some(match self {
            Self::CutBeforeHead => Fault::DropAnswer,
            Self::CutBeforeEvent => Fault::CutBody(0),
            Self::CutInsideEvent => Fault::CutBody(rng.usize(1..400)),
            Self::Reset if rng.bool() => Fault::ResetBeforeHead,
            Self::Reset => Fault::ResetAfterHead,
            Self::SilentPeer => match rng.u8(0..3) {
                0 => Fault::Hang,
                1 => Fault::StallBody(0),
                _ => Fault::StallBody(rng.usize(1..400)),
            },
            Self::Slow => match rng.u8(0..4) {
                0 => Fault::Delay(time),
                1 => Fault::Dribble { bytes: rng.usize(1..50), every: time / 50 },
                2 => Fault::Unavailable,
                _ => Fault::Html(http::StatusCode::BAD_GATEWAY),
            },
            Self::Partition
            | Self::Restart
            | Self::LeaderLoss
            | Self::Overflow
            | Self::HistoryCleared
            | Self::IndexBack
            | Self::Stale => return None,
        })
    }

    /// The kind that a fault belongs to.
    pub(super) fn of(fault: &Fault) -> Self {
        match fault {
            Fault::DropAnswer => Self::CutBeforeHead,
            Fault::CutBody(0) => Self::CutBeforeEvent,
            Fault::CutBody(_) => Self::CutInsideEvent,
            Fault::ResetBeforeHead | Fault::ResetAfterHead => Self::Reset,
            Fault::Hang | Fault::StallBody(_) => Self::SilentPeer,
            Fault::Delay(_) | Fault::Dribble { .. } | Fault::Unavailable | Fault::Html(_) => Self::Slow,
            other => unreachable!("{other:?} is in no kind"),
        }
    }
}

impl Tally {
    pub(super) fn add(&mut self, kind: Kind) {
        *self.0.entry(kind).or_default() += 1;
    }

    pub(super) fn of(&self, kind: Kind) -> u64 {
        self.0.get(&kind).copied().unwrap_or_default()
    }

    pub(super) fn merge(&mut self, other: &Self) {
        for (kind, count) in &other.0 {
            *self.0.entry(*kind).or_default() += count;
        }
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (number, kind) in Kind::ALL.into_iter().enumerate() {
            let comma = if number == 0 { "" } else { ", " };
            write!(f, "{comma}{kind:?} {}", self.of(kind))?;
        }
        Ok(())
    }
}
