//! `cargo xtask fuzz`: random input for each decoder.

use std::fs;
use std::process::Command;

use crate::failure::Failure;
use crate::run;
use crate::tool::Tool;
use crate::workspace::Workspace;

/// Runs the fuzz targets of etcd-proto, all or the named ones, one after the other.
pub(crate) fn run(workspace: &Workspace, args: &[String]) -> Result<(), Failure> {
    let plan = Plan::read(args)?;
    let directory = workspace.root().join("crates/etcd-proto/fuzz");
    if !directory.is_dir() {
        return Err(Failure::new(format!("{} does not exist", directory.display())));
    }
    let program = CARGO_FUZZ.path(workspace)?;
    let cargo_fuzz = |chore: &str| {
        let mut command = Command::new(&program);
        // The sanitizers want flags of a nightly compiler; this lets a stable one take them.
        command.env("RUSTC_BOOTSTRAP", "1").current_dir(workspace.root());
        command.args([chore, "--fuzz-dir"]).arg(&directory);
        command
    };
    let known = run::output(&mut cargo_fuzz("list"))?;
    let known: Vec<_> = known.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    let built = workspace.target().join("fuzz");
    for target in plan.targets(&known)? {
        // New inputs go to the first corpus, so that only what somebody chose is in the repository's.
        let corpus = built.join("corpus").join(target);
        fs::create_dir_all(&corpus).map_err(|error| Failure::file(&corpus, &error))?;
        let mut command = cargo_fuzz("run");
        command.arg("--target-dir").arg(&built).arg(target).arg(corpus);
        command.args(Some(directory.join("corpus").join(target)).filter(|seeds| seeds.is_dir()));
        run::visibly(command.args(["--", &format!("-max_total_time={}", plan.seconds)]))?;
    }
    Ok(())
}

/// What to fuzz and for how long.
#[derive(Debug, PartialEq, Eq)]
struct Plan {
    /// Per target.
    seconds: u32,
    /// Empty for all.
    targets: Vec<String>,
}

impl Plan {
    fn read(args: &[String]) -> Result<Self, Failure> {
        let mut plan = Self { seconds: 60, targets: Vec::new() };
        let mut args = args.iter();
        while let Some(arg) = args.next() {
            if arg == "--seconds" {
                let number =
                    args.next().and_then(|number| number.parse().ok()).filter(|&seconds| seconds > 0);
                // libFuzzer takes 0 as "without end".
                plan.seconds = number.ok_or_else(|| Failure::usage("`--seconds` wants a number above 0"))?;
            } else if arg.starts_with('-') {
                return Err(Failure::usage(format!("unknown option `{arg}`")));
            } else {
                plan.targets.push(arg.clone());
            }
        }
        Ok(plan)
    }

    fn targets<'a>(&'a self, known: &[&'a str]) -> Result<Vec<&'a str>, Failure> {
        if let Some(target) = self.targets.iter().find(|target| !known.contains(&target.as_str())) {
            return Err(Failure::usage(format!(
                "no fuzz target `{target}`; there are: {}",
                known.join(", ")
            )));
        }
        if self.targets.is_empty() {
            return Ok(known.to_vec());
        }
        Ok(self.targets.iter().map(String::as_str).collect())
    }
}

const CARGO_FUZZ: Tool = Tool { name: "cargo-fuzz", version: "^0.13" };

#[cfg(test)]
mod tests {
    use super::*;

    fn read(args: &[&str]) -> Result<Plan, Failure> {
        Plan::read(&args.iter().map(|&arg| arg.to_owned()).collect::<Vec<_>>())
    }

    #[test]
    fn all_targets_run_a_minute_unless_told_otherwise() {
        let plan = read(&[]).unwrap();
        assert_eq!(plan.seconds, 60);
        assert_eq!(plan.targets(&["a", "b"]).unwrap(), ["a", "b"]);
    }

    #[test]
    fn seconds_and_targets_can_be_given() {
        let plan = read(&["b", "--seconds", "5"]).unwrap();
        assert_eq!((plan.seconds, plan.targets(&["a", "b"]).unwrap()), (5, vec!["b"]));
    }

    #[test]
    fn wrong_calls_are_refused() {
        for bad in [&["--seconds"][..], &["--seconds", "0"], &["--seconds", "x"], &["--fast"]] {
            assert_eq!(read(bad).unwrap_err().exit_code(), 2, "{bad:?}");
        }
        assert!(read(&["c"]).unwrap().targets(&["a", "b"]).unwrap_err().to_string().contains("a, b"));
    }
}
