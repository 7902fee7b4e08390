//! Where the workspace is and what is in it.

use std::env;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use crate::failure::Failure;
use crate::run;

/// The workspace that this program was built in.
#[derive(Debug)]
pub(crate) struct Workspace {
    root: PathBuf,
    target: PathBuf,
    packages: Vec<Package>,
}

/// A member of the workspace.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Package {
    pub(crate) name: String,
    /// The members that it needs to be built and used.
    pub(crate) needs: Vec<String>,
    /// The members that only its tests and examples need.
    pub(crate) test_needs: Vec<String>,
}

impl Workspace {
    /// Asks cargo, which knows of `CARGO_TARGET_DIR` and of its own settings.
    pub(crate) fn load() -> Result<Self, Failure> {
        let here = env::var_os("CARGO_MANIFEST_DIR").map(PathBuf::from);
        let here = here.ok_or_else(|| Failure::new("start me by `cargo xtask`"))?;
        let mut command = Command::new(cargo());
        command.args(["metadata", "--no-deps", "--format-version", "1"]).current_dir(here);
        Self::read(&run::output(&mut command)?)
            .ok_or_else(|| Failure::new("`cargo metadata` is not understood"))
    }

    fn read(metadata: &str) -> Option<Self> {
        let metadata: Value = serde_json::from_str(metadata).ok()?;
        let packages = metadata["packages"].as_array()?;
        let packages: Option<Vec<_>> = packages.iter().map(Package::read).collect();
        Some(Self {
            root: metadata["workspace_root"].as_str()?.into(),
            target: metadata["target_directory"].as_str()?.into(),
            packages: packages?,
        })
    }

    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    pub(crate) fn target(&self) -> &Path {
        &self.target
    }

    pub(crate) fn packages(&self) -> &[Package] {
        &self.packages
    }

    /// cargo, to be run at the root.
    pub(crate) fn cargo(&self) -> Command {
        let mut command = Command::new(cargo());
        command.current_dir(&self.root);
        command
    }
}

impl Package {
    fn read(package: &Value) -> Option<Self> {
        let dependencies = package["dependencies"].as_array()?;
        // A dependency with a path is a member.
        let members = dependencies.iter().filter(|dependency| dependency["path"].is_string());
        // The kind of the others is null, or `build`: users need both.
        let (test_needs, needs): (Vec<_>, Vec<_>) =
            members.partition(|dependency| dependency["kind"].as_str() == Some("dev"));
        let names = |dependencies: Vec<&Value>| {
            let names = dependencies.into_iter().map(|it| it["name"].as_str().map(str::to_owned));
            names.collect::<Option<Vec<_>>>()
        };
        Some(Self {
            name: package["name"].as_str()?.to_owned(),
            needs: names(needs)?,
            test_needs: names(test_needs)?,
        })
    }
}

/// The cargo that runs this chore.
fn cargo() -> OsString {
    env::var_os("CARGO").unwrap_or_else(|| "cargo".into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dependencies_on_members_are_told_apart_and_others_left_out() {
        let text = r#"{"workspace_root": "/w", "target_directory": "/w/target", "packages": [{
            "name": "etcd-client",
            "dependencies": [
                {"name": "etcd-proto", "path": "/w/crates/etcd-proto", "kind": null},
                {"name": "etcd-testkit", "path": "/w/crates/etcd-testkit", "kind": "dev"},
                {"name": "etcd-codegen", "path": "/w/crates/etcd-codegen", "kind": "build"},
                {"name": "bytes", "kind": null}
            ]}]}"#;
        let workspace = Workspace::read(text).unwrap();
        let expected = Package {
            name: "etcd-client".to_owned(),
            needs: vec!["etcd-proto".to_owned(), "etcd-codegen".to_owned()],
            test_needs: vec!["etcd-testkit".to_owned()],
        };
        assert_eq!(workspace.packages(), [expected]);
        assert_eq!(workspace.target(), Path::new("/w/target"));
    }

    #[test]
    fn what_is_not_metadata_is_refused() {
        assert!(Workspace::read("{}").is_none());
        assert!(Workspace::read("cargo").is_none());
    }
}
