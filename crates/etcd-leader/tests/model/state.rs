//! What a state of the model is made of.

use std::collections::BTreeSet;

/// A created index; 0 for none. Only their order matters, so a state keeps their ranks.
pub(crate) type Index = u8;

/// A modified index, or one to compare with. There is one key, and what is not its index now never will be again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Version {
    Stale,
    Current,
    /// Of a change that was made in this step.
    New,
}

/// Everything at one instant.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct State {
    pub(crate) key: Option<Key>,
    pub(crate) clients: Vec<Client>,
    /// Copies of writes whose sender no longer waits for an answer, in order.
    pub(crate) strays: Vec<Write>,
    /// The greatest token that the fenced resource has taken.
    pub(crate) resource: Index,
    pub(crate) faults: u8,
    pub(crate) broken: BTreeSet<Rule>,
}

/// The key of the election.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Key {
    /// Whose vote it holds.
    pub(crate) owner: usize,
    pub(crate) confirmed: bool,
    pub(crate) created: Index,
    pub(crate) version: Version,
    /// Ticks until its time is over.
    pub(crate) left: u8,
}

/// A write to the key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Write {
    pub(crate) client: usize,
    pub(crate) kind: Kind,
    /// What it compares with.
    pub(crate) compare: Version,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Kind {
    /// The tentative vote, where there is no key.
    Nominate,
    /// The tentative vote over another's.
    TakeOver,
    Confirm,
    Renew,
    Resign,
}

/// A candidate and its one request.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Client {
    pub(crate) phase: Phase,
    /// The ballot that it confirms or leads by.
    pub(crate) created: Index,
    pub(crate) version: Version,
    /// Created index of a confirmation that may have been done although nobody said so.
    pub(crate) confirming: Index,
    /// Ticks until its leadership ends, by its own clock.
    pub(crate) valid: u8,
    /// The same for what is under way, from when it was first sent.
    pub(crate) promise: u8,
    /// The token of a write that is under way to the fenced resource.
    pub(crate) work: Index,
}

/// Where a candidate is. All but the last five have a request under way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Phase {
    Reading,
    Nominating,
    TakingOver,
    Confirming,
    Renewing,
    RenewalReading,
    Resigning,
    ResignationReading,
    Idle,
    /// Its nomination settles.
    Settling,
    Waiting,
    Leading,
    Ended,
}

/// What must never happen in a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Rule {
    /// A confirmed vote is nobody else's while its key lives.
    ConfirmedIsFinal,
    /// A tentative vote is taken over by a fitter candidate only.
    FitterTakesOver,
    /// The fenced resource takes no older token.
    ResourceTakesNoOlderToken,
}

impl State {
    /// Brings the state into the form of all that differ in nothing that matters.
    pub(crate) fn settle(&mut self) {
        let is_changed = self.key.is_none_or(|key| key.version == Version::New);
        self.each_version(&mut |version| {
            *version = match *version {
                Version::New => Version::Current,
                Version::Current if is_changed => Version::Stale,
                other => other,
            };
        });
        if self.key.is_none() {
            self.each_version(&mut |version| *version = Version::Stale);
        }
        self.strays.retain(|stray| stray.kind == Kind::Nominate || stray.compare == Version::Current);
        self.strays.sort_unstable();
        let mut used = [false; 256];
        let older = self.clients.iter().flat_map(|client| [client.created, client.confirming, client.work]);
        let older = older.chain(self.key.map(|key| key.created)).filter(|&index| index != 0).min();
        if older.is_none_or(|older| older >= self.resource) {
            self.resource = 0;
        }
        self.each_created(&mut |index| used[usize::from(*index)] = true);
        let mut ranks = [0; 256];
        let mut rank = 0;
        for index in (1..256).filter(|&index| used[index]) {
            rank += 1;
            ranks[index] = rank;
        }
        self.each_created(&mut |index| *index = ranks[usize::from(*index)]);
    }

    pub(crate) fn next_created(&mut self) -> Index {
        let mut highest = 0;
        self.each_created(&mut |index| highest = highest.max(*index));
        highest + 1
    }

    fn each_created(&mut self, visit: &mut impl FnMut(&mut Index)) {
        self.key.iter_mut().for_each(|key| visit(&mut key.created));
        visit(&mut self.resource);
        for client in &mut self.clients {
            visit(&mut client.created);
            visit(&mut client.confirming);
            visit(&mut client.work);
        }
    }

    fn each_version(&mut self, visit: &mut impl FnMut(&mut Version)) {
        self.key.iter_mut().for_each(|key| visit(&mut key.version));
        self.clients.iter_mut().for_each(|client| visit(&mut client.version));
        self.strays.iter_mut().for_each(|stray| visit(&mut stray.compare));
    }
}

impl Client {
    pub(crate) fn new() -> Self {
        Self {
            phase: Phase::Idle,
            created: 0,
            version: Version::Stale,
            confirming: 0,
            valid: 0,
            promise: 0,
            work: 0,
        }
    }

    /// Whether it was made the leader, and has neither resigned nor noticed a loss.
    pub(crate) fn is_leader(&self) -> bool {
        match self.phase {
            Phase::Leading | Phase::Renewing | Phase::RenewalReading => true,
            Phase::Reading
            | Phase::Nominating
            | Phase::TakingOver
            | Phase::Confirming
            | Phase::Resigning
            | Phase::ResignationReading
            | Phase::Idle
            | Phase::Settling
            | Phase::Waiting
            | Phase::Ended => false,
        }
    }

    /// Whether it is a candidate that has not become the leader yet.
    pub(crate) fn is_campaigning(&self) -> bool {
        match self.phase {
            Phase::Reading
            | Phase::Nominating
            | Phase::TakingOver
            | Phase::Confirming
            | Phase::Settling
            | Phase::Waiting => true,
            Phase::Leading
            | Phase::Renewing
            | Phase::RenewalReading
            | Phase::Resigning
            | Phase::ResignationReading
            | Phase::Idle
            | Phase::Ended => false,
        }
    }

    /// What `check()` would say now: it holds the leadership within its local deadline.
    pub(crate) fn believes(&self) -> bool {
        self.is_leader() && self.valid > 0
    }
}
