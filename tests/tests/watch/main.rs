//! Watches: each event once and in order, or a resync that says so.

mod at_rest;
mod behind;
mod busy;
mod dropped;
mod faults;
mod join;
mod ledger;
mod lost;
mod restart;
mod seed;
mod support;
