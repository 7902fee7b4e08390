//! Where an etcd program may be.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};

/// What `cargo xtask etcd` has fetched, of every target directory in reach.
pub(super) fn fetched() -> Vec<PathBuf> {
    let mut targets: Vec<PathBuf> = env::var_os("CARGO_TARGET_DIR").map(PathBuf::from).into_iter().collect();
    let starts = [env::var_os("CARGO_MANIFEST_DIR").map(PathBuf::from), env::current_dir().ok()];
    targets.extend(
        starts.iter().flatten().filter_map(|start| workspace_root(start)).map(|root| root.join("target")),
    );
    // A target directory with another name is above the test program itself.
    targets.extend(env::current_exe().ok().as_deref().and_then(target_above).map(Path::to_path_buf));
    targets.iter().flat_map(|target| binaries_below(&target.join("etcd"))).collect()
}

/// Each `etcd` in a directory of `PATH`.
pub(super) fn in_path() -> Vec<PathBuf> {
    let Some(path) = env::var_os("PATH") else { return Vec::new() };
    env::split_paths(&path).map(|directory| directory.join("etcd")).filter(|path| path.is_file()).collect()
}

/// The root of the workspace that `start` lies in. What is above it belongs to somebody else, who may have put any
/// program there (`/tmp/target/etcd/x/etcd`), and to be found here means to be run.
fn workspace_root(start: &Path) -> Option<&Path> {
    let is_root = |directory: &&Path| {
        let manifest = || fs::read_to_string(directory.join("Cargo.toml")).unwrap_or_default();
        directory.join("Cargo.lock").is_file() || manifest().lines().any(|line| line.trim() == "[workspace]")
    };
    start.ancestors().find(is_root)
}

/// The target directory that cargo built `program` into, known by what cargo leaves in it.
fn target_above(program: &Path) -> Option<&Path> {
    let is_target = |directory: &&Path| {
        [".rustc_info.json", "CACHEDIR.TAG"].iter().any(|mark| directory.join(mark).is_file())
    };
    // At most TARGET/TRIPLE/PROFILE/deps/PROGRAM.
    program.ancestors().skip(1).take(4).find(is_target)
}

fn binaries_below(directory: &Path) -> Vec<PathBuf> {
    let Ok(entries) = directory.read_dir() else { return Vec::new() };
    let mut paths: Vec<_> = entries.flatten().map(|entry| entry.path().join("etcd")).collect();
    paths.retain(|path| path.is_file());
    paths.sort();
    paths
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_search_ends_at_the_root_of_the_workspace() {
        let above = tempfile::tempdir().unwrap();
        let member = above.path().join("work/crates/member");
        fs::create_dir_all(&member).unwrap();
        fs::write(member.join("Cargo.toml"), "[package]\nname = \"member\"\n").unwrap();
        fs::write(above.path().join("Cargo.lock"), "").unwrap();
        let root = above.path().join("work");
        for (mark, text) in [("Cargo.toml", "[workspace]\nmembers = []\n"), ("Cargo.lock", "")] {
            fs::write(root.join(mark), text).unwrap();
            assert_eq!(workspace_root(&member), Some(root.as_path()), "{mark}");
            fs::remove_file(root.join(mark)).unwrap();
        }
    }

    #[test]
    fn a_target_directory_is_known_by_its_marks_and_not_by_its_place() {
        let above = tempfile::tempdir().unwrap();
        let target = above.path().join("target-a");
        let program = target.join("debug/deps/program");
        // The directory above is not one, although the program is as deep below it as with `--target`.
        assert_eq!(target_above(&program), None);
        fs::create_dir_all(&target).unwrap();
        fs::write(target.join(".rustc_info.json"), "{}").unwrap();
        assert_eq!(target_above(&program), Some(target.as_path()));
        assert_eq!(target_above(&target.join("aarch64-linux/debug/deps/program")), Some(target.as_path()));
    }

    #[test]
    fn only_files_named_etcd_are_found() {
        let directory = tempfile::tempdir().unwrap();
        for series in ["3.5", "3.4", "empty"] {
            fs::create_dir_all(directory.path().join(series)).unwrap();
        }
        for file in ["3.5/etcd", "3.4/etcd", "3.4/etcdctl"] {
            fs::write(directory.path().join(file), "").unwrap();
        }
        let expected = ["3.4/etcd", "3.5/etcd"].map(|file| directory.path().join(file));
        assert_eq!(binaries_below(directory.path()), expected);
    }
}
