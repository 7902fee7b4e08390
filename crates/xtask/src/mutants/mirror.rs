//! A copy of the workspace that may be broken.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::fs;
use std::io;
use std::path::Path;

use crate::failure::Failure;

/// Makes `to` a copy of the directory `from`, but for what is built and what git keeps.
///
/// Files that are the same already stay as they are, so that the next build finds little to do.
pub(super) fn mirror(from: &Path, to: &Path) -> Result<(), Failure> {
    directory(from, to).map_err(|error| Failure::file(to, &error))
}

fn directory(from: &Path, to: &Path) -> io::Result<()> {
    fs::create_dir_all(to)?;
    let mut kept = BTreeSet::<OsString>::new();
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let name = entry.file_name();
        if LEFT_OUT.iter().any(|left_out| name == *left_out) {
            continue;
        }
        let (source, copy) = (entry.path(), to.join(&name));
        if entry.file_type()?.is_dir() {
            directory(&source, &copy)?;
        } else {
            let text = fs::read(&source)?;
            if fs::read(&copy).ok().as_deref() != Some(&text) {
                fs::write(&copy, text)?;
            }
        }
        kept.insert(name);
    }
    for entry in fs::read_dir(to)? {
        let entry = entry?;
        if kept.contains(&entry.file_name()) {
            continue;
        }
        match entry.file_type()?.is_dir() {
            true => fs::remove_dir_all(entry.path())?,
            false => fs::remove_file(entry.path())?,
        }
    }
    Ok(())
}

const LEFT_OUT: &[&str] = &["target", ".git"];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_copy_follows_what_was_changed_and_removed() {
        let directory = tempfile::tempdir().unwrap();
        let (from, to) = (directory.path().join("from"), directory.path().join("to"));
        for path in ["crates/a", "target/debug"] {
            fs::create_dir_all(from.join(path)).unwrap();
            fs::write(from.join(path).join("file"), "1").unwrap();
        }
        mirror(&from, &to).unwrap();
        assert_eq!(fs::read_to_string(to.join("crates/a/file")).unwrap(), "1");
        assert!(!to.join("target").exists());

        fs::write(to.join("crates/a/file"), "broken").unwrap();
        fs::write(to.join("crates/a/gone"), "2").unwrap();
        mirror(&from, &to).unwrap();
        assert_eq!(fs::read_to_string(to.join("crates/a/file")).unwrap(), "1");
        assert!(!to.join("crates/a/gone").exists());
    }
}
