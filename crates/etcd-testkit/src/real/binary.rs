//! Where etcd is.

use std::collections::HashSet;
use std::env;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use super::error::{Error, ErrorKind, Result};
use super::output;
use super::search::{fetched, in_path};
use crate::{Series, Version};

/// An etcd program on this machine.
///
/// It is looked for at these places, first match wins:
/// 1. the file that the environment variable `ETCD_BIN` names,
/// 2. `etcd/<series>/etcd` under the target directory, where `cargo xtask etcd` puts it: `CARGO_TARGET_DIR`,
///    `target` at the root of the workspace that `CARGO_MANIFEST_DIR` and the current directory lie in (the nearest
///    directory above with a `Cargo.lock` or a `[workspace]`), and the one that the test program was built into,
/// 3. `etcd` in `PATH`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Binary {
    path: PathBuf,
    version: Version,
}

/// The binaries that a test must run on.
///
/// - If the environment variable `ETCD_TEST_SERVERS` is `memory`, none: tests are to do without.
/// - Else if `ETCD_TEST_SERIES` is set, exactly those series, oldest first: `3.4,3.5`, or
///   `none` for an empty list. `cargo xtask test` sets it to what it could get, and says what it could not.
/// - Else if `ETCD_BIN` is set, that one.
/// - Else one of each series found on this machine.
///
/// # Errors
///
/// Without a binary for a wanted series, or, with nothing set, without any: one sentence that says how to get it.
pub fn binaries_under_test() -> Result<Vec<Binary>> {
    if env::var_os("ETCD_TEST_SERVERS").is_some_and(|kind| kind == "memory") {
        return Ok(Vec::new());
    }
    if let Some(wanted) = env::var_os("ETCD_TEST_SERIES") {
        return series_list(&wanted.to_string_lossy())?.into_iter().map(Binary::find).collect();
    }
    let found = Binary::find_all()?;
    if env::var_os("ETCD_BIN").is_some() {
        return Ok(found.into_iter().take(1).collect());
    }
    let mut binaries = Vec::new();
    for series in Series::ALL {
        binaries.extend(found.iter().find(|binary| binary.version.series() == Some(series)).cloned());
    }
    if binaries.is_empty() { Err(not_found("etcd 3.4 or 3.5")) } else { Ok(binaries) }
}

// === impl Binary ===

impl Binary {
    /// Asks the program at `path` for its version (`etcd --version`), and kills it if it takes more than 10 s.
    ///
    /// It blocks the thread for as long as that takes.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::BinaryUnusable`] if it does not run, does not end within 10 s or does not say a version.
    pub fn at(path: impl Into<PathBuf>) -> Result<Self> {
        Self::at_within(VERSION_LIMIT, path.into())
    }

    fn at_within(limit: Duration, path: PathBuf) -> Result<Self> {
        let error = |what: &str| {
            Error::new(ErrorKind::BinaryUnusable, format!("`{} --version` {what}", path.display()))
        };
        let mut command = Command::new(&path);
        without_etcd_settings(&mut command).arg("--version");
        let text = output::within(limit, &mut command).map_err(|source| match source.kind() {
            io::ErrorKind::TimedOut => error(&format!("does not end within {limit:?}")).with_source(source),
            _ => error("does not run").with_source(source),
        })?;
        let version = text
            .lines()
            .find_map(|line| line.strip_prefix("etcd Version:"))
            .and_then(|version| version.parse().ok())
            .ok_or_else(|| error("does not print an etcd version"))?;
        Ok(Self { path, version })
    }

    /// All that are on this machine, in the order in which they are preferred; each file once.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::BinaryUnusable`] if `ETCD_BIN` names something that is not etcd. Files at
    /// other places that do not run are left out.
    pub fn find_all() -> Result<Vec<Self>> {
        let mut binaries = Vec::new();
        let mut seen = HashSet::new();
        if let Some(path) = env::var_os("ETCD_BIN").map(PathBuf::from) {
            seen.insert(path.canonicalize().unwrap_or_else(|_| path.clone()));
            binaries.push(Self::at(path)?);
        }
        for path in fetched().into_iter().chain(in_path()) {
            let Ok(file) = path.canonicalize() else { continue };
            if seen.insert(file) {
                binaries.extend(Self::at(path).ok());
            }
        }
        Ok(binaries)
    }

    /// The preferred one of a series.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::BinaryNotFound`] with one sentence that says how to get it; [`ErrorKind::BinaryUnusable`] if
    /// `ETCD_BIN` names something that is not etcd.
    pub fn find(series: Series) -> Result<Self> {
        Self::find_all()?
            .into_iter()
            .find(|binary| binary.version.series() == Some(series))
            .ok_or_else(|| not_found(&format!("etcd {series}")))
    }

    /// The file.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// What it says of itself.
    #[must_use]
    pub fn version(&self) -> Version {
        self.version
    }

    /// One that must not be run.
    #[cfg(test)]
    pub(super) fn fake() -> Self {
        Self { path: PathBuf::from("etcd"), version: Version { major: 3, minor: 4, patch: 0 } }
    }

    /// A command that runs it and in which no environment variable changes how it behaves.
    pub(super) fn command(&self) -> Command {
        let mut command = Command::new(&self.path);
        without_etcd_settings(&mut command);
        command
    }
}

/// Takes `ETCD_*` out of the environment, because etcd reads every setting from there too, and sets the one
/// that it wants on architectures for which it is not released: without it even `--version` fails (arm64 in 3.4).
fn without_etcd_settings(command: &mut Command) -> &mut Command {
    for (name, _) in env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("ETCD_")) {
        command.env_remove(name);
    }
    if let Some(arch) = unsupported_arch(env::consts::ARCH) {
        command.env("ETCD_UNSUPPORTED_ARCH", arch);
    }
    command
}

/// Go's name of an architecture, unless each etcd series runs on it unasked.
fn unsupported_arch(rust_name: &str) -> Option<&str> {
    match rust_name {
        "x86_64" | "powerpc64" | "s390x" => None,
        "aarch64" => Some("arm64"),
        "x86" => Some("386"),
        "loongarch64" => Some("loong64"),
        other => Some(other),
    }
}

fn series_list(text: &str) -> Result<Vec<Series>> {
    if matches!(text.trim(), "" | "none") {
        return Ok(Vec::new());
    }
    let mut series =
        text.split(',').map(str::parse).collect::<Result<Vec<Series>, _>>().map_err(|source| {
            Error::new(ErrorKind::Config, "ETCD_TEST_SERIES is not a list of series").with_source(source)
        })?;
    series.sort_unstable();
    series.dedup();
    Ok(series)
}

fn not_found(what: &str) -> Error {
    Error::new(
        ErrorKind::BinaryNotFound,
        format!("{what} is not on this machine: run `cargo xtask etcd`, or set ETCD_BIN to an etcd program"),
    )
}

/// etcd answers within milliseconds; a machine that starts a hundred at once may need seconds.
const VERSION_LIMIT: Duration = Duration::from_secs(10);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_of_series_is_sorted_and_free_of_doubles() {
        assert_eq!(series_list("3.5, 3.4,3.5").unwrap(), [Series::V3_4, Series::V3_5]);
        assert_eq!(series_list("none").unwrap(), []);
        assert_eq!(series_list("").unwrap(), []);
        assert_eq!(series_list("3.6").unwrap_err().kind(), ErrorKind::Config);
    }

    #[test]
    fn an_absent_binary_says_how_to_get_it() {
        let error = not_found("etcd 3.5");
        assert!(error.is_binary_not_found());
        assert_eq!(
            error.to_string(),
            "etcd 3.5 is not on this machine: run `cargo xtask etcd`, or set ETCD_BIN to an etcd program"
        );
    }

    #[test]
    fn a_program_that_is_not_etcd_is_refused() {
        assert!(Binary::at("/nonexistent/etcd").unwrap_err().is_binary_unusable());
        let this_test = env::current_exe().unwrap();
        assert!(Binary::at(this_test).unwrap_err().is_binary_unusable());
    }

    #[test]
    fn a_program_that_hangs_is_refused() {
        let directory = tempfile::tempdir().unwrap();
        // A shell writes it: what this process writes, a child of another test may hold open while it is started.
        let script = r"printf '#!/bin/sh\nexec sleep 600\n' > etcd && chmod +x etcd";
        let mut write = Command::new("sh");
        assert!(write.args(["-c", script]).current_dir(directory.path()).status().unwrap().success());
        let path = directory.path().join("etcd");
        let error = Binary::at_within(Duration::from_millis(200), path).unwrap_err();
        assert!(error.is_binary_unusable());
        assert!(error.to_string().ends_with("does not end within 200ms"), "{error}");
    }

    #[test]
    fn only_unsupported_architectures_are_named() {
        assert_eq!(unsupported_arch("x86_64"), None);
        assert_eq!(unsupported_arch("aarch64"), Some("arm64"));
        assert_eq!(unsupported_arch("riscv64"), Some("riscv64"));
    }
}
