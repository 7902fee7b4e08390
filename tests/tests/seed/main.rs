//! What the three seed clients show, with the same effect and the same fields in the answers: C (`etcd-api`), J1
//! (Etcd.jl of 2014) and J2 (Etcd.jl of 2017). Locks, elections and endless watches have tests of their own.

mod c_client;
mod julia;
mod julia_dirs;
mod names;
