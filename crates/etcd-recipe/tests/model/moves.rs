//! Everything that can happen next.

use etcd_recipe::protocol::{self, Fence, Wake};
use stateright::{Model, Property};

use crate::properties;
use crate::settings::{Clocks, Settings};
use crate::state::{Answer, Asked, Client, End, Phase, Role, Rule, State};

/// The queue and its clients.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Queue(pub(crate) Settings);

/// One thing that happens. A client that makes no move is one that is paused: nothing obliges it to, while time and
/// the others go on.
///
/// A change of the cluster's leader is not one move but several of these: requests that get no answer ([`Self::Cut`]),
/// some of them carried out by the next leader ([`Self::StrayLands`]), and another clock, by which keys run out early
/// ([`Self::RunOut`] within `skew`) or late (at any time after).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Move {
    /// A client enters the queue.
    Start(usize),
    /// The server carries out a request; but for a list, the client takes its answer and goes on.
    Apply(usize),
    /// A client takes the list that was read for it.
    TakeList(usize),
    /// A client gives up on an answer. A write of its goes on as a stray: never applied, applied already (its answer
    /// is what was lost), or applied later.
    Cut(usize),
    /// A stray write is carried out.
    StrayLands(usize),
    /// A stray write never arrives.
    StrayVanishes(usize),
    /// A key runs out.
    RunOut(usize),
    /// All clocks go on.
    Tick,
    /// By the clock of this client its key has run out.
    Deadline(usize),
    /// A wait ends by an event.
    WakeByEvent(usize),
    /// A wait ends by anything else.
    WakeByNothing(usize),
    /// A client renews.
    Renew(usize),
    /// A holder sends a write to the fenced resource.
    Work(usize),
    /// The resource gets it.
    WorkLands(usize),
    /// A holder gives back.
    Release(usize),
    /// A holder sees that its time is over.
    Notice(usize),
    /// The caller drops the future of an acquire.
    Cancel(usize),
    /// Somebody releases the token of an attempt that is over.
    ReleaseBy(usize),
    /// A client comes back under a new name.
    Again(usize),
}

impl Move {
    /// Whether it happens where nothing goes wrong any more: requests are answered, and who renews keeps its place.
    pub(crate) fn is_calm(self, state: &State) -> bool {
        match self {
            Self::Cut(_) | Self::Cancel(_) | Self::ReleaseBy(_) => false,
            Self::RunOut(key) => !state.clients[usize::from(state.keys[key].name.client)].is_acquiring(),
            Self::Start(_)
            | Self::Apply(_)
            | Self::TakeList(_)
            | Self::StrayLands(_)
            | Self::StrayVanishes(_)
            | Self::Tick
            | Self::Deadline(_)
            | Self::WakeByEvent(_)
            | Self::WakeByNothing(_)
            | Self::Renew(_)
            | Self::Work(_)
            | Self::WorkLands(_)
            | Self::Release(_)
            | Self::Notice(_)
            | Self::Again(_) => true,
        }
    }
}

impl Model for Queue {
    type State = State;
    type Action = Move;

    fn init_states(&self) -> Vec<State> {
        vec![State::initial(&self.0)]
    }

    fn actions(&self, state: &State, moves: &mut Vec<Move>) {
        let settings = &self.0;
        for client in 0..state.clients.len() {
            client_moves(settings, state, client, moves);
        }
        moves.extend((0..state.strays.len()).map(Move::StrayLands));
        moves.extend((0..state.strays.len()).map(Move::StrayVanishes));
        let keys = (0..state.keys.len()).filter(|&key| state.may_run_out(settings, key));
        moves.extend(keys.map(Move::RunOut));
        if matches!(settings.clocks, Clocks::Bounded { .. }) {
            moves.push(Move::Tick);
        }
    }

    fn next_state(&self, last: &State, action: Move) -> Option<State> {
        let mut state = last.clone();
        state.make(&self.0, action);
        state.settle(&self.0);
        // A tick when all time is over, a poll that found nothing: not another state.
        (state != *last).then_some(state)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        properties::of(&self.0)
    }
}

fn client_moves(settings: &Settings, state: &State, client: usize, moves: &mut Vec<Move>) {
    let it = &state.clients[client];
    if let Some(request) = &it.request {
        match request.list {
            Some(_) => moves.push(Move::TakeList(client)),
            None => moves.push(Move::Apply(client)),
        }
        if state.faults > 0 && request.list.is_none() {
            moves.push(Move::Cut(client));
        }
    }
    if it.work != 0 {
        moves.push(Move::WorkLands(client));
    }
    if matches!(settings.clocks, Clocks::Wild) && it.valid > 0 {
        moves.push(Move::Deadline(client));
    }
    if it.is_acquiring() && state.faults > 0 {
        moves.push(Move::Cancel(client));
    }
    match it.phase {
        Phase::Idle => moves.push(Move::Start(client)),
        Phase::Waiting => {
            moves.extend([Move::WakeByEvent(client), Move::WakeByNothing(client), Move::Renew(client)]);
        }
        Phase::Held if !it.believes(settings) => moves.push(Move::Notice(client)),
        Phase::Held => {
            moves.extend([Move::Renew(client), Move::Release(client)]);
            if settings.work && it.work == 0 {
                moves.push(Move::Work(client));
            }
            if it.valid == 0 {
                moves.push(Move::Notice(client));
            }
        }
        Phase::Ended(_) => {
            if it.attempt + 1 < settings.attempts {
                moves.push(Move::Again(client));
            }
            if it.created != 0 && state.faults > 0 {
                moves.push(Move::ReleaseBy(client));
            }
        }
        Phase::Creating
        | Phase::Reading
        | Phase::Listing
        | Phase::Renewing(_)
        | Phase::RenewalReading(_)
        | Phase::Releasing
        | Phase::ReleaseReading
        | Phase::Cleaning(_) => {}
    }
}

impl State {
    fn make(&mut self, settings: &Settings, action: Move) {
        match action {
            Move::Start(client) => {
                self.clients[client].begin_round(settings);
                self.create_key(client);
            }
            Move::Apply(client) => self.carry_out(settings, client),
            Move::TakeList(client) => {
                let request = self.clients[client].request.take().expect("offered with a request only");
                let list = request.list.expect("offered with a list only");
                self.deliver(settings, client, Answer::Listed(list));
            }
            Move::Cut(client) => {
                self.faults -= 1;
                self.leave_stray(client);
                self.deliver(settings, client, Answer::Unknown);
            }
            Move::StrayLands(stray) => {
                let write = self.strays.remove(stray);
                self.apply(settings, Asked::Write(write));
            }
            Move::StrayVanishes(stray) => {
                self.strays.remove(stray);
            }
            Move::RunOut(key) => {
                self.keys.remove(key);
            }
            Move::Tick => {
                self.keys.iter_mut().for_each(|key| key.left = key.left.saturating_sub(1));
                self.clients.iter_mut().for_each(Client::tick);
            }
            Move::Deadline(client) => self.clients[client].valid = 0,
            Move::WakeByEvent(client) => self.wake(settings, client, Wake::Event),
            Move::WakeByNothing(client) => self.wake(settings, client, Wake::Nothing),
            Move::Renew(client) => {
                let role = if self.clients[client].is_holder() { Role::Holder } else { Role::Waiter };
                self.renew(settings, client, role);
            }
            Move::Work(client) => self.clients[client].work = self.clients[client].created,
            Move::WorkLands(client) => self.work_lands(settings, client),
            Move::Release(client) => self.release(settings, client),
            Move::Notice(client) => self.end(settings, client, End::Expired),
            Move::Cancel(client) => {
                self.faults -= 1;
                self.leave_stray(client);
                // The drop leaves its name to the cleaner, wherever it happens.
                self.clients[client].create_doubt = true;
                self.end(settings, client, End::Cancelled);
            }
            Move::ReleaseBy(client) => {
                self.faults -= 1;
                self.clients[client].by_token = true;
                self.release(settings, client);
            }
            Move::Again(client) => {
                let Client { attempt, work, .. } = self.clients[client];
                self.clients[client] = Client { work, ..Client::new(attempt + 1) };
            }
        }
    }

    fn carry_out(&mut self, settings: &Settings, client: usize) {
        let request = self.clients[client].request.take().expect("offered with a request only");
        match self.apply(settings, request.asked) {
            Answer::Listed(list) => self.keep_list(client, list),
            answer => self.deliver(settings, client, answer),
        }
    }

    /// Nobody waits for the client's request any more; a write may still be carried out.
    fn leave_stray(&mut self, client: usize) {
        if let Some(request) = self.clients[client].request.take()
            && let Asked::Write(write) = request.asked
        {
            self.strays.push(write);
        }
    }

    fn work_lands(&mut self, settings: &Settings, client: usize) {
        let token = std::mem::take(&mut self.clients[client].work);
        let stored = Some(self.resource).filter(|&stored| stored != 0).map(u64::from);
        match protocol::fence(stored, token.into()) {
            Fence::Refuse if !settings.unfenced_resource => return,
            Fence::Refuse | Fence::Pass => {}
        }
        if token < self.resource {
            self.broken.insert(Rule::ResourceTakesNoOlderToken);
        }
        self.resource = token;
    }
}
