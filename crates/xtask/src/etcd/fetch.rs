//! Fetching etcd from the distribution's packages.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::{Binary, Missing, series_of};
use crate::apt::{self, Archive, Family, Refusal, Source};
use crate::failure::Failure;

/// Puts each series of `wanted` into `TARGET/etcd/<series>`; those that could not be had, with the reason.
pub(super) fn fetch(target: &Path, wanted: &[&'static str]) -> Vec<Missing> {
    // Of this process alone, so that two that run at once do not meet.
    let scratch = target.join(format!("etcd-fetch-{}", std::process::id()));
    let mut fetch = Fetch { target, scratch: &scratch, wanted: wanted.to_vec(), tried: Vec::new() };
    if let Err(failure) = fetch.run() {
        fetch.note(None, failure.to_string());
    }
    let missing = fetch.missing();
    // Left-overs do no harm, and a failure to remove them must not hide what was fetched.
    let _ = fs::remove_dir_all(&scratch);
    missing
}

struct Fetch<'a> {
    target: &'a Path,
    scratch: &'a Path,
    /// What is still to be had.
    wanted: Vec<&'static str>,
    /// What went wrong so far, with the one series that it concerns or none for all.
    tried: Vec<(Option<&'static str>, String)>,
}

impl Fetch<'_> {
    /// Asks one suite after the other, until nothing is wanted any more.
    fn run(&mut self) -> Result<(), Failure> {
        let sources = apt::configured()?;
        let (family, suites) = apt::suites(&sources).ok_or_else(|| {
            Failure::new("apt is configured with no release of Debian or Ubuntu that is known here")
        })?;
        let mut archives: Vec<Archive> = Vec::new();
        for source in &suites {
            if self.wanted.is_empty() {
                return Ok(());
            }
            let suite = source.suites.join(" ");
            println!("looking for etcd {} in {suite}", self.wanted.join(" and "));
            let directory = self.scratch.join(&source.suites[0]);
            let mut opened = Archive::open(directory, source);
            if let (Err(Refusal::UnknownKey(why)), Some(known)) = (&opened, archives.first()) {
                println!("the keyring of this machine does not know {suite} ({why})");
                opened = self.open_with_newer_keyring(family, known, source);
            }
            match opened {
                Ok(archive) => {
                    self.take(&archive);
                    archives.push(archive);
                }
                Err(Refusal::Unreachable(why)) => return Err(Failure::new(format!("{suite}: {why}"))),
                Err(refusal) => self.note(None, format!("{suite}: {refusal}")),
            }
        }
        Ok(())
    }

    /// Opens a suite with the keys of the newest keyring package of a suite whose signature was good: it is
    /// updated there when a new release is signed with new keys.
    fn open_with_newer_keyring(
        &self,
        family: Family,
        known: &Archive,
        source: &Source,
    ) -> Result<Archive, Refusal> {
        let other = |what: &str| Refusal::Other(format!("signed with unknown keys, {what}"));
        let package = family.keyring_package();
        let directory = self.scratch.join("keyring");
        let versions = known.versions(package).unwrap_or_default();
        let version =
            versions.first().ok_or_else(|| other(&format!("and {package} is not in {}", known.suite())))?;
        known.unpack(package, version, &directory).map_err(|failure| other(&failure.to_string()))?;
        let keyring = keyring(&directory.join("usr/share/keyrings"))
            .ok_or_else(|| other(&format!("and {package} {version} has no keyring")))?;
        println!("using the keys of {package} {version}, a signed package of {}", known.suite());
        let signed_by = Some(keyring.display().to_string());
        let directory = self.scratch.join(format!("{}-again", source.suites[0]));
        Archive::open(directory, &Source { signed_by, ..source.clone() })
    }

    /// Takes what is wanted out of one suite.
    fn take(&mut self, archive: &Archive) {
        let suite = archive.suite();
        let versions = match archive.versions("etcd-server") {
            Ok(versions) => versions,
            Err(failure) => return self.note(None, format!("{suite}: {failure}")),
        };
        for series in self.wanted.clone() {
            match versions.iter().find(|version| series_of(version) == series) {
                None if versions.is_empty() => self.note(Some(series), format!("{suite} has none")),
                None => self.note(Some(series), format!("{suite} has {}", versions.join(", "))),
                Some(version) => match self.install(archive, series, version) {
                    Ok(()) => self.wanted.retain(|wanted| *wanted != series),
                    Err(failure) => self.note(Some(series), format!("{suite} has {version}, but {failure}")),
                },
            }
        }
    }

    fn install(&self, archive: &Archive, series: &str, version: &str) -> Result<(), Failure> {
        // One per suite and version, so that no file of another try is in it.
        let unpacked = self.scratch.join("unpacked").join(archive.suite()).join(version);
        archive.unpack("etcd-server", version, &unpacked)?;
        // etcdctl is in a package of its own since Debian 8; the server can do without.
        let clients = archive.versions("etcd-client")?;
        if let Some(client) = clients.iter().find(|client| series_of(client) == series) {
            archive.unpack("etcd-client", client, &unpacked)?;
        }
        self.keep(&unpacked.join("usr/bin"), series)
    }

    /// Puts programs into the place of a series.
    fn keep(&self, programs: &Path, series: &str) -> Result<(), Failure> {
        // A program of a newer suite may want a newer C library: only one that runs here is kept.
        Binary::of_series(&programs.join("etcd"), series)?;
        let place = self.target.join("etcd").join(series);
        put(programs, &place).map_err(|error| Failure::file(&place, &error))
    }

    fn note(&mut self, series: Option<&'static str>, what: String) {
        self.tried.push((series, what));
    }

    /// What is still wanted, with all that went wrong on the way to it.
    fn missing(&self) -> Vec<Missing> {
        let reason = |series| {
            let tried = self.tried.iter().filter(|(concerned, _)| concerned.is_none_or(|it| it == series));
            tried.map(|(_, what)| what.as_str()).collect::<Vec<_>>().join("; ")
        };
        self.wanted.iter().map(|&series| Missing { series, reason: reason(series) }).collect()
    }
}

/// Moves a directory to its place, for which it waits ready-made: nobody sees half of it.
fn put(programs: &Path, place: &Path) -> io::Result<()> {
    if let Some(parent) = place.parent() {
        fs::create_dir_all(parent)?;
    }
    // What is there does not run or is of another series, or nothing would have been fetched.
    if place.exists() {
        fs::remove_dir_all(place)?;
    }
    fs::rename(programs, place)
}

fn keyring(directory: &Path) -> Option<PathBuf> {
    let mut files: Vec<_> = fs::read_dir(directory).ok()?.flatten().map(|entry| entry.path()).collect();
    files.retain(|file| {
        let name = file.file_name().unwrap_or_default().to_string_lossy();
        name.ends_with("-archive-keyring.gpg") || name.ends_with("-archive-keyring.pgp")
    });
    files.into_iter().next()
}

#[cfg(test)]
mod tests {
    use super::super::tests::pretend;
    use super::*;

    #[test]
    fn a_reason_leaves_out_what_concerns_the_other_series() {
        let nowhere = Path::new("/nonexistent");
        let mut fetch = Fetch { target: nowhere, scratch: nowhere, wanted: vec!["3.5"], tried: Vec::new() };
        fetch.note(Some("3.4"), "a has none".to_owned());
        fetch.note(Some("3.5"), "a has 3.4.23".to_owned());
        fetch.note(None, "b: no network".to_owned());
        let expected = Missing { series: "3.5", reason: "a has 3.4.23; b: no network".to_owned() };
        assert_eq!(fetch.missing(), [expected]);
    }

    #[test]
    fn a_program_of_another_series_is_not_put_into_place() {
        let directory = tempfile::tempdir().unwrap();
        let (target, programs) = (directory.path(), directory.path().join("usr/bin"));
        let fetch = Fetch { target, scratch: target, wanted: vec!["3.4"], tried: Vec::new() };
        pretend(&programs, "3.5.16");
        let failure = fetch.keep(&programs, "3.4").unwrap_err().to_string();
        assert!(failure.ends_with("is etcd 3.5.16, not 3.4"), "{failure}");
        assert!(!target.join("etcd").exists());
        pretend(&programs, "3.4.23");
        fetch.keep(&programs, "3.4").unwrap();
        assert!(target.join("etcd/3.4/etcd").is_file());
    }

    #[test]
    fn a_place_that_holds_rubbish_is_replaced() {
        let directory = tempfile::tempdir().unwrap();
        let (programs, place) = (directory.path().join("new"), directory.path().join("etcd/3.4"));
        fs::create_dir_all(&place).unwrap();
        fs::write(place.join("rubbish"), "").unwrap();
        fs::create_dir_all(&programs).unwrap();
        fs::write(programs.join("etcd"), "program").unwrap();
        put(&programs, &place).unwrap();
        assert_eq!(fs::read_to_string(place.join("etcd")).unwrap(), "program");
        assert!(!place.join("rubbish").exists());
    }

    #[test]
    fn a_keyring_is_known_by_its_name() {
        let directory = tempfile::tempdir().unwrap();
        assert_eq!(keyring(directory.path()), None);
        for name in ["debian-archive-removed-keys.gpg", "debian-archive-keyring.pgp"] {
            fs::write(directory.path().join(name), "").unwrap();
        }
        assert_eq!(keyring(directory.path()), Some(directory.path().join("debian-archive-keyring.pgp")));
    }
}
