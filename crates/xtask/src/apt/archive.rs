//! One suite's packages.

use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::source::Source;
use crate::failure::Failure;
use crate::run;

/// One suite's index, in a directory of its own. Signatures are always checked.
#[derive(Debug)]
pub(crate) struct Archive {
    directory: PathBuf,
    suite: String,
}

/// Why a suite's index could not be had.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// The mirror does not answer, so that others of its suites need not be tried.
    Unreachable(String),
    /// The index is signed with keys that are not in the source's keyring.
    UnknownKey(String),
    /// Anything else, such as a suite that the mirror does not have.
    Other(String),
}

impl Archive {
    /// Fetches the index of `source` into `directory`.
    pub(crate) fn open(directory: PathBuf, source: &Source) -> Result<Self, Refusal> {
        let archive = Self { directory, suite: source.suites.join(" ") };
        archive.prepare(source).map_err(|error| Refusal::Other(error.to_string()))?;
        let update = run::silently(archive.apt("apt-get").arg("update"));
        let output = update.map_err(|failure| Refusal::Other(failure.to_string()))?;
        // Older versions of apt call a failed fetch a warning and succeed.
        if output.success && !output.stderr.contains("Failed to fetch") {
            return Ok(archive);
        }
        Err(Refusal::read(&output.stderr))
    }

    /// The suite's name.
    pub(crate) fn suite(&self) -> &str {
        &self.suite
    }

    /// The versions of a package, the newest first; none if the suite does not have it.
    pub(crate) fn versions(&self, package: &str) -> Result<Vec<String>, Failure> {
        let output = run::silently(self.apt("apt-cache").args(["madison", package]))?;
        let versions = output.stdout.lines().filter_map(|line| line.split('|').nth(1));
        Ok(versions.map(|version| version.trim().to_owned()).collect())
    }

    /// Fetches a package and unpacks it into the directory `to`.
    pub(crate) fn unpack(&self, package: &str, version: &str, to: &Path) -> Result<(), Failure> {
        let debs = self.debs(package, version);
        for directory in [debs.as_path(), to] {
            fs::create_dir_all(directory).map_err(|error| Failure::file(directory, &error))?;
        }
        let wanted = format!("{package}={version}");
        run::output(self.apt("apt-get").args(["download", &wanted]).current_dir(&debs))?;
        run::output(Command::new("dpkg-deb").arg("--extract").arg(only_deb(&debs)?).arg(to)).map(|_| ())
    }

    /// Where one version of a package is downloaded to. A source with several suites, such as a release and its
    /// backports, has several versions, and apt-get does not say the name of the file that it brings.
    fn debs(&self, package: &str, version: &str) -> PathBuf {
        self.directory.join("debs").join(package).join(version)
    }

    fn prepare(&self, source: &Source) -> std::io::Result<()> {
        for part in ["lists/partial", "cache/archives/partial"] {
            fs::create_dir_all(self.directory.join(part))?;
        }
        // An empty list of installed packages: what the system has plays no part.
        fs::write(self.directory.join("status"), "")?;
        fs::write(self.directory.join("suite.sources"), stanza(source))?;
        fs::write(self.directory.join("apt.conf"), settings(&self.directory))
    }

    fn apt(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        // Its messages are read here.
        command.env("LC_ALL", "C").arg("-c").arg(self.directory.join("apt.conf"));
        command
    }
}

impl Refusal {
    fn read(messages: &str) -> Self {
        let messages: Vec<_> =
            messages.lines().filter(|line| line.starts_with("E: ") || line.starts_with("W: ")).collect();
        let has = |parts: &[&str]| messages.iter().any(|line| parts.iter().any(|part| line.contains(part)));
        let first = messages.first().map_or("apt-get update failed", |line| line[3..].trim()).to_owned();
        if has(&["NO_PUBKEY", "Missing key", "no public key"]) {
            Self::UnknownKey(first)
        } else if has(&[
            "Could not resolve",
            "Could not connect",
            "Temporary failure",
            "timed out",
            "Unable to connect",
        ]) {
            Self::Unreachable(first)
        } else {
            Self::Other(first)
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreachable(why) | Self::UnknownKey(why) | Self::Other(why) => f.write_str(why),
        }
    }
}

/// The one package in a directory; none or several are a failure, because nothing says which one to take.
fn only_deb(directory: &Path) -> Result<PathBuf, Failure> {
    let entries = fs::read_dir(directory).map_err(|error| Failure::file(directory, &error))?;
    let mut debs: Vec<_> = entries.flatten().map(|entry| entry.path()).collect();
    debs.retain(|file| file.extension().is_some_and(|ending| ending == "deb"));
    match debs.as_slice() {
        [deb] => Ok(deb.clone()),
        _ => Err(Failure::new(format!("{} packages in {}, not one", debs.len(), directory.display()))),
    }
}

/// What apt reads instead of the system's list of sources. Options that would weaken the check of signatures are
/// not taken over from there.
fn stanza(source: &Source) -> String {
    let Source { uris, suites, components, signed_by } = source;
    let (uris, suites, components) = (uris.join(" "), suites.join(" "), components.join(" "));
    let mut text = format!("Types: deb\nURIs: {uris}\nSuites: {suites}\nComponents: {components}\n");
    if let Some(signed_by) = signed_by {
        text.push_str(&format!("Signed-By: {signed_by}\n"));
    }
    text
}

/// Settings on top of the system's (its proxies stay in force).
fn settings(directory: &Path) -> String {
    let directory = directory.display();
    format!(
        r#"Dir::Etc::sourcelist "{directory}/suite.sources";
Dir::Etc::sourceparts "-";
Dir::State "{directory}";
Dir::State::lists "{directory}/lists";
Dir::State::status "{directory}/status";
Dir::Cache "{directory}/cache";
// Only the index of packages.
Acquire::Languages "none";
Acquire::IndexTargets::deb::DEP-11::DefaultEnabled "false";
Acquire::IndexTargets::deb::Contents-deb::DefaultEnabled "false";
Acquire::Retries "2";
APT::Update::Error-Mode "any";
// No trust without a signature, whatever the system allows.
Acquire::AllowInsecureRepositories "false";
Acquire::AllowWeakRepositories "false";
APT::Get::AllowUnauthenticated "false";
// What the system does after its own updates has no place here.
#clear APT::Update::Pre-Invoke;
#clear APT::Update::Post-Invoke;
#clear APT::Update::Post-Invoke-Success;
"#
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refusals_are_told_apart() {
        let key =
            "W: GPG error: http://x y InRelease: couldn't be verified: NO_PUBKEY 6ED0\nE: y is not signed.";
        assert!(matches!(Refusal::read(key), Refusal::UnknownKey(why) if why.starts_with("GPG error")));
        let network = "W: Failed to fetch http://x/y  Could not resolve 'x'\n";
        assert!(matches!(Refusal::read(network), Refusal::Unreachable(_)));
        let absent = "E: The repository 'http://x plucky Release' does not have a Release file.";
        assert!(matches!(Refusal::read(absent), Refusal::Other(_)));
        assert_eq!(Refusal::read("").to_string(), "apt-get update failed");
    }

    #[test]
    fn two_versions_of_a_package_are_not_downloaded_into_one_directory() {
        let archive = Archive { directory: "/t".into(), suite: "bookworm bookworm-backports".to_owned() };
        let (old, new) =
            (archive.debs("etcd-server", "3.4.23-4+b4"), archive.debs("etcd-server", "3.5.16-1"));
        assert!(old != new && !old.starts_with(&new) && !new.starts_with(&old));
        assert_ne!(old, archive.debs("etcd-client", "3.4.23-4+b4"));
    }

    #[test]
    fn a_package_is_taken_only_if_it_is_the_only_one() {
        let directory = tempfile::tempdir().unwrap();
        assert!(only_deb(directory.path()).unwrap_err().to_string().starts_with("0 packages"));
        let deb = directory.path().join("etcd-server_3.4.23-4+b4_amd64.deb");
        fs::write(&deb, "").unwrap();
        fs::write(directory.path().join("partial"), "").unwrap();
        assert_eq!(only_deb(directory.path()).unwrap(), deb);
        fs::write(directory.path().join("etcd-server_3.5.16-1_amd64.deb"), "").unwrap();
        assert!(only_deb(directory.path()).unwrap_err().to_string().starts_with("2 packages"));
    }

    #[test]
    fn a_stanza_has_the_key_of_its_source() {
        let source = Source {
            uris: vec!["http://x".to_owned()],
            suites: vec!["trixie".to_owned()],
            components: vec!["main".to_owned()],
            signed_by: Some("/k.gpg".to_owned()),
        };
        assert_eq!(
            stanza(&source),
            "Types: deb\nURIs: http://x\nSuites: trixie\nComponents: main\nSigned-By: /k.gpg\n"
        );
    }

    #[test]
    fn unsigned_packages_are_never_allowed() {
        let settings = settings(Path::new("/t"));
        assert!(settings.contains("AllowUnauthenticated \"false\""));
        assert!(settings.contains("AllowInsecureRepositories \"false\""));
    }
}
