//! `cargo xtask watch`: the tests of watches at their full counts.

use crate::failure::Failure;
use crate::run;
use crate::workspace::Workspace;

/// Runs them, with what they print; arguments choose among them. A count that the environment has stays.
pub(crate) fn run(workspace: &Workspace, args: &[String]) -> Result<(), Failure> {
    let mut tests = workspace.cargo();
    tests.args(["test", "--package", "etcd-tests", "--test", "watch", "--"]).args(args);
    // One at a time: some want the machine for themselves.
    tests.args(["--nocapture", "--test-threads=1"]);
    for (variable, count) in COUNTS {
        if std::env::var_os(variable).is_none() {
            println!("{variable}={count}");
            tests.env(variable, count);
        }
    }
    run::visibly(&mut tests)
}

/// Random faults in virtual time; sets by sixteen writers; members killed and streams dropped; watches that join.
const COUNTS: [(&str, &str); 4] = [
    ("ETCD_WATCH_RUNS", "100"),
    ("ETCD_WATCH_SETS", "40000"),
    ("ETCD_WATCH_ROUNDS", "5"),
    ("ETCD_WATCH_JOINS", "20"),
];
