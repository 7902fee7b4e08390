//! `cargo xtask alone`: each library crate as a stranger would use it.

use std::fs;
use std::path::Path;

use crate::failure::{Failure, no_arguments};
use crate::run;
use crate::workspace::Workspace;

/// Builds a tiny package on top of each library crate, outside the workspace.
///
/// In the workspace cargo unites the features that all members ask of a dependency, so a crate that forgets
/// one of its own still builds there.
pub(crate) fn run(workspace: &Workspace, args: &[String]) -> Result<(), Failure> {
    no_arguments(args)?;
    let directory = workspace.target().join("alone");
    for case in CASES {
        println!("alone: {}", case.name);
        let package = directory.join(case.name);
        case.write(&package, workspace.root()).map_err(|error| Failure::file(&package, &error))?;
        let mut build = workspace.cargo();
        // One directory for all: what two cases build alike is built once.
        build.current_dir(&package).env("CARGO_TARGET_DIR", directory.join("build"));
        run::visibly(build.args(["build", "--quiet"]))?;
    }
    Ok(())
}

/// A package with one dependency.
#[derive(Debug)]
struct Case {
    name: &'static str,
    dependency: &'static str,
    features: Features,
}

/// Which features a case asks for.
#[derive(Debug)]
enum Features {
    /// What a plain dependency gets.
    Default,
    /// These, without the default ones.
    Only(&'static [&'static str]),
}

impl Case {
    fn write(&self, package: &Path, root: &Path) -> std::io::Result<()> {
        fs::create_dir_all(package.join("src"))?;
        fs::write(package.join("Cargo.toml"), self.manifest(root))?;
        let program = format!("use {} as _;\n\nfn main() {{}}\n", self.dependency.replace('-', "_"));
        fs::write(package.join("src/main.rs"), program)?;
        // The versions that the workspace was tested with; cargo drops what is not needed.
        fs::copy(root.join("Cargo.lock"), package.join("Cargo.lock"))?;
        Ok(())
    }

    fn manifest(&self, root: &Path) -> String {
        let Self { name, dependency, features } = self;
        let path = root.join("crates").join(dependency);
        let path = path.display();
        let settings = match features {
            Features::Default => String::new(),
            Features::Only(names) => format!(", default-features = false, features = {names:?}"),
        };
        format!(
            "[package]\nname = \"alone-{name}\"\nversion = \"0.0.0\"\nedition = \"2024\"\npublish = false\n\n\
             [dependencies]\n{dependency} = {{ path = '{path}'{settings} }}\n\n\
             # It is a workspace of its own, although it lies below another one.\n[workspace]\n"
        )
    }
}

const CASES: &[Case] = &[
    Case { name: "proto", dependency: "etcd-proto", features: Features::Default },
    Case { name: "transport", dependency: "etcd-transport", features: Features::Default },
    Case { name: "client-without-tls", dependency: "etcd-client", features: Features::Only(&["v2"]) },
    Case { name: "client-blocking", dependency: "etcd-client", features: Features::Only(&["blocking"]) },
    Case { name: "leader-without-tls", dependency: "etcd-leader", features: Features::Only(&[]) },
    Case { name: "leader-blocking", dependency: "etcd-leader", features: Features::Only(&["blocking"]) },
    Case { name: "recipe-without-tls", dependency: "etcd-recipe", features: Features::Only(&[]) },
    Case { name: "recipe-blocking", dependency: "etcd-recipe", features: Features::Only(&["blocking"]) },
    Case { name: "lock-without-tls", dependency: "etcd-lock", features: Features::Only(&[]) },
    Case { name: "lock-blocking", dependency: "etcd-lock", features: Features::Only(&["blocking"]) },
    Case { name: "testkit", dependency: "etcd-testkit", features: Features::Default },
    Case { name: "testkit-memory", dependency: "etcd-testkit", features: Features::Only(&["memory"]) },
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_manifest_names_one_path_and_is_its_own_workspace() {
        let case = Case { name: "memory", dependency: "etcd-testkit", features: Features::Only(&["memory"]) };
        let manifest = case.manifest(Path::new("/w"));
        assert!(manifest.contains(
            "etcd-testkit = { path = '/w/crates/etcd-testkit', default-features = false, features = [\"memory\"] }"
        ));
        assert!(manifest.ends_with("[workspace]\n"));
    }
}
