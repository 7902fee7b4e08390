//! Watches: each event once and in order, or a resync that says so.

mod at_rest;
mod behind;
mod busy;
mod double;
mod dropped;
mod faults;
mod hostile;
mod join;
mod ledger;
mod lost;
mod restart;
mod rules;
mod seed;
mod support;
