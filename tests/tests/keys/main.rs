//! Every call about keys, on a single node of each etcd under test.

mod compare;
mod dir;
mod encoding;
mod in_order;
mod modify;
mod read;
mod ttl;
mod watch;
mod write;
