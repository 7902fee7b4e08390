//! `cargo xtask mutants`: whether the tests of the recipes would notice a broken rule.

mod mirror;
mod patch;
mod table;
mod verdict;

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;

use self::patch::Patch;
use self::table::MUTANTS;
use self::verdict::Verdict;
use crate::failure::Failure;
use crate::run;
use crate::workspace::Workspace;

/// A rule, broken.
#[derive(Debug)]
struct Mutant {
    name: &'static str,
    kind: Kind,
    /// The arguments of `cargo test` that select the test.
    test: &'static [&'static str],
}

/// How it is broken.
#[derive(Debug)]
enum Kind {
    /// By another text in the code. The test passes without it and must fail with it.
    Patched(Patch),
    /// By a switch of a model, where there is no text that could be replaced. The test sees the model's property
    /// broken, and fails if it is not.
    Switched,
}

/// Copies the workspace, breaks one rule at a time in the copy, and runs the test that must see it; all mutants, or
/// those whose names have one of the arguments in them.
pub(crate) fn run(workspace: &Workspace, args: &[String]) -> Result<(), Failure> {
    let chosen = chosen(args)?;
    let laboratory = Laboratory::new(workspace)?;
    let tests: BTreeSet<_> = chosen.iter().map(|mutant| mutant.test).collect();
    for test in tests {
        println!("unbroken: cargo test {}", test.join(" "));
        match laboratory.test(workspace, test)? {
            Verdict::Passed => {}
            other => return Err(Failure::new(format!("without a mutant `{}` {other}", test.join(" ")))),
        }
    }
    let mut survivors = Vec::new();
    for mutant in &chosen {
        let seen_by = match &mutant.kind {
            Kind::Switched => Ok(mutant.test[mutant.test.len() - 1].to_owned()),
            Kind::Patched(patch) => laboratory.try_out(workspace, mutant, patch)?,
        };
        match seen_by {
            Ok(tests) => println!("caught: {}: {tests}", mutant.name),
            Err(why) => {
                println!("NOT CAUGHT: {}: {why}", mutant.name);
                survivors.push(mutant.name);
            }
        }
    }
    if survivors.is_empty() {
        println!("{} mutants, all caught", chosen.len());
        return Ok(());
    }
    Err(Failure::new(format!("not caught: {}", survivors.join("; "))))
}

fn chosen(args: &[String]) -> Result<Vec<&'static Mutant>, Failure> {
    if let Some(option) = args.iter().find(|arg| arg.starts_with('-')) {
        return Err(Failure::usage(format!("unknown option `{option}`")));
    }
    let is_meant = |mutant: &&Mutant| args.is_empty() || args.iter().any(|arg| mutant.name.contains(arg));
    let chosen: Vec<_> = MUTANTS.iter().filter(is_meant).collect();
    if chosen.is_empty() {
        return Err(Failure::usage(format!("no mutant has `{}` in its name", args.join("` or `"))));
    }
    Ok(chosen)
}

/// The copy that is broken, and where it is built.
struct Laboratory {
    tree: PathBuf,
    build: PathBuf,
}

impl Laboratory {
    fn new(workspace: &Workspace) -> Result<Self, Failure> {
        let directory = workspace.target().join("mutants");
        // What is not of the workspace is built already, and the copies of its crates are told apart by where they are.
        let laboratory = Self { tree: directory.join("tree"), build: workspace.target().to_owned() };
        mirror::mirror(workspace.root(), &laboratory.tree)?;
        Ok(laboratory)
    }

    /// The tests that fail with the patch, or why none can be told.
    fn try_out(
        &self,
        workspace: &Workspace,
        mutant: &Mutant,
        patch: &Patch,
    ) -> Result<Result<String, String>, Failure> {
        let file = self.tree.join(patch.file);
        let text = fs::read_to_string(&file).map_err(|error| Failure::file(&file, &error))?;
        let write = |text: &str| fs::write(&file, text).map_err(|error| Failure::file(&file, &error));
        write(&patch.apply(&text).map_err(|error| Failure::new(format!("{}: {error}", mutant.name)))?)?;
        let verdict = self.test(workspace, mutant.test);
        // Whatever came of it: the next mutant is one by itself.
        write(&text)?;
        Ok(match verdict? {
            Verdict::Failed(tests) => Ok(tests.join(", ")),
            other => Err(format!("`{}` {other}", mutant.test.join(" "))),
        })
    }

    fn test(&self, workspace: &Workspace, test: &[&str]) -> Result<Verdict, Failure> {
        let cargo = |arguments: &[&str]| {
            let mut command = workspace.cargo();
            command.current_dir(&self.tree).env("CARGO_TARGET_DIR", &self.build);
            command.arg("test").args(arguments).args(test);
            run::silently(&mut command)
        };
        // Apart, so that a mutant that does not compile is not taken for one that was caught.
        let built = cargo(&["--quiet", "--no-run"])?;
        if !built.success {
            return Ok(Verdict::NotBuilt(built.stderr));
        }
        Ok(Verdict::read(&cargo(&[])?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mutants_are_chosen_by_a_part_of_their_name() {
        let chosen_by = |args: &[&str]| chosen(&args.iter().map(|&arg| arg.to_owned()).collect::<Vec<_>>());
        assert_eq!(chosen_by(&[]).unwrap().len(), MUTANTS.len());
        assert!(chosen_by(&["read error"]).unwrap().iter().all(|mutant| mutant.name.contains("read error")));
        assert_eq!(chosen_by(&["no such rule"]).unwrap_err().exit_code(), 2);
        assert_eq!(chosen_by(&["--all"]).unwrap_err().exit_code(), 2);
    }

    #[test]
    fn every_text_is_in_its_file_exactly_once() {
        let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../..");
        for mutant in MUTANTS {
            let Kind::Patched(patch) = &mutant.kind else { continue };
            let text = fs::read_to_string(root.join(patch.file)).unwrap();
            assert!(patch.apply(&text).is_ok(), "{}: {:?}", mutant.name, patch.apply(&text));
        }
    }

    #[test]
    fn every_mutant_is_named_once() {
        let names: BTreeSet<_> = MUTANTS.iter().map(|mutant| mutant.name).collect();
        assert_eq!(names.len(), MUTANTS.len());
    }
}
