//! Watches: each event once and in order, or a resync that says so.

mod at_rest;
mod busy;
mod faults;
mod join;
mod lost;
mod seed;
mod support;
