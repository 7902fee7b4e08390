//! The server in memory, without I/O: what real servers answered, and what only a test can ask.

mod access;
mod client;
mod expiry;
mod fault;
mod hostile;
mod keys;
mod normal;
mod recording;
mod replay;
mod table;
mod watch;
