//! What is the client's own: bad input, namespaces, layers, programs without async, and peers that are no
//! etcd.

mod bad_input;
mod blocking;
mod in_process;
mod layers;
mod namespace;
mod not_etcd;
mod single_node;
