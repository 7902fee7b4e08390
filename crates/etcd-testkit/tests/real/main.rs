//! The harness on real servers: each test runs on every etcd that `binaries_under_test` names.

mod auth;
mod end;
mod http;
mod member;
mod start;
