//! Which kinds of servers the tests run on.

use std::env;

use etcd_testkit::memory::Profile;
use etcd_testkit::real::{Binary, binaries_under_test};

/// What the environment variable `ETCD_TEST_SERVERS` says: `real`, `memory` or `both`. Without it, real servers if
/// there are any on this machine, else those in memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Processes of every etcd that `binaries_under_test` names.
    Real,
    /// The testkit's server, in every profile.
    Memory,
    /// First the ones, then the others.
    Both,
}

impl Kind {
    /// What the environment says, if it says anything.
    fn wanted() -> Option<Self> {
        let text = env::var_os(VARIABLE)?;
        Self::read(&text.to_string_lossy()).unwrap_or_else(|error| panic!("{error}"))
    }

    fn read(text: &str) -> Result<Option<Self>, String> {
        match text {
            "" => Ok(None),
            "real" => Ok(Some(Self::Real)),
            "memory" => Ok(Some(Self::Memory)),
            "both" => Ok(Some(Self::Both)),
            other => Err(format!("{VARIABLE} is `{other}`, and may be `real`, `memory` or `both`")),
        }
    }
}

/// The programs and the profiles that a test which runs on either kind must be run on.
///
/// # Panics
/// If an etcd is wanted that is not there, with a sentence that says how to get it.
pub(crate) fn both_kinds() -> (Vec<Binary>, Vec<Profile>) {
    match Kind::wanted() {
        Some(Kind::Real) => {
            let binaries = binaries();
            assert!(
                !binaries.is_empty(),
                "{VARIABLE} is real and ETCD_TEST_SERIES none: nothing is left to run on"
            );
            (binaries, Vec::new())
        }
        Some(Kind::Memory) => (Vec::new(), PROFILES.to_vec()),
        Some(Kind::Both) => (binaries(), PROFILES.to_vec()),
        None => match binaries_under_test() {
            Ok(binaries) if !binaries.is_empty() => (binaries, Vec::new()),
            Ok(_) => (Vec::new(), PROFILES.to_vec()),
            Err(error) if error.is_binary_not_found() => {
                println!("{error}; until then: on servers in memory");
                (Vec::new(), PROFILES.to_vec())
            }
            Err(error) => panic!("{error}"),
        },
    }
}

/// The programs that a test which needs processes must be run on: none only if the environment says so, which is
/// printed.
///
/// # Panics
/// As [`both_kinds`], and if there is none without anybody having said so.
pub(crate) fn real_alone() -> Vec<Binary> {
    let binaries = binaries_under_test();
    let binaries =
        binaries.unwrap_or_else(|error| panic!("{error} ({VARIABLE}=memory leaves this test out)"));
    if binaries.is_empty() {
        println!("not run: this test is about processes of etcd, and the environment leaves those out");
    }
    binaries
}

fn binaries() -> Vec<Binary> {
    binaries_under_test().unwrap_or_else(|error| panic!("{error}"))
}

const VARIABLE: &str = "ETCD_TEST_SERVERS";
const PROFILES: [Profile; 2] = [Profile::V3_4, Profile::V3_5];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kind_is_one_of_three_words() {
        assert_eq!(Kind::read("real"), Ok(Some(Kind::Real)));
        assert_eq!(Kind::read("memory"), Ok(Some(Kind::Memory)));
        assert_eq!(Kind::read("both"), Ok(Some(Kind::Both)));
        assert_eq!(Kind::read(""), Ok(None));
        let error = Kind::read("memroy").unwrap_err();
        assert_eq!(error, "ETCD_TEST_SERVERS is `memroy`, and may be `real`, `memory` or `both`");
    }
}
