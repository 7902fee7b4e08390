//! Everything that can happen next.

use etcd_recipe::protocol::{self, Fence};
use stateright::{Model, Property};

use crate::properties;
use crate::server::Reply;
use crate::settings::Settings;
use crate::state::{Client, Kind, Phase, Rule, State, Write};

/// The election and its candidates.
#[derive(Clone, Debug)]
pub(crate) struct Election(pub(crate) Settings);

/// One thing that happens. A candidate that makes no move is one that is paused, for as long as the others like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Move {
    /// A candidate stands for election.
    Start(usize),
    /// The server carries out a request, and the candidate takes the answer.
    Apply(usize),
    /// A candidate gives up on an answer. A write of its goes on as a stray: never applied, applied already (its answer
    /// is what was lost), or applied later.
    Cut(usize),
    /// A stray write is carried out.
    StrayLands(usize),
    /// A stray write never arrives.
    StrayVanishes(usize),
    /// The key runs out.
    RunOut,
    /// All clocks go on.
    Tick,
    /// By the clock of this candidate its time is over.
    Deadline(usize),
    /// A nomination has settled.
    Settled(usize),
    /// A wait ends, by an event or anything else.
    Wake(usize),
    Renew(usize),
    /// A leader sends a write to the fenced resource.
    Work(usize),
    /// The resource gets it.
    WorkLands(usize),
    Resign(usize),
    /// A leader sees that its time is over.
    Notice(usize),
}

impl Model for Election {
    type State = State;
    type Action = Move;

    fn init_states(&self) -> Vec<State> {
        let clients = vec![Client::new(); self.0.fitness.len()];
        let broken = Default::default();
        vec![State { key: None, clients, strays: Vec::new(), resource: 0, faults: self.0.faults, broken }]
    }

    fn actions(&self, state: &State, moves: &mut Vec<Move>) {
        for client in 0..state.clients.len() {
            client_moves(&self.0, state, client, moves);
        }
        moves.extend((0..state.strays.len()).map(Move::StrayLands));
        moves.extend((0..state.strays.len()).map(Move::StrayVanishes));
        if state.key.is_some_and(|key| key.left <= self.0.skew()) {
            moves.push(Move::RunOut);
        }
        if self.0.bounded {
            moves.push(Move::Tick);
        }
    }

    fn next_state(&self, last: &State, action: Move) -> Option<State> {
        let mut state = last.clone();
        state.make(&self.0, action);
        state.settle();
        (state != *last).then_some(state)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        properties::of(&self.0)
    }
}

fn client_moves(settings: &Settings, state: &State, client: usize, moves: &mut Vec<Move>) {
    let it = &state.clients[client];
    if it.work != 0 {
        moves.push(Move::WorkLands(client));
    }
    if !settings.bounded && it.valid > 0 {
        moves.push(Move::Deadline(client));
    }
    match it.phase {
        Phase::Idle => moves.push(Move::Start(client)),
        Phase::Settling => moves.push(Move::Settled(client)),
        Phase::Waiting => moves.push(Move::Wake(client)),
        Phase::Leading if it.believes() => {
            moves.extend([Move::Renew(client), Move::Resign(client)]);
            if !settings.bounded && it.work == 0 {
                moves.push(Move::Work(client));
            }
        }
        Phase::Leading => moves.push(Move::Notice(client)),
        Phase::Ended => {}
        Phase::Reading
        | Phase::Nominating
        | Phase::TakingOver
        | Phase::Confirming
        | Phase::Renewing
        | Phase::RenewalReading
        | Phase::Resigning
        | Phase::ResignationReading => {
            moves.push(Move::Apply(client));
            if state.faults > 0 {
                moves.push(Move::Cut(client));
            }
        }
    }
}

impl State {
    fn make(&mut self, settings: &Settings, action: Move) {
        match action {
            Move::Start(client) | Move::Wake(client) => self.clients[client].phase = Phase::Reading,
            Move::Apply(client) => {
                let reply = match self.write_of(client) {
                    Some(write) => self.write(settings, write),
                    None => Reply::Got(self.key),
                };
                self.take(settings, client, reply);
            }
            Move::Cut(client) => {
                self.faults -= 1;
                self.strays.extend(self.write_of(client));
                self.take(settings, client, Reply::Unknown);
            }
            Move::StrayLands(stray) => {
                let write = self.strays.remove(stray);
                self.write(settings, write);
            }
            Move::StrayVanishes(stray) => drop(self.strays.remove(stray)),
            Move::RunOut => self.key = None,
            Move::Tick => {
                self.key.iter_mut().for_each(|key| key.left = key.left.saturating_sub(1));
                for client in &mut self.clients {
                    client.valid = client.valid.saturating_sub(1);
                    client.promise = client.promise.saturating_sub(1);
                }
            }
            Move::Deadline(client) => self.clients[client].valid = 0,
            Move::Settled(client) => self.confirm(settings, client),
            Move::Renew(client) => self.renew(settings, client),
            Move::Work(client) => self.clients[client].work = self.clients[client].created,
            Move::WorkLands(client) => self.work_lands(client),
            Move::Resign(client) => {
                let it = &mut self.clients[client];
                (it.valid, it.phase) = (0, Phase::Resigning);
            }
            Move::Notice(client) => self.lose(client),
        }
    }

    /// The write that the candidate has under way, if it is one.
    fn write_of(&self, client: usize) -> Option<Write> {
        let kind = match self.clients[client].phase {
            Phase::Nominating => Kind::Nominate,
            Phase::TakingOver => Kind::TakeOver,
            Phase::Confirming => Kind::Confirm,
            Phase::Renewing => Kind::Renew,
            Phase::Resigning => Kind::Resign,
            Phase::Reading
            | Phase::RenewalReading
            | Phase::ResignationReading
            | Phase::Idle
            | Phase::Settling
            | Phase::Waiting
            | Phase::Leading
            | Phase::Ended => return None,
        };
        Some(Write { client, kind, compare: self.clients[client].version })
    }

    fn work_lands(&mut self, client: usize) {
        let token = std::mem::take(&mut self.clients[client].work);
        let stored = Some(self.resource).filter(|&stored| stored != 0).map(u64::from);
        if protocol::fence(stored, token.into()) == Fence::Refuse {
            return;
        }
        if token < self.resource {
            self.broken.insert(Rule::ResourceTakesNoOlderToken);
        }
        self.resource = token;
    }
}
