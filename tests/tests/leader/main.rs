//! Leader election on the server in memory, in virtual time.

mod blocking;
mod costs;
mod leadership;
mod observe;
mod only_one;
mod seed;
mod support;
mod two_step;
