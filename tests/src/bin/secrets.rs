//! `cargo xtask secrets`: all tests with a password on every client, and a search for it in all they print.

use std::env;
use std::io::{BufReader, Read};
use std::process::{Command, ExitCode, Stdio};
use std::thread;

use etcd_tests::canary::{Canary, Needles, Scan};
use etcd_tests::differential::BoxError;

fn main() -> ExitCode {
    match run() {
        Ok(complaints) if complaints.is_empty() => ExitCode::SUCCESS,
        Ok(complaints) => {
            for complaint in complaints {
                eprintln!("secrets: {complaint}");
            }
            ExitCode::FAILURE
        }
        Err(error) => {
            eprintln!("secrets: {error}");
            ExitCode::from(2)
        }
    }
}

/// Runs the tests and prints what was searched; what is wrong with it.
fn run() -> Result<Vec<String>, BoxError> {
    let canary = Canary::draw();
    let (variable, value) = canary.variable();
    let mut tests = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    tests.args(["test", "--all-features", "--no-fail-fast"]);
    tests.args(PACKAGES.iter().flat_map(|package| ["--package", package]));
    let chosen: Vec<_> = env::args().skip(1).collect();
    match chosen.as_slice() {
        [] => tests.arg("--tests"),
        // The controls run in any case.
        chosen => tests.args(["--test", "canary"]).args(chosen),
    };
    // What passing tests print is searched as well.
    tests.args(["--", "--show-output"]).env(variable, value);
    let mut tests = tests.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
    let search = |stream: Option<Box<dyn Read + Send>>| {
        let mut scan = Scan::new(Needles::of(&canary));
        thread::spawn(move || {
            let stream = stream.ok_or("the tests' output is not there")?;
            scan.read(BufReader::new(stream), show).map(|()| scan).map_err(BoxError::from)
        })
    };
    let printed = search(tests.stdout.take().map(|stream| Box::new(stream) as _));
    let told = search(tests.stderr.take().map(|stream| Box::new(stream) as _));
    let scans = [("stdout", printed), ("stderr", told)];
    let mut complaints = Vec::new();
    for (name, search) in scans {
        let scan = search.join().map_err(|_| "the search panicked")??;
        println!(
            "{name}: {} bytes in {} lines searched, {} of them TRACE, {} of attempts, {} of errors; \
             {} requests with the password seen at servers; {} controls found; {} hits",
            scan.bytes,
            scan.lines,
            scan.traced,
            scan.attempts,
            scan.errors,
            scan.arrived,
            scan.controls,
            scan.hits.len()
        );
        complaints.extend(scan.hits.iter().take(SHOWN).map(|hit| format!("{name}: {hit}")));
        complaints.extend(blind(name, &scan));
    }
    let status = tests.wait()?;
    if !status.success() {
        complaints.push(format!("the tests failed ({status}): what they did not reach was not searched"));
    }
    Ok(complaints)
}

/// Why nothing would be found, if there are reasons.
fn blind(name: &str, scan: &Scan) -> Vec<String> {
    let mut wanted = vec![("control", scan.controls)];
    if name == "stderr" {
        wanted.extend([
            ("line of TRACE", scan.traced),
            ("span of an attempt", scan.attempts),
            ("error", scan.errors),
            ("request with the password at a server", scan.arrived),
        ]);
    }
    let missing = wanted.into_iter().filter(|(_, count)| *count == 0);
    let missing = missing.map(|(what, _)| format!("{name}: not one {what}: the search proves nothing"));
    let missed = scan.missed.iter().map(|control| format!("{name}: the control `{control}` was not found"));
    missing.chain(missed).collect()
}

/// What the tests say about themselves: which runs, and how they ended.
fn show(line: &str) {
    let start = line.trim_start();
    let told = ["Running ", "Compiling ", "test result: FAILED", "error: ", "error["];
    if line.ends_with("FAILED") || line.contains("panicked at") || told.iter().any(|it| start.starts_with(it))
    {
        println!("{line}");
    }
}

/// Hits that are named; their number is printed in any case.
const SHOWN: usize = 20;
const PACKAGES: [&str; 3] = ["etcd-tests", "etcd-client", "etcd-transport"];
