//! The client: it asks the functions of `protocol` what follows, and does that.

use etcd_recipe::protocol::{
    self, AfterCreate, AfterList, AfterRelease, AfterRenewal, CreateAnswer, Listed, OwnKey, Place,
    ReleaseAnswer, RenewAnswer, Wake,
};

use crate::settings::{Clocks, Settings};
use crate::state::{Answer, Asked, Client, End, List, Name, Phase, Request, Role, Rule, State, Write};

/// A list as it was answered, `None` where it could not be read.
type Snapshot = Option<List>;

impl State {
    /// The client takes its answer and goes on.
    pub(crate) fn deliver(&mut self, settings: &Settings, client: usize, answer: Answer) {
        let it = &mut self.clients[client];
        it.request = None;
        match it.phase {
            Phase::Creating => {
                it.create_doubt |= answer == Answer::Unknown;
                if let Answer::Created { copy, .. } = answer {
                    it.copy = copy;
                }
                let name = text(self.name(client));
                self.follow_create(client, protocol::after_create(create_answer(&answer), &name));
            }
            Phase::Reading => {
                let name = text(self.name(client));
                self.follow_create(client, protocol::after_creator_read(own_key(&answer), &name));
            }
            Phase::Listing => self.deliver_list(settings, client, answer),
            Phase::Renewing(role) => {
                let after = protocol::after_renewal(renew_answer(&answer), &self.place(client));
                self.follow_renewal(settings, client, role, after);
            }
            Phase::RenewalReading(role) => {
                let after = protocol::after_renewal_read(own_key(&answer), &self.place(client));
                self.follow_renewal(settings, client, role, after);
            }
            Phase::Releasing => {
                let answer = release_answer(&answer, it.release_doubt);
                it.release_doubt |= answer == ReleaseAnswer::Unknown;
                let after = protocol::after_release(answer, &self.place(client));
                self.follow_release(settings, client, after);
            }
            Phase::ReleaseReading => {
                let after = protocol::after_release_read(own_key(&answer), &self.place(client));
                self.follow_release(settings, client, after);
            }
            Phase::Cleaning(end) => self.clean(settings, client, end, &answer),
            Phase::Idle | Phase::Waiting | Phase::Held | Phase::Ended(_) => {
                unreachable!("nothing was asked")
            }
        }
    }

    fn follow_create(&mut self, client: usize, after: AfterCreate) {
        match after {
            AfterCreate::Placed(place) => {
                let it = &mut self.clients[client];
                it.valid = it.promise;
                it.promise = 0;
                self.set_place(client, &place);
                self.ask(client, Phase::Listing, Asked::List);
            }
            AfterCreate::Read => {
                let name = self.name(client);
                self.ask(client, Phase::Reading, Asked::Get(name));
            }
            AfterCreate::Again => self.create_key(client),
            AfterCreate::Rename => {
                self.broken.insert(Rule::NamesAreUnique);
            }
        }
    }

    fn deliver_list(&mut self, settings: &Settings, client: usize, answer: Answer) {
        let snapshot = match answer {
            Answer::Listed(list) => Some(list),
            _ => None,
        };
        let listed: Option<Vec<_>> = snapshot.as_ref().map(|list| {
            list.iter()
                .map(|&(name, created)| Listed { name: text(name), created: u64::from(created) })
                .collect()
        });
        let is_valid = self.clients[client].valid > 0;
        let after = protocol::after_list(listed.as_deref(), &self.place(client), is_valid);
        if snapshot.is_none() && after != AfterList::Again {
            self.broken.insert(Rule::ReadErrorGrantsNothing);
        }
        self.follow_list(settings, client, after, &snapshot);
    }

    /// What ended a wait.
    pub(crate) fn wake(&mut self, settings: &Settings, client: usize, wake: Wake) {
        self.follow_list(settings, client, protocol::after_wake(wake), &None);
    }

    fn follow_list(&mut self, settings: &Settings, client: usize, after: AfterList, snapshot: &Snapshot) {
        match after {
            AfterList::Grant => self.grant(settings, client, snapshot),
            AfterList::Wait(predecessor) => {
                let before = snapshot.iter().flatten().map(|&(_, created)| u64::from(created));
                let own = u64::from(self.clients[client].created);
                if before.filter(|&created| created < own).max() != Some(predecessor.created) {
                    self.broken.insert(Rule::WatchThePredecessorOnly);
                }
                self.clients[client].phase = Phase::Waiting;
            }
            AfterList::Renew => self.renew(settings, client, Role::Waiter),
            AfterList::Lost(_) => self.end(settings, client, End::Lost),
            AfterList::Again => self.ask(client, Phase::Listing, Asked::List),
        }
    }

    fn grant(&mut self, settings: &Settings, client: usize, snapshot: &Snapshot) {
        let (name, created) = (self.name(client), self.clients[client].created);
        let is_first = snapshot.as_ref().is_some_and(|list| {
            list.contains(&(name, created)) && list.iter().all(|&(_, other)| created <= other)
        });
        if !is_first {
            self.broken.insert(Rule::GrantOnlyByTheList);
        }
        // With wild clocks an old list may be acted on late, while the clock says that the key lives. Then tokens are
        // in the order of the lists, which `keep_list` judges, and not of the grants.
        let is_bounded = matches!(settings.clocks, Clocks::Bounded { .. });
        if is_bounded && created < self.first {
            self.broken.insert(Rule::TokensIncrease);
        }
        self.clients[client].phase = Phase::Held;
    }

    /// A list was read for the client. It acts on it later; what is judged now is that the first of the queue never
    /// goes back.
    pub(crate) fn keep_list(&mut self, client: usize, mut list: List) {
        let own = (self.name(client), self.clients[client].created);
        if list.first() == Some(&own) {
            if own.1 < self.first {
                self.broken.insert(Rule::TokensIncrease);
            }
            self.first = self.first.max(own.1);
        }
        // Who came later is nothing to it.
        list.retain(|&(name, created)| name == own.0 || created <= own.1);
        self.ask(client, Phase::Listing, Asked::List);
        if let Some(request) = &mut self.clients[client].request {
            request.list = Some(list);
        }
    }

    /// Starts a renewal: what it prolongs counts from now.
    pub(crate) fn renew(&mut self, settings: &Settings, client: usize, role: Role) {
        self.clients[client].begin_round(settings);
        self.send_renewal(client, role);
    }

    fn send_renewal(&mut self, client: usize, role: Role) {
        let Client { created: token, modified: compare, .. } = self.clients[client];
        let write = Write::Renew { name: self.name(client), compare, token };
        self.ask(client, Phase::Renewing(role), Asked::Write(write));
    }

    fn follow_renewal(&mut self, settings: &Settings, client: usize, role: Role, after: AfterRenewal) {
        // The end is the end, whatever the network says afterwards.
        if role == Role::Holder && self.clients[client].valid == 0 && !settings.flag_for_clock {
            return self.end(settings, client, End::Expired);
        }
        match after {
            AfterRenewal::Renewed(place) => {
                let it = &mut self.clients[client];
                it.valid = it.valid.max(it.promise);
                it.promise = 0;
                self.set_place(client, &place);
                match role {
                    Role::Holder => self.clients[client].phase = Phase::Held,
                    Role::Waiter => self.ask(client, Phase::Listing, Asked::List),
                }
            }
            AfterRenewal::Read => {
                let name = self.name(client);
                self.ask(client, Phase::RenewalReading(role), Asked::Get(name));
            }
            AfterRenewal::Adopt(place) => {
                self.set_place(client, &place);
                self.renew(settings, client, role);
            }
            AfterRenewal::Again => self.send_renewal(client, role),
            AfterRenewal::Lost(_) => self.end(settings, client, End::Lost),
        }
    }

    /// Gives the key back; from now on the client does not believe.
    pub(crate) fn release(&mut self, settings: &Settings, client: usize) {
        let Client { created: token, modified, .. } = self.clients[client];
        let compare = if settings.unfenced_release { 0 } else { modified };
        let write = Write::Delete { name: self.name(client), compare, token };
        self.clients[client].valid = 0;
        self.clients[client].promise = 0;
        self.ask(client, Phase::Releasing, Asked::Write(write));
    }

    fn follow_release(&mut self, settings: &Settings, client: usize, after: AfterRelease) {
        match after {
            AfterRelease::Released => self.end(settings, client, End::Released),
            AfterRelease::Read => {
                let name = self.name(client);
                self.ask(client, Phase::ReleaseReading, Asked::Get(name));
            }
            AfterRelease::Again(place) => {
                self.set_place(client, &place);
                self.release(settings, client);
            }
            AfterRelease::Lost(_) => self.end(settings, client, End::Lost),
        }
    }

    /// The attempt is over; a creation whose outcome was unknown is cleaned up after.
    pub(crate) fn end(&mut self, settings: &Settings, client: usize, end: End) {
        let it = &mut self.clients[client];
        let by_token = std::mem::take(&mut it.by_token);
        (it.valid, it.promise, it.release_doubt) = (0, 0, false);
        // Who has nothing but the token knows nothing of creations.
        if it.create_doubt && end != End::Expired && !by_token {
            let name = self.name(client);
            return self.ask(client, Phase::Cleaning(end), Asked::Get(name));
        }
        it.phase = Phase::Ended(if by_token { End::Expired } else { end });
        it.create_doubt = false;
        if !settings.release_by || by_token {
            (it.created, it.modified) = (0, 0);
        }
    }

    /// What the cleaner does next: it looks until nothing of ours is there and nothing can come.
    fn clean(&mut self, settings: &Settings, client: usize, end: End, answer: &Answer) {
        let name = self.name(client);
        match answer {
            Answer::Got(Some((created, modified))) => {
                let write = Write::Delete { name, compare: *modified, token: *created };
                return self.ask(client, Phase::Cleaning(end), Asked::Write(write));
            }
            // That nothing can come any more it knows by the time: a server gives up a write after 7 s.
            Answer::Got(None) if !self.strays.contains(&Write::Create { name: Name { copy: 0, ..name } }) => {
                self.clients[client].create_doubt = false;
                return self.end(settings, client, end);
            }
            _ => {}
        }
        self.ask(client, Phase::Cleaning(end), Asked::Get(name));
    }

    pub(crate) fn create_key(&mut self, client: usize) {
        let name = Name { copy: 0, ..self.name(client) };
        self.ask(client, Phase::Creating, Asked::Write(Write::Create { name }));
    }

    fn ask(&mut self, client: usize, phase: Phase, asked: Asked) {
        let it = &mut self.clients[client];
        it.phase = phase;
        it.request = Some(Request { asked, list: None });
    }

    fn place(&self, client: usize) -> Place {
        let Client { created, modified, .. } = self.clients[client];
        Place { name: text(self.name(client)), created: created.into(), modified: modified.into() }
    }

    fn set_place(&mut self, client: usize, place: &Place) {
        let it = &mut self.clients[client];
        it.created = u8::try_from(place.created).unwrap();
        it.modified = u8::try_from(place.modified).unwrap();
    }
}

fn text(Name { client, attempt, copy }: Name) -> String {
    String::from_utf8(vec![b'a' + client, b'0' + attempt, b'0' + copy]).unwrap()
}

fn own_key(answer: &Answer) -> OwnKey {
    match answer {
        Answer::Got(Some((created, modified))) => {
            OwnKey::Found { created: (*created).into(), modified: (*modified).into(), is_ours: true }
        }
        Answer::Got(None) => OwnKey::Missing,
        Answer::Unknown => OwnKey::Unknown,
        other => unreachable!("a read is not answered by {other:?}"),
    }
}

fn create_answer(answer: &Answer) -> CreateAnswer {
    match answer {
        Answer::Created { created, .. } => CreateAnswer::Created { created: (*created).into() },
        Answer::Exists => CreateAnswer::Exists,
        Answer::Unknown => CreateAnswer::Unknown,
        other => unreachable!("a creation is not answered by {other:?}"),
    }
}

fn renew_answer(answer: &Answer) -> RenewAnswer {
    match answer {
        Answer::Renewed { created, modified } => {
            RenewAnswer::Renewed { created: (*created).into(), modified: (*modified).into() }
        }
        Answer::CompareFailed => RenewAnswer::CompareFailed,
        Answer::NotFound => RenewAnswer::NotFound,
        Answer::Unknown => RenewAnswer::Unknown,
        other => unreachable!("a renewal is not answered by {other:?}"),
    }
}

fn release_answer(answer: &Answer, is_in_doubt: bool) -> ReleaseAnswer {
    match answer {
        Answer::Deleted => ReleaseAnswer::Released,
        Answer::CompareFailed => ReleaseAnswer::CompareFailed,
        Answer::NotFound if is_in_doubt => ReleaseAnswer::NotFoundAfterUnknown,
        Answer::NotFound => ReleaseAnswer::NotFound,
        Answer::Unknown => ReleaseAnswer::Unknown,
        other => unreachable!("a release is not answered by {other:?}"),
    }
}
