//! Taking a lock.

use std::ffi::OsString;
use std::time::Duration;

use clap::Args;
use etcd_lock::{Contender, Token};
use serde_json::json;

use super::hold::hold;
use crate::exit::Exit;
use crate::failure::{Failure, Result};
use crate::global::Format;
use crate::output::Output;
use crate::session::Session;
use crate::signal::Signals;
use crate::{host, value};

/// Holds a lock while a program runs, or until a signal; with -t alone takes it and leaves it held for that time
///
/// It waits in line for the lock. While it holds it, it renews it; what it has it gives back when the program ends, and
/// on SIGINT and SIGTERM, which a program is passed first (a second one kills it). If the lock is lost the program is
/// ended, by SIGTERM and a second later by SIGKILL, and the exit code is 15; else it is the program's. In its
/// environment stand ETCD_LOCK_KEY, ETCD_LOCK_TOKEN, and ETCD_LOCK_REV, the number to fence with: each holder has a
/// greater one.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    etcd-cli lock nightly -- ./nightly --all       # while it runs\n  \
    etcd-cli lock nightly                          # until Ctrl-C; prints the token\n  \
    token=$(etcd-cli lock -t 60 nightly)           # for 60 s, whatever becomes of this shell\n  \
    etcd-cli lock -t 60 nightly -i \"$token\"        # for 60 s from now\n  \
    etcd-cli unlock nightly -i \"$token\"\n  \
    etcd-cli lock nightly --holder")]
pub(crate) struct Lock {
    /// Its name, a path such as jobs/nightly: the key below /locks
    key: String,
    /// How long it stays held without a renewal: seconds or a Go duration, rounded up; 5 s at least where it is renewed
    /// (15 s by default)
    #[arg(short, long, value_name = "TIME", value_parser = value::lock_ttl)]
    ttl: Option<Duration>,
    /// Renews what this token holds, from any process
    #[arg(
        short = 'i',
        long,
        alias = "index",
        requires = "ttl",
        conflicts_with_all = ["hold", "owner", "program"]
    )]
    token: Option<Token>,
    /// Prints who holds it: the token, and the owner
    #[arg(long, conflicts_with_all = ["ttl", "token", "hold", "owner", "program"])]
    holder: bool,
    /// Holds it until a signal with -t too
    #[arg(long)]
    hold: bool,
    /// What others see as the holder; else HOST:PROCESS
    #[arg(long, value_name = "TEXT")]
    owner: Option<String>,
    /// The program and its arguments
    #[arg(last = true, value_name = "PROGRAM")]
    program: Vec<OsString>,
}

impl Lock {
    pub(super) fn writes(&self) -> bool {
        self.token.is_some()
    }

    pub(super) async fn run(self, session: &mut Session, signals: &mut Signals) -> Result<Exit> {
        let owner = self.owner.clone();
        let owner = owner.unwrap_or_else(|| format!("{}:{}", host::name(), std::process::id()));
        let lock = etcd_lock::Lock::new(&session.client, &self.key).owner(owner);
        if self.holds() {
            return self.hold(lock, session, signals).await;
        }
        tokio::select! {
            exit = self.at_once(lock, session) => exit,
            exit = signals.recv() => Ok(exit),
        }
    }

    /// Whether it stays for as long as it holds.
    fn holds(&self) -> bool {
        let is_lease = self.ttl.is_some() && self.program.is_empty() && !self.hold;
        !self.holder && self.token.is_none() && !is_lease
    }

    async fn hold(self, lock: etcd_lock::Lock, session: &mut Session, signals: &mut Signals) -> Result<Exit> {
        let lock = match self.ttl {
            Some(ttl) => lock.ttl(ttl),
            None => lock,
        };
        let guard = tokio::select! {
            guard = lock.acquire() => guard?,
            exit = signals.recv() => return Ok(exit),
        };
        if self.program.is_empty() {
            show(&mut session.out, guard.token())?;
        }
        hold(guard, &self.program, signals).await
    }

    async fn at_once(self, lock: etcd_lock::Lock, session: &mut Session) -> Result<Exit> {
        let out = &mut session.out;
        match (self.token, self.ttl) {
            (Some(token), Some(ttl)) => lock.renew_by(&token, ttl).await?,
            (None, Some(ttl)) => {
                let token = lease(&lock, ttl).await?;
                if let Err(failure) = show(out, &token) {
                    // Nobody knows the token that it could be given back by.
                    lock.release_by(&token).await?;
                    return Err(failure);
                }
            }
            (_, None) => holder(&lock, &self.key, out).await?,
        }
        Ok(Exit::Done)
    }
}

/// Takes it and leaves it held for this time.
pub(crate) async fn lease(lock: &etcd_lock::Lock, ttl: Duration) -> Result<Token> {
    let guard = lock.clone().ttl(ttl.max(SHORTEST)).acquire().await?;
    // From the grant on, and also for a time too short to be renewed in. If that fails it is given back.
    match lock.renew_by(guard.token(), ttl).await {
        Err(error) if error.is_unknown_token() => {
            Err(Failure::new(Exit::Lost, "the lock was lost as soon as it was had"))
        }
        renewed => {
            renewed?;
            guard.check()?;
            Ok(guard.detach())
        }
    }
}

async fn holder(lock: &etcd_lock::Lock, name: &str, out: &mut Output) -> Result<()> {
    let Some(holder) = lock.holder().await? else {
        return Err(Failure::new(Exit::NotHeld, format!("nobody holds the lock {name}")));
    };
    let Contender { key, token, value, expires_in, .. } = holder;
    match out.format() {
        Format::Json => out.json(&json!({
            "key": key.as_str(),
            "token": token.to_string(),
            "index": token.index(),
            "owner": value,
            "ttl": expires_in.map(|time| time.as_secs()),
        })),
        Format::Simple | Format::Extended | Format::Table => {
            let line = format!("{token} {}", out.shown(&value));
            out.line(&line)
        }
    }
}

/// Prints a token, at once: somebody waits for it.
pub(super) fn show(out: &mut Output, token: &Token) -> Result<()> {
    match out.format() {
        Format::Json => out.json(&json!({ "token": token.to_string(), "index": token.index() }))?,
        Format::Simple | Format::Extended | Format::Table => out.line(&token.to_string())?,
    }
    out.finish()
}

/// The shortest time in which something can be renewed.
const SHORTEST: Duration = Duration::from_secs(5);
