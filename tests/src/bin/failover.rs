//! `cargo xtask failover`: what a caller sees when members die, freeze or are silent, as medians over rounds.

use std::env;
use std::process::ExitCode;

use etcd_testkit::Etcd as _;
use etcd_testkit::real::{Binary, Server, binaries_under_test};
use etcd_tests::Refused;
use etcd_tests::differential::BoxError;
use etcd_tests::failover::{
    Calls, Figures, Silent, SynHang, beside_a_good_one, follower_killed, leader_killed, member_frozen,
};

fn main() -> ExitCode {
    match Plan::read(env::args().skip(1)).and_then(|plan| plan.run()) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("failover: {error}");
            ExitCode::from(2)
        }
    }
}

struct Plan {
    rounds: usize,
    binaries: Vec<Binary>,
}

impl Plan {
    fn read(mut args: impl Iterator<Item = String>) -> Result<Self, BoxError> {
        let (mut rounds, mut series) = (5, None);
        while let Some(arg) = args.next() {
            let value = args.next().ok_or_else(|| format!("`{arg}` wants a value"))?;
            match arg.as_str() {
                "--rounds" => rounds = value.parse()?,
                "--series" => series = Some(value.parse()?),
                _ => return Err(format!("unknown option `{arg}`").into()),
            }
        }
        let binaries = match series {
            Some(series) => vec![Binary::find(series)?],
            None => binaries_under_test()?,
        };
        Ok(Self { rounds, binaries })
    }

    /// True if no call failed.
    fn run(self) -> Result<bool, BoxError> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let mut good = true;
        for binary in self.binaries {
            let version = binary.version();
            let (figures, errors) = runtime.block_on(rounds(binary, self.rounds))?;
            println!("etcd {version}\n{figures}");
            for error in &errors {
                println!("failed: {error}");
            }
            good &= errors.is_empty();
        }
        Ok(good)
    }
}

async fn rounds(binary: Binary, rounds: usize) -> Result<(Figures, Vec<String>), BoxError> {
    let (mut figures, mut errors) = (Figures::default(), Vec::new());
    let server = Server::builder(binary).members(3).lifetime(LIFETIME).start().await?;
    let mut keep = |calls: &Calls| errors.extend(calls.errors().into_iter().map(str::to_owned));
    for _ in 0..rounds {
        let killed = follower_killed(&server, 60).await;
        keep(&killed);
        figures.add("follower in use killed: the next call", killed.first());
        figures.add("follower in use killed: slowest call after that", killed.slowest_behind_first());

        let (killed, probe) = leader_killed(&server, 20).await;
        keep(&killed);
        figures.add("leader killed: the next quorum read", killed.first());
        figures.add("leader killed: first success of a probe each 100 ms", probe);

        let frozen = member_frozen(&server, 60).await;
        keep(&frozen);
        figures.add("follower in use frozen: the next read", frozen.first());
        figures.add("follower in use frozen: slowest read after that", frozen.slowest_behind_first());

        let (refused, silent, hang) = (Refused::new(), Silent::start().await, SynHang::start().await);
        let bad = [refused.endpoint(), silent.endpoint(), hang.endpoint()];
        let beside = beside_a_good_one(&server.endpoints()[0], &bad, 200).await;
        keep(&beside);
        figures.add("one refusing, one silent, one out of reach: the first read", beside.first());
    }
    Ok((figures, errors))
}

/// Each round takes some ten seconds.
const LIFETIME: std::time::Duration = std::time::Duration::from_secs(3600);
