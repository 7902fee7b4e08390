//! `cargo xtask tree`: which crates may depend on which.

use std::collections::BTreeSet;

use crate::failure::{Failure, no_arguments};
use crate::run;
use crate::workspace::{Package, Workspace};

/// Holds the dependencies against the arrows of the design and the size budget.
pub(crate) fn run(workspace: &Workspace, args: &[String]) -> Result<(), Failure> {
    no_arguments(args)?;
    let mut problems: Vec<_> = workspace.packages().iter().flat_map(wrong_arrows).collect();

    let proto = crates(workspace, &["etcd-proto"])?;
    problems.extend(runtime_crates(&proto).map(|name| format!("etcd-proto depends on {name}")));

    let client = crates(workspace, &["etcd-client", "--no-default-features", "--features", "v2"])?;
    println!("etcd-client without TLS: {} crates, {CLIENT_LIMIT} allowed", client.len());
    if client.len() > CLIENT_LIMIT {
        problems.push(format!("etcd-client without TLS is made of {} crates", client.len()));
    }

    if problems.is_empty() {
        println!(
            "etcd-proto: {} crates, none of them a runtime; all arrows point the right way",
            proto.len()
        );
        return Ok(());
    }
    Err(Failure::new(problems.join("; ")))
}

/// What `cargo tree` lists, each crate and version once, the package itself included.
fn crates(workspace: &Workspace, package: &[&str]) -> Result<BTreeSet<String>, Failure> {
    let mut command = workspace.cargo();
    command.args(["tree", "--edges", "normal", "--prefix", "none", "--format", "{p}", "--package"]);
    Ok(distinct(&run::output(command.args(package))?))
}

fn distinct(tree: &str) -> BTreeSet<String> {
    // Behind name and version a line may have a path, `(proc-macro)` or `(*)`.
    tree.lines()
        .map(|line| line.split_whitespace().take(2).collect::<Vec<_>>().join(" "))
        .filter(|line| !line.is_empty())
        .collect()
}

fn runtime_crates(crates: &BTreeSet<String>) -> impl Iterator<Item = &String> {
    crates.iter().filter(|name| ["tokio", "hyper", "tower"].iter().any(|runtime| name.starts_with(runtime)))
}

fn wrong_arrows(package: &Package) -> Vec<String> {
    let Some((_, allowed)) = ARROWS.iter().find(|(name, _)| *name == package.name) else {
        if UNPUBLISHED.contains(&package.name.as_str()) {
            return Vec::new();
        }
        return vec![format!(
            "{} is in no list of crates/xtask/src/tree.rs: say what it may need",
            package.name
        )];
    };
    let wrong = package.needs.iter().filter(|needed| !allowed.contains(&needed.as_str()));
    let mut problems: Vec<_> =
        wrong.map(|needed| format!("{} must not depend on {needed}", package.name)).collect();
    let tests_may = |needed: &str| {
        is_below(needed, &package.name)
            || (needed == TESTKIT && !below_testkit(&package.name))
            || (needed == TESTS && package.name == PROGRAM)
    };
    let wrong = package.test_needs.iter().filter(|needed| !tests_may(needed.as_str()));
    problems.extend(
        wrong.map(|needed| format!("{} must not depend on {needed}, not even in its tests", package.name)),
    );
    problems
}

/// Whether `user` may need a crate, or is made of it by way of those that it may need.
fn is_below(needed: &str, user: &str) -> bool {
    let arrows = ARROWS.iter().find(|(name, _)| *name == user);
    arrows.is_some_and(|(_, allowed)| allowed.iter().any(|&next| next == needed || is_below(needed, next)))
}

/// True for the testkit itself and what it is made of: a test of those that needed it would close a circle.
fn below_testkit(name: &str) -> bool {
    name == TESTKIT || ARROWS.iter().any(|(user, allowed)| *user == TESTKIT && allowed.contains(&name))
}

/// Each published crate with the members that it may need. Its tests may also need what those need in turn, and the
/// testkit where that does not close a circle.
const ARROWS: &[(&str, &[&str])] = &[
    ("etcd-proto", &[]),
    ("etcd-transport", &["etcd-proto"]),
    ("etcd-client", &["etcd-transport", "etcd-proto"]),
    ("etcd-recipe", &["etcd-client"]),
    ("etcd-lock", &["etcd-recipe", "etcd-client"]),
    ("etcd-leader", &["etcd-recipe", "etcd-client"]),
    ("etcd-testkit", &["etcd-proto"]),
    ("etcd-cli", &["etcd-lock", "etcd-leader", "etcd-recipe", "etcd-client", "etcd-testkit"]),
];

const TESTKIT: &str = "etcd-testkit";

/// What the tests of the program share with all others, servers of every etcd: no library needs the program, so this
/// closes no circle. They cannot stand there themselves, since cargo builds a program only for its own package's tests.
const TESTS: &str = "etcd-tests";
const PROGRAM: &str = "etcd-cli";

/// Crates that may use everything.
const UNPUBLISHED: &[&str] = &["etcd-bench", "etcd-examples", "etcd-tests", "xtask"];

const CLIENT_LIMIT: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;

    fn package(name: &str, needs: &[&str]) -> Package {
        let needs = needs.iter().map(|&name| name.to_owned()).collect();
        Package { name: name.to_owned(), needs, test_needs: Vec::new() }
    }

    fn tested(name: &str, test_needs: &[&str]) -> Package {
        let Package { needs: test_needs, .. } = package(name, test_needs);
        Package { test_needs, ..package(name, &[]) }
    }

    #[test]
    fn an_arrow_that_points_back_is_told() {
        assert!(wrong_arrows(&package("etcd-client", &["etcd-transport", "etcd-proto"])).is_empty());
        assert_eq!(
            wrong_arrows(&package("etcd-proto", &["etcd-transport"])),
            ["etcd-proto must not depend on etcd-transport"]
        );
        assert_eq!(
            wrong_arrows(&package("etcd-client", &["etcd-testkit"])),
            ["etcd-client must not depend on etcd-testkit"]
        );
    }

    #[test]
    fn a_test_that_points_back_is_told() {
        assert_eq!(
            wrong_arrows(&tested("etcd-proto", &["etcd-client"])),
            ["etcd-proto must not depend on etcd-client, not even in its tests"]
        );
        assert_eq!(wrong_arrows(&tested("etcd-transport", &["etcd-proto", "etcd-client"])).len(), 1);
        for above in ["etcd-client", "etcd-transport"] {
            assert_eq!(wrong_arrows(&package("etcd-testkit", &[above])).len(), 1, "{above}");
            assert_eq!(wrong_arrows(&tested("etcd-testkit", &[above])).len(), 1, "{above}");
        }
        assert!(wrong_arrows(&tested("etcd-tests", &["etcd-client", "etcd-testkit"])).is_empty());
    }

    #[test]
    fn only_tests_may_need_what_the_crates_below_are_made_of() {
        assert!(wrong_arrows(&tested("etcd-lock", &["etcd-transport", "etcd-proto"])).is_empty());
        assert_eq!(wrong_arrows(&package("etcd-lock", &["etcd-transport"])).len(), 1);
        assert_eq!(wrong_arrows(&tested("etcd-lock", &["etcd-leader"])).len(), 1);
    }

    #[test]
    fn only_tests_may_need_the_testkit_and_only_above_it() {
        for above in ["etcd-client", "etcd-transport", "etcd-recipe"] {
            assert!(wrong_arrows(&tested(above, &["etcd-testkit"])).is_empty(), "{above}");
            assert_eq!(wrong_arrows(&package(above, &["etcd-testkit"])).len(), 1, "{above}");
        }
        // The testkit needs etcd-proto.
        for below in ["etcd-proto", "etcd-testkit"] {
            assert_eq!(wrong_arrows(&tested(below, &["etcd-testkit"])).len(), 1, "{below}");
        }
    }

    #[test]
    fn only_the_tests_of_the_program_may_need_what_all_tests_share() {
        assert!(wrong_arrows(&tested("etcd-cli", &["etcd-tests"])).is_empty());
        assert_eq!(wrong_arrows(&package("etcd-cli", &["etcd-tests"])).len(), 1);
        assert_eq!(wrong_arrows(&tested("etcd-client", &["etcd-tests"])).len(), 1);
    }

    #[test]
    fn a_crate_that_nobody_thought_of_is_told() {
        assert!(wrong_arrows(&package("etcd-tests", &["etcd-testkit"])).is_empty());
        assert!(wrong_arrows(&package("etcd-new", &[]))[0].contains("etcd-new is in no list"));
    }

    #[test]
    fn a_crate_counts_once_per_version() {
        let tree = "a v1.0.0 (/w/a)\nb v0.1.0\nb v0.2.0\nb v0.1.0 (*)\nderive v1.0.0 (proc-macro)\n\n";
        let crates = distinct(tree);
        assert_eq!(crates.len(), 4);
        assert_eq!(runtime_crates(&crates).count(), 0);
    }

    #[test]
    fn a_runtime_is_known_by_the_start_of_its_name() {
        let crates = distinct("tokio-util v1\nhttp v1\nhyper v1\nmytower v1\ntower-service v0");
        assert_eq!(runtime_crates(&crates).count(), 3);
    }
}
