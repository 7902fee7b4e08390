//! Packages of the distribution, fetched beside the system: nothing is installed and no root is needed.

mod archive;
mod source;
mod suite;

pub(crate) use self::archive::{Archive, Refusal};
pub(crate) use self::source::{Source, configured};
pub(crate) use self::suite::{Family, suites};
