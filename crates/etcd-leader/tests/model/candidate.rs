//! The candidate: it asks the functions of `vote` and of the queue's `protocol` what follows, and does that.

use etcd_leader::vote::{self, Answer, Ballot, Candidate, Read, State as VoteState, Step};
use etcd_recipe::protocol::{self, AfterRelease, AfterRenewal, OwnKey, Place, ReleaseAnswer, RenewAnswer};

use crate::server::Reply;
use crate::settings::Settings;
use crate::state::{Client, Key, Phase, State, Version};

impl State {
    /// The candidate takes an answer and goes on.
    pub(crate) fn take(&mut self, settings: &Settings, client: usize, reply: Reply) {
        let it = &self.clients[client];
        match it.phase {
            Phase::Reading => {
                let confirming = Some(it.confirming).filter(|&created| created != 0);
                let confirming = confirming.map(|created| Ballot { created: created.into(), modified: 0 });
                let step = vote::after_read(&read(settings, reply), &me(settings, client), confirming);
                self.follow(client, step);
            }
            Phase::Nominating | Phase::TakingOver => {
                self.follow(client, vote::after_nomination(answer(reply)));
            }
            Phase::Confirming => {
                if reply == Reply::Unknown {
                    self.clients[client].confirming = it.created;
                }
                self.follow(client, vote::after_confirmation(answer(reply)));
            }
            Phase::Renewing => {
                let answer = match reply {
                    Reply::Done(key) => {
                        RenewAnswer::Renewed { created: key.created.into(), modified: number(key.version) }
                    }
                    Reply::CompareFailed => RenewAnswer::CompareFailed,
                    Reply::NotFound => RenewAnswer::NotFound,
                    Reply::Unknown => RenewAnswer::Unknown,
                    Reply::Exists | Reply::Got(_) => unreachable!("not of a renewal"),
                };
                let after = protocol::after_renewal(answer, &place(it));
                self.follow_renewal(settings, client, after);
            }
            Phase::RenewalReading => {
                let after = protocol::after_renewal_read(own(reply, client), &place(it));
                self.follow_renewal(settings, client, after);
            }
            Phase::Resigning => {
                let answer = match reply {
                    Reply::Done(_) => ReleaseAnswer::Released,
                    Reply::CompareFailed => ReleaseAnswer::CompareFailed,
                    Reply::NotFound => ReleaseAnswer::NotFound,
                    Reply::Unknown => ReleaseAnswer::Unknown,
                    Reply::Exists | Reply::Got(_) => unreachable!("not of a deletion"),
                };
                self.follow_release(client, protocol::after_release(answer, &place(it)));
            }
            Phase::ResignationReading => {
                let after = protocol::after_release_read(own(reply, client), &place(it));
                self.follow_release(client, after);
            }
            Phase::Idle | Phase::Settling | Phase::Waiting | Phase::Leading | Phase::Ended => {
                unreachable!("nothing was asked")
            }
        }
    }

    fn follow(&mut self, client: usize, step: Step) {
        let it = &mut self.clients[client];
        match step {
            Step::Read => it.phase = Phase::Reading,
            Step::Nominate => it.phase = Phase::Nominating,
            Step::TakeOver { compare } => {
                it.version = version(compare);
                it.phase = Phase::TakingOver;
            }
            Step::Confirm(ballot) => {
                set(it, ballot.created, ballot.modified);
                it.phase = Phase::Settling;
            }
            Step::Wait => it.phase = Phase::Waiting,
            Step::Lead(ballot) => {
                set(it, ballot.created, ballot.modified);
                (it.valid, it.promise, it.confirming) = (it.promise, 0, 0);
                it.phase = Phase::Leading;
            }
        }
        match it.phase {
            Phase::Leading | Phase::Settling => {}
            // What it needs to know of a ballot it reads again.
            _ => it.created = 0,
        }
        if it.confirming == 0 && it.phase != Phase::Leading {
            it.promise = 0;
        }
    }

    /// The nomination has settled.
    pub(crate) fn confirm(&mut self, settings: &Settings, client: usize) {
        let it = &mut self.clients[client];
        // An earlier one whose outcome is not known may be the one that is done: it counts from then.
        if it.confirming != it.created {
            it.promise = settings.validity();
            it.confirming = 0;
        }
        it.phase = Phase::Confirming;
    }

    pub(crate) fn renew(&mut self, settings: &Settings, client: usize) {
        let it = &mut self.clients[client];
        it.promise = settings.validity();
        it.phase = Phase::Renewing;
    }

    fn follow_renewal(&mut self, settings: &Settings, client: usize, after: AfterRenewal) {
        let it = &mut self.clients[client];
        if it.valid == 0 {
            return self.lose(client);
        }
        match after {
            AfterRenewal::Renewed(place) => {
                it.valid = it.valid.max(it.promise);
                it.promise = 0;
                set(it, place.created, place.modified);
                it.phase = Phase::Leading;
            }
            AfterRenewal::Read => it.phase = Phase::RenewalReading,
            AfterRenewal::Adopt(place) => {
                set(it, place.created, place.modified);
                self.renew(settings, client);
            }
            AfterRenewal::Again => it.phase = Phase::Renewing,
            AfterRenewal::Lost(_) => self.lose(client),
        }
    }

    fn follow_release(&mut self, client: usize, after: AfterRelease) {
        let it = &mut self.clients[client];
        match after {
            AfterRelease::Released | AfterRelease::Lost(_) => {
                *it = Client { phase: Phase::Ended, work: it.work, ..Client::new() };
            }
            AfterRelease::Read => it.phase = Phase::ResignationReading,
            AfterRelease::Again(place) => {
                set(it, place.created, place.modified);
                it.phase = Phase::Resigning;
            }
        }
    }

    /// It leads no more, stops, and stands for election again.
    pub(crate) fn lose(&mut self, client: usize) {
        let it = &mut self.clients[client];
        *it = Client { phase: Phase::Reading, work: it.work, ..Client::new() };
    }
}

fn me(settings: &Settings, client: usize) -> Candidate {
    Candidate::new(format!("node-{client}"), settings.fitness[client]).unwrap()
}

fn read(settings: &Settings, reply: Reply) -> Read {
    match reply {
        Reply::Got(None) => Read::Nobody,
        Reply::Got(Some(key)) => {
            let state = if key.confirmed { VoteState::Confirmed } else { VoteState::Tentative };
            // As everybody reads it: from its text.
            let text = me(settings, key.owner).vote(state).to_string();
            Read::Seen(text.parse().unwrap(), ballot(key))
        }
        Reply::Unknown => Read::Unknown,
        other => unreachable!("a read is not answered by {other:?}"),
    }
}

fn answer(reply: Reply) -> Answer {
    match reply {
        Reply::Done(key) => Answer::Written(ballot(key)),
        Reply::Exists | Reply::CompareFailed | Reply::NotFound => Answer::Refused,
        Reply::Unknown => Answer::Unknown,
        Reply::Got(_) => unreachable!("not of a write"),
    }
}

fn own(reply: Reply, client: usize) -> OwnKey {
    match reply {
        Reply::Got(None) => OwnKey::Missing,
        Reply::Got(Some(key)) => {
            let is_ours = key.owner == client;
            OwnKey::Found { created: key.created.into(), modified: number(key.version), is_ours }
        }
        Reply::Unknown => OwnKey::Unknown,
        other => unreachable!("a read is not answered by {other:?}"),
    }
}

fn place(client: &Client) -> Place {
    Place { name: String::new(), created: client.created.into(), modified: number(client.version) }
}

fn ballot(key: Key) -> Ballot {
    Ballot { created: key.created.into(), modified: number(key.version) }
}

fn set(client: &mut Client, created: u64, modified: u64) {
    client.created = u8::try_from(created).unwrap();
    client.version = version(modified);
}

fn number(version: Version) -> u64 {
    match version {
        Version::Stale => 0,
        Version::Current => 1,
        Version::New => 2,
    }
}

fn version(number: u64) -> Version {
    match number {
        0 => Version::Stale,
        1 => Version::Current,
        _ => Version::New,
    }
}
