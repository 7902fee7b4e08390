//! What a state of the model is made of.

use std::collections::BTreeSet;

use crate::settings::{Clocks, Settings};

/// An index of the server; 0 for none. Indexes are only ever compared, created ones by their order and modified ones
/// for being equal, so a state keeps no more of them than that, see [`State::settle`].
pub(crate) type Index = u8;

/// The modified index of the first change after the creation that is told from others; below are created indexes.
const FIRST_CHANGE: Index = 128;

/// Everything at one instant: the server's queue, the clients, what travels between, and what has gone wrong.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct State {
    /// The directory, by created index.
    pub(crate) keys: Vec<Key>,
    pub(crate) clients: Vec<Client>,
    /// Copies of writes whose sender no longer waits for an answer. Each may be applied at any time, or never.
    pub(crate) strays: Vec<Write>,
    /// The greatest token that the fenced resource has taken.
    pub(crate) resource: Index,
    /// The greatest created index that a list has shown its own reader as the first.
    pub(crate) first: Index,
    /// How many faults there may yet be.
    pub(crate) faults: u8,
    /// The rules that were broken on the way here.
    pub(crate) broken: BTreeSet<Rule>,
}

/// A key of the queue.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Key {
    pub(crate) name: Name,
    pub(crate) created: Index,
    pub(crate) modified: Index,
    /// Ticks until its time is over.
    pub(crate) left: u8,
}

/// The name of a key: one per attempt of a client.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Name {
    pub(crate) client: u8,
    pub(crate) attempt: u8,
    /// Always 0 where the client makes the name; the server's number where it makes one for every POST.
    pub(crate) copy: u8,
}

/// A write, and what its sender took its key for when it was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Write {
    /// `PUT name?prevExist=false`
    Create { name: Name },
    /// `PUT name?refresh=true&prevIndex=compare`
    Renew { name: Name, compare: Index, token: Index },
    /// `DELETE name?prevIndex=compare`; unconditional where that is 0.
    Delete { name: Name, compare: Index, token: Index },
}

/// A client and its one request.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Client {
    pub(crate) phase: Phase,
    pub(crate) attempt: u8,
    /// The number in its key's name.
    pub(crate) copy: u8,
    /// Created and modified index of its key, as it knows them.
    pub(crate) created: Index,
    pub(crate) modified: Index,
    /// Ticks until `valid_until`, by its own clock.
    pub(crate) valid: u8,
    /// The same for what is under way, from when it was first sent.
    pub(crate) promise: u8,
    /// Whether a creation of this attempt had an unknown outcome: a copy of it may land at any time.
    pub(crate) create_doubt: bool,
    /// The same of a release.
    pub(crate) release_doubt: bool,
    /// Whether its release is that of somebody else, who has nothing but the token.
    pub(crate) by_token: bool,
    /// The token of a write that is under way to the fenced resource.
    pub(crate) work: Index,
    pub(crate) request: Option<Request>,
}

/// Where a client is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Phase {
    /// It has not begun, or begins again under a new name.
    Idle,
    Creating,
    /// It reads the key that its creation ran into.
    Reading,
    Listing,
    /// It waits for the key before its own.
    Waiting,
    Renewing(Role),
    /// It reads its key to learn what became of a renewal.
    RenewalReading(Role),
    Held,
    Releasing,
    /// It reads its key to learn what became of a release.
    ReleaseReading,
    /// It looks for copies of its creation, to delete them.
    Cleaning(End),
    Ended(End),
}

/// Whom a renewal is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Role {
    Waiter,
    Holder,
}

/// How an attempt ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum End {
    Released,
    /// The server said that the key is not ours any more.
    Lost,
    /// The local deadline has passed.
    Expired,
    /// The caller has dropped the future.
    Cancelled,
}

/// A request under way.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Request {
    pub(crate) asked: Asked,
    /// The list that was read for it, up to the own key, until its reader acts on it: meanwhile it gets old. All
    /// other answers are taken at once, for what follows from them is another request, which may take its time.
    pub(crate) list: Option<List>,
}

/// Names and created indexes.
pub(crate) type List = Vec<(Name, Index)>;

/// What a client asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Asked {
    Write(Write),
    Get(Name),
    List,
}

/// What it is told.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Answer {
    Created {
        created: Index,
        copy: u8,
    },
    Exists,
    Renewed {
        created: Index,
        modified: Index,
    },
    Deleted,
    CompareFailed,
    NotFound,
    /// Created and modified index of the key, if there is one.
    Got(Option<(Index, Index)>),
    Listed(List),
    Unknown,
}

/// What must never happen in a step; what must not be in a state is judged on the state, see `properties.rs`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Rule {
    /// I1
    TokensIncrease,
    /// I2
    ResourceTakesNoOlderToken,
    /// I3
    GrantOnlyByTheList,
    /// I5
    RenewalOfOwnKeyOnly,
    /// Release after a loss tells of the loss, and `release_by` with an old token removes nobody else.
    ReleaseOfOwnKeyOnly,
    /// I7, as far as it can be seen without counting requests.
    WatchThePredecessorOnly,
    /// I9
    ReadErrorGrantsNothing,
    /// A name that nobody else uses was found in use.
    NamesAreUnique,
}

impl State {
    pub(crate) fn initial(settings: &Settings) -> Self {
        Self {
            keys: Vec::new(),
            clients: vec![Client::new(0); settings.clients],
            strays: Vec::new(),
            resource: 0,
            first: 0,
            faults: settings.faults,
            broken: BTreeSet::new(),
        }
    }

    pub(crate) fn key(&self, name: Name) -> Option<&Key> {
        self.keys.iter().find(|key| key.name == name)
    }

    /// The name that the client's key has.
    pub(crate) fn name(&self, client: usize) -> Name {
        let Client { attempt, copy, .. } = self.clients[client];
        Name { client: u8::try_from(client).unwrap(), attempt, copy }
    }

    /// The index of the next creation.
    pub(crate) fn next_created(&mut self) -> Index {
        let mut highest = 0;
        self.each_created(&mut |index| highest = highest.max(*index));
        highest + 1
    }

    /// The index of the next change of a key.
    pub(crate) fn next_modified(&mut self, key: Name) -> Index {
        let mut highest = FIRST_CHANGE - 1;
        self.each_modified(&mut |name, index| {
            if name == key {
                highest = highest.max(*index);
            }
        });
        highest + 1
    }

    /// Brings the state into the form that all states have which differ in nothing that matters. So there is no end to
    /// the renewals and grants that are looked at, but one to the states.
    pub(crate) fn settle(&mut self, settings: &Settings) {
        if settings.interchangeable {
            self.order_clients();
        }
        self.forget();
        self.strays.sort_unstable();
        self.rank_created();
        self.rank_modified();
    }

    /// Drops what cannot matter any more: a stray that compares with what is gone and never comes back, and tokens that
    /// no older one is left of.
    fn forget(&mut self) {
        let mut strays = std::mem::take(&mut self.strays);
        strays.retain(|stray| match *stray {
            Write::Create { .. } => true,
            Write::Renew { name, compare, .. } | Write::Delete { name, compare, .. } => {
                compare == 0 || self.key(name).is_some_and(|key| key.modified == compare)
            }
        });
        self.strays = strays;
        let oldest = |indexes: &mut dyn Iterator<Item = Index>| indexes.filter(|&index| index != 0).min();
        let places = &mut self.clients.iter().map(|client| client.created);
        let keys = &mut self.keys.iter().map(|key| key.created);
        let work = &mut self.clients.iter().map(|client| client.work);
        let place = oldest(&mut places.chain(keys));
        if place.is_none_or(|place| place >= self.first) {
            self.first = 0;
        }
        if oldest(work).into_iter().chain(place).all(|older| older >= self.resource) {
            self.resource = 0;
        }
    }

    /// Created indexes become their ranks.
    fn rank_created(&mut self) {
        let mut used = [false; 256];
        self.each_created(&mut |index| used[usize::from(*index)] = true);
        let mut ranks = [0; 256];
        let mut rank = 0;
        for index in (1..256).filter(|&index| used[index]) {
            rank += 1;
            ranks[index] = rank;
        }
        self.each_created(&mut |index| *index = ranks[usize::from(*index)]);
        // That of a key that was not changed is that of its creation.
        self.each_modified(&mut |_, index| {
            if *index < FIRST_CHANGE {
                *index = ranks[usize::from(*index)];
            }
        });
    }

    /// Those of changes become their ranks among the changes of their key: they are compared with nothing else.
    fn rank_modified(&mut self) {
        let mut used = BTreeSet::new();
        self.each_modified(&mut |name, index| {
            if *index >= FIRST_CHANGE {
                used.insert((name, *index));
            }
        });
        if used.is_empty() {
            return;
        }
        self.each_modified(&mut |name, index| {
            if *index >= FIRST_CHANGE {
                let rank = used.range((name, FIRST_CHANGE)..(name, *index)).count();
                *index = FIRST_CHANGE + u8::try_from(rank).unwrap();
            }
        });
    }

    fn order_clients(&mut self) {
        let mut order: Vec<_> = (0..self.clients.len()).collect();
        // Places come first: they tell clients apart without the names, which are about to change.
        order.sort_by_key(|&client| {
            let Client { phase, attempt, created, modified, work, .. } = self.clients[client];
            (phase, attempt, created, modified, work)
        });
        let mut renamed = vec![0; order.len()];
        for (new, &old) in order.iter().enumerate() {
            renamed[old] = u8::try_from(new).unwrap();
        }
        self.clients = order.iter().map(|&old| self.clients[old].clone()).collect();
        self.each_name(&mut |name| name.client = renamed[usize::from(name.client)]);
    }

    fn each_name(&mut self, visit: &mut impl FnMut(&mut Name)) {
        self.keys.iter_mut().for_each(|key| visit(&mut key.name));
        self.strays.iter_mut().for_each(|write| visit(write.name_mut()));
        for request in self.clients.iter_mut().filter_map(|client| client.request.as_mut()) {
            match &mut request.asked {
                Asked::Write(write) => visit(write.name_mut()),
                Asked::Get(name) => visit(name),
                Asked::List => {}
            }
            if let Some(list) = &mut request.list {
                list.iter_mut().for_each(|(name, _)| visit(name));
            }
        }
    }

    /// Visits what is a created index, or may be: tokens.
    fn each_created(&mut self, visit: &mut impl FnMut(&mut Index)) {
        self.keys.iter_mut().for_each(|key| visit(&mut key.created));
        self.strays.iter_mut().filter_map(Write::token).for_each(&mut *visit);
        visit(&mut self.resource);
        visit(&mut self.first);
        for client in &mut self.clients {
            visit(&mut client.created);
            visit(&mut client.work);
            let Some(request) = &mut client.request else { continue };
            if let Asked::Write(write) = &mut request.asked {
                write.token().into_iter().for_each(&mut *visit);
            }
            if let Some(list) = &mut request.list {
                list.iter_mut().for_each(|(_, created)| visit(created));
            }
        }
    }

    /// Visits what is a modified index, or is compared with one, by key.
    fn each_modified(&mut self, visit: &mut impl FnMut(Name, &mut Index)) {
        self.keys.iter_mut().for_each(|key| visit(key.name, &mut key.modified));
        for client in 0..self.clients.len() {
            let name = self.name(client);
            let client = &mut self.clients[client];
            visit(name, &mut client.modified);
            if let Some(Request { asked: Asked::Write(write), .. }) = &mut client.request {
                let name = write.name();
                write.compare().into_iter().for_each(|index| visit(name, index));
            }
        }
        for stray in &mut self.strays {
            let name = stray.name();
            stray.compare().into_iter().for_each(|index| visit(name, index));
        }
    }
}

impl Write {
    pub(crate) fn name(mut self) -> Name {
        *self.name_mut()
    }

    fn name_mut(&mut self) -> &mut Name {
        match self {
            Self::Create { name } | Self::Renew { name, .. } | Self::Delete { name, .. } => name,
        }
    }

    fn token(&mut self) -> Option<&mut Index> {
        match self {
            Self::Create { .. } => None,
            Self::Renew { token, .. } | Self::Delete { token, .. } => Some(token),
        }
    }

    fn compare(&mut self) -> Option<&mut Index> {
        match self {
            Self::Create { .. } => None,
            Self::Renew { compare, .. } | Self::Delete { compare, .. } => Some(compare),
        }
    }
}

impl Client {
    pub(crate) fn new(attempt: u8) -> Self {
        Self {
            phase: Phase::Idle,
            attempt,
            copy: 0,
            created: 0,
            modified: 0,
            valid: 0,
            promise: 0,
            create_doubt: false,
            release_doubt: false,
            by_token: false,
            work: 0,
            request: None,
        }
    }

    /// Whether it was granted, and has neither given back nor noticed a loss.
    pub(crate) fn is_holder(&self) -> bool {
        match self.phase {
            Phase::Held | Phase::Renewing(Role::Holder) | Phase::RenewalReading(Role::Holder) => true,
            Phase::Idle
            | Phase::Creating
            | Phase::Reading
            | Phase::Listing
            | Phase::Waiting
            | Phase::Renewing(Role::Waiter)
            | Phase::RenewalReading(Role::Waiter)
            | Phase::Releasing
            | Phase::ReleaseReading
            | Phase::Cleaning(_)
            | Phase::Ended(_) => false,
        }
    }

    /// Whether it has begun and was not yet granted.
    pub(crate) fn is_acquiring(&self) -> bool {
        match self.phase {
            Phase::Creating
            | Phase::Reading
            | Phase::Listing
            | Phase::Waiting
            | Phase::Renewing(Role::Waiter)
            | Phase::RenewalReading(Role::Waiter) => true,
            Phase::Idle
            | Phase::Held
            | Phase::Renewing(Role::Holder)
            | Phase::RenewalReading(Role::Holder)
            | Phase::Releasing
            | Phase::ReleaseReading
            | Phase::Cleaning(_)
            | Phase::Ended(_) => false,
        }
    }

    /// What `check()` would say now.
    pub(crate) fn believes(&self, settings: &Settings) -> bool {
        self.is_holder() && (self.valid > 0 || settings.flag_for_clock)
    }

    /// One tick of the clock.
    pub(crate) fn tick(&mut self) {
        self.valid = self.valid.saturating_sub(1);
        self.promise = self.promise.saturating_sub(1);
    }

    /// A request is sent, to be valid from now on if it succeeds.
    pub(crate) fn begin_round(&mut self, settings: &Settings) {
        self.promise = match settings.clocks {
            Clocks::Bounded { ttl, margin, .. } => ttl - margin,
            Clocks::Wild => 1,
        };
    }
}
