//! TLS to the servers: settings, certificates that change, and connecting.
//!
//! | file | concept |
//! | --- | --- |
//! | `config` | [`TlsConfig`], what the user says |
//! | `material` | certificates and keys, as bytes or in files |
//! | `build` | rustls's configuration made of both |
//! | `source` | the configuration of the moment: read again when a file has changed |
//! | `connector` | TCP, and TLS over it for `https` |
//! | `stream` | a connection of either kind |
//! | `failure` | why there was none |
//!
//! No type of rustls is in the public API but behind the feature that names its version, and the provider of
//! cryptography is handed over explicitly: a library that installs one for the process would take the
//! choice from the program.

mod build;
mod config;
mod connector;
mod failure;
mod material;
mod source;
mod stream;

pub use config::TlsConfig;
pub(crate) use connector::Https;
pub(crate) use failure::{TlsFailure, refused_certificate};
pub(crate) use source::TlsSource;

#[cfg(test)]
mod test;
