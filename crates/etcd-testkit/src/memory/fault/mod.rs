//! Scripted faults: which requests meet what.

mod handle;
mod kind;
pub(crate) mod page;
mod plan;
mod rule;
mod stalled;

pub use self::handle::Faults;
pub use self::kind::{Change, Fault};
pub use self::plan::Plan;
pub use self::rule::Rule;
pub use self::stalled::StalledWrites;
