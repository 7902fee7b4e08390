//! One attempt, or several that race for a connection.
//!
//! ```text
//! Alone ── answer, failure ──────────────────────────────> done
//!   │ the pool holds it, and the timer rings
//!   v
//! Race ── one has gone out: the others are closed ──> Alone
//!   └──── all have failed ───────────────────────────────> done, with the last failure
//! ```

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use etcd_proto::{BoxError, Outcome};
use http::{Request, Response};
use pin_project_lite::pin_project;
use tower_service::Service;

use super::heat::Heat;
use super::race::Race;
use crate::attempt_state::AttemptState;
use crate::copies::Whereabouts;
use crate::{Error, Phase, ReqBody};

pin_project! {
    /// The answer of a [`Route`](super::Route): the head, with the endpoint in its extensions.
    ///
    /// # Cancel safety
    ///
    /// Dropping it closes the connection in use. For a write the outcome is then `Unknown`.
    #[must_use = "futures do nothing unless polled"]
    pub struct ResponseFuture<S: Service<Request<ReqBody>>> {
        // Why nothing was begun.
        refused: Option<Error>,
        // `None` if nothing was begun, or it has failed or lost.
        #[pin]
        first: Option<Heat<S>>,
        // `None` if there is nobody to race with, or the winner is alone.
        race: Option<Box<Race<S>>>,
        // The rival that has won.
        winner: Option<Pin<Box<Heat<S>>>>,
        attempt: AttemptState,
    }

    impl<S: Service<Request<ReqBody>>> PinnedDrop for ResponseFuture<S> {
        fn drop(this: Pin<&mut Self>) {
            this.project().attempt.abandon();
        }
    }
}

impl<S: Service<Request<ReqBody>>> ResponseFuture<S> {
    /// An attempt that ends before it has begun.
    pub(super) fn refused(error: Error, attempt: AttemptState) -> Self {
        Self { refused: Some(error), first: None, race: None, winner: None, attempt }
    }

    /// An attempt that was begun, with those that may race with it.
    pub(super) fn begun(first: Heat<S>, race: Option<Box<Race<S>>>) -> Self {
        let attempt = first.attempt().clone();
        Self { refused: None, first: Some(first), race, winner: None, attempt }
    }
}

/// What one poll of one of those that race has brought.
enum Turnout<T> {
    /// It goes on waiting for a connection, or has not come to the bottom.
    Waits { held: bool },
    /// It may have been sent, or has ended in a way that ends the race.
    Decides(Poll<T>),
    /// It has failed, and nothing was sent.
    Fails(Error),
}

/// What one poll of all has left of the race.
#[derive(Default)]
struct Tally {
    /// Whether the pool holds one.
    held: bool,
    /// The last failure.
    failure: Option<Error>,
}

impl<T> Turnout<T> {
    /// Counts it in; says how it ends the race, if it does, and whether it is still one of those that race.
    fn count(self, tally: &mut Tally) -> (Option<Poll<T>>, bool) {
        match self {
            Self::Waits { held } => {
                tally.held |= held;
                (None, true)
            }
            Self::Decides(answer) => (Some(answer), true),
            Self::Fails(error) => {
                tally.failure = Some(error);
                (None, false)
            }
        }
    }
}

impl<S, B> Future for ResponseFuture<S>
where
    S: Service<Request<ReqBody>, Response = Response<B>> + Clone,
    S::Error: Into<BoxError>,
{
    type Output = Result<Response<B>, Error>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        if let Some(error) = this.refused.take() {
            return Poll::Ready(Err(error));
        }
        if let Some(winner) = this.winner {
            return winner.as_mut().poll(cx);
        }
        let Some(race) = this.race else {
            let first = this.first.as_pin_mut().expect("without a race the first is there until it ends");
            return first.poll(cx);
        };
        let mut tally = Tally::default();
        if let Some(mut first) = this.first.as_mut().as_pin_mut() {
            let (end, stays) = turnout(first.as_mut().poll(cx), first.attempt()).count(&mut tally);
            if let Some(answer) = end {
                race.close_rivals();
                this.attempt.outlives_rivals();
                *this.race = None;
                return answer;
            }
            if !stays {
                this.first.set(None);
            }
        }
        let mut polled = 0;
        loop {
            if let Some((winner, answer)) = poll_rivals(race, &mut polled, &mut tally, cx) {
                if let Some(first) = this.first.as_mut().as_pin_mut() {
                    race.close(first.attempt());
                }
                race.close_rivals();
                winner.attempt().inherit();
                *this.race = None;
                this.first.set(None);
                *this.winner = Some(winner);
                return answer;
            }
            if let Some(error) = tally.failure.take() {
                // The layers above go on with what this call has not asked, if there is anything.
                if this.first.is_none() && race.rivals().is_empty() {
                    return Poll::Ready(Err(error));
                }
                race.hurry();
            }
            // Nobody is tried beside one that is not held: it may be waiting for its turn above the bottom, or
            // the bottom does not tell.
            if !tally.held || race.poll_next(cx).is_pending() || !race.begin() {
                return Poll::Pending;
            }
        }
    }
}

/// Polls those beside the first, from this number on; the one that has won, taken out, and how.
#[expect(clippy::type_complexity, reason = "a pinned box and the answer of one poll")]
fn poll_rivals<S, B>(
    race: &mut Race<S>,
    polled: &mut usize,
    tally: &mut Tally,
    cx: &mut Context<'_>,
) -> Option<(Pin<Box<Heat<S>>>, Poll<Result<Response<B>, Error>>)>
where
    S: Service<Request<ReqBody>, Response = Response<B>> + Clone,
    S::Error: Into<BoxError>,
{
    while let Some(rival) = race.rivals().get_mut(*polled) {
        let (end, stays) = turnout(rival.as_mut().poll(cx), rival.attempt()).count(tally);
        if let Some(answer) = end {
            return Some((race.rivals().swap_remove(*polled), answer));
        }
        if stays {
            *polled += 1;
        } else {
            drop(race.rivals().remove(*polled));
        }
    }
    None
}

/// What a poll has brought.
fn turnout<B>(
    answer: Poll<Result<Response<B>, Error>>,
    attempt: &AttemptState,
) -> Turnout<Result<Response<B>, Error>> {
    match answer {
        Poll::Ready(Err(error))
            if error.proved() == Outcome::NotApplied && error.phase() == Phase::Connect =>
        {
            Turnout::Fails(error)
        }
        Poll::Ready(answer) => Turnout::Decides(Poll::Ready(answer)),
        Poll::Pending => match attempt.whereabouts() {
            Whereabouts::Held => Turnout::Waits { held: true },
            Whereabouts::Above => Turnout::Waits { held: false },
            Whereabouts::Gone => Turnout::Decides(Poll::Pending),
        },
    }
}

impl<S: Service<Request<ReqBody>>> fmt::Debug for ResponseFuture<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResponseFuture").field("attempt", &self.attempt).finish_non_exhaustive()
    }
}
