//! What the test of the recordings is made of.

pub(crate) mod answer;
pub(crate) mod error;
pub(crate) mod exchange;
pub(crate) mod go_url;
pub(crate) mod meaning;
pub(crate) mod typed;
