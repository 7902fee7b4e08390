//! Watches: each event once and in order, or a resync that says so.

mod at_rest;
mod behind;
mod busy;
mod double;
mod dropped;
mod early;
mod faults;
mod hostile;
mod join;
mod ledger;
mod lost;
mod memory;
mod reconnect;
mod relay;
mod restart;
mod rules;
mod seed;
mod seldom;
mod sockets;
mod support;
mod tree;
