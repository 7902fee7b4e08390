//! Members of real clusters that die, freeze or are silent: no call fails, and hardly one is sent twice.
//!
//! Counts only; the times are printed by `cargo xtask failover`.

mod killed;
mod silent;
