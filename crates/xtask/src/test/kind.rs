//! Which kinds of servers the tests run on.

use std::env;

use crate::etcd::WAYS;
use crate::failure::Failure;

/// What `ETCD_TEST_SERVERS` can say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// Processes of etcd alone.
    Real,
    /// The testkit's server alone.
    Memory,
    /// The ones and the other.
    Both,
}

impl Kind {
    /// What whoever calls this has set, if anything.
    pub(super) fn wanted() -> Result<Option<Self>, Failure> {
        let Some(text) = env::var_os(VARIABLE).filter(|text| !text.is_empty()) else { return Ok(None) };
        let text = text.to_string_lossy();
        let kind = [Self::Real, Self::Memory, Self::Both].into_iter().find(|kind| kind.name() == text);
        let wrong = || format!("{VARIABLE} is `{text}`, and may be `real`, `memory` or `both`");
        kind.map(Some).ok_or_else(|| Failure::new(wrong()))
    }

    /// What to run on: what is wanted, else all that there is.
    pub(super) fn of(wanted: Option<Self>, has_etcd: bool) -> Result<Self, Failure> {
        match (wanted, has_etcd) {
            (Some(Self::Real), false) => {
                Err(Failure::new(format!("{VARIABLE} is real, and there is no etcd at all; {WAYS}")))
            }
            (Some(Self::Real), true) => Ok(Self::Real),
            (Some(Self::Memory), _) | (None | Some(Self::Both), false) => Ok(Self::Memory),
            (None | Some(Self::Both), true) => Ok(Self::Both),
        }
    }

    /// The value of the variable.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Real => "real",
            Self::Memory => "memory",
            Self::Both => "both",
        }
    }

    /// What to say before the tests.
    pub(super) fn line(self) -> &'static str {
        match self {
            Self::Real => "etcd in memory: not run: ETCD_TEST_SERVERS is real",
            Self::Memory => "etcd in memory: the whole suite runs on it alone (ETCD_TEST_SERVERS=memory)",
            Self::Both => "etcd in memory: tests run on it as well (ETCD_TEST_SERVERS=both)",
        }
    }
}

pub(super) const VARIABLE: &str = "ETCD_TEST_SERVERS";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_a_wish_tests_run_on_all_that_there_is() {
        assert_eq!(Kind::of(None, true).unwrap(), Kind::Both);
        assert_eq!(Kind::of(None, false).unwrap(), Kind::Memory);
    }

    #[test]
    fn a_wish_for_real_servers_is_not_granted_without_any() {
        assert_eq!(Kind::of(Some(Kind::Real), true).unwrap(), Kind::Real);
        assert!(Kind::of(Some(Kind::Real), false).unwrap_err().to_string().contains("cargo xtask etcd"));
    }

    #[test]
    fn a_wish_for_memory_alone_leaves_real_servers_out() {
        assert_eq!(Kind::of(Some(Kind::Memory), true).unwrap(), Kind::Memory);
    }

    #[test]
    fn the_line_names_the_switch() {
        for kind in [Kind::Real, Kind::Memory, Kind::Both] {
            assert!(kind.line().contains(VARIABLE) && kind.line().contains(kind.name()), "{kind:?}");
        }
    }
}
