//! Which copies of a request may be on their way.
//!
//! At the bottom of an attempt there is one copy of its request, or several if a layer at the endpoint
//! repeats it. Two services down there count: `Classify` each copy that goes out and each that is proved not
//! to have been sent, `Connection` each that its pool still holds because there is no connection to give it
//! to. A copy is not held while its future is polled, since it may be given to a connection just then.
//!
//! So if as many are held as are out, none was sent. For that to stay true once it was said, the copies are
//! sealed in the same breath: the pool is not polled for them any more, whoever keeps their futures.

/// The copies of the request of one attempt.
#[derive(Debug, Default)]
pub(crate) struct Copies {
    /// Given to the bottom and not proved to be unsent.
    out: usize,
    /// Of these, with the pool and with no connection.
    held: usize,
    /// What is held must not be sent any more.
    sealed: bool,
}

impl Copies {
    /// One is given to the bottom.
    pub(crate) fn go_out(&mut self) {
        self.out += 1;
    }

    /// One has failed in a way that proves that it was not sent.
    pub(crate) fn come_back(&mut self) {
        self.out = self.out.saturating_sub(1);
    }

    /// The pool has one and no connection for it.
    pub(crate) fn hold(&mut self) {
        self.held += 1;
    }

    /// One that is held may be given to a connection now; `false` if it must not.
    pub(crate) fn let_go(&mut self) -> bool {
        if !self.sealed {
            self.held = self.held.saturating_sub(1);
        }
        !self.sealed
    }

    /// Whether any may have been sent, or may yet be.
    pub(crate) fn any(&self) -> bool {
        self.out > 0
    }

    /// Whether any besides one may have been sent, or may yet be.
    pub(crate) fn several(&self) -> bool {
        self.out > 1
    }

    /// Makes sure that none is sent any more, if none was; says whether that is so.
    pub(crate) fn seal(&mut self) -> bool {
        self.sealed |= self.out > 0 && self.held == self.out;
        self.sealed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn held() -> Copies {
        let mut copies = Copies::default();
        copies.go_out();
        copies.hold();
        copies
    }

    #[test]
    fn what_is_held_was_not_sent_and_stays_once_that_is_said() {
        let mut copies = held();
        assert!(copies.seal());
        assert!(!copies.let_go());
        assert!(copies.seal());
    }

    #[test]
    fn what_nobody_holds_may_have_been_sent() {
        let mut copies = Copies::default();
        assert!(!copies.seal(), "none has come to the bottom, as far as it tells");
        copies.go_out();
        assert!(!copies.seal());
    }

    #[test]
    fn what_is_polled_may_be_sent_at_this_very_moment() {
        let mut copies = held();
        assert!(copies.let_go());
        assert!(!copies.seal());
        copies.hold();
        assert!(copies.seal());
    }

    #[test]
    fn one_copy_that_was_sent_is_enough() {
        let mut copies = held();
        copies.go_out();
        copies.hold();
        assert!(copies.let_go() && copies.several());
        assert!(!copies.seal());
    }

    #[test]
    fn one_that_is_proved_unsent_does_not_count() {
        let mut copies = held();
        assert!(copies.let_go());
        copies.come_back();
        assert!(!copies.any());
        copies.go_out();
        assert!(copies.any() && !copies.several());
    }
}
