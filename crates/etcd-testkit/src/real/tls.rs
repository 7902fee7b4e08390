//! Certificates for servers that speak TLS, and for their clients.

use std::fs;
use std::path::{Path, PathBuf};

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa, KeyPair,
    KeyUsagePurpose, date_time_ymd,
};

use super::error::{Error, ErrorKind, Result};

/// How a server speaks TLS, for [`ServerBuilder::tls`](super::ServerBuilder::tls).
///
/// ```no_run
/// use etcd_testkit::real::{self, Server, Tls};
///
/// # async fn run() -> Result<(), real::Error> {
/// for binary in real::binaries_under_test()? {
///     let server = Server::builder(binary).tls(Tls::new().client_cert_auth()).start().await?;
///     let (certificate, key) = server.certificates().client_cert();
///     println!("{} is trusted by {certificate}{key}", server.certificates().ca_pem());
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
#[must_use = "settings do nothing until they are given to a builder"]
pub struct Tls {
    names: Vec<String>,
    expired: bool,
    client_cert_auth: bool,
}

/// The certificates of a server and of its clients: of one authority, in the server's directory.
///
/// They are PEM. Debug shows paths only.
#[derive(Debug)]
pub struct Certificates {
    tls: Tls,
    directory: PathBuf,
    ca: Pem,
    client: (Pem, Pem),
}

/// Not printed: it may be a key.
struct Pem(String);

/// Of what a certificate is for.
enum Use {
    Server,
    Client,
}

// === impl Tls ===

impl Tls {
    /// A certificate for `127.0.0.1` and `localhost`; clients need none.
    pub fn new() -> Self {
        Self {
            names: vec!["127.0.0.1".to_owned(), "localhost".to_owned()],
            expired: false,
            client_cert_auth: false,
        }
    }

    /// The names and addresses of the server's certificate, in place of the default ones.
    pub fn names(mut self, names: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.names = names.into_iter().map(Into::into).collect();
        self
    }

    /// Gives the server a certificate that ended in the year 2001.
    pub fn expired(mut self) -> Self {
        self.expired = true;
        self
    }

    /// Refuses clients without a certificate of the server's authority (`--client-cert-auth`).
    pub fn client_cert_auth(mut self) -> Self {
        self.client_cert_auth = true;
        self
    }

    pub(super) fn asks_for_client_cert(&self) -> bool {
        self.client_cert_auth
    }
}

impl Default for Tls {
    fn default() -> Self {
        Self::new()
    }
}

// === impl Certificates ===

impl Certificates {
    /// Makes an authority, and writes its certificates into the directory: of a server that there is none of.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Start`] if they cannot be made or written.
    pub fn create(tls: &Tls, directory: &Path) -> Result<Self> {
        let authority = authority().map_err(not_made)?;
        let (server, server_key) = issue(&authority, Use::Server, tls).map_err(not_made)?;
        let (client, client_key) = issue(&authority, Use::Client, tls).map_err(not_made)?;
        let certificates = Self {
            tls: tls.clone(),
            directory: directory.to_owned(),
            ca: Pem(authority.pem()),
            client: (client, client_key),
        };
        for (path, Pem(pem)) in [
            (certificates.server_cert_path(), &server),
            (certificates.server_key_path(), &server_key),
            (certificates.ca_path(), &certificates.ca),
        ] {
            fs::write(path, pem).map_err(not_made)?;
        }
        Ok(certificates)
    }

    /// Makes new certificates of a new authority in place of the server's, and returns them for its clients.
    ///
    /// A member has the new ones once it is restarted.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Start`] if they cannot be made or written.
    pub fn rotate(&self) -> Result<Self> {
        Self::create(&self.tls, &self.directory)
    }

    /// The certificate of the authority.
    #[must_use]
    pub fn ca_pem(&self) -> &str {
        &self.ca.0
    }

    /// A client's certificate and its key.
    #[must_use]
    pub fn client_cert(&self) -> (&str, &str) {
        (&self.client.0.0, &self.client.1.0)
    }

    /// The file of the authority's certificate.
    #[must_use]
    pub fn ca_path(&self) -> PathBuf {
        self.directory.join("ca.pem")
    }

    pub(super) fn server_cert_path(&self) -> PathBuf {
        self.directory.join("server.pem")
    }

    pub(super) fn server_key_path(&self) -> PathBuf {
        self.directory.join("server-key.pem")
    }
}

impl std::fmt::Debug for Pem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("***")
    }
}

fn authority() -> Result<CertifiedIssuer<'static, KeyPair>, rcgen::Error> {
    let key = KeyPair::generate()?;
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params.distinguished_name.push(DnType::CommonName, "etcd-testkit authority");
    CertifiedIssuer::self_signed(params, key)
}

fn issue(
    authority: &CertifiedIssuer<'static, KeyPair>,
    purpose: Use,
    tls: &Tls,
) -> Result<(Pem, Pem), rcgen::Error> {
    let key = KeyPair::generate()?;
    let mut params = match purpose {
        Use::Server => CertificateParams::new(tls.names.clone())?,
        Use::Client => CertificateParams::default(),
    };
    let name = match purpose {
        Use::Server => "etcd-testkit server",
        Use::Client => "root",
    };
    params.distinguished_name.push(DnType::CommonName, name);
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = match purpose {
        // etcd's JSON gateway of v3 is a client of its own server, with the server's certificate.
        Use::Server => vec![ExtendedKeyUsagePurpose::ServerAuth, ExtendedKeyUsagePurpose::ClientAuth],
        Use::Client => vec![ExtendedKeyUsagePurpose::ClientAuth],
    };
    if tls.expired && matches!(purpose, Use::Server) {
        (params.not_before, params.not_after) = (date_time_ymd(2000, 1, 1), date_time_ymd(2001, 1, 1));
    }
    let certificate = params.signed_by(&key, authority)?;
    Ok((Pem(certificate.pem()), Pem(key.serialize_pem())))
}

fn not_made(source: impl std::error::Error + Send + Sync + 'static) -> Error {
    Error::new(ErrorKind::Start, "certificates could not be made").with_source(source)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_not_printed_and_each_rotation_is_of_another_authority() {
        let directory = tempfile::tempdir().unwrap();
        let first = Certificates::create(&Tls::new(), directory.path()).unwrap();
        let second = first.rotate().unwrap();
        assert_ne!(first.ca_pem(), second.ca_pem());
        assert_eq!(fs::read_to_string(first.ca_path()).unwrap(), second.ca_pem());
        assert!(first.client_cert().1.contains("PRIVATE KEY"));
        assert!(!format!("{first:?}").contains("BEGIN"));
    }
}
