//! The must-holds of locks on real clusters: what contenders believe, and what the servers, an onlooker and a resource
//! say to that.
//!
//! The scenarios are run twice: by `cargo test` in small numbers, and by `cargo xtask locks` in full, for a table of
//! figures. Each returns what it has [`Shown`].
//!
//! | | |
//! | --- | --- |
//! | [`uncontended`], [`handed_over`] | what is sent, counted at proxies |
//! | [`holder_frozen`], [`holder_killed`] | contenders in processes, which are stopped and killed |
//! | [`leader_killed`] | a cluster that loses its leader |
//! | [`answers_lost`] | writes that are applied, and whose answers are not heard |

mod beliefs;
mod contend;
mod contenders;
mod fenced;
mod frozen;
mod hand_over;
mod journal;
mod killed;
mod leader_killed;
mod lost_answer;
mod onlooker;
mod process;
mod requests;
mod resource;
mod said;
mod scene;
mod shown;
mod uncontended;

pub use beliefs::{Beliefs, Listed, Pause};
pub use contend::{Believer, check, contend, release};
pub use frozen::holder_frozen;
pub use hand_over::handed_over;
pub use journal::{Entry, Journal};
pub use killed::holder_killed;
pub use leader_killed::leader_killed;
pub use lost_answer::answers_lost;
pub use onlooker::Onlooker;
pub use process::{Process, Task};
pub use requests::{Kind, Requests};
pub use resource::{Resource, Write, Writer, older_accepted};
pub use said::{Said, boottime};
pub use shown::Shown;
pub use uncontended::uncontended;
