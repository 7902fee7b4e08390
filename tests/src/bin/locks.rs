//! `cargo xtask locks`: the must-holds of locks on real clusters, in full, as a table. It is also the program of the
//! contenders that live in processes of their own.

use std::env;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use etcd_testkit::real::{Binary, Server, binaries_under_test};
use etcd_tests::differential::BoxError;
use etcd_tests::recipes::{
    Shown, Task, answers_lost, contend, handed_over, holder_frozen, holder_killed, leader_killed, uncontended,
};
use tokio::runtime::Runtime;

fn main() -> ExitCode {
    let mut args = env::args().skip(1).peekable();
    if args.peek().is_some_and(|first| first == "contend") {
        let ended = Task::read(args.skip(1))
            .and_then(|task| runtime().map_err(|error| error.to_string())?.block_on(contend(task)));
        // At once: a runtime that ends waits for its reader of the standard input.
        std::process::exit(i32::from(ended.is_err()));
    }
    match Plan::read(args).and_then(|plan| plan.run()) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("locks: {error}");
            ExitCode::from(2)
        }
    }
}

struct Plan {
    /// Of the full counts one in so many.
    part: usize,
    /// Only this one of [`SCENARIOS`].
    only: Option<String>,
    binaries: Vec<Binary>,
    program: PathBuf,
}

impl Plan {
    fn read(mut args: impl Iterator<Item = String>) -> Result<Self, BoxError> {
        let (mut part, mut only, mut series) = (1, None, None);
        while let Some(arg) = args.next() {
            let value = args.next().ok_or_else(|| format!("`{arg}` wants a value"))?;
            match arg.as_str() {
                "--part" => part = value.parse::<NonZeroUsize>()?.get(),
                "--only" if SCENARIOS.contains(&value.as_str()) => only = Some(value),
                "--only" => return Err(format!("`{value}` is none of {}", SCENARIOS.join(", ")).into()),
                "--series" => series = Some(value.parse()?),
                _ => return Err(format!("unknown option `{arg}`").into()),
            }
        }
        let binaries = match series {
            Some(series) => vec![Binary::find(series)?],
            None => binaries_under_test()?,
        };
        Ok(Self { part, only, binaries, program: env::current_exe()? })
    }

    /// True if nothing was wrong.
    fn run(self) -> Result<bool, BoxError> {
        let runtime = runtime()?;
        let mut good = true;
        for binary in &self.binaries {
            println!("etcd {}", binary.version());
            good &= print(&runtime.block_on(self.counted(binary))?);
            good &= print(&runtime.block_on(self.waited(binary))?);
        }
        Ok(good)
    }

    /// What is over as soon as the servers have answered.
    async fn counted(&self, binary: &Binary) -> Result<Vec<Shown>, BoxError> {
        let counts = async |server: &Server| {
            let mut shown = uncontended(server, self.full(100)).await;
            shown.merge(handed_over(server, 16, self.full(1000)).await);
            shown
        };
        Ok(self.on(binary, "counts", counts).await?.into_iter().collect())
    }

    /// What is mostly waiting, side by side on clusters of their own.
    async fn waited(&self, binary: &Binary) -> Result<Vec<Shown>, BoxError> {
        let program = &*self.program;
        let (lost, frozen, killed, leader) = tokio::try_join!(
            self.on(binary, "lost", async |server| answers_lost(server, self.full(100)).await),
            self.on(binary, "frozen", async |server| holder_frozen(program, server, self.full(30)).await),
            self.on(binary, "killed", async |server| holder_killed(program, server, self.full(20)).await),
            self.on(binary, "leader", async |server| leader_killed(program, server, self.full(20)).await),
        )?;
        Ok([lost, frozen, killed, leader].into_iter().flatten().collect())
    }

    /// Runs a scenario on a cluster of its own, if it is wanted.
    async fn on(
        &self,
        binary: &Binary,
        name: &str,
        scenario: impl AsyncFnOnce(&Server) -> Shown,
    ) -> Result<Option<Shown>, BoxError> {
        if self.only.as_ref().is_some_and(|only| only != name) {
            return Ok(None);
        }
        let server = Server::builder(binary.clone()).members(3).lifetime(LIFETIME).start().await?;
        Ok(Some(scenario(&server).await))
    }

    fn full(&self, count: usize) -> usize {
        count.div_ceil(self.part)
    }
}

/// True if nothing was wrong.
fn print(all: &[Shown]) -> bool {
    all.iter().for_each(|shown| print!("{shown}"));
    all.iter().all(|shown| shown.wrong().is_empty())
}

/// One thread: a process that is stopped has all its tasks stopped in the midst of something.
fn runtime() -> Result<Runtime, std::io::Error> {
    tokio::runtime::Builder::new_current_thread().enable_all().build()
}

const SCENARIOS: [&str; 5] = ["counts", "lost", "frozen", "killed", "leader"];
/// Thirty rounds take some six minutes.
const LIFETIME: Duration = Duration::from_secs(3600);
