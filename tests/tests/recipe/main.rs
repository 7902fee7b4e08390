//! The recipes on the server in memory: waiting in line, holding, and ending on time.

mod blocking;
mod by_token;
mod cancel;
mod clock;
mod every;
mod held;
mod keep_alive;
mod line;
mod lost;
mod plain;
mod skew;
mod support;
mod trouble;
mod unknown;
