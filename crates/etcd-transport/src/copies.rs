//! Which copies of a request may be on their way.
//!
//! At the bottom of an attempt there is one copy of its request, or several if a layer at the endpoint
//! repeats it. Two services down there count: `Classify` each copy that goes out and each that is proved not
//! to have been sent, `Connection` each that its pool still holds because there is no connection to give it
//! to. A copy is not held while its future is polled, since it may be given to a connection just then.
//!
//! So if as many are held as are out, none was sent. For that to stay true once it was said, the copies are
//! sealed in the same breath: the pool is not polled for them any more, whoever keeps their futures.
//!
//! When attempts race for a connection, each has a lane here, and only one of them may be sent. So the pool
//! is polled for a lane only while all others are held: [`Turn`]. That holds whoever polls, also a layer that
//! has moved its request to a task of its own.
//!
//! A redirect ends all that: what follows it has a lane of its own, and the lanes before it count no more.

/// The copies of the request of one attempt, or of several that race.
#[derive(Debug, Default)]
pub(crate) struct Copies {
    /// Of the attempt that was begun first, nearly always the only one.
    first: Lane,
    /// Of those that race with it.
    rivals: Vec<Lane>,
    /// The first lane that still counts; those before it are of a race that is over.
    from: usize,
}

/// The copies of one attempt.
#[derive(Debug, Default)]
struct Lane {
    /// Given to the bottom and not proved to be unsent.
    out: usize,
    /// Of these, with the pool and with no connection.
    held: usize,
    /// Of these, with the pool which is being polled for them.
    polled: usize,
    /// What is held must not be sent any more, and that nothing was is proved.
    sealed: bool,
    /// It has lost its race: what is held must not be sent any more.
    lost: bool,
}

impl Lane {
    /// How many are neither with the pool nor proved to be unsent.
    fn sent(&self) -> usize {
        self.out.saturating_sub(self.held + self.polled)
    }

    fn is_held(&self) -> bool {
        self.out > 0 && self.held == self.out
    }
}

/// Whether the pool may be polled for a copy that it holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Turn {
    /// It may; from now on the copy is not held.
    Go,
    /// Not while the pool is polled for a rival, on another thread.
    Wait,
    /// It must not: the attempt was given up as one that was not sent, or a rival was sent.
    Never,
}

/// Where the request of an attempt is, as far as the bottom tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Whereabouts {
    /// Above the bottom, or with a bottom that does not tell.
    Above,
    /// With the pool, which has no connection for it.
    Held,
    /// It may have been sent.
    Gone,
}

impl Copies {
    /// The first lane is that of the attempt itself.
    pub(crate) const FIRST: usize = 0;

    /// A lane for a rival.
    pub(crate) fn add_lane(&mut self) -> usize {
        self.rivals.push(Lane::default());
        self.rivals.len()
    }

    fn lane(&mut self, lane: usize) -> &mut Lane {
        match lane {
            Self::FIRST => &mut self.first,
            rival => &mut self.rivals[rival - 1],
        }
    }

    /// The lanes that count, with their numbers.
    fn lanes(&self) -> impl Iterator<Item = (usize, &Lane)> {
        std::iter::once(&self.first).chain(&self.rivals).enumerate().skip(self.from)
    }

    /// A lane for the request that is begun once more since a server has led it elsewhere. What is left in the
    /// others must not be sent any more.
    pub(crate) fn begin_anew(&mut self) -> usize {
        for lane in std::iter::once(&mut self.first).chain(&mut self.rivals) {
            lane.lost = true;
        }
        self.from = self.add_lane();
        self.from
    }

    /// One is given to the bottom.
    pub(crate) fn go_out(&mut self, lane: usize) {
        self.lane(lane).out += 1;
    }

    /// One has failed in a way that proves that it was not sent.
    pub(crate) fn come_back(&mut self, lane: usize) {
        let lane = self.lane(lane);
        lane.out = lane.out.saturating_sub(1);
    }

    /// The pool has one and no connection for it.
    pub(crate) fn hold(&mut self, lane: usize) {
        self.lane(lane).held += 1;
    }

    /// The pool is about to be polled for one that it holds.
    pub(crate) fn let_go(&mut self, lane: usize) -> Turn {
        let others = self.lanes().filter(|(number, _)| *number != lane).map(|(_, other)| other);
        let (polled, sent) =
            others.fold((0, 0), |(polled, sent), other| (polled + other.polled, sent + other.sent()));
        let lane = self.lane(lane);
        if lane.sealed || lane.lost || sent > 0 {
            return Turn::Never;
        }
        if polled > 0 {
            return Turn::Wait;
        }
        lane.held = lane.held.saturating_sub(1);
        lane.polled += 1;
        Turn::Go
    }

    /// The pool was polled for one, and has it still or not.
    pub(crate) fn polled(&mut self, lane: usize, still_held: bool) {
        let lane = self.lane(lane);
        lane.polled = lane.polled.saturating_sub(1);
        lane.held += usize::from(still_held);
    }

    /// Whether any may have been sent, or may yet be.
    pub(crate) fn any(&mut self, lane: usize) -> bool {
        self.lane(lane).out > 0
    }

    /// Whether any besides one may have been sent, or may yet be.
    pub(crate) fn several(&mut self, lane: usize) -> bool {
        self.lane(lane).out > 1
    }

    /// Where they are.
    pub(crate) fn whereabouts(&mut self, lane: usize) -> Whereabouts {
        let lane = self.lane(lane);
        match lane.out {
            0 => Whereabouts::Above,
            _ if lane.is_held() => Whereabouts::Held,
            _ => Whereabouts::Gone,
        }
    }

    /// Makes sure that none is sent any more, if none was; says whether that is so.
    pub(crate) fn seal(&mut self, lane: usize) -> bool {
        let lane = self.lane(lane);
        lane.sealed |= lane.is_held();
        lane.sealed
    }

    /// The same for all lanes; without effect if it is not so for one.
    ///
    /// A lane with nothing out has failed, or its request has not come to the bottom: that is no obstacle, but
    /// proves nothing alone.
    pub(crate) fn seal_all(&mut self) -> bool {
        let unsent = self.lanes().all(|(_, lane)| lane.sealed || lane.held == lane.out);
        let any = self.lanes().any(|(_, lane)| lane.sealed || lane.is_held());
        if !(unsent && any) {
            return false;
        }
        for lane in std::iter::once(&mut self.first).chain(&mut self.rivals).skip(self.from) {
            lane.sealed |= lane.is_held();
            // What has not come to the bottom is not let through either.
            lane.lost = true;
        }
        true
    }

    /// Makes sure that none is sent any more, since a rival was; says whether it is proved that none was.
    pub(crate) fn lose(&mut self, lane: usize) -> bool {
        let lane = self.lane(lane);
        lane.lost = true;
        lane.held == lane.out
    }
}

#[cfg(test)]
#[path = "copies_test.rs"]
mod tests;
