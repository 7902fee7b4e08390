//! What a contender does, in a process of its own or in this one.

use std::sync::Arc;
use std::time::Duration;

use etcd_lock::{FencedKey, LockGuard, Token};
use tokio::io::{AsyncBufReadExt as _, BufReader, Lines, Stdin, stdin};
use tokio::task::AbortHandle;
use tokio::time::sleep;

use super::contenders::lock;
use super::journal::Journal;
use super::process::Task;
use super::resource::Writer;
use super::said::{Said, boottime};
use crate::canary;

/// Contends for ever: waits, holds until it has lost it, and contends anew. All that happens is
/// printed, a line each, see [`Said`]. Ends when its standard input does.
///
/// While it holds it is careless: it blocks its only thread, so that no task of the recipe runs between a stop in there
/// and the next question; and what it writes to is written whatever it has just been told.
///
/// # Errors
/// If it cannot go on; that is printed as well.
pub async fn contend(task: Task) -> Result<(), String> {
    let mut input = BufReader::new(stdin()).lines();
    let ended = run(&task, &mut input).await;
    if let Err(why) = &ended {
        println!("{}", Said::Failed { why: why.clone() });
    }
    ended
}

async fn run(task: &Task, input: &mut Lines<BufReader<Stdin>>) -> Result<(), String> {
    let text = |error: &dyn std::error::Error| crate::printed(error);
    let client = canary::builder().endpoints(task.endpoints.clone()).build().map_err(|error| text(&error))?;
    let lock = lock(&client, &task.dir).ttl(task.ttl).owner(task.name.as_str());
    let writer = Writer::connect(task.resource).await.map_err(|error| text(&error))?;
    let mut protected = Protected { writer, state: FencedKey::new(&client, state_of(&task.dir)) };
    loop {
        let held = tokio::select! {
            held = lock.acquire() => held.map_err(|error| text(&error))?,
            _ = input.next_line() => return Ok(()),
        };
        let token = held.token().index();
        println!("{}", Said::Granted { token, at: boottime() });
        while work(&held, &mut protected).await.map_err(|error| text(&error))? {
            tokio::select! {
                () = sleep(IDLE) => {}
                _ = input.next_line() => return Ok(()),
            }
        }
    }
}

/// The fenced key of the contenders for this directory.
pub(super) fn state_of(dir: &str) -> String {
    format!("{dir}-state")
}

/// What a contender writes to while it holds.
struct Protected {
    writer: Writer,
    state: FencedKey,
}

impl Protected {
    async fn write(&mut self, token: &Token) -> std::io::Result<()> {
        self.writer.write(token.index()).await?;
        for _ in 0..TRIES {
            let taken = match self.state.write(token, "written").await {
                Ok(()) => true,
                Err(error) if error.is_fenced() => false,
                // A cluster without a leader: nobody is told anything.
                Err(_) => continue,
            };
            println!("{}", Said::Wrote { token: token.index(), at: boottime(), taken });
            break;
        }
        Ok(())
    }
}

/// True if it was held before the last thing that it did.
async fn work(held: &LockGuard, protected: &mut Protected) -> std::io::Result<bool> {
    let before = tell_check(held);
    block();
    let behind = tell_check(held);
    // Also where it was told that it is lost: that is the late write of somebody who asks too early.
    protected.write(held.token()).await?;
    Ok(before && behind)
}

/// Works without a pause for others: a process is stopped in here, most of the time.
#[expect(clippy::disallowed_methods, reason = "what it does is what is wanted: a thread that is blocked")]
fn block() {
    std::thread::sleep(BLOCKED);
}

fn tell_check(held: &LockGuard) -> bool {
    let said = check(held);
    println!("{said}");
    matches!(said, Said::Checked { is_held: true, .. })
}

/// Asks a holder whether it holds.
pub fn check(held: &LockGuard) -> Said {
    let until = held.valid_until().since_origin();
    let from = boottime();
    let is_held = held.check().is_ok();
    Said::Checked { token: held.token().index(), from, to: boottime(), is_held, until }
}

/// Gives back what is held.
///
/// # Errors
/// If it is not known what became of it.
pub async fn release(held: LockGuard) -> Result<Said, etcd_lock::Error> {
    let token = held.token().index();
    match held.release().await {
        Ok(()) => Ok(Said::Released { token, at: boottime(), was_held: true }),
        Err(error) if error.is_lost() => Ok(Said::Released { token, at: boottime(), was_held: false }),
        Err(error) => Err(error),
    }
}

/// A task that asks a holder of this process again and again, and notes what it is told.
///
/// It ends with this handle, or when the holding has ended.
#[derive(Debug)]
pub struct Believer(AbortHandle);

impl Believer {
    /// Notes the grant, and asks from now on.
    pub fn watch(who: &str, held: &Arc<LockGuard>, journal: &Arc<Journal>) -> Self {
        journal.note(who, Said::Granted { token: held.token().index(), at: boottime() });
        let (who, held, journal) = (who.to_owned(), Arc::downgrade(held), Arc::clone(journal));
        let task = tokio::spawn(async move {
            loop {
                let Some(held) = held.upgrade() else { return };
                let said = check(&held);
                drop(held);
                let goes_on = matches!(said, Said::Checked { is_held: true, .. });
                journal.note(&who, said);
                if !goes_on {
                    return;
                }
                sleep(BETWEEN_CHECKS).await;
            }
        });
        Self(task.abort_handle())
    }
}

impl Drop for Believer {
    fn drop(&mut self) {
        self.0.abort();
    }
}

const BETWEEN_CHECKS: Duration = Duration::from_millis(20);
const BLOCKED: Duration = Duration::from_millis(60);
const TRIES: usize = 3;
const IDLE: Duration = Duration::from_millis(5);
