//! What the user says about TLS.

use std::fmt;
use std::path::PathBuf;
#[cfg(feature = "tls-rustls-0_23")]
use std::sync::Arc;

use super::material::Source;

/// How to speak TLS with `https` servers: whom to trust, and who we are. For
/// [`Builder::tls`](crate::Builder::tls), which checks it.
///
/// | trusted | when |
/// | --- | --- |
/// | the given CA certificates, nothing else | [`ca_pem`](TlsConfig::ca_pem) or [`ca_file`](TlsConfig::ca_file) |
/// | the roots of the operating system | no CA is given, feature `tls-native-roots` |
/// | the roots of Mozilla | no CA is given, feature `tls-webpki-roots` |
///
/// The certificate and the name of the server are always checked; there is no way to turn that off. A CA
/// file of a few lines does for tests what turning it off would do.
///
/// Files are read when the transport is built. They are looked at again for a new connection, at most once
/// in a second, and read again once time or size of one has changed. A new file that cannot be used leaves
/// the old settings in force, with one warning. Connections that are open stay as they are.
///
/// ```no_run
/// use etcd_transport::{Endpoints, TlsConfig, Transport};
///
/// let tls = TlsConfig::new()
///     .ca_file("/etc/etcd/ca.pem")
///     .client_cert_files("/etc/etcd/client.pem", "/etc/etcd/client-key.pem");
/// let transport = Transport::builder(Endpoints::parse("https://10.0.0.7")?).tls(tls).build()?;
/// # Ok::<(), etcd_transport::Error>(())
/// ```
///
/// Debug shows paths and names, never a key or a certificate.
#[derive(Clone, Default)]
#[must_use = "settings do nothing until they are given to a builder"]
pub struct TlsConfig {
    pub(super) ca: Vec<Source>,
    /// Certificate chain and key.
    pub(super) client: Option<(Source, Source)>,
    pub(super) server_name: Option<String>,
    #[cfg(feature = "tls-rustls-0_23")]
    pub(super) prepared: Option<Arc<tokio_rustls::rustls::ClientConfig>>,
}

impl TlsConfig {
    /// Trusts the roots of the operating system or of Mozilla, as the features are, and shows no certificate.
    pub fn new() -> Self {
        Self::default()
    }

    /// Trusts these CA certificates (PEM, one or more), and no others but those that are given so.
    pub fn ca_pem(mut self, pem: impl AsRef<[u8]>) -> Self {
        self.ca.push(Source::bytes(pem.as_ref()));
        self
    }

    /// Trusts the CA certificates in this file (PEM, one or more), and no others but those that are given so.
    pub fn ca_file(mut self, path: impl Into<PathBuf>) -> Self {
        self.ca.push(Source::File(path.into()));
        self
    }

    /// Shows this certificate (PEM, with the chain behind it) to servers that ask for one.
    ///
    /// The key is PEM too: PKCS #8, PKCS #1 or SEC1, not encrypted.
    pub fn client_cert_pem(mut self, certificate: impl AsRef<[u8]>, key: impl AsRef<[u8]>) -> Self {
        self.client = Some((Source::bytes(certificate.as_ref()), Source::bytes(key.as_ref())));
        self
    }

    /// Shows the certificate in this file to servers that ask for one, see
    /// [`client_cert_pem`](TlsConfig::client_cert_pem) for what is in the files.
    ///
    /// While they are being replaced, a certificate may for moments not belong to its key: until it does,
    /// the old pair is used.
    pub fn client_cert_files(mut self, certificate: impl Into<PathBuf>, key: impl Into<PathBuf>) -> Self {
        self.client = Some((Source::File(certificate.into()), Source::File(key.into())));
        self
    }

    /// The name, or IP address, that every server's certificate must have. Default: the host of the endpoint.
    pub fn server_name(mut self, name: impl Into<String>) -> Self {
        self.server_name = Some(name.into());
        self
    }

    /// Takes a prepared configuration of rustls 0.23, for what has no setter here.
    ///
    /// CA and client certificate that are given beside it have no effect, and nothing is read again. Where it
    /// names no protocols (ALPN), `h2` and `http/1.1` are offered.
    #[cfg(feature = "tls-rustls-0_23")]
    #[cfg_attr(docsrs, doc(cfg(feature = "tls-rustls-0_23")))]
    pub fn from_rustls(config: impl Into<Arc<tokio_rustls::rustls::ClientConfig>>) -> Self {
        Self { prepared: Some(config.into()), ..Self::default() }
    }

    /// Everything that may be a file.
    pub(super) fn sources(&self) -> impl Iterator<Item = &Source> {
        self.ca.iter().chain(self.client.iter().flat_map(|(certificate, key)| [certificate, key]))
    }
}

impl fmt::Debug for TlsConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TlsConfig")
            .field("ca", &self.ca)
            .field("client_cert", &self.client)
            .field("server_name", &self.server_name)
            .finish_non_exhaustive()
    }
}
