//! Certificates and keys, as bytes or in files.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;
use std::{fmt, fs};

use secrecy::{ExposeSecret, SecretSlice};
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};

/// PEM, here or in a file.
#[derive(Clone)]
pub(super) enum Source {
    /// Kept as a secret whatever it is: one of them is a key.
    Bytes(Arc<SecretSlice<u8>>),
    File(PathBuf),
}

/// What tells that a file has changed: when it was written, and its length. `None` for one that is missing.
pub(super) type Stamp = Option<(Option<SystemTime>, u64)>;

impl Source {
    pub(super) fn bytes(pem: &[u8]) -> Self {
        Self::Bytes(Arc::new(SecretSlice::from(pem.to_vec())))
    }

    pub(super) fn path(&self) -> Option<&Path> {
        match self {
            Self::Bytes(_) => None,
            Self::File(path) => Some(path),
        }
    }

    /// The state of the file; always the same for bytes.
    pub(super) fn stamp(&self) -> Stamp {
        let metadata = fs::metadata(self.path()?).ok()?;
        Some((metadata.modified().ok(), metadata.len()))
    }

    /// Reads at least one certificate.
    ///
    /// # Errors
    /// A sentence that names the file and `what` it should have been.
    pub(super) fn certificates(&self, what: &str) -> Result<Vec<CertificateDer<'static>>, String> {
        let pem = self.read(what)?;
        let certificates: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem.expose_secret()).collect();
        match certificates {
            Ok(certificates) if !certificates.is_empty() => Ok(certificates),
            Ok(_) => Err(format!("{what}{} holds no certificate in PEM", Place(self))),
            Err(error) => Err(format!("{what}{} is no PEM: {error}", Place(self))),
        }
    }

    /// Reads one key.
    ///
    /// # Errors
    /// A sentence that names the file, and nothing of what is in it.
    pub(super) fn key(&self) -> Result<PrivateKeyDer<'static>, String> {
        let pem = self.read(KEY)?;
        PrivateKeyDer::from_pem_slice(pem.expose_secret())
            .map_err(|_| format!("{KEY}{} holds no private key in PEM, or an encrypted one", Place(self)))
    }

    fn read(&self, what: &str) -> Result<Arc<SecretSlice<u8>>, String> {
        match self {
            Self::Bytes(pem) => Ok(Arc::clone(pem)),
            Self::File(path) => fs::read(path)
                .map(|pem| Arc::new(SecretSlice::from(pem)))
                .map_err(|error| format!("{what}{} cannot be read: {error}", Place(self))),
        }
    }
}

impl fmt::Debug for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bytes(_) => f.write_str("PEM"),
            Self::File(path) => fmt::Debug::fmt(path, f),
        }
    }
}

/// Names the file, where it is one.
struct Place<'a>(&'a Source);

impl fmt::Display for Place<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.path().map_or(Ok(()), |path| write!(f, " `{}`", path.display()))
    }
}

const KEY: &str = "client key";
