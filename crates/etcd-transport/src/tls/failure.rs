//! Why there was no TLS connection, in words.
//!
//! | seen | is | a write is |
//! | --- | --- | --- |
//! | the handshake fails: the certificate, the name, the time, the versions | [`TlsFailure`] | `NotApplied` |
//! | TCP breaks in the handshake | a plain failure to connect | `NotApplied` |
//! | the server refuses our certificate, TLS 1.2 | [`TlsFailure`] | `NotApplied` |
//! | the same, TLS 1.3: the alert comes when our side is done | [`refused_certificate`] | `Unknown` |
//!
//! In the last case the request may be on its way when the alert comes. A server that keeps to TLS never
//! looks at it; that is not relied upon.

use std::error::Error as StdError;
use std::{fmt, io};

use etcd_proto::BoxError;
use tokio_rustls::rustls::{AlertDescription, CertificateError, Error as Rustls};

/// A TLS handshake that failed: nothing of a request was sent.
#[derive(Debug)]
pub(crate) struct TlsFailure {
    source: Rustls,
}

impl TlsFailure {
    /// Sorts out what is about TLS; what is not stays as it is.
    pub(super) fn of_handshake(error: io::Error) -> BoxError {
        match rustls_in(&error) {
            Some(source) => Self { source: source.clone() }.into(),
            None => error.into(),
        }
    }
}

impl fmt::Display for TlsFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(words(&self.source))
    }
}

impl StdError for TlsFailure {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        Some(&self.source)
    }
}

/// Says in words that the server has refused our certificate, if that is what this failure of an open
/// connection is.
pub(crate) fn refused_certificate(error: &(dyn StdError + 'static)) -> Option<&'static str> {
    let error = rustls_in(error.downcast_ref()?)?;
    matches!(error, Rustls::AlertReceived(alert) if is_about_certificate(*alert)).then(|| words(error))
}

fn rustls_in(error: &io::Error) -> Option<&Rustls> {
    error.get_ref()?.downcast_ref()
}

fn words(error: &Rustls) -> &'static str {
    match error {
        Rustls::InvalidCertificate(error) => words_of_certificate(error),
        Rustls::AlertReceived(AlertDescription::CertificateRequired) => {
            "the server wants a client certificate, and none is set"
        }
        Rustls::AlertReceived(alert) if is_about_certificate(*alert) => {
            "the server refuses the client certificate"
        }
        Rustls::AlertReceived(_) => "the server broke the TLS handshake off",
        Rustls::InvalidMessage(_) => "what answers does not speak TLS",
        _ => "the TLS handshake failed",
    }
}

fn words_of_certificate(error: &CertificateError) -> &'static str {
    match error {
        // A bad signature is that of a CA which has the name of a trusted one: so it is after a rotation.
        CertificateError::UnknownIssuer | CertificateError::BadSignature => {
            "the server's certificate is of a CA that is not trusted"
        }
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
            "the server's certificate is for another name"
        }
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
            "the server's certificate has expired"
        }
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
            "the server's certificate is not valid yet"
        }
        CertificateError::Revoked => "the server's certificate is revoked",
        _ => "the server's certificate is not valid",
    }
}

/// The alerts that answer a client certificate. A `bad_certificate` is what Go sends for one that is missing
/// (TLS 1.2) or not of its CA.
fn is_about_certificate(alert: AlertDescription) -> bool {
    matches!(
        alert,
        AlertDescription::NoCertificate
            | AlertDescription::BadCertificate
            | AlertDescription::UnsupportedCertificate
            | AlertDescription::CertificateRevoked
            | AlertDescription::CertificateExpired
            | AlertDescription::CertificateUnknown
            | AlertDescription::UnknownCA
            | AlertDescription::AccessDenied
            | AlertDescription::CertificateRequired
    )
}
