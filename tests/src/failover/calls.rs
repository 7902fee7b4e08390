//! A series of calls one after the other.

use std::time::Duration;

use etcd_client::Error;
use etcd_client::v2::KeysResponse;
use tokio::time::Instant;

/// A series of calls as their caller saw it.
#[derive(Clone, Debug, Default)]
pub struct Calls(Vec<Seen>);

/// One call.
#[derive(Clone, Debug)]
pub struct Seen {
    /// From the call to its answer.
    pub elapsed: Duration,
    /// How often it was sent, or tried to be.
    pub attempts: u32,
    /// Why it failed.
    pub error: Option<String>,
}

impl Calls {
    /// Makes so many calls, one after the other; `call` gets the number of each, from 0.
    pub async fn make(count: usize, mut call: impl AsyncFnMut(usize) -> Result<KeysResponse, Error>) -> Self {
        let mut calls = Self::default();
        for number in 0..count {
            let begun = Instant::now();
            let answer = call(number).await;
            calls.0.push(Seen::new(begun.elapsed(), answer));
        }
        calls
    }

    /// All of them, in order.
    pub fn as_slice(&self) -> &[Seen] {
        &self.0
    }

    /// Why calls failed.
    pub fn errors(&self) -> Vec<&str> {
        self.0.iter().filter_map(|seen| seen.error.as_deref()).collect()
    }

    /// How many calls took more than one attempt.
    pub fn repeated(&self) -> usize {
        self.0.iter().filter(|seen| seen.attempts > 1).count()
    }

    /// How many calls behind the first `behind` took more than one attempt.
    pub fn repeated_behind(&self, behind: usize) -> usize {
        self.0.iter().skip(behind).filter(|seen| seen.attempts > 1).count()
    }

    /// How long the first call took: what a caller waits for who calls right after the fault.
    pub fn first(&self) -> Duration {
        self.0.first().map(|seen| seen.elapsed).unwrap_or_default()
    }

    /// The slowest call behind the first.
    pub fn slowest_behind_first(&self) -> Duration {
        self.0.iter().skip(1).map(|seen| seen.elapsed).max().unwrap_or_default()
    }
}

impl Seen {
    fn new(elapsed: Duration, answer: Result<KeysResponse, Error>) -> Self {
        match answer {
            Ok(answer) => Self { elapsed, attempts: answer.attempts, error: None },
            Err(error) => {
                let attempts = u32::try_from(error.attempts().made()).unwrap_or(u32::MAX);
                let tried: Vec<_> = error.attempts().iter().map(ToString::to_string).collect();
                Self { elapsed, attempts, error: Some(format!("{error}; tried: {}", tried.join("; "))) }
            }
        }
    }
}
