//! `cargo xtask differential`: random operations against the server in memory and real ones, for as long as wanted.

use std::env;
use std::process::ExitCode;

use etcd_testkit::real::{Binary, binaries_under_test};
use etcd_tests::differential::{self, BoxError, KNOWN, Report};

fn main() -> ExitCode {
    match Plan::read(env::args().skip(1)).and_then(|plan| plan.run()) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("differential: {error}");
            ExitCode::from(2)
        }
    }
}

struct Plan {
    operations: u64,
    seed: u64,
    binaries: Vec<Binary>,
}

impl Plan {
    fn read(mut args: impl Iterator<Item = String>) -> Result<Self, BoxError> {
        let (mut operations, mut seed, mut series) = (100_000, None, None);
        while let Some(arg) = args.next() {
            let value = args.next().ok_or_else(|| format!("`{arg}` wants a value"))?;
            match arg.as_str() {
                "--ops" => operations = value.parse()?,
                "--seed" => seed = Some(value.parse()?),
                "--series" => series = Some(value.parse()?),
                _ => return Err(format!("unknown option `{arg}`").into()),
            }
        }
        let binaries = match series {
            Some(series) => vec![Binary::find(series)?],
            None => binaries_under_test()?,
        };
        Ok(Self { operations, seed: seed.unwrap_or_else(|| fastrand::u64(..)), binaries })
    }

    /// True if nothing differs but what is known to.
    fn run(self) -> Result<bool, BoxError> {
        if self.binaries.is_empty() {
            println!("no etcd to compare with: nothing was run");
            return Ok(true);
        }
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let mut reports = Vec::new();
        for binary in self.binaries {
            let sequence = differential::run(binary.clone(), self.operations, self.seed);
            reports.push(runtime.block_on(sequence)?);
            let share = self.operations / 10;
            reports.push(runtime.block_on(differential::run_concurrently(binary, share, self.seed))?);
        }
        let mut same = true;
        for report in &reports {
            println!("{report}");
            same &= report.differences.is_empty();
        }
        Ok(same & (self.operations < LONG || each_known_was_seen(&reports)))
    }
}

/// A known difference that a long run does not show is none any more.
fn each_known_was_seen(reports: &[Report]) -> bool {
    let unseen = |id: &&str| !reports.iter().any(|report| report.known.contains_key(id));
    let unseen: Vec<_> = KNOWN.iter().map(|known| known.id).filter(unseen).collect();
    if !unseen.is_empty() {
        println!("known differences that were not seen, to be taken out of the docs: {}", unseen.join(", "));
    }
    unseen.is_empty()
}

/// From so many operations on every known difference must be seen.
const LONG: u64 = 100_000;
