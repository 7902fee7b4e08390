//! The program, run as a shell runs it, on every etcd under test.

mod copy;
mod election;
mod end;
mod examples;
mod exit;
mod lock;
mod options;
mod people;
mod program;
mod running;
#[cfg(feature = "serve")]
mod serve;
mod signal;
mod terminal;
#[cfg(feature = "tls")]
mod tls;
mod watch;
