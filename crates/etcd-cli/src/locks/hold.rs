//! Holding something: until a signal, its loss, or the end of a program.

use std::ffi::OsString;
use std::io::{self, Write as _};

use etcd_client::v2::Key;
use etcd_leader::Leadership;
use etcd_lock::{LockGuard, LossReason, Lost, Token};

use super::program::Program;
use crate::exit::Exit;
use crate::failure::{Failure, Result};
use crate::signal::Signals;

/// What can be held.
pub(super) trait Held {
    /// What it is called in a message.
    const WHAT: &'static str;
    /// What the variables of a program that runs under it begin with.
    const VARIABLES: &'static str;

    fn token(&self) -> &Token;
    fn key(&self) -> &Key;
    fn lost(&self) -> Lost;
    async fn give_back(self) -> Result<()>;
}

/// Holds it while the program runs; without one until a signal.
///
/// # Errors
/// [`Exit::Lost`] if it was lost before the end.
pub(super) async fn hold<H: Held>(held: H, program: &[OsString], signals: &mut Signals) -> Result<Exit> {
    let variables = [
        ("KEY", held.key().to_string()),
        // As etcdctl's `lock` of v3 calls the number to fence with.
        ("REV", held.token().index().to_string()),
        ("TOKEN", held.token().to_string()),
    ];
    let variables = variables.map(|(name, value)| (format!("{}_{name}", H::VARIABLES), value));
    match Program::start(program, &variables)? {
        Some(program) => while_it_runs(held, program, signals).await,
        None => until_signal(held, signals).await,
    }
}

async fn until_signal<H: Held>(held: H, signals: &mut Signals) -> Result<Exit> {
    let exit = tokio::select! {
        biased;
        reason = held.lost() => return Err(was_lost::<H>(reason)),
        exit = signals.recv() => exit,
    };
    give_back(held, signals).await;
    Ok(exit)
}

/// A signal is passed on to the program, whose end is waited for while all is still held; the second one kills it.
async fn while_it_runs<H: Held>(held: H, mut program: Program, signals: &mut Signals) -> Result<Exit> {
    let mut lost = held.lost();
    let mut asked = None;
    let ended = loop {
        tokio::select! {
            biased;
            reason = &mut lost => {
                program.end().await;
                return Err(was_lost::<H>(reason));
            }
            ended = program.ended() => break ended?,
            exit = signals.recv() => match asked {
                None => program.pass_on(*asked.insert(exit)),
                Some(_) => program.kill(),
            },
        }
    };
    match asked {
        Some(exit) => {
            give_back(held, signals).await;
            Ok(exit)
        }
        None => match held.give_back().await {
            // What the program did at last may have been done without it.
            Err(failure) if failure.exit() == Exit::Lost => Err(failure),
            Err(failure) => {
                tell(&failure);
                Ok(ended)
            }
            Ok(()) => Ok(ended),
        },
    }
}

/// Gives back what nobody asks for the fate of; at another signal the rest is left to the background.
async fn give_back(held: impl Held, signals: &mut Signals) {
    tokio::select! {
        given_back = held.give_back() => if let Err(failure) = given_back {
            tell(&failure);
        },
        _ = signals.recv() => {}
    }
}

fn was_lost<H: Held>(reason: LossReason) -> Failure {
    Failure::new(Exit::Lost, format!("{} was lost: {reason}", H::WHAT))
}

fn tell(failure: &Failure) {
    // What nobody reads need not be said.
    let _ = io::stderr().write_all(failure.text(false).as_bytes());
}

impl Held for LockGuard {
    const WHAT: &'static str = "the lock";
    const VARIABLES: &'static str = "ETCD_LOCK";

    fn token(&self) -> &Token {
        self.token()
    }

    fn key(&self) -> &Key {
        self.key()
    }

    fn lost(&self) -> Lost {
        self.lost()
    }

    async fn give_back(self) -> Result<()> {
        Ok(self.release().await?)
    }
}

impl Held for Leadership {
    const WHAT: &'static str = "the leadership";
    const VARIABLES: &'static str = "ETCD_ELECT";

    fn token(&self) -> &Token {
        self.token()
    }

    fn key(&self) -> &Key {
        self.key()
    }

    fn lost(&self) -> Lost {
        self.lost()
    }

    async fn give_back(self) -> Result<()> {
        Ok(self.resign().await?)
    }
}
