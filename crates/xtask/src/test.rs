//! `cargo xtask test`: every test on every etcd that can be had, and on the one in memory.

mod kind;

use std::env;

use self::kind::Kind;
use crate::etcd::{self, Binary, Missing, SERIES, WAYS};
use crate::failure::Failure;
use crate::run;
use crate::workspace::Workspace;

/// Fetches the servers, says on which of them the tests run and on which not, and runs all tests of the workspace.
///
/// The tests learn it from the environment variables `ETCD_TEST_SERIES` and `ETCD_TEST_SERVERS`.
pub(crate) fn run(workspace: &Workspace, args: &[String]) -> Result<(), Failure> {
    let wanted = Kind::wanted()?;
    let servers = Servers::find(workspace, wanted)?;
    let kind = Kind::of(wanted, !servers.run.is_empty())?;
    servers.print_run();
    println!("{}", kind.line());
    servers.print_not_run();

    let mut test = workspace.cargo();
    test.args(["test", "--workspace", "--all-features"]).args(args);
    test.env("ETCD_TEST_SERIES", servers.list()).env(kind::VARIABLE, kind.name());
    run::visibly(&mut test)?;

    // Once more, because by now the lines above have long gone by.
    servers.print_not_run();
    if !servers.missing.is_empty() && env::var_os("CI").is_some_and(|value| value == "true") {
        return Err(Failure::new("with CI=true every server version must be run"));
    }
    Ok(())
}

/// What the tests run on and what not.
#[derive(Debug, PartialEq, Eq)]
struct Servers {
    run: Vec<Binary>,
    missing: Vec<Missing>,
}

impl Servers {
    fn find(workspace: &Workspace, wanted: Option<Kind>) -> Result<Self, Failure> {
        if wanted == Some(Kind::Memory) {
            return Ok(Self::none("ETCD_TEST_SERVERS is memory"));
        }
        if let Some(named) = etcd::named() {
            return Self::only(named?);
        }
        let (fetched, missing) = etcd::fetch(workspace);
        // What could not be fetched may be installed.
        let installed = if missing.is_empty() { Vec::new() } else { etcd::in_path() };
        Ok(Self::united(fetched, missing, installed))
    }

    /// The one that `ETCD_BIN` names and no other.
    fn only(binary: Binary) -> Result<Self, Failure> {
        if !SERIES.contains(&binary.series()) {
            let text = format!("ETCD_BIN is etcd {}, the tests want {}", binary.version, SERIES.join(" or "));
            return Err(Failure::new(text));
        }
        let others = SERIES.into_iter().filter(|series| *series != binary.series());
        let missing =
            others.map(|series| Missing { series, reason: "ETCD_BIN names another one".to_owned() });
        Ok(Self { missing: missing.collect(), run: vec![binary] })
    }

    fn none(reason: &str) -> Self {
        let missing = SERIES.map(|series| Missing { series, reason: reason.to_owned() });
        Self { run: Vec::new(), missing: missing.into() }
    }

    fn united(fetched: Vec<Binary>, missing: Vec<Missing>, installed: Vec<Binary>) -> Self {
        let mut servers = Self { run: fetched, missing: Vec::new() };
        for missing in missing {
            match installed.iter().find(|binary| binary.series() == missing.series) {
                Some(binary) => servers.run.push(binary.clone()),
                None => servers.missing.push(missing),
            }
        }
        servers
    }

    /// The value of `ETCD_TEST_SERIES`.
    fn list(&self) -> String {
        match self.run.as_slice() {
            [] => "none".to_owned(),
            run => run.iter().map(Binary::series).collect::<Vec<_>>().join(","),
        }
    }

    fn print_run(&self) {
        for binary in &self.run {
            println!("etcd {}: tests run on {} ({})", binary.series(), binary.version, binary.path.display());
        }
    }

    fn print_not_run(&self) {
        for line in self.not_run() {
            println!("{line}");
        }
    }

    fn not_run(&self) -> Vec<String> {
        let not_run = |Missing { series, reason }: &Missing| format!("etcd {series}: not run: {reason}");
        let mut lines: Vec<_> = self.missing.iter().map(not_run).collect();
        if self.run.is_empty() {
            lines.push(format!(
                "no real etcd: tests of its processes run on nothing, all others on the one in memory; {WAYS}"
            ));
        }
        lines
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn binary(version: &str) -> Binary {
        Binary { path: "etcd".into(), version: version.to_owned() }
    }

    fn missing(series: &'static str) -> Missing {
        Missing { series, reason: "no network".to_owned() }
    }

    #[test]
    fn an_installed_one_stands_in_for_what_could_not_be_fetched() {
        let installed = vec![binary("3.3.1"), binary("3.5.9")];
        let servers = Servers::united(vec![binary("3.4.23")], vec![missing("3.5")], installed);
        assert_eq!(servers.list(), "3.4,3.5");
        assert_eq!(servers.missing, []);
    }

    #[test]
    fn without_any_the_list_says_so() {
        let servers = Servers::united(Vec::new(), vec![missing("3.4"), missing("3.5")], Vec::new());
        assert_eq!(servers.list(), "none");
        assert_eq!(servers.missing.len(), 2);
    }

    #[test]
    fn without_any_the_ways_to_get_one_are_named() {
        let lines = Servers::none("no network").not_run();
        assert_eq!(lines[..2], ["etcd 3.4: not run: no network", "etcd 3.5: not run: no network"]);
        for way in ["in memory", "cargo xtask etcd", "ETCD_BIN", "PATH", "target/etcd/3.4"] {
            assert!(lines[2].contains(way), "{way}");
        }
        assert!(
            Servers { run: vec![binary("3.4.23"), binary("3.5.16")], missing: Vec::new() }
                .not_run()
                .is_empty()
        );
    }

    #[test]
    fn a_named_binary_is_run_alone() {
        let servers = Servers::only(binary("3.5.16")).unwrap();
        assert_eq!((servers.list().as_str(), servers.missing[0].series), ("3.5", "3.4"));
        assert!(Servers::only(binary("3.6.1")).is_err());
    }
}
