//! An etcd program.

use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::failure::Failure;
use crate::run;

/// An etcd program that runs on this machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Binary {
    pub(crate) path: PathBuf,
    /// Such as `3.4.23`.
    pub(crate) version: String,
}

impl Binary {
    /// Asks a program for its version.
    pub(crate) fn at(path: &Path) -> Result<Self, Failure> {
        let mut command = Command::new(path);
        // Without it, etcd does not even say its version on an architecture that it is not released for.
        command.env("ETCD_UNSUPPORTED_ARCH", go_architecture(env::consts::ARCH));
        let output = run::output(command.arg("--version"))?;
        let version = version(&output)
            .ok_or_else(|| Failure::new(format!("`{} --version` does not say a version", path.display())))?;
        Ok(Self { path: path.to_owned(), version })
    }

    /// Asks a program for its version, which must be of the series: the name of a directory proves nothing.
    pub(crate) fn of_series(path: &Path, series: &str) -> Result<Self, Failure> {
        let binary = Self::at(path)?;
        if binary.series() == series {
            return Ok(binary);
        }
        Err(Failure::new(format!("{} is etcd {}, not {series}", path.display(), binary.version)))
    }

    /// The line of releases it belongs to, such as `3.4`.
    pub(crate) fn series(&self) -> &str {
        series_of(&self.version)
    }
}

/// The line of releases that a version belongs to: `3.4` for `3.4.23-4+b4`.
pub(crate) fn series_of(version: &str) -> &str {
    let end = version.match_indices('.').nth(1).map_or(version.len(), |(index, _)| index);
    &version[..end]
}

/// The program that the environment variable `ETCD_BIN` names, if it is set.
pub(crate) fn named() -> Option<Result<Binary, Failure>> {
    env::var_os("ETCD_BIN").map(|path| Binary::at(Path::new(&path)))
}

/// The programs in `PATH`, those left out that do not run.
pub(crate) fn in_path() -> Vec<Binary> {
    let path = env::var_os("PATH").unwrap_or_default();
    env::split_paths(&path).filter_map(|directory| Binary::at(&directory.join("etcd")).ok()).collect()
}

fn version(output: &str) -> Option<String> {
    output
        .lines()
        .find_map(|line| line.strip_prefix("etcd Version:"))
        .map(|version| version.trim().to_owned())
}

fn go_architecture(rust_name: &str) -> &str {
    match rust_name {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        "x86" => "386",
        "powerpc64" => "ppc64le",
        "loongarch64" => "loong64",
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_version_is_found_in_what_etcd_prints() {
        let output = "etcd Version: 3.5.16\nGit SHA: none\nGo Version: go1.24.0\n";
        assert_eq!(version(output).as_deref(), Some("3.5.16"));
        assert_eq!(version("usage: etcd"), None);
    }

    #[test]
    fn a_series_is_the_first_two_numbers() {
        assert_eq!(series_of("3.4.23-4+b4"), "3.4");
        assert_eq!(series_of("3.40.1"), "3.40");
        assert_eq!(series_of("3.5"), "3.5");
    }

    #[test]
    fn a_program_that_is_not_there_is_a_failure() {
        assert!(Binary::at(Path::new("/nonexistent/etcd")).is_err());
    }
}
