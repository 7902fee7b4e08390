//! Members of real clusters that die, freeze, are silent or lie: no call fails that need not, hardly one is sent
//! twice, and every error tells the truth about its write.
//!
//! Counts only; the times are printed by `cargo xtask failover`. `ETCD_FAILURE_RUNS` says how often each resolved
//! write is tried; 20 by default.

mod delete;
mod in_order;
mod killed;
mod midway;
mod quorum_lost;
mod resolution;
mod silent;
